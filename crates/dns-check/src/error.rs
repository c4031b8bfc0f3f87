//! What keeps the world from being looked at.

use concord_base::{Fault, Retry};
use concord_mail_authentication::AuthenticationError;
use concord_resolver::ResolverError;

/// Something could not be looked at. A record that is missing is no error, but
/// a [`crate::Finding`].
#[derive(Debug, thiserror::Error)]
pub enum DnsCheckError {
    /// The resolver cannot be set up.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// SPF cannot be evaluated.
    #[error(transparent)]
    Authentication(#[from] AuthenticationError),
    /// A host does not take connections.
    #[error(
        "cannot reach {host} on port {port}: {cause}; many providers block port 25 until they are asked"
    )]
    Unreachable {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What happened.
        cause: String,
    },
    /// A time server does not answer.
    #[error("cannot ask {server} for the time: {cause}; give another --time-server")]
    NoTime {
        /// The server.
        server: String,
        /// What happened.
        cause: String,
    },
}

impl Fault for DnsCheckError {
    fn code(&self) -> &'static str {
        match self {
            Self::Resolver(error) => error.code(),
            Self::Authentication(error) => error.code(),
            Self::Unreachable { .. } => "dns-check.unreachable",
            Self::NoTime { .. } => "dns-check.no-time",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Resolver(error) => error.retry(),
            Self::Authentication(error) => error.retry(),
            Self::Unreachable { .. } | Self::NoTime { .. } => Retry::Temporary,
        }
    }
}
