//! The directory and its files.

use super::watch::Seen;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use tokio::fs;

/// Files that are on their way.
const TAKEN: &str = "taken";
/// Files that were refused, each with one that says why.
const BAD: &str = "bad";
/// What the name of such a reason ends in.
const REASON: &str = ".reason.txt";
/// Tries for a name that is free.
const NAMES: u32 = 10_000;

/// Something cannot be done in the directory.
#[derive(Debug, thiserror::Error)]
#[error("cannot {act} {path}: {cause}; is it this service's user's?", path = path.display())]
pub(crate) struct PickupError {
    act: &'static str,
    path: PathBuf,
    cause: Error,
}

pub(super) fn failed(act: &'static str, path: &Path) -> impl FnOnce(Error) -> PickupError {
    let path = path.to_owned();
    move |cause| PickupError { act, path, cause }
}

pub(super) struct Place {
    directory: PathBuf,
}

impl Place {
    /// The directory; whatever of it is missing is made (Q231737).
    pub async fn open(directory: PathBuf) -> Result<Self, PickupError> {
        for path in [directory.join(TAKEN), directory.join(BAD)] {
            fs::create_dir_all(&path).await.map_err(failed("make", &path))?;
        }
        Ok(Self { directory })
    }

    /// What lies there. Only plain files count: a link could name any file.
    pub async fn listed(&self) -> Result<Vec<Seen>, PickupError> {
        list(&self.directory).await
    }

    /// Files that an earlier look took and did not finish.
    pub async fn taken(&self) -> Result<Vec<(String, u64)>, PickupError> {
        let mut files: Vec<(String, u64)> = list(&self.directory.join(TAKEN))
            .await?
            .into_iter()
            .map(|seen| (seen.name, seen.octets))
            .collect();
        files.sort_unstable();
        Ok(files)
    }

    /// Takes a file: it gets a name of its own in `taken/`.
    pub async fn take(&self, name: &str) -> Result<String, PickupError> {
        let from = self.directory.join(name);
        self.put(&from, TAKEN, name).await
    }

    pub async fn open_taken(&self, name: &str) -> Result<fs::File, PickupError> {
        let path = self.directory.join(TAKEN).join(name);
        fs::File::open(&path).await.map_err(failed("read", &path))
    }

    pub async fn remove(&self, name: &str) -> Result<(), PickupError> {
        let path = self.directory.join(TAKEN).join(name);
        fs::remove_file(&path).await.map_err(failed("remove", &path))
    }

    /// Puts a taken file into `bad/`, with the reason beside it.
    pub async fn refuse(&self, name: &str, reason: &str) -> Result<(), PickupError> {
        let from = self.directory.join(TAKEN).join(name);
        let name = self.put(&from, BAD, name).await?;
        let path = self.directory.join(BAD).join(format!("{name}{REASON}"));
        fs::write(&path, format!("{reason}\n")).await.map_err(failed("write", &path))
    }

    /// Moves a file under its name, or one like it that is free.
    async fn put(&self, from: &Path, to: &str, name: &str) -> Result<String, PickupError> {
        let directory = self.directory.join(to);
        for number in 0..NAMES {
            let name = if number == 0 { name.to_owned() } else { format!("{name}.{number}") };
            let (from_there, path) = (from.to_owned(), directory.join(&name));
            let moved = tokio::task::spawn_blocking(move || move_file(&from_there, &path)).await;
            match moved.unwrap_or_else(|error| Err(Error::other(error))) {
                Ok(()) => return Ok(name),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(failed("move", from)(cause)),
            }
        }
        Err(failed("move", from)(ErrorKind::AlreadyExists.into()))
    }
}

/// Renames, but replaces nothing.
fn move_file(from: &Path, to: &Path) -> std::io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can do it in one step. Nobody else moves files
        // to there.
        Err(rustix::io::Errno::INVAL) => {
            if to.symlink_metadata().is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            std::fs::rename(from, to)
        }
        done => Ok(done?),
    }
}

async fn list(directory: &Path) -> Result<Vec<Seen>, PickupError> {
    let unreadable = || failed("list", directory);
    let mut entries = fs::read_dir(directory).await.map_err(unreadable())?;
    let mut seen = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(unreadable())? {
        let Ok(name) = entry.file_name().into_string() else { continue };
        // It may be gone already.
        let Ok(facts) = entry.metadata().await else { continue };
        if facts.is_file() {
            seen.push(Seen { name, octets: facts.len(), modified: facts.modified().ok() });
        }
    }
    Ok(seen)
}
