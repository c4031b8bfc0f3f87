//! Opening packages.

use super::keys::PublicKey;
use super::sums::{self, Sums};
use super::{CONNECTOR_TOML, SIGNATURE, SUMS, is_program, signature};
use crate::archive::{self, Entry, Kind, Part, Reader};
use crate::bounds::{
    MAX_CONNECTOR_TOML, MAX_PACKAGE, MAX_PACKAGE_FILE, MAX_PACKAGE_FILES, MAX_SIGNATURE, MAX_SUMS,
    MAX_UNPACKED,
};
use crate::digest::{self, Hasher};
use crate::error::{BundleError, Result};
use crate::unpack::{Promise, Unpacking};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// A package that a trusted key signed and whose files are all there, and are
/// what was signed.
#[derive(Debug)]
pub struct OpenedPackage {
    /// What the connector says of itself; its rules are Setup's.
    pub connector_toml: String,
    /// Every file that [`Self::unpack`] writes, sorted by path. The list and
    /// its signature are not among them.
    pub files: Vec<PackageFile>,
    /// The id of the key that signed it, as minisign shows it.
    pub key_id: String,
    /// That key, one line of Base64.
    pub public_key: String,
    /// SHA-256 of the list, which stands for the whole content.
    pub sums_sha256: String,
    path: PathBuf,
    archive: File,
}

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFile {
    /// Relative, `/` between parts, without `.` and `..`.
    pub path: String,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Octets.
    pub size: u64,
    /// Whether it can be run: it begins as ELF files or as scripts do.
    pub executable: bool,
}

/// Checks a package: signed by one of the `trusted` keys, every file there and
/// as it was signed, and no other. Reads the whole package and writes nothing;
/// needs memory for names and hashes only.
pub fn open(package: &Path, trusted: &[PublicKey]) -> Result<OpenedPackage> {
    let failed = || BundleError::io("read", package);
    // Not opened before it is known to be a file: a pipe would wait for ever.
    let seen = std::fs::metadata(package).map_err(failed())?;
    if !seen.is_file() {
        return Err(Kind::Package.broken(package, "it is not a file"));
    }
    let archive = File::open(package).map_err(failed())?;
    let size = archive.metadata().map_err(failed())?.len();
    if size > MAX_PACKAGE {
        let (path, what) = (package.to_owned(), "its size".to_owned());
        return Err(BundleError::TooLarge { path, what, limit: MAX_PACKAGE });
    }
    let parts = read(package, Part::new(&archive, 0, size))?;
    let broken = |cause: String| Kind::Package.broken(package, cause);
    let sums = parts.sums.ok_or_else(|| broken(format!("it has no {SUMS}")))?;
    let signature = parts.signature.as_deref();
    let unsigned = || BundleError::Unsigned { path: package.to_owned() };
    let key = signature::check(package, signature.ok_or_else(unsigned)?, &sums, trusted)?;
    // From here on the list is what the publisher wrote.
    let promised = sums::parse(&sums).map_err(broken)?;
    let files = compare(package, &promised, parts.files)?;
    let connector_toml = parts.connector_toml.and_then(|octets| String::from_utf8(octets).ok());
    let connector_toml =
        connector_toml.ok_or_else(|| broken(format!("it has no {CONNECTOR_TOML} in UTF-8")))?;
    Ok(OpenedPackage {
        connector_toml,
        files,
        key_id: key.key_id().to_owned(),
        public_key: key.to_string(),
        sums_sha256: digest::sha256(&sums),
        path: package.to_owned(),
        archive,
    })
}

/// What a package holds; nothing of it is believed yet.
#[derive(Default)]
struct Parts {
    sums: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
    connector_toml: Option<Vec<u8>>,
    files: BTreeMap<String, PackageFile>,
    /// Octets of all files together.
    total: u64,
}

fn read(package: &Path, from: impl Read) -> Result<Parts> {
    let told = Kind::Package.error(package);
    let mut parts = Parts::default();
    let mut reader = archive::compressed(from);
    while let Some(entry) = reader.next().map_err(&told)? {
        parts.take(entry, &mut reader, package)?;
    }
    archive::nothing_follows(reader).map_err(told)?;
    Ok(parts)
}

impl Parts {
    fn take<R: Read>(
        &mut self,
        entry: Entry,
        reader: &mut Reader<R>,
        package: &Path,
    ) -> Result<()> {
        let told = Kind::Package.error(package);
        let name = entry.path.clone();
        let again = match name.as_str() {
            SUMS => self.sums.replace(reader.whole(SUMS, MAX_SUMS).map_err(told)?).is_some(),
            SIGNATURE => {
                let octets = reader.whole(SIGNATURE, MAX_SIGNATURE).map_err(told)?;
                self.signature.replace(octets).is_some()
            }
            CONNECTOR_TOML => {
                let octets = reader.whole(CONNECTOR_TOML, MAX_CONNECTOR_TOML).map_err(told)?;
                let again = self.file(entry, digest::sha256(&octets), &octets, package)?;
                self.connector_toml = Some(octets);
                again
            }
            _ => {
                if entry.size > MAX_PACKAGE_FILE {
                    let what = format!("the size of '{name}'");
                    return Err(too_large(package, what, MAX_PACKAGE_FILE));
                }
                let mut hasher = Hasher::new();
                let mut beginning = Vec::new();
                let hashed = reader.each(|piece| {
                    hasher.update(piece);
                    let room = 4_usize.saturating_sub(beginning.len());
                    beginning.extend(piece.iter().take(room));
                });
                hashed.map_err(told)?;
                self.file(entry, hasher.finish().0, &beginning, package)?
            }
        };
        if again {
            return Err(Kind::Package.broken(package, format!("'{name}' is in it twice")));
        }
        Ok(())
    }

    /// Notes a file; whether there was one of that name.
    fn file(
        &mut self,
        entry: Entry,
        sha256: String,
        beginning: &[u8],
        package: &Path,
    ) -> Result<bool> {
        self.total = self.total.saturating_add(entry.size);
        if self.total > MAX_UNPACKED {
            return Err(too_large(package, "the size of all files".to_owned(), MAX_UNPACKED));
        }
        if self.files.len() >= MAX_PACKAGE_FILES {
            let what = "the number of files".to_owned();
            return Err(too_large(package, what, MAX_PACKAGE_FILES as u64));
        }
        let (path, size, executable) = (entry.path, entry.size, is_program(beginning));
        let file = PackageFile { path: path.clone(), sha256, size, executable };
        Ok(self.files.insert(path, file).is_some())
    }
}

fn too_large(package: &Path, what: String, limit: u64) -> BundleError {
    BundleError::TooLarge { path: package.to_owned(), what, limit }
}

/// Nothing more, nothing less, nothing else than what was promised.
fn compare(
    package: &Path,
    promised: &Sums,
    found: BTreeMap<String, PackageFile>,
) -> Result<Vec<PackageFile>> {
    let path = || package.to_owned();
    for name in promised.keys() {
        if !found.contains_key(name) {
            return Err(BundleError::FileMissing { path: path(), entry: name.clone() });
        }
    }
    for (name, file) in &found {
        match promised.get(name) {
            None => return Err(BundleError::FileExtra { path: path(), entry: name.clone() }),
            Some(sha256) if *sha256 != file.sha256 => {
                return Err(BundleError::FileChanged { path: path(), entry: name.clone() });
            }
            Some(_) => {}
        }
    }
    Ok(found.into_values().collect())
}

impl OpenedPackage {
    /// Octets that [`Self::unpack`] writes, without directories.
    pub fn unpacked_size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Unpacks [`Self::files`] into `to`, which must not exist, while the
    /// directory above it must. Each is checked again. Modes are 0755 and
    /// 0644. Durable when it returns; if it fails, `to` is gone again.
    ///
    /// The owner is whoever calls.
    pub fn unpack(&self, to: &Path) -> Result<()> {
        let promised = self.files.iter().map(|file| {
            let (sha256, size, executable) = (file.sha256.as_str(), file.size, file.executable);
            (file.path.as_str(), Promise { sha256, size, executable })
        });
        let promised = promised.collect();
        let size = self.archive.metadata().map_err(BundleError::io("read", &self.path))?.len();
        let reader = archive::compressed(Part::new(&self.archive, 0, size.min(MAX_PACKAGE)));
        let (archive, kind) = (self.path.as_path(), Kind::Package);
        Unpacking { archive, kind, promised, skipped: &[SUMS, SIGNATURE] }.run(reader, to)
    }
}
