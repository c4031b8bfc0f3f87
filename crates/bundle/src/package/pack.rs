//! Making packages.

use super::keys::{self, PublicKey};
use super::open;
use super::sums::{self, Sums};
use super::{CONNECTOR_TOML, SIGNATURE, SUMS, is_program, signature};
use crate::archive::Writer;
use crate::bounds::{MAX_CONNECTOR_TOML, MAX_PACKAGE_FILE, MAX_PACKAGE_FILES, MAX_UNPACKED};
use crate::digest;
use crate::disk;
use crate::error::{BundleError, Result};
use crate::tree::{self, Found};
use flate2::{Compression, GzBuilder};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A package that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Where it is.
    pub path: PathBuf,
    /// Its octets.
    pub size: u64,
    /// The files in it, without list and signature.
    pub files: usize,
    /// The id of the key that signed it, as minisign shows it.
    pub key_id: String,
    /// That key.
    pub public_key: String,
    /// SHA-256 of the list, which stands for the whole content.
    pub sums_sha256: String,
}

/// Packs the files of a directory, with a `connector.toml` at its top, and
/// signs them. The list and its signature are made anew; others of that name
/// in the directory are passed over.
///
/// Key and package must be outside the directory, or the next package would hold
/// them. The same files give the same archive, but for the signature. A file of the
/// name `out` is replaced, at once and only by a package that was opened.
/// `password` is for an encrypted key; nothing is asked for.
pub fn pack(
    directory: &Path,
    secret_key: &Path,
    password: Option<&str>,
    out: &Path,
) -> Result<Packed> {
    for path in [secret_key, out] {
        disk::must_be_outside(path, directory)?;
    }
    let (secret, public) = keys::secret(secret_key, password)?;
    let files = packable(directory)?;
    let mut sums = Sums::new();
    for file in &files {
        sums.insert(file.path.clone(), digest::of_file(&file.place)?.0);
    }
    let sums = sums::write(&sums);
    let signature = signature::make(&sums, &secret, &public)?;

    let failed = || BundleError::io("write", out);
    let folder = disk::parent(out);
    let mut made = tempfile::NamedTempFile::new_in(folder).map_err(failed())?;
    write(made.as_file_mut(), out, &files, &sums, &signature)?;
    made.as_file().set_permissions(PermissionsExt::from_mode(0o644)).map_err(failed())?;
    made.as_file().sync_all().map_err(failed())?;
    let opened = open::open(made.path(), std::slice::from_ref(&public))?;
    made.persist(out).map_err(|e| failed()(e.error))?;
    disk::sync_directory(folder)?;
    Ok(Packed {
        path: out.to_owned(),
        size: std::fs::metadata(out).map_err(failed())?.len(),
        files: opened.files.len(),
        key_id: public.key_id().to_owned(),
        public_key: public.to_string(),
        sums_sha256: opened.sums_sha256,
    })
}

/// What goes into a package, within the bounds that opening has.
fn packable(directory: &Path) -> Result<Vec<Found>> {
    // List and signature of an earlier run may be there.
    let mut files = tree::files(directory, MAX_PACKAGE_FILES + 2)?;
    files.retain(|file| file.path != SUMS && file.path != SIGNATURE);
    let too_large = |what: String, limit: u64| {
        Err(BundleError::TooLarge { path: directory.to_owned(), what, limit })
    };
    if files.len() > MAX_PACKAGE_FILES {
        return too_large("the number of files".to_owned(), MAX_PACKAGE_FILES as u64);
    }
    let Some(manifest) = files.iter().find(|file| file.path == CONNECTOR_TOML) else {
        let cause = format!("{} has no {CONNECTOR_TOML}; write one", directory.display());
        return Err(BundleError::invalid("the package", cause));
    };
    if manifest.size > MAX_CONNECTOR_TOML {
        return too_large(CONNECTOR_TOML.to_owned(), MAX_CONNECTOR_TOML);
    }
    if let Some(large) = files.iter().find(|file| file.size > MAX_PACKAGE_FILE) {
        return too_large(format!("the size of '{}'", large.path), MAX_PACKAGE_FILE);
    }
    if files.iter().map(|file| file.size).sum::<u64>() > MAX_UNPACKED {
        return too_large("the size of all files".to_owned(), MAX_UNPACKED);
    }
    Ok(files)
}

fn write(to: &mut File, path: &Path, files: &[Found], sums: &str, signature: &str) -> Result<()> {
    let compressor = GzBuilder::new().mtime(0).write(BufWriter::new(to), Compression::best());
    let mut writer = Writer::new(compressor, path);
    // Sorted, with list and signature in their places.
    let own = [(SUMS, sums), (SIGNATURE, signature)];
    let mut own = own.into_iter().peekable();
    for file in files {
        while let Some((name, text)) = own.next_if(|(name, _)| *name < file.path.as_str()) {
            writer.octets(name, text.as_bytes())?;
        }
        writer.file(&file.path, &file.place, file.size, begins_like_a_program(&file.place)?)?;
    }
    for (name, text) in own {
        writer.octets(name, text.as_bytes())?;
    }
    let failed = || BundleError::io("write", path);
    let mut buffered = writer.finish()?.finish().map_err(failed())?;
    buffered.flush().map_err(failed())
}

fn begins_like_a_program(place: &Path) -> Result<bool> {
    let mut beginning = Vec::new();
    let file = File::open(place).map_err(BundleError::io("read", place))?;
    file.take(4).read_to_end(&mut beginning).map_err(BundleError::io("read", place))?;
    Ok(is_program(&beginning))
}

impl Packed {
    /// The public key as minisign has it in files: what to make known.
    pub fn public_key_file(&self) -> String {
        PublicKey::parse(&self.public_key).map(|key| key.to_file()).unwrap_or_default()
    }
}
