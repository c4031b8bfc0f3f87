//! Effects on files. Each is atomic towards a crash; what is written is synced
//! before its name appears.

use super::Host;
use crate::error::{Result, SetupError};
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, symlink,
};
use std::path::{Path, PathBuf};

/// Mode and owner of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Permission bits.
    pub mode: u32,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// Mode and owner of what is there; a link is not followed.
pub fn access_of(path: &Path) -> Option<Access> {
    let found = std::fs::symlink_metadata(path).ok()?;
    Some(Access { mode: found.mode() & 0o7777, uid: found.uid(), gid: found.gid() })
}

/// Where a file is written before it gets its name.
fn draft(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.concord-draft"))
}

fn sync(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

impl Host {
    /// Makes a directory; one that is there stays as it is.
    pub(crate) fn make_directory(&self, path: &Path, mode: u32) -> Result<()> {
        self.effect("make", path, || match DirBuilder::new().mode(mode).create(path) {
            Ok(()) => {
                // Whatever the umask is: services of another user must get through.
                std::fs::set_permissions(path, Permissions::from_mode(mode))?;
                sync(parent(path))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        })
    }

    /// Makes a directory and those above it that are missing.
    pub(crate) fn make_directories(&self, path: &Path, mode: u32) -> Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(above) = path.parent() {
            self.make_directories(above, mode)?;
        }
        self.make_directory(path, mode)
    }

    /// Sets mode and, if given, owner.
    pub(crate) fn set_access(
        &self,
        path: &Path,
        mode: u32,
        owner: Option<(u32, u32)>,
    ) -> Result<()> {
        let same = access_of(path).is_some_and(|now| {
            now.mode == mode && owner.is_none_or(|owner| owner == (now.uid, now.gid))
        });
        if same {
            return Ok(());
        }
        self.effect("set the access of", path, || {
            if let Some((uid, gid)) = owner {
                chown(path, Some(uid), Some(gid))?;
            }
            std::fs::set_permissions(path, Permissions::from_mode(mode))
        })
    }

    /// Puts a file in its place in one step: draft, sync, rename, sync.
    pub(crate) fn write_file(
        &self,
        path: &Path,
        octets: &[u8],
        mode: u32,
        owner: Option<(u32, u32)>,
    ) -> Result<()> {
        let draft = draft(path);
        self.effect("write", &draft, || {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(mode)
                .open(&draft)?;
            file.write_all(octets)?;
            file.set_permissions(Permissions::from_mode(mode))?;
            if let Some((uid, gid)) = owner {
                chown(&draft, Some(uid), Some(gid))?;
            }
            file.sync_all()
        })?;
        self.effect("write", path, || {
            std::fs::rename(&draft, path)?;
            sync(parent(path))
        })
    }

    /// Removes a draft that a kill left behind.
    pub(crate) fn remove_draft(&self, path: &Path) -> Result<()> {
        self.remove_tree(&draft(path))
    }

    /// Puts a symbolic link in its place in one step.
    pub(crate) fn write_link(&self, path: &Path, target: &Path) -> Result<()> {
        let draft = draft(path);
        self.remove_file(&draft)?;
        self.effect("link", &draft, || symlink(target, &draft))?;
        self.effect("link", path, || {
            std::fs::rename(&draft, path)?;
            sync(parent(path))
        })
    }

    /// Moves a file or a tree. On one file system that is one step; across two a
    /// synced copy gets its name at once, so that whatever has the name is whole.
    pub(crate) fn move_path(&self, from: &Path, to: &Path) -> Result<()> {
        let moved = self.effect("move", from, || match std::fs::rename(from, to) {
            Ok(()) => {
                sync(parent(from))?;
                sync(parent(to))?;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::CrossesDevices => Ok(false),
            Err(error) => Err(error),
        })?;
        if moved {
            return Ok(());
        }
        let draft = draft(to);
        self.remove_tree(&draft)?;
        self.copy_path(from, &draft)?;
        self.effect("move", &draft, || {
            std::fs::rename(&draft, to).and_then(|()| sync(parent(to)))
        })?;
        self.remove_tree(from)
    }

    /// Copies a file or a tree, synced, with modes and owners.
    pub(crate) fn copy_path(&self, from: &Path, to: &Path) -> Result<()> {
        self.effect("copy", from, || copy(from, to).and_then(|()| sync(parent(to))))
    }

    /// Removes a file or a link; nothing there is fine.
    pub(crate) fn remove_file(&self, path: &Path) -> Result<()> {
        if std::fs::symlink_metadata(path).is_err() {
            return Ok(());
        }
        self.effect("remove", path, || gone_is_fine(std::fs::remove_file(path)))
    }

    /// Removes a directory if it is empty; nothing there is fine.
    pub(crate) fn remove_directory(&self, path: &Path) -> Result<()> {
        if !path.exists() {
            return Ok(());
        }
        self.effect("remove", path, || gone_is_fine(std::fs::remove_dir(path)))
    }

    /// Removes a file, a link, or a tree, entry by entry; links are not followed.
    pub(crate) fn remove_tree(&self, path: &Path) -> Result<()> {
        let Ok(found) = std::fs::symlink_metadata(path) else { return Ok(()) };
        if !found.is_dir() {
            return self.remove_file(path);
        }
        let entries = std::fs::read_dir(path).map_err(SetupError::io("list", path))?;
        for entry in entries {
            self.remove_tree(&entry.map_err(SetupError::io("list", path))?.path())?;
        }
        self.remove_directory(path)
    }
}

fn gone_is_fine(done: std::io::Result<()>) -> std::io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let found = std::fs::symlink_metadata(from)?;
    if found.is_symlink() {
        let _ = std::fs::remove_file(to);
        return symlink(std::fs::read_link(from)?, to);
    }
    if found.is_dir() {
        match DirBuilder::new().mode(0o700).create(to) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        std::fs::copy(from, to)?;
    }
    let same_owner = std::fs::symlink_metadata(to)
        .is_ok_and(|m| (m.uid(), m.gid()) == (found.uid(), found.gid()));
    if !same_owner {
        chown(to, Some(found.uid()), Some(found.gid()))?;
    }
    std::fs::set_permissions(to, Permissions::from_mode(found.mode() & 0o7777))?;
    sync(to)
}
