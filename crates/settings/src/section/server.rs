//! `[server]`

use crate::check::host_name;
use crate::schema::{Key, Kind, Section};

/// `[server]`: what this machine calls itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Server {
    /// Fully qualified name: greetings, `EHLO`, `Received`, certificates.
    pub hostname: String,
}

pub(crate) const SECTION: Section = Section {
    name: "server",
    doc: "What this machine calls itself.",
    keys: &[Key::new(
        "hostname",
        "\"localhost\"",
        Kind::Text(host_name, |s, v| s.server.hostname = v),
        "The fully qualified name of this server: greetings, EHLO, Received lines, message ids \
         and the self-made certificate carry it. Other mail servers expect it to resolve to \
         this machine.",
    )
    .demo("\"mail.example.test\"")],
};
