//! Why the service cannot start.

use concord_base::{Fault, Retry};
use concord_tls::TlsError;

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
    /// The resolver's configuration is unusable.
    #[error("cannot set up name resolution: {0}; check /etc/resolv.conf or set nameservers")]
    Resolver(String),
    /// TLS towards other hosts.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// TLS from the first octet without a certificate.
    #[error("submission under TLS needs a certificate; set one or close that listener")]
    NoCertificate,
}

impl Fault for InternetMailError {
    fn code(&self) -> &'static str {
        match self {
            Self::Socket { .. } => "internet-mail.socket",
            Self::Resolver(_) => "internet-mail.resolver",
            Self::Tls(e) => e.code(),
            Self::NoCertificate => "internet-mail.no-certificate",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Operator
    }
}
