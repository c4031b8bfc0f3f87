//! How requests fail, and what is said of it.

use crate::SyncError;
use crate::advice;
use crate::wire::{ErrorBody, ErrorInfo};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use concord_base::{Fault, Retry, StorageError};
use concord_directory::DirectoryError;
use concord_sasl::SaslError;
use concord_store::StoreError;
use concord_transport::TransportError;

/// A request could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The directory refused.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The transport refused.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A run of directory synchronisation.
    #[error(transparent)]
    Sync(SyncError),
    /// The password cannot be used.
    #[error(transparent)]
    Password(#[from] SaslError),
    /// No such path.
    #[error("cannot find {path}: this API does not have it")]
    NoSuchPath {
        /// The path asked for.
        path: String,
    },
    /// The path does not know the method.
    #[error("cannot {method} {path}: it is not for that")]
    WrongMethod {
        /// The path asked for.
        path: String,
        /// The method.
        method: String,
    },
    /// The body is not what the endpoint takes.
    #[error("cannot read the request's body: {0}")]
    BadBody(String),
    /// The query is not what the endpoint takes.
    #[error("cannot read the request's query: {0}")]
    BadQuery(String),
    /// The body is too large.
    #[error("cannot take the request: its body is larger than {limit} octets")]
    BodyTooLarge {
        /// The limit.
        limit: usize,
    },
    /// What was asked for makes no sense; the words say what to do as well.
    #[error("{0}")]
    Invalid(String),
    /// An address whose domain is not of this organisation.
    #[error("cannot use {address}: its domain is not one of this organisation's")]
    ForeignDomain {
        /// The address.
        address: String,
        /// Its domain.
        domain: String,
    },
    /// An update is looking whether the core comes up.
    #[error("cannot change anything now: an update is under way, and this release is on trial")]
    Held,
    /// A request of a connector without a token that is good.
    #[error("cannot tell who asks: the request has no token, or one that is not good")]
    NoToken,
    /// A connector asks for what is another's.
    #[error("cannot let connector {connector} do that: it is not its own")]
    NotYours {
        /// Who asks.
        connector: String,
    },
    /// Too much waits for a connector.
    #[error("cannot ask connector {connector}: too much waits for it already")]
    ConnectorBusy {
        /// The connector.
        connector: String,
    },
    /// A connector did not answer.
    #[error(
        "cannot say what connector {connector} did: it has not answered within {seconds} seconds"
    )]
    ConnectorSilent {
        /// The connector.
        connector: String,
        /// How long was waited.
        seconds: u64,
    },
    /// It took too long.
    #[error("cannot say that it is done: {seconds} seconds went by")]
    Timeout {
        /// The limit.
        seconds: u64,
    },
}

/// A directory that refuses is the same whoever asked it.
impl From<SyncError> for ApiError {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Directory(error) => Self::Directory(error),
            other => Self::Sync(other),
        }
    }
}

impl ApiError {
    /// The status of the HTTP answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Directory(e) => directory_status(e),
            Self::Transport(TransportError::NotQueued(_)) | Self::NoSuchPath { .. } => {
                StatusCode::NOT_FOUND
            }
            Self::Transport(TransportError::Storage(e))
            | Self::Store(StoreError::Storage(e))
            | Self::Storage(e) => storage_status(e),
            Self::Store(
                StoreError::FolderMissing(_)
                | StoreError::FolderGone(_)
                | StoreError::MailboxGone(_)
                | StoreError::MessageGone(_),
            ) => StatusCode::NOT_FOUND,
            Self::Sync(e) => sync_status(e),
            Self::Password(SaslError::Busy { .. }) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Password(SaslError::Directory(e)) => directory_status(e),
            Self::Password(SaslError::Bug(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::WrongMethod { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadBody(_) | Self::BadQuery(_) => StatusCode::BAD_REQUEST,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Held => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::NotYours { .. } => StatusCode::FORBIDDEN,
            Self::Timeout { .. } | Self::ConnectorSilent { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::ConnectorBusy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Transport(TransportError::NoRecipients)
            | Self::Store(_)
            | Self::Password(_)
            | Self::ForeignDomain { .. }
            | Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// The error as it is sent.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: ErrorInfo {
                code: self.code().to_owned(),
                message: self.to_string(),
                advice: advice::of(self),
                retry: retry_word(self.retry()).to_owned(),
            },
        }
    }
}

fn directory_status(error: &DirectoryError) -> StatusCode {
    match error {
        DirectoryError::NotFound { .. } => StatusCode::NOT_FOUND,
        DirectoryError::NameTaken { .. }
        | DirectoryError::AddressTaken { .. }
        | DirectoryError::InUse { .. } => StatusCode::CONFLICT,
        DirectoryError::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        DirectoryError::Storage(e) => storage_status(e),
    }
}

fn sync_status(error: &SyncError) -> StatusCode {
    match error {
        SyncError::NoRun { .. } => StatusCode::NOT_FOUND,
        SyncError::NotNow { .. } | SyncError::Busy { .. } => StatusCode::CONFLICT,
        SyncError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        SyncError::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        SyncError::Directory(e) => directory_status(e),
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

fn storage_status(error: &StorageError) -> StatusCode {
    match error {
        StorageError::DiskFull { .. } => StatusCode::INSUFFICIENT_STORAGE,
        StorageError::Stopping | StorageError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The word of [`ErrorInfo::retry`].
fn retry_word(retry: Retry) -> &'static str {
    match retry {
        Retry::Temporary => "temporary",
        Retry::Permanent => "permanent",
        Retry::Operator => "operator",
        Retry::Bug => "bug",
    }
}

impl Fault for ApiError {
    fn code(&self) -> &'static str {
        match self {
            Self::Directory(e) => e.code(),
            Self::Sync(e) => e.code(),
            Self::Transport(e) => e.code(),
            Self::Store(e) => e.code(),
            Self::Storage(e) => e.code(),
            Self::Password(e) => e.code(),
            Self::NoSuchPath { .. } => "api.no-such-path",
            Self::WrongMethod { .. } => "api.wrong-method",
            Self::BadBody(_) => "api.bad-body",
            Self::BadQuery(_) => "api.bad-query",
            Self::BodyTooLarge { .. } => "api.body-too-large",
            Self::Invalid(_) => "api.invalid",
            Self::ForeignDomain { .. } => "api.foreign-domain",
            Self::Timeout { .. } => "api.timeout",
            Self::ConnectorBusy { .. } => "api.connector-busy",
            Self::ConnectorSilent { .. } => "api.connector-silent",
            Self::Held => "core.held",
            Self::NoToken => "api.no-token",
            Self::NotYours { .. } => "api.not-yours",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Directory(e) => e.retry(),
            Self::Sync(e) => e.retry(),
            Self::Transport(e) => e.retry(),
            Self::Store(e) => e.retry(),
            Self::Storage(e) => e.retry(),
            Self::Password(e) => e.retry(),
            Self::Timeout { .. }
            | Self::Held
            | Self::ConnectorBusy { .. }
            | Self::ConnectorSilent { .. } => Retry::Temporary,
            _ => Retry::Permanent,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::warn!(code = self.code(), error = %self, "an administration request failed");
        }
        (status, axum::Json(self.body())).into_response()
    }
}
