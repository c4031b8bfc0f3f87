//! Writing what an archive holds, checked against what was signed.

use crate::archive::{Compressed, Entry, Kind, PLAIN, PROGRAM};
use crate::digest::Hasher;
use crate::disk;
use crate::error::{BundleError, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What was signed about a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promise<'a> {
    pub(crate) sha256: &'a str,
    pub(crate) size: u64,
    pub(crate) executable: bool,
}

/// What to write where, and what is known of it.
pub(crate) struct Unpacking<'a> {
    /// The archive, for errors.
    pub(crate) archive: &'a Path,
    /// How its errors are told.
    pub(crate) kind: Kind,
    /// Every file that must come out, by path.
    pub(crate) promised: BTreeMap<&'a str, Promise<'a>>,
    /// Files of the archive that are passed over.
    pub(crate) skipped: &'a [&'a str],
}

impl Unpacking<'_> {
    /// Writes the files into `to`, which must not exist. All or nothing: what
    /// was written is removed if anything does not fit. Everything is synced
    /// when it returns.
    pub(crate) fn run<R: Read>(&self, mut reader: Compressed<R>, to: &Path) -> Result<()> {
        let mut builder = DirBuilder::new();
        builder.mode(PROGRAM).create(to).map_err(BundleError::io("create", to))?;
        // Whatever the mask of the process is.
        std::fs::set_permissions(to, Permissions::from_mode(PROGRAM))
            .map_err(BundleError::io("create", to))?;
        let done = self.write_all(&mut reader, to).and_then(|()| {
            let told = self.kind.error(self.archive);
            crate::archive::nothing_follows(reader).map_err(told)
        });
        if done.is_err() {
            // The first error is the one to tell; what stays is in a directory
            // that only we knew.
            let _ = std::fs::remove_dir_all(to);
        }
        done
    }

    fn write_all<R: Read>(&self, reader: &mut Compressed<R>, to: &Path) -> Result<()> {
        let told = self.kind.error(self.archive);
        let mut directories = BTreeSet::from([to.to_owned()]);
        let mut left = self.promised.clone();
        while let Some(entry) = reader.next().map_err(&told)? {
            if self.skipped.contains(&entry.path.as_str()) {
                continue;
            }
            let Some(promise) = left.remove(entry.path.as_str()) else {
                return Err(self.unexpected(entry));
            };
            if promise.size != entry.size {
                return Err(self.changed(entry));
            }
            directories_for(&entry.path, to, &mut directories)?;
            self.write(reader, entry, promise, to)?;
        }
        if let Some(missing) = left.keys().next() {
            let (path, entry) = (self.archive.to_owned(), (*missing).to_owned());
            return Err(BundleError::FileMissing { path, entry });
        }
        // A name is durable when its directory is.
        directories.insert(disk::parent(to).to_owned());
        directories.iter().rev().try_for_each(|directory| disk::sync_directory(directory))
    }

    fn write<R: Read>(
        &self,
        reader: &mut Compressed<R>,
        entry: Entry,
        promise: Promise<'_>,
        to: &Path,
    ) -> Result<()> {
        let place = to.join(&entry.path);
        let failed = || BundleError::io("write", &place);
        let mut options = OpenOptions::new();
        // Nobody runs or reads it before it is whole.
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&place).map_err(failed())?;
        let mut hasher = Hasher::new();
        let mut written = Ok(());
        let read = reader.each(|piece| {
            hasher.update(piece);
            if written.is_ok() {
                written = file.write_all(piece);
            }
        });
        read.map_err(self.kind.error(self.archive))?;
        written.map_err(failed())?;
        let (sha256, size) = hasher.finish();
        if sha256 != promise.sha256 || size != promise.size {
            return Err(self.changed(entry));
        }
        let mode = if promise.executable { PROGRAM } else { PLAIN };
        file.set_permissions(Permissions::from_mode(mode)).map_err(failed())?;
        file.sync_all().map_err(failed())
    }

    fn changed(&self, entry: Entry) -> BundleError {
        BundleError::FileChanged { path: self.archive.to_owned(), entry: entry.path }
    }

    /// Nobody promised it, or it came before.
    fn unexpected(&self, entry: Entry) -> BundleError {
        let (path, entry) = (self.archive.to_owned(), entry.path);
        if self.promised.contains_key(entry.as_str()) {
            return self.kind.broken(&path, format!("'{entry}' is in it twice"));
        }
        BundleError::FileExtra { path, entry }
    }
}

/// Makes the directories that a file needs; notes the new ones.
fn directories_for(name: &str, to: &Path, made: &mut BTreeSet<PathBuf>) -> Result<()> {
    for (at, _) in name.match_indices('/') {
        let directory = to.join(name.get(..at).unwrap_or_default());
        if made.contains(&directory) {
            continue;
        }
        let failed = || BundleError::io("create", &directory);
        std::fs::create_dir(&directory).map_err(failed())?;
        std::fs::set_permissions(&directory, Permissions::from_mode(PROGRAM)).map_err(failed())?;
        made.insert(directory);
    }
    Ok(())
}
