//! The mechanisms by name.

use std::fmt;

/// A SASL mechanism that we serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// SCRAM-SHA-256 (RFC 7677): the password does not cross the wire.
    ScramSha256,
    /// PLAIN (RFC 4616): only to be offered under TLS.
    Plain,
    /// LOGIN, obsolete but the only one that some programs know; only under TLS.
    Login,
}

impl Mechanism {
    /// All, strongest first: the order in which to advertise them.
    pub const ALL: [Self; 3] = [Self::ScramSha256, Self::Plain, Self::Login];

    /// Its registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// The mechanism of that name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|m| m.name().eq_ignore_ascii_case(name))
    }

    /// Whether it shows the password to whoever listens on the wire.
    pub const fn shows_password(self) -> bool {
        matches!(self, Self::Plain | Self::Login)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
