//! Why the service cannot start.

use concord_base::{Fault, Retry};
use concord_connector::ApiError;

/// The service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OvvmError {
    /// A socket that was handed over cannot be used.
    #[error("cannot use a socket that was handed over: {0}")]
    Socket(std::io::Error),
    /// The settings have mistakes.
    #[error("cannot use the settings of connector {connector}: {}; correct them with 'concord connector set'", .mistakes.join("; "))]
    Settings {
        /// Whose.
        connector: String,
        /// Each with what to do.
        mistakes: Vec<String>,
    },
    /// The core does not tell the connector its settings.
    #[error("cannot read the connector's settings: {0}")]
    Api(#[from] ApiError),
}

impl Fault for OvvmError {
    fn code(&self) -> &'static str {
        match self {
            Self::Socket(_) => "ovvm.socket",
            Self::Settings { .. } => "ovvm.settings",
            Self::Api(error) => error.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Socket(_) | Self::Settings { .. } => Retry::Operator,
            Self::Api(error) => error.retry(),
        }
    }
}
