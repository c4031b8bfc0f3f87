use crate::open::{EngineOptions, OpenReport, io, lock, open};
use crate::verify::VerifyReport;
use concord_base::StorageError;

/// Verifies every octet of log and large bodies; blocks while it reads. Also
/// safe beside a running core.
///
/// # Errors
/// [`StorageError`] if it could not be read; damage is in the report.
pub fn verify(options: &EngineOptions) -> Result<VerifyReport, StorageError> {
    crate::verify::verify(options)
}

/// Makes the index anew from the newest good snapshot and the log behind it.
/// The old index is kept beside as `index.db.old`.
///
/// # Errors
/// [`StorageError`]; while a core has the directory, [`StorageError::Io`].
pub fn rebuild(options: &EngineOptions) -> Result<OpenReport, StorageError> {
    let held = lock(&options.directory)?;
    let index = options.index_path();
    for suffix in ["", "-wal", "-shm"] {
        let path = options.directory.join(format!("index.db{suffix}"));
        let aside = options.directory.join(format!("index.db.old{suffix}"));
        if path.exists() {
            std::fs::rename(&path, &aside).map_err(|e| io("rename", &index, &e))?;
        }
    }
    drop(held);
    Ok(open(options)?.report)
}
