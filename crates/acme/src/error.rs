//! Why there is no certificate.

use concord_base::{Fault, Retry};
use concord_tls::TlsError;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AcmeError {
    /// The authority does not answer.
    #[error(
        "cannot reach the certification authority at {url}: {cause}; check acme.directory, the network and, for a private authority, acme.trusted-root"
    )]
    Unreachable {
        /// Its directory.
        url: String,
        /// What happened.
        cause: String,
    },
    /// Whatever answers does not speak ACME.
    #[error(
        "cannot understand the answer of {url}: {cause}; acme.directory must be the directory URL of an ACME server"
    )]
    NotAcme {
        /// Its directory.
        url: String,
        /// What does not fit.
        cause: String,
    },
    /// The authority does not take our account.
    #[error(
        "cannot have an account at {url}: the authority says '{said}'; it may want acme.contact, or acme.external-account-id and its key file"
    )]
    Account {
        /// Its directory.
        url: String,
        /// Its words.
        said: String,
    },
    /// The authority does not take the order.
    #[error(
        "cannot order a certificate for {}: the authority says '{said}'; change acme.names, or ask the authority", names.join(", ")
    )]
    Refused {
        /// The names.
        names: Vec<String>,
        /// Its words.
        said: String,
    },
    /// Too many orders or failures.
    #[error(
        "cannot order a certificate for {}: the authority takes no more for now: '{said}'; it is tried again later by itself", names.join(", ")
    )]
    RateLimited {
        /// The names.
        names: Vec<String>,
        /// Its words.
        said: String,
    },
    /// The authority does not prove a name in this way.
    #[error(
        "cannot prove '{host}' by {challenge}: the authority does not offer that for it; set acme.challenge to another"
    )]
    NotOffered {
        /// The name.
        host: String,
        /// The challenge.
        challenge: &'static str,
    },
    /// The authority looked and did not find the proof.
    #[error("cannot prove '{host}' by {challenge}: the authority says '{said}'; {advice}")]
    NotProved {
        /// The name.
        host: String,
        /// The challenge.
        challenge: &'static str,
        /// Its words.
        said: String,
        /// What to do.
        advice: &'static str,
    },
    /// The authority did not come to an end.
    #[error(
        "cannot wait longer for the authority: no certificate for {} within {} s; it is tried again later by itself", names.join(", "), after.as_secs()
    )]
    TooSlow {
        /// The names.
        names: Vec<String>,
        /// How long was waited.
        after: Duration,
    },
    /// What came is not what was ordered.
    #[error("cannot use the certificate that the authority gave: {cause}; tell the authority")]
    WrongCertificate {
        /// What does not fit.
        cause: String,
    },
    /// A key file cannot be used.
    #[error("cannot use the key in {}: {cause}; write it as the manual shows", file.display())]
    KeyFile {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// A name server cannot be asked.
    #[error("cannot reach the name server {server}: {cause}; check acme.dns-server")]
    NameServer {
        /// The server.
        server: String,
        /// What happened.
        cause: String,
    },
    /// The name server does not have the zone.
    #[error(
        "cannot find the zone of '{record}' at {server}: it answers {answer}; check acme.dns-server, or set acme.dns-zone"
    )]
    NoZone {
        /// The server.
        server: String,
        /// The record.
        record: String,
        /// What it answered.
        answer: String,
    },
    /// The name server does not make the change.
    #[error(
        "cannot change '{record}' at {server}: it answers {answer}; check that the key of acme.dns-key-file may change the zone"
    )]
    NoUpdate {
        /// The server.
        server: String,
        /// The record.
        record: String,
        /// What it answered.
        answer: String,
    },
    /// The program did not do it.
    #[error(
        "cannot make the record for '{host}': {} {cause}; run it by hand with the same arguments", program.display()
    )]
    Hook {
        /// The program.
        program: PathBuf,
        /// The name.
        host: String,
        /// What it said or did.
        cause: String,
    },
    /// A file of ours cannot be read or written.
    #[error("cannot keep {}: {cause}; check the owner of the directory and the free space", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// The roots for the authority cannot be used.
    #[error("cannot verify the certification authority: {0}; check acme.trusted-root")]
    Roots(TlsError),
    /// The library failed in a way that it should not.
    #[error("cannot order a certificate: {0}")]
    Library(String),
}

impl AcmeError {
    /// The name that it is about, if it is about one.
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::NotOffered { host, .. }
            | Self::NotProved { host, .. }
            | Self::Hook { host, .. } => Some(host),
            _ => None,
        }
    }

    /// The challenge that it is about.
    pub fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::NotOffered { challenge, .. } | Self::NotProved { challenge, .. } => {
                Some(challenge)
            }
            Self::Hook { .. }
            | Self::NameServer { .. }
            | Self::NoZone { .. }
            | Self::NoUpdate { .. } => Some("dns-01"),
            _ => None,
        }
    }

    /// The authority's own words.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Account { said, .. }
            | Self::Refused { said, .. }
            | Self::RateLimited { said, .. }
            | Self::NotProved { said, .. } => Some(said),
            _ => None,
        }
    }
}

impl Fault for AcmeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "acme.unreachable",
            Self::NotAcme { .. } => "acme.not-acme",
            Self::Account { .. } => "acme.account",
            Self::Refused { .. } => "acme.refused",
            Self::RateLimited { .. } => "acme.rate-limited",
            Self::NotOffered { .. } => "acme.not-offered",
            Self::NotProved { .. } => "acme.not-proved",
            Self::TooSlow { .. } => "acme.too-slow",
            Self::WrongCertificate { .. } => "acme.wrong-certificate",
            Self::KeyFile { .. } => "acme.key-file",
            Self::NameServer { .. } => "acme.name-server",
            Self::NoZone { .. } => "acme.no-zone",
            Self::NoUpdate { .. } => "acme.no-update",
            Self::Hook { .. } => "acme.hook",
            Self::File { .. } => "acme.file",
            Self::Roots(_) => "acme.roots",
            Self::Library(_) => "acme.library",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::TooSlow { .. }
            | Self::NameServer { .. } => Retry::Temporary,
            Self::Library(_) => Retry::Bug,
            _ => Retry::Operator,
        }
    }
}
