//! The directory of keys: `<domain>.<selector>.pem`, mode 0600, and
//! `dkim.toml`, which says what each is for.

use super::{KeyAlgorithm, KeyRecord, KeyRing, KeyState, Material, RotationPolicy, RotationStep};
use crate::error::AuthenticationError;
use crate::limits;
use crate::sign::Signer;
use concord_base::Timestamp;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const STATE: &str = "dkim.toml";

/// The keys of a server on its disk. All functions block on the disk; what they
/// changed is durable when they return. One process may change it at a time.
#[derive(Debug)]
pub struct KeyStore {
    directory: PathBuf,
    ring: KeyRing,
}

impl KeyStore {
    /// Opens a directory; it is made with mode 0700 if it is not there.
    ///
    /// # Errors
    /// It cannot be read, or `dkim.toml` cannot be understood.
    pub fn open(directory: &Path) -> Result<Self, AuthenticationError> {
        if !directory.is_dir() {
            let failed = |cause| unwritable(directory, cause);
            fs::create_dir_all(directory).map_err(failed)?;
            fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        }
        let file = directory.join(STATE);
        let ring = match fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).map_err(|cause| AuthenticationError::BadState {
                file: file.clone(),
                cause: cause.to_string(),
            })?,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => KeyRing::default(),
            Err(cause) => return Err(AuthenticationError::Unreadable { file, cause }),
        };
        let store = Self { directory: directory.to_owned(), ring };
        if store.ring.keys.len() > limits::MAX_KEYS {
            return Err(AuthenticationError::TooManyKeys { limit: limits::MAX_KEYS });
        }
        for key in &store.ring.keys {
            check_name(&key.domain)?;
            check_name(&key.selector)?;
        }
        Ok(store)
    }

    /// The keys and their states.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Makes a key, which is then to be published.
    ///
    /// # Errors
    /// The names do not fit, the key exists, or the disk refuses.
    pub fn make(
        &mut self,
        domain: &str,
        selector: &str,
        algorithm: KeyAlgorithm,
        now: Timestamp,
    ) -> Result<KeyRecord, AuthenticationError> {
        let material = Material::generate(algorithm).ok_or(AuthenticationError::Generate)?;
        self.put(domain, selector, &material, now)
    }

    /// Takes over a key from elsewhere, the text of a PKCS#8 file in PEM.
    ///
    /// # Errors
    /// Like [`KeyStore::make`]; and it is no key that signs.
    pub fn import(
        &mut self,
        domain: &str,
        selector: &str,
        pem: &[u8],
        now: Timestamp,
    ) -> Result<KeyRecord, AuthenticationError> {
        let material = Material::from_pem(pem).map_err(|cause| AuthenticationError::BadKey {
            file: PathBuf::from(format!("the key given for {domain}")),
            cause,
        })?;
        self.put(domain, selector, &material, now)
    }

    fn put(
        &mut self,
        domain: &str,
        selector: &str,
        material: &Material,
        now: Timestamp,
    ) -> Result<KeyRecord, AuthenticationError> {
        let (domain, selector) = (lower(domain)?, lower(selector)?);
        if self.ring.get(&domain, &selector).is_some() {
            return Err(AuthenticationError::KeyExists { domain, selector });
        }
        if self.ring.keys.len() >= limits::MAX_KEYS {
            return Err(AuthenticationError::TooManyKeys { limit: limits::MAX_KEYS });
        }
        let file = self.file(&domain, &selector);
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
        let mut open = match written {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                return Err(AuthenticationError::KeyExists { domain, selector });
            }
            other => other.map_err(|cause| unwritable(&file, cause))?,
        };
        open.write_all(material.to_pem().as_bytes())
            .and_then(|()| open.sync_all())
            .map_err(|cause| unwritable(&file, cause))?;
        let record = material.record(&domain, &selector);
        let step = RotationStep::Make { domain, selector, algorithm: material.algorithm };
        self.keep(self.ring.clone().after(&step, now))?;
        Ok(record)
    }

    /// Does a step of rotation.
    ///
    /// # Errors
    /// The disk refuses, or a key cannot be made.
    pub fn apply(
        &mut self,
        step: &RotationStep,
        now: Timestamp,
    ) -> Result<(), AuthenticationError> {
        match step {
            RotationStep::Make { domain, selector, algorithm } => {
                self.make(domain, selector, *algorithm, now).map(|_| ())
            }
            RotationStep::Activate { .. } | RotationStep::Retire { .. } => {
                self.keep(self.ring.clone().after(step, now))
            }
            RotationStep::Remove { domain, selector } => {
                // The entry first: a file without an entry signs nothing, an
                // entry without a file is an error.
                self.keep(self.ring.clone().after(step, now))?;
                let file = self.file(domain, selector);
                match fs::remove_file(&file) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(unwritable(&file, e)),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Does all that is due, and says what was done.
    ///
    /// # Errors
    /// The first step that cannot be done; those before it are done.
    pub fn rotate(
        &mut self,
        now: Timestamp,
        policy: &RotationPolicy,
    ) -> Result<Vec<RotationStep>, AuthenticationError> {
        let steps = self.ring.rotate(now, policy);
        for step in &steps {
            self.apply(step, now)?;
        }
        Ok(steps)
    }

    /// Notes that a key's record was seen in the DNS.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn saw(
        &mut self,
        domain: &str,
        selector: &str,
        now: Timestamp,
    ) -> Result<(), AuthenticationError> {
        self.keep(self.ring.clone().saw(domain, selector, now))
    }

    /// The record of a key. All keys of the ring want theirs in the DNS.
    ///
    /// # Errors
    /// The key is not there, or cannot be read.
    pub fn record(&self, domain: &str, selector: &str) -> Result<KeyRecord, AuthenticationError> {
        Ok(self.material(domain, selector)?.record(domain, selector))
    }

    /// A signer with all keys that are active.
    ///
    /// # Errors
    /// A key of the ring is missing, readable for others, or no key.
    pub fn signer(&self) -> Result<Signer, AuthenticationError> {
        let mut signer = Signer::default();
        for key in self.ring.keys.iter().filter(|key| key.state == KeyState::Active) {
            let material = self.material(&key.domain, &key.selector)?;
            signer.add(&key.domain, &key.selector, &material).map_err(|cause| {
                AuthenticationError::BadKey { file: self.file(&key.domain, &key.selector), cause }
            })?;
        }
        Ok(signer)
    }

    fn material(&self, domain: &str, selector: &str) -> Result<Material, AuthenticationError> {
        let file = self.file(domain, selector);
        let missing = || AuthenticationError::KeyMissing {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            file: file.clone(),
        };
        let unreadable = |cause| AuthenticationError::Unreadable { file: file.clone(), cause };
        let open = match File::open(&file) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
            other => other.map_err(unreadable)?,
        };
        let mode = open.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(AuthenticationError::Exposed { file, mode });
        }
        let mut text = Vec::new();
        open.take(limits::MAX_KEY_FILE).read_to_end(&mut text).map_err(unreadable)?;
        Material::from_pem(&text).map_err(|cause| AuthenticationError::BadKey { file, cause })
    }

    fn file(&self, domain: &str, selector: &str) -> PathBuf {
        self.directory.join(format!("{domain}.{selector}.pem"))
    }

    /// Writes the state beside the old one and puts it in its place.
    fn keep(&mut self, ring: KeyRing) -> Result<(), AuthenticationError> {
        let file = self.directory.join(STATE);
        let text = toml::to_string(&ring).map_err(|cause| AuthenticationError::BadState {
            file: file.clone(),
            cause: cause.to_string(),
        })?;
        let written = concord_files::replace(&file, format!("{HEAD}{text}").as_bytes());
        written.map_err(|cause| unwritable(&file, cause))?;
        self.ring = ring;
        Ok(())
    }
}

const HEAD: &str = "# The states of the DKIM keys in this directory. Written by Concord.\n\
    # published: the record is wanted, the key does not sign yet; active: it signs;\n\
    # retired: the record stays for mail under way.\n\n";

fn unwritable(file: &Path, cause: std::io::Error) -> AuthenticationError {
    AuthenticationError::Unwritable { file: file.to_owned(), cause }
}

fn lower(name: &str) -> Result<String, AuthenticationError> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    check_name(&name)?;
    Ok(name)
}

/// A name that can stand in the DNS, and in a file name.
fn check_name(name: &str) -> Result<(), AuthenticationError> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-_".contains(&c))
    };
    if name.len() <= 180 && name.split('.').all(label) {
        Ok(())
    } else {
        Err(AuthenticationError::BadName(name.to_owned()))
    }
}
