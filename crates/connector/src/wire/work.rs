//! What connectors are asked to do.

use serde::{Deserialize, Serialize};

/// The longest that a connector may wait for work in one request, in seconds.
pub const MAX_WAIT: u64 = 25;
/// The longest that an order may take, in seconds: whoever gave it waits in one
/// request.
pub const MAX_ORDER: u64 = 25;

/// What a connector is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "kebab-case")]
pub enum Work {
    /// See whether its way to the other system works, and answer with
    /// [`TestReport`].
    Test,
    /// Synchronise directories.
    Synchronise(Synchronise),
    /// Do what an operator says, and answer within [`MAX_ORDER`] seconds.
    Order(Order),
}

/// An operator's order, in words of the connector's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What it is called, in kebab case: `link-stop`.
    pub order: String,
    /// It was given as a question, which changes nothing: an order that would
    /// change something is refused then.
    #[serde(default)]
    pub question: bool,
    /// What belongs to it; an object.
    #[serde(default)]
    pub arguments: serde_json::Value,
}

/// How directories are to be synchronised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Synchronise {
    /// The run that it belongs to; see [`super::SyncStep`].
    pub run: u64,
    /// From the other system.
    pub import: bool,
    /// To the other system.
    pub export: bool,
    /// Everything, not only what has changed.
    pub full: bool,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkItem {
    /// Its number, for the answer.
    pub id: u64,
    /// What is to be done.
    #[serde(flatten)]
    pub work: Work,
}

/// `GET /v1/connectors/{name}/work?wait=SECONDS`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WorkAnswer {
    /// None: there was nothing within the time.
    pub item: Option<WorkItem>,
}

/// `POST /v1/connectors/{name}/work/{id}`: what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorkDone {
    /// Of a test.
    pub probes: Vec<Probe>,
    /// Why it could not be done.
    pub error: Option<String>,
    /// The error's stable code, of an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The answer to an order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<serde_json::Value>,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// What was looked at, in a few words.
    pub name: String,
    /// Whether it is as it should be.
    pub passed: bool,
    /// What was seen.
    pub seen: String,
    /// What to do if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Probe {
    /// One that is as it should be.
    pub fn passed(name: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { name: name.into(), passed: true, seen: seen.into(), mend: None }
    }

    /// One that is not.
    pub fn failed(
        name: impl Into<String>,
        seen: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), passed: false, seen: seen.into(), mend: Some(mend.into()) }
    }
}
