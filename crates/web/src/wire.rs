//! The API on the Unix socket `web`: HTTP and JSON, for the command line.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/certificate` [`OrderRequest`] | [`OrderOutcome`], once the order has ended |
//!
//! An error is `{"error": {"code", "message", "advice", "retry"}}`, as the
//! core's are. Who may connect is decided by the socket's mode, 0600.

use concord_base::Timestamp;
use serde::{Deserialize, Serialize};

/// The one path.
pub const CERTIFICATE: &str = "/v1/certificate";

/// What the administrator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// What is wanted.
    pub wish: Wish,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// A certificate, if there is none or it lacks a name.
    Order,
    /// A new one, if it is due.
    Renew,
    /// A new one now.
    RenewNow,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderOutcome {
    /// Whether there is a new certificate.
    pub ordered: bool,
    /// The new one's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The new one's names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The new one's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// If nothing was ordered: when the one that is there is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}
