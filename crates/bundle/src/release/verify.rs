//! Checking bundles.

use super::manifest::{ReleaseManifest, platform};
use super::trust::{Beginning, Trust};
use super::tuf::{self, Loaded, Metadata, Target};
use super::{METADATA, NUMBERED_ROOT, RELEASE_JSON, RELEASE_TAR, ROLES, ROOT, TARGETS};
use crate::archive::{self, Entry, Kind, Part, Reader};
use crate::bounds::{MAX_BUNDLE, MAX_METADATA, MAX_RELEASE_JSON, MAX_ROOTS};
use crate::digest::{self, Hasher};
use crate::error::{BundleError, Result};
use crate::unpack::{Promise, Unpacking};
use concord_base::Timestamp;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A bundle whose signatures, versions, expiry and hashes are right, and which
/// is for this platform.
#[derive(Debug)]
pub struct Verified {
    /// What the release says of itself.
    pub manifest: ReleaseManifest,
    bundle: PathBuf,
    archive: File,
    /// Where in the bundle the files are.
    files: Place,
    /// The metadata to remember when the bundle is accepted.
    shown: TempDir,
    anchor: String,
    version: u64,
    root: u64,
    expires: Timestamp,
}

/// Where in a bundle something is.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    size: u64,
}

/// Checks a bundle against what is trusted and seen, at the time `now`, and
/// that it is for this platform.
///
/// Nothing is changed but in `scratch`, an existing directory in which a
/// private one is made; it goes with what is given back. Reads the whole
/// bundle; does not unpack it.
pub fn verify(bundle: &Path, trust: &Trust, now: Timestamp, scratch: &Path) -> Result<Verified> {
    let verified = check(bundle, trust, now, scratch)?;
    let (found, ours) = (&verified.manifest.platform, platform());
    if *found != ours {
        return Err(BundleError::WrongPlatform { found: found.clone(), ours });
    }
    Ok(verified)
}

/// As [`verify`], for any platform.
pub(super) fn check(
    bundle: &Path,
    trust: &Trust,
    now: Timestamp,
    scratch: &Path,
) -> Result<Verified> {
    let (archive, parts) = read(bundle)?;
    let shown = tempfile::tempdir_in(scratch).map_err(BundleError::io("write into", scratch))?;
    let Beginning { root, anchor } = trust.begin(shown.path())?;
    let loaded = tuf::load(&root, &parts.metadata, shown.path())?;
    let expires = not_expired(&loaded, now)?;
    parts.newest_root_is_the_named_one()?;
    let named: Vec<&str> = loaded.targets.keys().map(String::as_str).collect();
    if named != [RELEASE_JSON, RELEASE_TAR] {
        let cause = format!("it names {} and not {RELEASE_JSON}, {RELEASE_TAR}", named.join(", "));
        return Err(BundleError::Metadata { role: "targets".to_owned(), cause });
    }
    let json = part(bundle, TARGETS, RELEASE_JSON, parts.json)?;
    let files = part(bundle, TARGETS, RELEASE_TAR, parts.files)?;
    let json_is = Target { size: json.len() as u64, sha256: digest::sha256(&json) };
    as_signed(RELEASE_JSON, &json_is, &loaded)?;
    as_signed(RELEASE_TAR, &files.1, &loaded)?;
    let manifest = ReleaseManifest::parse(&json)?;
    let (version, root) = (loaded.version, loaded.root);
    let (bundle, files) = (bundle.to_owned(), files.0);
    Ok(Verified { manifest, bundle, archive, files, shown, anchor, version, root, expires })
}

/// When the first of the roles expires; an error if that is past.
fn not_expired(loaded: &Loaded, now: Timestamp) -> Result<Timestamp> {
    let mut first = Timestamp(i64::MAX);
    for (role, at) in loaded.expires {
        let expires = Timestamp(at.as_millisecond());
        if expires <= now {
            return Err(BundleError::Expired { role: role.to_string(), expired: at.to_string() });
        }
        first = first.min(expires);
    }
    Ok(first)
}

fn as_signed(name: &str, found: &Target, loaded: &Loaded) -> Result<()> {
    let target = format!("{TARGETS}{name}");
    let signed = loaded.targets.get(name);
    let cause = match signed {
        Some(signed) if signed == found => return Ok(()),
        Some(signed) if signed.size != found.size => {
            format!("it has {} octets, {} were signed", found.size, signed.size)
        }
        Some(signed) => format!("its SHA-256 is {}, {} was signed", found.sha256, signed.sha256),
        None => "it was not signed".to_owned(),
    };
    Err(BundleError::TargetChanged { target, cause })
}

fn part<T>(bundle: &Path, directory: &str, name: &str, found: Option<T>) -> Result<T> {
    found.ok_or_else(|| BundleError::MissingEntry {
        path: bundle.to_owned(),
        entry: format!("{directory}{name}"),
    })
}

/// What a bundle holds; nothing of it is believed yet.
#[derive(Default)]
struct Parts {
    metadata: Metadata,
    json: Option<Vec<u8>>,
    files: Option<(Place, Target)>,
}

/// Reads a bundle from front to back.
fn read(bundle: &Path) -> Result<(File, Parts)> {
    let failed = || BundleError::io("read", bundle);
    let told = Kind::Bundle.error(bundle);
    // Not opened before it is known to be a file: a pipe would wait for ever.
    let seen = std::fs::metadata(bundle).map_err(failed())?;
    if !seen.is_file() {
        return Err(Kind::Bundle.broken(bundle, "it is not a file"));
    }
    let archive = File::open(bundle).map_err(failed())?;
    let size = archive.metadata().map_err(failed())?.len();
    if size > MAX_BUNDLE {
        let (path, what) = (bundle.to_owned(), "its size".to_owned());
        return Err(BundleError::TooLarge { path, what, limit: MAX_BUNDLE });
    }
    let mut parts = Parts::default();
    // A file that grows while it is read does not do so for ever.
    let mut reader = Reader::new(BufReader::new((&archive).take(MAX_BUNDLE)));
    while let Some(entry) = reader.next().map_err(&told)? {
        parts.take(entry, &mut reader, bundle)?;
    }
    for name in [ROOT].iter().chain(&ROLES) {
        part(bundle, METADATA, name, parts.metadata.get(*name))?;
    }
    Ok((archive, parts))
}

impl Parts {
    fn take<R: Read>(&mut self, entry: Entry, reader: &mut Reader<R>, bundle: &Path) -> Result<()> {
        let told = Kind::Bundle.error(bundle);
        let broken = |cause: &str| Kind::Bundle.broken(bundle, format!("'{}' {cause}", entry.path));
        let again = match (entry.path.strip_prefix(METADATA), entry.path.strip_prefix(TARGETS)) {
            (Some(name), _) if is_metadata(name) => {
                let octets = reader.whole("a file of metadata", MAX_METADATA).map_err(told)?;
                self.metadata.insert(name.to_owned(), octets).is_some()
            }
            (_, Some(RELEASE_JSON)) => {
                let octets = reader.whole(RELEASE_JSON, MAX_RELEASE_JSON).map_err(told)?;
                self.json.replace(octets).is_some()
            }
            (_, Some(RELEASE_TAR)) => {
                let mut hasher = Hasher::new();
                reader.each(|piece| hasher.update(piece)).map_err(told)?;
                let (sha256, size) = hasher.finish();
                let place = Place { offset: entry.offset, size };
                self.files.replace((place, Target { size, sha256 })).is_some()
            }
            _ => return Err(broken("is no part of a bundle")),
        };
        if again { Err(broken("is in it twice")) } else { Ok(()) }
    }

    /// `root.json` is what people look at; it must be the newest of the roots
    /// that programs look at.
    fn newest_root_is_the_named_one(&self) -> Result<()> {
        let newest = self.metadata.iter().filter_map(|(name, octets)| {
            let number = name.strip_suffix(NUMBERED_ROOT)?.parse::<u64>().ok()?;
            Some((number, octets))
        });
        if newest.max_by_key(|(number, _)| *number).map(|(_, octets)| octets)
            == self.metadata.get(ROOT)
        {
            return Ok(());
        }
        Err(BundleError::MixAndMatch {
            cause: "root.json is not the newest of the numbered roots".to_owned(),
        })
    }
}

/// Whether a file of that name belongs into `metadata/`. The numbers of roots
/// bound how many there can be.
fn is_metadata(name: &str) -> bool {
    if name == ROOT || ROLES.contains(&name) {
        return true;
    }
    let number = name.strip_suffix(NUMBERED_ROOT).and_then(|digits| {
        let number = digits.parse::<u64>().ok()?;
        (number.to_string() == digits).then_some(number)
    });
    number.is_some_and(|number| (1..=MAX_ROOTS).contains(&number))
}

impl Verified {
    /// Version of the metadata; a server refuses lower ones once it accepted
    /// this one.
    pub fn metadata_version(&self) -> u64 {
        self.version
    }

    /// Version of the root that signed it.
    pub fn root_version(&self) -> u64 {
        self.root
    }

    /// From when on the bundle is refused.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Octets that [`Self::unpack`] writes, without directories.
    pub fn unpacked_size(&self) -> u64 {
        self.manifest.files.iter().map(|file| file.size).sum()
    }

    /// Unpacks the files into `to`, which must not exist, while the directory
    /// above it must. Each is checked against the manifest; nothing more,
    /// nothing less. Modes are 0755 and 0644. Durable when it returns; if it
    /// fails, `to` is gone again.
    ///
    /// The owner is whoever calls.
    pub fn unpack(&self, to: &Path) -> Result<()> {
        let promised = self.manifest.files.iter().map(|file| {
            let (sha256, size, executable) = (file.sha256.as_str(), file.size, file.executable);
            (file.path.as_str(), Promise { sha256, size, executable })
        });
        let promised = promised.collect();
        let (archive, kind) = (self.bundle.as_path(), Kind::Bundle);
        let Place { offset, size } = self.files;
        // The same open file that was checked; should somebody write to it
        // meanwhile, the hash of a file does not fit.
        let reader = archive::compressed(Part::new(&self.archive, offset, size));
        Unpacking { archive, kind, promised, skipped: &[] }.run(reader, to)
    }

    pub(super) fn shown(&self) -> &Path {
        self.shown.path()
    }

    pub(super) fn anchor(&self) -> &str {
        &self.anchor
    }
}
