//! One controller per root.

use crate::error::ControllerError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Held as long as the controller lives; the system lets go of it when the
/// process dies, however it dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at once or says who has it.
    pub(crate) fn take(path: &Path) -> Result<Self, ControllerError> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(ControllerError::io("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                return Err(ControllerError::AlreadyRunning { pid: text.trim().parse().ok() });
            }
            Err(TryLockError::Error(cause)) => {
                return Err(ControllerError::io("lock", path)(cause));
            }
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(ControllerError::io("write", path))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_learns_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("controller.lock");
        let first = Lock::take(&path).unwrap();
        let error = Lock::take(&path).unwrap_err();
        let us = i32::try_from(std::process::id()).unwrap();
        assert!(matches!(error, ControllerError::AlreadyRunning { pid: Some(pid) } if pid == us));
        drop(first);
        Lock::take(&path).unwrap();
    }
}
