//! The secrets of [`Srs`] in a file.

use crate::error::AuthenticationError;
use crate::srs::Srs;
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Octets of a secret that is made: as many as its hash function has.
const SECRET: usize = 32;
/// Octets that a secret must have: 128 bits cannot be tried.
const SHORTEST: usize = 16;
/// Secrets that are read: one that is used and some that were.
const MOST: usize = 16;
/// Octets of the file that are read.
const MAX_FILE: u64 = 4_096;

/// [`Srs`] with the secrets of a file, which is read when it is first needed,
/// and made with one secret and mode 0600 if it is not there. A line is a secret
/// in base64; the first one makes addresses, all are believed. Several processes
/// may share it.
#[derive(Debug)]
pub struct SrsFile {
    file: PathBuf,
    domain: String,
    days: u16,
    kept: Mutex<Option<Arc<Srs>>>,
}

impl SrsFile {
    /// For addresses of `domain` that are good for `days`, see [`Srs::new`].
    pub fn new(file: PathBuf, domain: &str, days: u16) -> Self {
        Self { file, domain: domain.to_owned(), days, kept: Mutex::new(None) }
    }

    /// The rewriter. Blocks on the disk the first time.
    ///
    /// # Errors
    /// The file cannot be read or made, others can read it, or it holds no
    /// secrets.
    pub fn get(&self) -> Result<Arc<Srs>, AuthenticationError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(srs) = &*kept {
            return Ok(Arc::clone(srs));
        }
        let secrets = match read(&self.file)? {
            Some(secrets) => secrets,
            None => {
                make(&self.file).map_err(|cause| AuthenticationError::Unwritable {
                    file: self.file.clone(),
                    cause,
                })?;
                // Whoever was first: its secret is everybody's.
                read(&self.file)?.unwrap_or_default()
            }
        };
        let srs = Arc::new(Srs::new(&self.domain, secrets, self.days));
        *kept = Some(Arc::clone(&srs));
        Ok(srs)
    }
}

fn read(file: &Path) -> Result<Option<Vec<Vec<u8>>>, AuthenticationError> {
    let unreadable = |cause| AuthenticationError::Unreadable { file: file.to_owned(), cause };
    let open = match File::open(file) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(unreadable)?,
    };
    let mode = open.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(AuthenticationError::Exposed { file: file.to_owned(), mode });
    }
    let mut text = String::new();
    open.take(MAX_FILE).read_to_string(&mut text).map_err(unreadable)?;
    let bad = |cause: String| AuthenticationError::BadSecret { file: file.to_owned(), cause };
    let mut secrets = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let line_number = number.saturating_add(1);
        let secret = STANDARD.decode(line.trim()).unwrap_or_default();
        if secret.len() < SHORTEST {
            return Err(bad(format!("line {line_number} is no secret")));
        }
        secrets.push(secret);
    }
    match secrets.len() {
        0 => Err(bad("it is empty".to_owned())),
        1..=MOST => Ok(Some(secrets)),
        _ => Err(bad(format!("it has more than {MOST} lines"))),
    }
}

/// Makes the file whole or not at all, unless somebody else did.
fn make(file: &Path) -> std::io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("."));
    if !directory.is_dir() {
        fs::create_dir_all(directory)?;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    }
    let mut secret = [0u8; SECRET];
    rand::fill(&mut secret).map_err(|_| std::io::Error::other("no randomness"))?;
    let draft = file.with_extension(format!("{}.new", std::process::id()));
    let mut open =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    let written = writeln!(open, "{}", STANDARD.encode(secret)).and_then(|()| open.sync_all());
    let linked = written.and_then(|()| match fs::hard_link(&draft, file) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&draft);
    linked.and(removed)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::Timestamp;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    #[test]
    fn the_file_is_made_once_and_everybody_uses_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys/srs");
        let one = SrsFile::new(file.clone(), "us.test", 21);
        let other = SrsFile::new(file.clone(), "us.test", 21);
        let address = one.get().unwrap().forward("a@b.test", NOW).unwrap();
        assert_eq!(other.get().unwrap().reverse(&address, NOW).unwrap(), "a@b.test");
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "no draft stays");
    }

    #[test]
    fn an_older_secret_is_still_believed() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("srs");
        let old = SrsFile::new(file.clone(), "us.test", 21).get().unwrap();
        let address = old.forward("a@b.test", NOW).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{}\n{text}", STANDARD.encode([7u8; 32]))).unwrap();
        let new = SrsFile::new(file, "us.test", 21).get().unwrap();
        assert_eq!(new.reverse(&address, NOW).unwrap(), "a@b.test");
        assert!(old.reverse(&new.forward("a@b.test", NOW).unwrap(), NOW).is_err());
    }

    #[test]
    fn what_is_no_secret_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("srs");
        for text in ["", "\n", "short\n", "c2hvcnQ=\n"] {
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            let error = SrsFile::new(file.clone(), "us.test", 21).get().unwrap_err();
            assert!(matches!(error, AuthenticationError::BadSecret { .. }), "{text:?}: {error}");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let error = SrsFile::new(file, "us.test", 21).get().unwrap_err();
        assert!(matches!(error, AuthenticationError::Exposed { .. }), "{error}");
    }
}
