//! Files that are replaced as a whole. All of it blocks.

use crate::error::AcmeError;
use serde::de::DeserializeOwned;
use std::io::Write;
use std::path::Path;

/// Account and state are some hundred octets.
const MAX_FILE: u64 = 256 << 10;

/// Writes a file that only its owner reads; it is replaced at once or not at
/// all, and durable when this returns.
pub(crate) fn write_atomically(file: &Path, content: &[u8]) -> Result<(), AcmeError> {
    write(file, content)
        .map_err(|e| AcmeError::File { file: file.to_owned(), cause: e.to_string() })
}

fn write(file: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let directory = file.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    // tempfile's mode is 0600.
    let mut draft = tempfile::Builder::new().prefix(".acme-").tempfile_in(directory)?;
    draft.write_all(content)?;
    draft.as_file().sync_all()?;
    draft.persist(file).map_err(|e| e.error)?;
    std::fs::File::open(directory)?.sync_all()
}

/// Reads a JSON file; none if it is not there.
pub(crate) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, AcmeError> {
    let fail = |cause: String| AcmeError::File { file: file.to_owned(), cause };
    match std::fs::metadata(file) {
        Ok(found) if found.len() > MAX_FILE => return Err(fail("it is too large".to_owned())),
        Ok(_) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fail(e.to_string())),
    }
    let octets = std::fs::read(file).map_err(|e| fail(e.to_string()))?;
    serde_json::from_slice(&octets).map(Some).map_err(|e| fail(e.to_string()))
}
