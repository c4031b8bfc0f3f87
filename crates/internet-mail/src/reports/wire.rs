//! What is asked and answered about reports: a line of JSON each.

use serde::{Deserialize, Serialize};

/// What somebody asks, as `{"reports":"list"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reports")]
pub enum ReportsRequest {
    /// What is counted, and what waits.
    List,
    /// Send what is complete, now.
    Send,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportsAnswer {
    /// One for each report.
    pub lines: Vec<ReportLine>,
    /// Why it cannot be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A report, or what will be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLine {
    /// Its kind.
    pub kind: ReportKind,
    /// The UTC day: `2026-11-28`.
    pub day: String,
    /// The domain that gets it.
    pub domain: String,
    /// Messages (DMARC) or sessions (TLS) that it counts.
    pub count: u64,
    /// Where it stands.
    pub state: ReportState,
    /// The addresses that it went to, or why it did not.
    pub detail: String,
}

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// Who wrote messages.
    Dmarc,
    /// How sessions were encrypted.
    Tls,
}

/// Where a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReportState {
    /// Its day is not over.
    Counting,
    /// It is to be sent.
    Waiting,
    /// It was handed to the queue.
    Sent,
    /// It was thrown away.
    GivenUp,
}
