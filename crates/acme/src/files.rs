//! The account and the state on the disk. All of it blocks.

use crate::error::AcmeError;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Account and state are some hundred octets.
const MAX_FILE: u64 = 256 << 10;

/// [`concord_files::replace`] with this crate's error.
pub(crate) fn write_atomically(file: &Path, content: &[u8]) -> Result<(), AcmeError> {
    concord_files::replace(file, content)
        .map_err(|e| AcmeError::File { file: file.to_owned(), cause: e.to_string() })
}

/// Reads a JSON file; none if it is not there.
pub(crate) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, AcmeError> {
    let fail = |cause: String| AcmeError::File { file: file.to_owned(), cause };
    let octets = concord_files::read(file, MAX_FILE).map_err(|e| fail(e.to_string()))?;
    let parsed = octets.map(|octets| serde_json::from_slice(&octets)).transpose();
    parsed.map_err(|e| fail(e.to_string()))
}
