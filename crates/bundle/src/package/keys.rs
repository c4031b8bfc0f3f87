//! Keys of publishers, in the formats of minisign.

use crate::bounds::MAX_KEY;
use crate::disk;
use crate::error::{BundleError, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign::{KeyPair, SecretKey, SecretKeyBox};
use std::fmt;
use std::path::Path;

/// Octets of a public key: algorithm, id, Ed25519 key.
const PUBLIC_OCTETS: usize = 2 + 8 + 32;
/// What a line of comment begins with.
const COMMENT: &str = "untrusted comment:";

/// A public key of minisign.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    key: minisign_verify::PublicKey,
    id: String,
    text: String,
}

impl PublicKey {
    /// Reads a file of `minisign -G` (a comment and the key), or the key alone.
    /// The error completes "cannot use the key: ".
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let lines = text.lines().map(str::trim);
        let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with(COMMENT));
        let (Some(text), None) = (lines.next(), lines.next()) else {
            return Err("it is not one public key of minisign".to_owned());
        };
        let octets = STANDARD.decode(text).map_err(|e| format!("it is not in Base64 ({e})"))?;
        if octets.len() != PUBLIC_OCTETS {
            return Err("it is not a public key of minisign".to_owned());
        }
        let key = minisign_verify::PublicKey::from_base64(text).map_err(|e| e.to_string())?;
        let id = key_id(&octets).ok_or("it is not a public key of minisign")?;
        Ok(Self { key, id, text: text.to_owned() })
    }

    /// Reads a file, as [`Self::parse`].
    pub fn from_file(path: &Path) -> Result<Self> {
        let octets = disk::read(path, "the key", MAX_KEY)?;
        let text = String::from_utf8(octets).map_err(|e| BundleError::key(path, e))?;
        Self::parse(&text).map_err(|cause| BundleError::key(path, cause))
    }

    /// Its id as minisign shows it: 16 hex digits, upper case.
    pub fn key_id(&self) -> &str {
        &self.id
    }

    /// What `minisign -p` reads: a comment and the key.
    pub fn to_file(&self) -> String {
        format!("{COMMENT} minisign public key {}\n{}\n", self.id, self.text)
    }

    pub(super) fn inner(&self) -> &minisign_verify::PublicKey {
        &self.key
    }
}

/// The key alone, one line of Base64.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.text)
    }
}

/// The id in a public key or a signature, both of which begin with algorithm
/// and id.
pub(super) fn key_id(octets: &[u8]) -> Option<String> {
    let id: [u8; 8] = octets.get(2..10)?.try_into().ok()?;
    Some(format!("{:016X}", u64::from_le_bytes(id)))
}

/// Makes a key pair in two files that must not exist: the secret key with mode
/// 0600, encrypted if there is a password (which takes a second), and the
/// public key.
pub fn keygen(secret: &Path, public: &Path, password: Option<&str>) -> Result<PublicKey> {
    for path in [secret, public] {
        if path.symlink_metadata().is_ok() {
            return Err(BundleError::key(path, "it exists already; choose another name"));
        }
    }
    let failed = |e: minisign::PError| BundleError::key(secret, format!("it cannot be made ({e})"));
    let pair = match password {
        None => KeyPair::generate_unencrypted_keypair(),
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password.to_owned())),
    };
    let pair = pair.map_err(failed)?;
    let key = PublicKey::parse(&pair.pk.to_base64()).map_err(|e| BundleError::key(public, e))?;
    let text = pair.sk.to_box(None).map_err(failed)?;
    disk::create(secret, text.to_string().as_bytes(), 0o600)?;
    disk::create(public, key.to_file().as_bytes(), 0o644)?;
    Ok(key)
}

/// A secret key that can sign, and its public key. Never asks for a password.
pub(super) fn secret(path: &Path, password: Option<&str>) -> Result<(SecretKey, PublicKey)> {
    let octets = disk::read(path, "the key", MAX_KEY)?;
    let text = String::from_utf8(octets).map_err(|e| BundleError::key(path, e))?;
    let wrong = |e: &minisign::PError| {
        let encrypted = text.lines().nth(1).is_some_and(is_encrypted);
        let cause = match (encrypted, password) {
            (true, None) => "it is encrypted; give its password".to_owned(),
            _ => format!("it is not a secret key of minisign, or not with that password ({e})"),
        };
        BundleError::key(path, cause)
    };
    let key = SecretKeyBox::from(text.clone()).into_unencrypted_secret_key();
    let key = match (key, password) {
        (Ok(key), _) => key,
        (Err(_), Some(password)) => SecretKeyBox::from(text.clone())
            .into_secret_key(Some(password.to_owned()))
            .map_err(|e| wrong(&e))?,
        (Err(e), None) => return Err(wrong(&e)),
    };
    let public = minisign::PublicKey::from_secret_key(&key).map_err(|e| wrong(&e))?;
    let public = PublicKey::parse(&public.to_base64()).map_err(|e| BundleError::key(path, e))?;
    Ok((key, public))
}

/// Whether a secret key says that it is encrypted: by scrypt.
fn is_encrypted(line: &str) -> bool {
    let octets = STANDARD.decode(line.trim()).unwrap_or_default();
    octets.get(2..4) == Some(b"Sc")
}
