//! One file per section of the configuration: its structure and, beside it,
//! its rows of the schema.

mod acme;
mod controller;
mod internet_mail;
mod ldap;
mod limits;
mod listen;
mod logging;
mod queue;
mod server;
mod storage;
mod tls;
mod web;

pub use acme::{Acme, AcmeChallenge, NameServerAddress};
pub use controller::Controller;
pub use internet_mail::{DnssecMode, InternetMail, SmartHost, SmartHostTls};
pub use ldap::Ldap;
pub use limits::Limits;
pub use listen::Listen;
pub use logging::{LogFormat, LogLevel, Logging};
pub use queue::Queue;
pub use server::Server;
pub use storage::Storage;
pub use tls::Tls;
pub use web::{MtaStsMode, Web};

use crate::schema::Section;

/// Everything that `etc/concord.toml` says. `Settings::default()` is what an
/// empty file means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `[server]`
    pub server: Server,
    /// `[listen]`
    pub listen: Listen,
    /// `[tls]`
    pub tls: Tls,
    /// `[acme]`
    pub acme: Acme,
    /// `[web]`
    pub web: Web,
    /// `[internet-mail]`
    pub internet_mail: InternetMail,
    /// `[ldap]`
    pub ldap: Ldap,
    /// `[limits]`
    pub limits: Limits,
    /// `[queue]`
    pub queue: Queue,
    /// `[storage]`
    pub storage: Storage,
    /// `[logging]`
    pub logging: Logging,
    /// `[controller]`
    pub controller: Controller,
}

impl Settings {
    /// Before any row of the schema has been applied: every field empty.
    pub(crate) fn blank() -> Self {
        Self {
            server: Server::default(),
            listen: Listen::default(),
            tls: Tls::default(),
            acme: Acme::default(),
            web: Web::default(),
            internet_mail: InternetMail::default(),
            ldap: Ldap::default(),
            limits: Limits::default(),
            queue: Queue::default(),
            storage: Storage::default(),
            logging: Logging::default(),
            controller: Controller::default(),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        crate::parse::defaults()
    }
}

/// The sections in the order of the file.
pub(crate) const SECTIONS: &[Section] = &[
    server::SECTION,
    listen::SECTION,
    tls::SECTION,
    acme::SECTION,
    web::SECTION,
    internet_mail::SECTION,
    ldap::SECTION,
    limits::SECTION,
    queue::SECTION,
    storage::SECTION,
    logging::SECTION,
    controller::SECTION,
];
