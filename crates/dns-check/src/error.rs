//! What keeps the world from being looked at.

use concord_base::{Fault, Retry};

/// Something could not be looked at. A record that is missing is no error, but
/// a [`crate::Finding`].
#[derive(Debug, thiserror::Error)]
pub enum DnsCheckError {
    /// The resolver cannot be set up.
    #[error("cannot set up the resolver: {0}; give name servers that answer")]
    Resolver(String),
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
            Self::Resolver(_) => "dns-check.resolver",
            Self::Unreachable { .. } => "dns-check.unreachable",
            Self::NoTime { .. } => "dns-check.no-time",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Resolver(_) => Retry::Operator,
            Self::Unreachable { .. } | Self::NoTime { .. } => Retry::Temporary,
        }
    }
}
