//! Why the service does not start, and why a request of the administrator's is
//! refused.

use concord_base::{Fault, Retry};

/// Why the service does not start, or refuses what the administrator asks.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// An inherited socket cannot be used.
    #[error("cannot use the socket '{what}': {cause}; restart Concord")]
    Socket {
        /// Which.
        what: &'static str,
        /// The system's words.
        cause: std::io::Error,
    },
    /// No certification authority is set.
    #[error(
        "cannot order a certificate: acme.directory is not set in etc/concord.toml; set it, then run 'concord service restart web'"
    )]
    NoAuthority,
    /// The socket's API does not have that.
    #[error("cannot find {method} {path}: this API does not have it")]
    NoSuchPath {
        /// The method.
        method: String,
        /// The path.
        path: String,
    },
    /// The request's body does not fit.
    #[error("cannot read the request: {0}")]
    BadRequest(String),
}

impl Fault for WebError {
    fn code(&self) -> &'static str {
        match self {
            Self::Socket { .. } => "web.socket",
            Self::NoAuthority => "web.no-authority",
            Self::NoSuchPath { .. } => "web.no-such-path",
            Self::BadRequest(_) => "web.bad-request",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Socket { .. } | Self::NoAuthority => Retry::Operator,
            Self::NoSuchPath { .. } | Self::BadRequest(_) => Retry::Permanent,
        }
    }
}
