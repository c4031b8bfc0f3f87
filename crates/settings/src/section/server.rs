//! `[server]`

use crate::check::host_name;
use crate::schema::{Key, Kind, Section};
use std::net::IpAddr;

/// `[server]`: what this machine calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Server {
    /// Fully qualified name: greetings, `EHLO`, `Received`, certificates.
    pub hostname: String,
    /// Addresses by which the Internet reaches this server; empty if they are
    /// the machine's own.
    pub addresses: Vec<IpAddr>,
}

pub(crate) const SECTION: Section = Section {
    name: "server",
    doc: "What this machine calls itself.",
    keys: &[
        Key::new(
            "hostname",
            "\"localhost\"",
            Kind::Text(host_name, |s, v| s.server.hostname = v),
            "The fully qualified name of this server: greetings, EHLO, Received lines, message ids \
         and the self-made certificate carry it. Other mail servers expect it to resolve to \
         this machine.",
        )
        .demo("\"mail.example.test\""),
        Key::new(
            "addresses",
            "[]",
            Kind::Addresses(|s, v| s.server.addresses = v),
            "Addresses by which the Internet reaches this server and that its connections come \
             from, for a machine behind a router that translates addresses. Empty: the machine's \
             own, or those that the DNS has for the host name. 'concord dns' compares with them.",
        ),
    ],
};
