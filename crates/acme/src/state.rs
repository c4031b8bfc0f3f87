//! What is remembered of attempts.

use crate::error::AcmeError;
use crate::files::{read_json, write_atomically};
use concord_base::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What is remembered of attempts, for the doctor, the command line and the
/// next start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AcmeState {
    /// Failed attempts since the last success.
    pub failures: u32,
    /// The last one of them; none after a success.
    pub failed: Option<Failed>,
    /// The last success.
    pub succeeded: Option<Timestamp>,
    /// When the next attempt is due.
    pub next: Option<Timestamp>,
    /// What was ordered and how, in a form that only says whether it changed.
    pub of: String,
}

/// A failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Failed {
    /// When.
    pub at: Timestamp,
    /// The error's stable code.
    pub code: String,
    /// What could not be done, why, and what to do.
    pub reason: String,
    /// The name that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The challenge that it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// The authority's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl AcmeState {
    /// The file below the directory of certificates.
    pub fn file(directory: &Path) -> PathBuf {
        directory.join("acme-state.json")
    }

    /// Reads it. One that is not there or not readable as such is a new one:
    /// what it holds is only a memory. Blocks.
    pub fn read(directory: &Path) -> Self {
        read_json(&Self::file(directory)).ok().flatten().unwrap_or_default()
    }

    /// Writes it. Blocks.
    pub(crate) fn write(&self, directory: &Path) -> Result<(), AcmeError> {
        let file = Self::file(directory);
        let text = serde_json::to_vec_pretty(self)
            .map_err(|e| AcmeError::File { file: file.clone(), cause: e.to_string() })?;
        write_atomically(&file, &text)
    }
}

impl Failed {
    /// What is remembered of an error.
    pub(crate) fn of(error: &AcmeError, at: Timestamp) -> Self {
        Self {
            at,
            code: error.code().to_owned(),
            reason: error.to_string(),
            host: error.host().map(str::to_owned),
            challenge: error.challenge().map(str::to_owned),
            said: error.said().map(str::to_owned),
        }
    }
}
