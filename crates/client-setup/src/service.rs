//! What mail programs are told.

/// What mail programs are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailService {
    /// Its name for people; the account's domain if absent. No control
    /// characters.
    pub name: Option<String>,
    /// Its servers, the preferred one of each protocol first.
    pub servers: Vec<Server>,
}

/// A server that mail programs speak to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// What it speaks.
    pub protocol: Protocol,
    /// Its host name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How TLS begins.
    pub socket: Socket,
}

/// What a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Reading mail.
    Imap,
    /// Fetching mail.
    Pop3,
    /// Sending mail (RFC 6409).
    Submission,
}

/// How TLS begins. There is none without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Socket {
    /// With the first octet.
    Tls,
    /// By STARTTLS or STLS.
    StartTls,
}

impl MailService {
    /// Its name for people.
    pub(crate) fn name(&self, domain: &str) -> String {
        self.name.clone().unwrap_or_else(|| domain.to_owned())
    }

    pub(crate) fn of(&self, protocol: Protocol) -> impl Iterator<Item = &Server> {
        self.servers.iter().filter(move |server| server.protocol == protocol)
    }
}
