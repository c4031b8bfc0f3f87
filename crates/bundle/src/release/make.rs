//! Making bundles.

use super::manifest::{ReleaseFile, ReleaseManifest, Schemas};
use super::{METADATA, RELEASE_JSON, RELEASE_TAR, ROLES, ROOT, TARGETS, Trust};
use super::{after_days, keys, tuf, verify};
use crate::archive::Writer;
use crate::bounds::{MAX_EXPIRES_DAYS, MAX_METADATA, MAX_RELEASE_FILES};
use crate::digest;
use crate::disk;
use crate::error::{BundleError, Result};
use crate::tree;
use concord_base::Timestamp;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::BufWriter;
use std::num::NonZeroU64;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tough::editor::RepositoryEditor;

/// What a release is, as its own executable knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseFacts {
    /// Its version, semantic versioning 2.0.0.
    pub version: String,
    /// What it runs on, see [`super::platform`].
    pub platform: String,
    /// Versions of what it keeps on disk and of its contracts.
    pub schemas: Schemas,
    /// Components that it has.
    pub components: Vec<String>,
}

/// What a bundle is made of.
#[derive(Debug, Clone)]
pub struct MakeOptions {
    /// A directory; every file in it becomes a file of the release.
    pub files: PathBuf,
    /// What the release is.
    pub facts: ReleaseFacts,
    /// When it was built; the metadata begins here.
    pub built: Timestamp,
    /// A directory of keys, see [`super::make_keys`]. Root keys are not needed.
    pub keys: PathBuf,
    /// Days that the bundle is valid.
    pub expires_days: u32,
    /// Version of the metadata. Clients refuse a lower one than they have
    /// seen, so it must grow; none is the time of the build in seconds.
    pub metadata_version: Option<u64>,
    /// The directory that the bundle is written to; made if it is not there.
    pub out: PathBuf,
}

/// How metadata is signed.
pub(super) struct Sealing<'a> {
    pub(super) keys: &'a Path,
    pub(super) built: Timestamp,
    pub(super) expires_days: u32,
    pub(super) version: u64,
}

/// Makes `concord-VERSION-PLATFORM.bundle` in the directory `out`, and gives
/// back its path. A bundle of that name is replaced, at once and only by one
/// that was read back and accepted by its own root.
///
/// Keys and `out` must be outside the directory of files, or the next bundle
/// would hold them.
pub fn make(options: &MakeOptions) -> Result<PathBuf> {
    for path in [&options.keys, &options.out] {
        disk::must_be_outside(path, &options.files)?;
    }
    let manifest = manifest(options)?;
    std::fs::create_dir_all(&options.out).map_err(BundleError::io("create", &options.out))?;
    let work = tempfile::tempdir_in(&options.out);
    let work = work.map_err(BundleError::io("write into", &options.out))?;
    let targets = work.path().join("targets");
    std::fs::create_dir(&targets).map_err(BundleError::io("create", &targets))?;
    compress(&options.files, &manifest, &targets.join(RELEASE_TAR))?;
    let json = serde_json::to_vec_pretty(&manifest);
    let json = json.map_err(|e| BundleError::invalid("release.json", e))?;
    write(&targets.join(RELEASE_JSON), &json)?;

    let version = match options.metadata_version {
        Some(version) => version,
        None => u64::try_from(options.built.seconds()).unwrap_or_default(),
    };
    let (keys, built, expires_days) = (&options.keys, options.built, options.expires_days);
    let made = work.path().join("bundle");
    seal(work.path(), &Sealing { keys, built, expires_days, version }, &made)?;

    let trust = Trust { root: keys::trust_root_of(keys)?, seen: work.path().join("nothing-seen") };
    verify::check(&made, &trust, built, work.path())?;
    let name = format!("concord-{}-{}.bundle", manifest.version, manifest.platform);
    let place = options.out.join(name);
    std::fs::rename(&made, &place).map_err(BundleError::io("write", &place))?;
    disk::sync_directory(&options.out)?;
    Ok(place)
}

/// What the release says of itself; its rules are checked here, where they
/// can still be kept.
fn manifest(options: &MakeOptions) -> Result<ReleaseManifest> {
    let found = tree::files(&options.files, MAX_RELEASE_FILES)?;
    if found.is_empty() {
        let cause = format!("{} is empty", options.files.display());
        return Err(BundleError::invalid("the bundle", cause));
    }
    let files = found
        .into_iter()
        .map(|file| {
            let (sha256, size) = digest::of_file(&file.place)?;
            Ok(ReleaseFile { path: file.path, sha256, size, executable: file.executable })
        })
        .collect::<Result<_>>()?;
    let facts = options.facts.clone();
    let mut components = facts.components;
    components.sort();
    let (version, platform, schemas) = (facts.version, facts.platform, facts.schemas);
    let built = options.built.0;
    let manifest = ReleaseManifest { version, platform, schemas, components, built, files };
    manifest.check().map_err(|cause| BundleError::invalid("the bundle", cause))?;
    Ok(manifest)
}

/// Writes the files as one compressed archive, which is the same for the same
/// files.
fn compress(from: &Path, manifest: &ReleaseManifest, to: &Path) -> Result<()> {
    let failed = || BundleError::io("write", to);
    let file = BufWriter::new(File::create(to).map_err(failed())?);
    let mut writer = Writer::new(GzBuilder::new().mtime(0).write(file, Compression::best()), to);
    for file in &manifest.files {
        writer.file(&file.path, &from.join(&file.path), file.size, file.executable)?;
    }
    let compressed = writer.finish()?.finish().map_err(failed())?;
    compressed.into_inner().map_err(|e| failed()(e.into_error()))?;
    Ok(())
}

/// Signs what lies in `work/targets`, and writes metadata and targets as one
/// archive to `to`.
pub(super) fn seal(work: &Path, sealing: &Sealing<'_>, to: &Path) -> Result<()> {
    let version = NonZeroU64::new(sealing.version)
        .ok_or_else(|| BundleError::invalid("the metadata", "its version is 0; give one"))?;
    if !(1..=MAX_EXPIRES_DAYS).contains(&sealing.expires_days) {
        let cause = format!("it must be valid for 1 to {MAX_EXPIRES_DAYS} days");
        return Err(BundleError::invalid("the metadata", cause));
    }
    let expires = after_days(sealing.built, sealing.expires_days)?;
    let online = keys::online_keys(sealing.keys)?;
    let root = keys::newest_root(sealing.keys);
    let metadata = work.join("metadata");
    let told = tuf::making("the metadata");
    tuf::block_on(|| async {
        let mut editor = RepositoryEditor::new(&root).await.map_err(&told)?;
        for name in [RELEASE_JSON, RELEASE_TAR] {
            let target = work.join("targets").join(name);
            editor.add_target_path(target).await.map_err(&told)?;
        }
        editor.targets_version(version).map_err(&told)?;
        editor.targets_expires(expires).map_err(&told)?;
        editor.snapshot_version(version).snapshot_expires(expires);
        editor.timestamp_version(version).timestamp_expires(expires);
        let signed = editor.sign(&online).await.map_err(&told)?;
        signed.write(&metadata).await.map_err(&told)
    })?;
    pack(work, &keys::roots(sealing.keys)?, to)
}

/// The outer archive, not compressed: its targets are, or are small.
fn pack(work: &Path, roots: &[(u64, Vec<u8>)], to: &Path) -> Result<()> {
    let file = File::create(to).map_err(BundleError::io("write", to))?;
    file.set_permissions(PermissionsExt::from_mode(0o644)).map_err(BundleError::io("write", to))?;
    let mut writer = Writer::new(file, to);
    for (number, octets) in roots {
        writer.octets(&format!("{METADATA}{number}.root.json"), octets)?;
    }
    if let Some((_, newest)) = roots.last() {
        writer.octets(&format!("{METADATA}{ROOT}"), newest)?;
    }
    for role in ROLES {
        let octets = disk::read(&work.join("metadata").join(role), "metadata", MAX_METADATA)?;
        writer.octets(&format!("{METADATA}{role}"), &octets)?;
    }
    for target in [RELEASE_JSON, RELEASE_TAR] {
        let place = work.join("targets").join(target);
        let seen = std::fs::metadata(&place).map_err(BundleError::io("read", &place))?;
        writer.file(&format!("{TARGETS}{target}"), &place, seen.len(), false)?;
    }
    writer.finish()?.sync_all().map_err(BundleError::io("sync", to))
}

fn write(place: &Path, octets: &[u8]) -> Result<()> {
    std::fs::write(place, octets).map_err(BundleError::io("write", place))
}
