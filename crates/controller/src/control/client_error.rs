//! Why a request had no result.

use crate::status::{ErrorBody, ErrorEnvelope};
use concord_base::{Fault, Retry};
use std::path::PathBuf;

/// Why a request had no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens on the socket.
    #[error("cannot reach Concord at {}: it does not run there ({cause}); start it with 'concord up', or give its root with --root", socket.display())]
    NotRunning {
        /// The socket.
        socket: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The controller runs, but not the service.
    #[error(
        "cannot reach the {service}: the controller runs, but not this service; read 'concord service logs {service}', then start it with 'concord service start {service}'"
    )]
    ServiceDown {
        /// The service.
        service: &'static str,
    },
    /// The socket belongs to another user.
    #[error("cannot reach Concord at {}: not permitted; run as root or as the user that runs Concord", socket.display())]
    NotPermitted {
        /// The socket.
        socket: PathBuf,
    },
    /// The conversation broke off.
    #[error(
        "cannot finish the request: {0}; look into the service's log with 'concord service logs'"
    )]
    Broken(String),
    /// The server refused; these are its words.
    #[error("{body}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Code, message and advice.
        body: ErrorBody,
    },
}

impl ClientError {
    /// Whether nobody is there to be asked.
    pub fn is_not_running(&self) -> bool {
        matches!(self, Self::NotRunning { .. } | Self::ServiceDown { .. })
    }

    pub(super) fn broken(cause: impl std::fmt::Display) -> Self {
        Self::Broken(cause.to_string())
    }

    /// From the answer's status and body.
    pub(super) fn refused(status: u16, octets: &[u8]) -> Self {
        let body = match serde_json::from_slice::<ErrorEnvelope>(octets) {
            Ok(envelope) => envelope.error,
            Err(_) => ErrorBody {
                code: "client.unreadable-answer".to_owned(),
                message: format!(
                    "cannot read the server's answer {status}: {}",
                    String::from_utf8_lossy(octets)
                ),
                advice: Some("see whether command and server are of one version".to_owned()),
                retry: String::new(),
            },
        };
        Self::Refused { status, body }
    }
}

impl Fault for ClientError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotRunning { .. } => "client.not-running",
            Self::ServiceDown { .. } => "client.service-down",
            Self::NotPermitted { .. } => "client.not-permitted",
            Self::Broken(_) => "client.broken",
            Self::Refused { .. } => "client.refused",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NotRunning { .. } | Self::ServiceDown { .. } | Self::NotPermitted { .. } => {
                Retry::Operator
            }
            Self::Broken(_) => Retry::Temporary,
            Self::Refused { body, .. } => body.retry(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_stands_behind_the_message() {
        let body =
            br#"{"error":{"code":"x.y","message":"cannot","advice":"do","retry":"operator"}}"#;
        let error = ClientError::refused(409, body);
        assert_eq!((error.to_string().as_str(), error.retry()), ("cannot; do", Retry::Operator));
        assert!(ClientError::refused(500, b"<html>").to_string().contains("500: <html>"));
    }
}
