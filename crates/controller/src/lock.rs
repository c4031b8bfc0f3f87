//! One controller per root.

use crate::error::ControllerError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Held as long as the controller lives; the system lets go of it when the
/// process dies, however it dies.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock at once or says who has it. `held` is the lock's file
    /// from the program before this one in the same process: it was never let
    /// go of, so no other controller can come in between.
    pub(crate) fn take(path: &Path, held: Option<OwnedFd>) -> Result<Self, ControllerError> {
        let held = held.map(File::from).filter(|file| is_at(file, path));
        let mut file = match held {
            Some(file) => file,
            None => OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .mode(0o600)
                .open(path)
                .map_err(ControllerError::io("open", path))?,
        };
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
        Ok(Self { file })
    }

    /// For the program that takes this process over.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_learns_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("controller.lock");
        let first = Lock::take(&path, None).unwrap();
        let error = Lock::take(&path, None).unwrap_err();
        let us = i32::try_from(std::process::id()).unwrap();
        assert!(matches!(error, ControllerError::AlreadyRunning { pid: Some(pid) } if pid == us));
        drop(first);
        Lock::take(&path, None).unwrap();
    }
}
