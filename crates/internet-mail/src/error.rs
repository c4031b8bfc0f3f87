//! Why the service cannot start.

use concord_base::{Fault, Retry};
use concord_resolver::ResolverError;
use concord_tls::TlsError;
use concord_transport_security::LedgerError;
use std::path::PathBuf;

/// The service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum InternetMailError {
    /// A socket that was handed over cannot be used.
    #[error("cannot use the socket for {what}: {cause}")]
    Socket {
        /// Its use.
        what: &'static str,
        /// The system's words.
        cause: std::io::Error,
    },
    /// Names cannot be looked up.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// The DNSSEC trust anchors are unusable.
    #[error(
        "cannot use the trust anchors in {}: {cause}; put DNSKEY records there, or leave \
         internet-mail.dnssec-trust-anchors out for the root's",
        file.display()
    )]
    TrustAnchors {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// What is kept about TLS cannot be read or written.
    #[error("cannot use {} for MTA-STS policies: {cause}; check its owner and mode", directory.display())]
    State {
        /// The directory.
        directory: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The counts of TLS sessions cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// TLS towards other hosts.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// What checks messages cannot be set up.
    #[error(transparent)]
    Authentication(#[from] concord_mail_authentication::AuthenticationError),
    /// TLS from the first octet without a certificate.
    #[error("submission under TLS needs a certificate; set one or close that listener")]
    NoCertificate,
}

impl Fault for InternetMailError {
    fn code(&self) -> &'static str {
        match self {
            Self::Socket { .. } => "internet-mail.socket",
            Self::Resolver(e) => e.code(),
            Self::TrustAnchors { .. } => "internet-mail.trust-anchors",
            Self::State { .. } => "internet-mail.state",
            Self::Ledger(e) => e.code(),
            Self::Tls(e) => e.code(),
            Self::Authentication(e) => e.code(),
            Self::NoCertificate => "internet-mail.no-certificate",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Operator
    }
}
