//! `backup create`: a backup of a server, running or not.

use super::collect::{Collection, size_of, sync};
use super::{
    BackupError, BackupIdentity, BackupManifest, BackupRelease, Counts, FileEntry, MANIFEST,
    OTHER_KEYS, Part, Progress, Told, last_file, list, store_draft,
};
use crate::error::{Result, SetupError};
use crate::host::Host;
use crate::layout::{CONNECTORS, SERVICES};
use crate::survey::Survey;
use crate::verb::ReleaseFacts;
use crate::verb::remove_all::stamp;
use concord_registry::{Origin, Registry};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Backups of one second; more is a loop in somebody's script.
const SAME_SECOND: u32 = 100;

/// Where, and how many are kept.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    /// The directory of backups; made if it is missing.
    pub directory: PathBuf,
    /// So many whole ones of this server stay; the oldest others go.
    pub keep: Option<usize>,
}

/// What was made.
#[derive(Debug, Clone)]
pub struct Created {
    /// The backup.
    pub path: PathBuf,
    /// Its manifest.
    pub manifest: BackupManifest,
    /// Octets that were copied.
    pub copied: u64,
    /// Octets that were linked to the backup before.
    pub linked: u64,
    /// Older ones that were removed.
    pub removed: Vec<PathBuf>,
    /// What the administrator should know.
    pub notes: Vec<String>,
}

/// Makes a backup. The caller holds the lock, so nothing is being changed. On
/// success all of it is on disk; a failure leaves at most a draft.
///
/// # Errors
/// [`SetupError::NotInstalled`]; [`BackupError`]
pub fn create(
    host: &Host,
    survey: &Survey,
    release: &ReleaseFacts,
    options: &CreateOptions,
    told: Told<'_>,
) -> Result<Created> {
    let registry = survey
        .known()
        .ok_or_else(|| SetupError::NotInstalled(host.layout.root().path().to_owned()))?;
    let directory = place(host, &options.directory)?;
    let draft = directory.join(format!(".concord-draft-{}", registry.identity.server));
    remove(&draft)?;
    remove(&store_draft(&host.layout))?;
    let made = fill(host, registry, release, &directory, &draft, told);
    // Its links keep what compaction wants to remove.
    let tidied = remove(&store_draft(&host.layout));
    let mut created = match made.and_then(|made| tidied.map(|()| made)) {
        Ok(made) => made,
        Err(error) => {
            remove(&draft)?;
            return Err(error);
        }
    };
    rename(&draft, &created.path)?;
    sync(&directory)?;
    host.write_file(&last_file(&host.layout), host.now().0.to_string().as_bytes(), 0o600, None)?;
    if let Some(keep) = options.keep {
        created.removed = prune(&directory, registry.identity.server, keep, &created.path)?;
    }
    Ok(created)
}

/// The directory of backups, absolute and there.
fn place(host: &Host, directory: &Path) -> Result<PathBuf> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
    made.map_err(SetupError::io("make", directory))?;
    let full = std::fs::canonicalize(directory).map_err(SetupError::io("find", directory))?;
    let root = host.layout.root().path();
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    if full.starts_with(&root) {
        let cause =
            "it is in the server's own directory and would go with it; name one elsewhere, \
                     best on another disk"
                .to_owned();
        return Err(BackupError::Place { path: full, cause }.into());
    }
    Ok(full)
}

fn fill(
    host: &Host,
    registry: &Registry,
    release: &ReleaseFacts,
    directory: &Path,
    draft: &Path,
    told: Told<'_>,
) -> Result<Created> {
    let made = std::fs::DirBuilder::new().mode(0o700).create(draft);
    made.map_err(SetupError::io("make", draft))?;
    let taken = store_draft(&host.layout);
    let has_store = host.system.backup_store(&taken, &mut |what, done, total| {
        told(Progress { what, done, total });
    })?;
    let mut manifest = describe(host, registry, release);
    if has_store {
        learn_of_store(host, &mut manifest, &taken)?;
    }
    let previous = newest(directory, &manifest)?;
    let mut collection = Collection {
        draft: draft.to_owned(),
        previous: previous.map(Into::into),
        files: Vec::new(),
        copied: 0,
        linked: 0,
        notes: Vec::new(),
        total: size_of(&taken),
        told,
    };
    if has_store {
        manifest.holds.push(Part::Store.place().to_owned());
        collection.tree(&taken, Path::new(Part::Store.place()), 0)?;
    } else {
        collection.notes.push("there is no store yet: the backup has no mail".to_owned());
    }
    around_store(host, registry, &mut manifest, &mut collection)?;
    let Collection { mut files, copied, linked, mut notes, .. } = collection;
    files.sort_by(|a: &FileEntry, b| a.path.cmp(&b.path));
    manifest.files = files;
    notes.extend(outside(host));
    let path = free_name(directory, &mut manifest)?;
    let text = manifest.to_text()?;
    let file = draft.join(MANIFEST);
    std::fs::write(&file, text).map_err(SetupError::io("write", &file))?;
    sync(&file)?;
    sync(draft)?;
    Ok(Created { path, manifest, copied, linked, removed: Vec::new(), notes })
}

fn describe(host: &Host, registry: &Registry, release: &ReleaseFacts) -> BackupManifest {
    let identity = &registry.identity;
    let now = host.now();
    BackupManifest {
        form: BackupManifest::FORM,
        stamp: stamp(now),
        created: now,
        holds: Vec::new(),
        identity: BackupIdentity {
            server: identity.server,
            lineage: identity.lineage,
            organisation: identity.organisation.clone(),
            hostname: identity.hostname.clone(),
            root: host.layout.root().path().to_owned(),
        },
        release: BackupRelease {
            version: registry.current.clone(),
            platform: release.platform.clone(),
            schemas: registry.release().map_or(release.schemas, |r| r.schemas),
        },
        counts: Counts::default(),
        files: Vec::new(),
    }
}

/// What the store itself says is what counts, not what the registry remembers.
fn learn_of_store(host: &Host, manifest: &mut BackupManifest, store: &Path) -> Result<()> {
    let found = host.system.store_at(store)?;
    manifest.identity.lineage = found.directory.lineage;
    manifest.identity.organisation = found.directory.organisation;
    if let Some(schema) = found.directory.schema {
        manifest.release.schemas.index = schema;
    }
    manifest.counts = Counts {
        mailboxes: found.directory.mailboxes,
        messages: found.messages,
        deliveries: found.deliveries,
    };
    Ok(())
}

/// Everything but the store.
fn around_store(
    host: &Host,
    registry: &Registry,
    manifest: &mut BackupManifest,
    collection: &mut Collection<'_>,
) -> Result<()> {
    let layout = &host.layout;
    let root = layout.root();
    collection.text(Part::Registry.place(), &registry.to_toml()?)?;
    manifest.holds.push(Part::Registry.place().to_owned());
    let trees = [
        (root.etc(), Part::Config.place()),
        (root.tls(), Part::Keys.place()),
        (root.keys(), OTHER_KEYS),
        (layout.services(), SERVICES),
    ];
    for (from, place) in trees {
        if from.exists() {
            collection.tree(&from, Path::new(place), 0)?;
            if place != OTHER_KEYS {
                manifest.holds.push(place.to_owned());
            }
        }
    }
    for (name, component) in &registry.components {
        if !matches!(component.origin, Origin::Package { .. }) {
            continue;
        }
        let from = layout.connector(name, &component.version);
        if from.exists() {
            let place = Path::new(CONNECTORS).join(name).join(&component.version);
            collection.tree(&from, &place, 0)?;
        } else {
            collection.notes.push(format!(
                "the package of connector '{name}' {} is not there, so it is not in the backup",
                component.version
            ));
        }
    }
    if collection.draft.join(CONNECTORS).exists() {
        manifest.holds.push(CONNECTORS.to_owned());
    }
    Ok(())
}

/// Files that the settings name and that are somebody else's to keep.
fn outside(host: &Host) -> Vec<String> {
    let root = host.layout.root();
    let Ok(settings) = concord_settings::load(root) else { return Vec::new() };
    let named = [
        settings.tls.certificate,
        settings.tls.key,
        settings.internet_mail.smart_host_password_file,
    ];
    let inside = [root.etc(), root.tls()];
    named
        .into_iter()
        .flatten()
        .filter(|path| !inside.iter().any(|top| path.starts_with(top)))
        .map(|path| format!("{} is outside of etc: keep a copy of it yourself", path.display()))
        .collect()
}

/// The newest whole backup of the same store.
fn newest(directory: &Path, manifest: &BackupManifest) -> Result<Option<super::Backup>> {
    let all = list::whole(directory)?;
    let lineage = manifest.identity.lineage;
    Ok(all.into_iter().rfind(|b| lineage.is_some() && b.manifest.identity.lineage == lineage))
}

/// A name that is not taken; the stamp in the manifest is the one in the name.
fn free_name(directory: &Path, manifest: &mut BackupManifest) -> Result<PathBuf> {
    let stamp = manifest.stamp.clone();
    for number in 1..=SAME_SECOND {
        if number > 1 {
            manifest.stamp = format!("{stamp}-{number}");
        }
        let path = directory.join(format!("concord-{}", manifest.stamp));
        if std::fs::symlink_metadata(&path).is_err() {
            return Ok(path);
        }
    }
    let cause = format!("it has {SAME_SECOND} backups of this very second; wait for the next one");
    Err(BackupError::Place { path: directory.to_owned(), cause }.into())
}

/// Removes the oldest whole backups of this server beyond `keep`; never the one
/// that was just made.
fn prune(directory: &Path, server: Uuid, keep: usize, made: &Path) -> Result<Vec<PathBuf>> {
    let mut own = list::whole(directory)?;
    own.retain(|backup| backup.manifest.identity.server == server && backup.path != made);
    let surplus = own.len().saturating_sub(keep.saturating_sub(1));
    let mut removed = Vec::new();
    for backup in own.into_iter().take(surplus) {
        // Under this name nobody takes what is left of it for a backup.
        let name = backup.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let going = directory.join(format!(".{name}.removing"));
        rename(&backup.path, &going)?;
        remove(&going)?;
        removed.push(backup.path);
    }
    Ok(removed)
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(SetupError::io("rename", from))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SetupError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
