//! `backup list`: what there is in a directory of backups.

use super::Backup;
use crate::error::{Result, SetupError};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A directory that is a backup, or was to be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Where.
    pub path: PathBuf,
    /// Whether it was finished. That its files are sound is what verifying tells.
    pub complete: bool,
    /// Why not, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stamp: Option<String>,
    /// The organisation's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<String>,
    /// The host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The release that ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Octets, links counted as if they were copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Mailboxes in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mailboxes: Option<u64>,
    /// Messages in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
}

impl Listed {
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let found = if name.starts_with('.') {
            Err("it is a draft: making it was cut off, or goes on".to_owned())
        } else {
            Backup::open(path).map_err(|error| error.to_string())
        };
        let mut listed = Self {
            path: path.to_owned(),
            complete: found.is_ok(),
            cause: None,
            stamp: None,
            organisation: None,
            hostname: None,
            version: None,
            size: None,
            mailboxes: None,
            messages: None,
        };
        match found {
            Ok(Backup { manifest, .. }) => {
                listed.size = Some(manifest.size());
                listed.stamp = Some(manifest.stamp);
                listed.organisation = manifest.identity.organisation;
                listed.hostname = Some(manifest.identity.hostname);
                listed.version = Some(manifest.release.version);
                listed.mailboxes = Some(manifest.counts.mailboxes);
                listed.messages = Some(manifest.counts.messages);
            }
            Err(cause) => listed.cause = Some(cause),
        }
        listed
    }
}

/// What is called a backup, by name.
fn named(directory: &Path) -> Result<Vec<PathBuf>> {
    // One that cannot be read is not one that has none.
    std::fs::read_dir(directory).map_err(SetupError::io("list", directory))?;
    let mut all = crate::survey::entries(directory);
    all.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.is_dir() && (name.starts_with("concord-") || name.starts_with(".concord-"))
    });
    Ok(all)
}

/// Every backup in a directory, drafts too, by name.
pub fn list(directory: &Path) -> Result<Vec<Listed>> {
    Ok(named(directory)?.iter().map(|path| Listed::of(path)).collect())
}

/// The whole ones, oldest first.
pub(super) fn whole(directory: &Path) -> Result<Vec<Backup>> {
    let all = named(directory)?;
    let visible = all.iter().filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("concord-"))
    });
    let mut whole: Vec<Backup> = visible.filter_map(|path| Backup::open(path).ok()).collect();
    whole.sort_by(|a, b| {
        let key = |backup: &Backup| (backup.manifest.created, backup.path.clone());
        key(a).cmp(&key(b))
    });
    Ok(whole)
}
