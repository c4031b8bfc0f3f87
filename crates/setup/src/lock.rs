//! One changing run at a time.

use crate::error::{Result, SetupError};
use crate::layout::Layout;
use concord_base::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Held as long as a run lives; the kernel lets go of it however the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// What it does.
    pub verb: String,
    /// Its process.
    pub pid: u32,
    /// Since when.
    pub since: Timestamp,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "'{}' (process {})", self.verb, self.pid)
    }
}

impl Lock {
    /// Takes the lock at once, or says who has it. The directory must exist.
    pub fn take(layout: &Layout, verb: &str, now: Timestamp) -> Result<Self> {
        let path = layout.lock();
        let failed = SetupError::io("open", &path);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read(&mut file).map_or_else(
                    || "another run that has not said who it is".to_owned(),
                    |holder| holder.to_string(),
                );
                return Err(SetupError::Locked { verb: verb.to_owned(), holder, path });
            }
            Err(TryLockError::Error(cause)) => {
                return Err(SetupError::Io { act: "lock", path, cause });
            }
        }
        let holder = Holder { verb: verb.to_owned(), pid: std::process::id(), since: now };
        let text = serde_json::to_string(&holder).unwrap_or_default();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{text}"))
            .map_err(SetupError::io("write", &path))?;
        Ok(Self { _file: file })
    }

    /// Who holds the lock now; `None` if it is free.
    pub fn holder(path: &Path) -> Option<Holder> {
        let mut file = File::open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read(&mut file),
            _ => None,
        }
    }
}

fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_settings::Root;

    #[test]
    fn the_second_one_learns_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::new(Root::new(dir.path()).unwrap());
        std::fs::create_dir(layout.setup()).unwrap();
        let first = Lock::take(&layout, "update apply", Timestamp(1)).unwrap();
        let told = Lock::take(&layout, "setup add", Timestamp(2)).unwrap_err().to_string();
        assert!(told.contains("'update apply'"), "{told}");
        assert!(told.contains(&std::process::id().to_string()), "{told}");
        assert!(Lock::holder(&layout.lock()).is_some_and(|h| h.verb == "update apply"));
        drop(first);
        assert_eq!(Lock::holder(&layout.lock()), None);
        Lock::take(&layout, "setup add", Timestamp(3)).unwrap();
    }
}
