//! One file per section of the configuration: its structure and, beside it,
//! its rows of the schema.

mod controller;
mod internet_mail;
mod limits;
mod listen;
mod logging;
mod queue;
mod server;
mod storage;
mod tls;

pub use controller::Controller;
pub use internet_mail::{InternetMail, SmartHost, SmartHostTls};
pub use limits::Limits;
pub use listen::Listen;
pub use logging::{LogFormat, LogLevel, Logging};
pub use queue::Queue;
pub use server::Server;
pub use storage::Storage;
pub use tls::Tls;

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
    /// `[internet-mail]`
    pub internet_mail: InternetMail,
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
            internet_mail: InternetMail::default(),
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
    internet_mail::SECTION,
    limits::SECTION,
    queue::SECTION,
    storage::SECTION,
    logging::SECTION,
    controller::SECTION,
];
