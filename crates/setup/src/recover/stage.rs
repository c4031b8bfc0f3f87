//! Copying what is needed from the backup into the staging directory, hashed on
//! the way: what is put into its place later is what was checked.

use super::{settings, staged};
use crate::backup::{Backup, BackupError, FileEntry, Part, Progress, Told};
use crate::error::{Result, SetupError};
use crate::hash::hex;
use crate::host::Host;
use aws_lc_rs::digest::{Context, SHA256};
use std::collections::BTreeSet;
use std::fs::{OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Copied at a time; larger pieces are not faster.
const CHUNK: usize = 256 << 10;

/// Parts whose files are moved into their places; the others are read.
const COPIED: [Part; 3] = [Part::Store, Part::Config, Part::Keys];

/// Where a file of the backup is staged. Packages are where packages are staged,
/// so that their trees are taken from there.
fn place(host: &Host, entry: &FileEntry) -> PathBuf {
    if entry.path.starts_with(Part::Connectors.place()) {
        host.layout.staging().join(&entry.path)
    } else {
        staged(host).join(&entry.path)
    }
}

/// Stages the parts, and every package: a connector of the directory may need
/// its own. Only checks where only a plan is wanted.
pub(super) fn stage(
    host: &Host,
    backup: &Backup,
    parts: &BTreeSet<Part>,
    dry_run: bool,
    told: Told<'_>,
) -> Result<()> {
    if dry_run {
        return backup.check_parts(parts.iter().chain([&Part::Connectors]), told);
    }
    if parts.contains(&Part::Directory) {
        backup.check_parts([&Part::Directory], told)?;
    }
    let mut copied: Vec<&FileEntry> = backup.files_in(Part::Connectors.place()).collect();
    let parts = COPIED.iter().filter(|part| parts.contains(part));
    copied.extend(parts.flat_map(|part| backup.files_in(part.place())));
    let total = copied.iter().map(|entry| entry.size).sum();
    let mut done = 0;
    for entry in copied {
        told(Progress { what: "copying from the backup", done, total });
        copy(backup, entry, &place(host, entry))?;
        done += entry.size;
    }
    Ok(())
}

/// The settings are staged as they are to be here.
pub(super) fn stage_settings(host: &Host, text: &str) -> Result<()> {
    let path = staged(host).join(settings::FILE);
    host.write_file(&path, text.as_bytes(), 0o600, None)
}

fn copy(backup: &Backup, entry: &FileEntry, to: &Path) -> Result<()> {
    let from = backup.path.join(&entry.path);
    let damaged = |cause: String| BackupError::Damaged {
        backup: backup.path.clone(),
        file: entry.path.clone(),
        cause,
    };
    let mut source =
        std::fs::File::open(&from).map_err(|error| damaged(format!("cannot be read: {error}")))?;
    let (directory, mode) = match entry.path.starts_with(Part::Connectors.place()) {
        // Services of a user of their own run what is in there.
        true => (0o755, entry.mode),
        false => (0o700, entry.mode),
    };
    if let Some(above) = to.parent() {
        directories(above, directory).map_err(SetupError::io("make", above))?;
    }
    let mut target = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(to)
        .map_err(SetupError::io("write", to))?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = source
            .read(&mut buffer)
            .map_err(|error| damaged(format!("cannot be read: {error}")))?;
        if count == 0 {
            break;
        }
        let octets = buffer.get(..count).unwrap_or_default();
        context.update(octets);
        target.write_all(octets).map_err(SetupError::io("write", to))?;
    }
    if hex(context.finish().as_ref()) != entry.sha256 {
        return Err(damaged("was changed: its hash is another".to_owned()).into());
    }
    target
        .set_permissions(Permissions::from_mode(mode))
        .and_then(|()| target.sync_all())
        .map_err(SetupError::io("write", to))
}

/// Whatever the umask is: the services' user must be able to enter them.
fn directories(path: &Path, mode: u32) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        directories(above, mode)?;
    }
    std::fs::create_dir(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(mode))
}
