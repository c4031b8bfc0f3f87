//! Taking files over into a backup: hashed while they are copied, or linked
//! where the backup before has the same file.

use super::{Backup, FileEntry, Progress, Told};
use crate::error::{Result, SetupError};
use crate::hash::hex;
use aws_lc_rs::digest::{Context, SHA256};
use std::collections::HashMap;
use std::fs::{File, FileTimes, Metadata, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Copied at a time; larger pieces are not faster.
const CHUNK: usize = 256 << 10;
/// Between two tellings of how far it is.
const TELL_EVERY: u64 = 16 << 20;
/// Deeper trees are not ours.
const MAX_DEPTH: usize = 32;

/// A backup while files are put into it.
pub(super) struct Collection<'a> {
    /// The draft's directory.
    pub draft: PathBuf,
    /// The backup before, if files may be linked from it.
    pub previous: Option<Previous>,
    pub files: Vec<FileEntry>,
    pub copied: u64,
    pub linked: u64,
    /// What could not be taken, and why.
    pub notes: Vec<String>,
    pub total: u64,
    pub told: Told<'a>,
}

/// An earlier backup, its files by path.
pub(super) struct Previous {
    path: PathBuf,
    files: HashMap<PathBuf, FileEntry>,
}

impl From<Backup> for Previous {
    fn from(backup: Backup) -> Self {
        let files = backup.manifest.files.into_iter();
        Self { path: backup.path, files: files.map(|f| (f.path.clone(), f)).collect() }
    }
}

impl Collection<'_> {
    fn tell(&mut self) {
        let (done, total) = (self.copied + self.linked, self.total);
        (self.told)(Progress { what: "copying", done, total });
    }

    /// Takes a text over.
    pub fn text(&mut self, place: &str, text: &str) -> Result<()> {
        let to = self.draft.join(place);
        let mut file = create(&to)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(SetupError::io("write", &to))?;
        self.copied += text.len() as u64;
        self.files.push(FileEntry {
            path: PathBuf::from(place),
            size: text.len() as u64,
            sha256: crate::hash::sha256(text.as_bytes()),
            mode: 0o600,
        });
        Ok(())
    }

    /// Takes a tree over. A link to a file is taken as that file, because what
    /// it points to need not be there after a recovery; other things are noted.
    pub fn tree(&mut self, from: &Path, place: &Path, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            let cause = format!("{} is nested deeper than {MAX_DEPTH}", from.display());
            return Err(SetupError::invalid("make a backup", cause));
        }
        let to = self.draft.join(place);
        std::fs::create_dir_all(&to).map_err(SetupError::io("make", &to))?;
        for entry in crate::survey::entries(from) {
            let Some(name) = entry.file_name() else { continue };
            let place = place.join(name);
            match std::fs::metadata(&entry) {
                Ok(found) if found.is_file() => self.file(&entry, &found, &place)?,
                Ok(found) if found.is_dir() && !entry.is_symlink() => {
                    self.tree(&entry, &place, depth + 1)?;
                }
                Ok(_) => self.notes.push(format!("left out: {} is no file", entry.display())),
                Err(error) => {
                    self.notes.push(format!("left out: {}: {error}", entry.display()));
                }
            }
        }
        sync(&to)
    }

    fn file(&mut self, from: &Path, found: &Metadata, place: &Path) -> Result<()> {
        let mode = found.mode() & 0o777;
        let to = self.draft.join(place);
        if let Some(entry) = self.linked(found, place, &to) {
            self.linked += entry.size;
            self.files.push(FileEntry { mode, ..entry });
            self.tell();
            return Ok(());
        }
        let (size, sha256) = self.copy(from, found, &to)?;
        self.files.push(FileEntry { path: place.to_owned(), size, sha256, mode });
        self.tell();
        Ok(())
    }

    /// Same size and same time of last change, to the nanosecond: the same file,
    /// because what the engine has finished it does not write again.
    fn linked(&self, found: &Metadata, place: &Path, to: &Path) -> Option<FileEntry> {
        let previous = self.previous.as_ref()?;
        let entry = previous.files.get(place)?;
        let there = previous.path.join(place);
        let then = std::fs::symlink_metadata(&there).ok()?;
        let same = then.is_file()
            && then.len() == found.len()
            && entry.size == found.len()
            && then.modified().ok()? == found.modified().ok()?;
        (same && std::fs::hard_link(&there, to).is_ok()).then(|| entry.clone())
    }

    fn copy(&mut self, from: &Path, found: &Metadata, to: &Path) -> Result<(u64, String)> {
        let mut source = File::open(from).map_err(SetupError::io("read", from))?;
        let mut target = create(to)?;
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; CHUNK];
        let (mut size, mut untold) = (0, 0);
        loop {
            let count = source.read(&mut buffer).map_err(SetupError::io("read", from))?;
            if count == 0 {
                break;
            }
            let octets = buffer.get(..count).unwrap_or_default();
            context.update(octets);
            target.write_all(octets).map_err(SetupError::io("write", to))?;
            size += count as u64;
            self.copied += count as u64;
            untold += count as u64;
            if untold >= TELL_EVERY {
                untold = 0;
                self.tell();
            }
        }
        let finish = || {
            // By it the next backup knows the same file again.
            target.set_times(FileTimes::new().set_modified(found.modified()?))?;
            if found.mode() & 0o100 != 0 {
                target.set_permissions(Permissions::from_mode(0o700))?;
            }
            target.sync_all()
        };
        finish().map_err(SetupError::io("write", to))?;
        Ok((size, hex(context.finish().as_ref())))
    }
}

/// A new file that only its owner may read: there are keys and mail in a backup.
fn create(path: &Path) -> Result<File> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(SetupError::io("write", path))
}

pub(super) fn sync(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|file| file.sync_all())
        .map_err(SetupError::io("sync", directory))
}

/// Octets of a tree's files.
pub(crate) fn size_of(path: &Path) -> u64 {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            crate::survey::entries(path).iter().map(|entry| size_of(entry)).sum()
        }
        Ok(found) => found.len(),
        Err(_) => 0,
    }
}
