//! Directories of keys that releases are signed with.
//!
//! A directory has `root-1.pem` to `root-3.pem` (offline: two of them are
//! needed to make the next root, none to make a bundle), one key for each
//! online role (`targets.pem`, `snapshot.pem`, `timestamp.pem`), every root
//! since the first as `N.root.json`, and the newest one as `root.json`. Keys
//! are Ed25519 in PKCS#8, unencrypted, in PEM, mode 0600: `openssl pkey` reads
//! them.

use super::tuf;
use crate::bounds::{MAX_KEY, MAX_METADATA, MAX_ROOTS, ROOT_DAYS, ROOT_KEYS, ROOT_THRESHOLD};
use crate::disk;
use crate::error::{BundleError, Result};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use concord_base::Timestamp;
use std::collections::HashMap;
use std::fmt;
use std::fs::DirBuilder;
use std::num::NonZeroU64;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tough::editor::signed::SignedRole;
use tough::key_source::KeySource;
use tough::schema::key::Key;
use tough::schema::{KeyHolder, RoleKeys, RoleType, Root, Signed};
use tough::sign::Sign;

/// What a PEM file of a key begins with.
const PEM_TAG: &str = "PRIVATE KEY";
/// Roles whose keys every bundle is signed with.
const ONLINE: [RoleType; 3] = [RoleType::Targets, RoleType::Snapshot, RoleType::Timestamp];
/// The newest root of a directory.
const NEWEST: &str = "root.json";

/// A key that can sign.
pub(super) struct SigningKey {
    /// PKCS#8.
    der: Vec<u8>,
    public: Key,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a key and writes it.
    fn make(path: &Path) -> Result<Self> {
        let failed = |_| BundleError::key(path, "the system gave no random numbers; try again");
        let pair = Ed25519KeyPair::generate().map_err(failed)?;
        // Version 1, which openssl reads.
        let der = pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec();
        let text = pem::encode(&pem::Pem::new(PEM_TAG, der.as_slice()));
        disk::create(path, text.as_bytes(), 0o600)?;
        Ok(Self { der, public: pair.tuf_key() })
    }

    fn read(path: &Path) -> Result<Self> {
        let octets = disk::read(path, "the key", MAX_KEY)?;
        let wrong = |cause: &dyn fmt::Display| {
            let cause = format!("it is no unencrypted Ed25519 key in PKCS#8 PEM ({cause})");
            BundleError::key(path, cause)
        };
        let text = pem::parse(&octets).map_err(|e| wrong(&e))?;
        if text.tag() != PEM_TAG {
            return Err(wrong(&text.tag()));
        }
        let pair = Ed25519KeyPair::from_pkcs8(text.contents()).map_err(|e| wrong(&e))?;
        Ok(Self { der: text.contents().to_vec(), public: pair.tuf_key() })
    }
}

#[async_trait::async_trait]
impl KeySource for SigningKey {
    async fn as_sign(
        &self,
    ) -> std::result::Result<Box<dyn Sign>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Box::new(Ed25519KeyPair::from_pkcs8(&self.der)?))
    }

    async fn write(
        &self,
        _value: &str,
        _key_id_hex: &str,
    ) -> std::result::Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err("keys are written when they are made".into())
    }
}

/// Makes root and online keys and the first root in `directory`, which is made
/// if it is not there. The root is valid for ten years from `now`.
///
/// Keys that are there already are never overwritten: that is an error.
pub fn make_keys(directory: &Path, now: Timestamp) -> Result<()> {
    let keys = fresh(directory)?;
    let root = keys.root(NonZeroU64::MIN, now)?;
    let signed = sign(&root, &root, &keys.root)?;
    publish(directory, &signed)
}

/// Makes new keys in `new`, and the next root: it names the new keys and is
/// signed by the root keys of both directories. Older roots are copied, so
/// that bundles made with `new` lead a client from any of them to the newest.
///
/// `old` must have at least two of its root keys; its online keys are not
/// needed.
pub fn rotate_root(old: &Path, new: &Path, now: Timestamp) -> Result<()> {
    let roots = roots(old)?;
    let newest = read_root(old)?;
    let keys = fresh(new)?;
    for (number, octets) in &roots {
        disk::create(&new.join(format!("{number}.root.json")), octets, 0o644)?;
    }
    let number = newest.signed.version.checked_add(1);
    let number = number.ok_or_else(|| BundleError::invalid("the root", "its version is full"))?;
    let root = keys.root(number, now)?;
    let by_old = sign(&root, &newest.signed, &root_keys(old)?)?;
    let signed = sign(&root, &root, &keys.root)?;
    let signed = signed
        .add_old_signatures(by_old.signed().signatures.clone())
        .map_err(tuf::making("the root"))?;
    newest.signed.verify_role(signed.signed()).map_err(|e| {
        let cause = format!("it needs {ROOT_THRESHOLD} of the root keys of the old root ({e})");
        BundleError::key(old, cause)
    })?;
    publish(new, &signed)
}

/// The newest root of a directory of keys: what clients are to trust.
pub fn trust_root_of(directory: &Path) -> Result<Vec<u8>> {
    disk::read(&directory.join(NEWEST), "the root", MAX_METADATA)
}

/// Every root of a directory with its number, oldest first.
pub(super) fn roots(directory: &Path) -> Result<Vec<(u64, Vec<u8>)>> {
    let mut roots = Vec::new();
    for number in 1..=MAX_ROOTS {
        let place = directory.join(format!("{number}.root.json"));
        match disk::read_if_there(&place, "the root", MAX_METADATA)? {
            Some(octets) => roots.push((number, octets)),
            None => break,
        }
    }
    if roots.is_empty() {
        return Err(BundleError::key(directory, "it has no 1.root.json; make keys first"));
    }
    Ok(roots)
}

/// The keys that a bundle is signed with.
pub(super) fn online_keys(directory: &Path) -> Result<Vec<Box<dyn KeySource>>> {
    let read = |role: RoleType| {
        let key = SigningKey::read(&directory.join(format!("{role}.pem")))?;
        Ok(Box::new(key) as Box<dyn KeySource>)
    };
    ONLINE.into_iter().map(read).collect()
}

/// The path of the newest root.
pub(super) fn newest_root(directory: &Path) -> PathBuf {
    directory.join(NEWEST)
}

fn read_root(directory: &Path) -> Result<Signed<Root>> {
    let octets = trust_root_of(directory)?;
    serde_json::from_slice(&octets).map_err(|e| BundleError::key(&newest_root(directory), e))
}

/// The root keys that are in a directory; the others are somewhere safe.
fn root_keys(directory: &Path) -> Result<Vec<SigningKey>> {
    let mut found = Vec::new();
    for number in 1..=ROOT_KEYS {
        let place = directory.join(format!("root-{number}.pem"));
        if place.exists() {
            found.push(SigningKey::read(&place)?);
        }
    }
    if found.is_empty() {
        return Err(BundleError::key(directory, "it has no root keys; bring them back first"));
    }
    Ok(found)
}

/// New keys of all roles.
struct Fresh {
    root: Vec<SigningKey>,
    online: Vec<(RoleType, SigningKey)>,
}

fn fresh(directory: &Path) -> Result<Fresh> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(directory);
    made.map_err(BundleError::io("create", directory))?;
    if newest_root(directory).exists() {
        let cause = "it has keys already; choose an empty directory";
        return Err(BundleError::key(directory, cause));
    }
    let root = (1..=ROOT_KEYS)
        .map(|number| SigningKey::make(&directory.join(format!("root-{number}.pem"))))
        .collect::<Result<_>>()?;
    let online = ONLINE
        .into_iter()
        .map(|role| Ok((role, SigningKey::make(&directory.join(format!("{role}.pem")))?)))
        .collect::<Result<_>>()?;
    Ok(Fresh { root, online })
}

impl Fresh {
    /// A root that names these keys.
    fn root(&self, version: NonZeroU64, now: Timestamp) -> Result<Root> {
        let mut root = Root {
            spec_version: "1.0.0".to_owned(),
            // Names of files in a bundle have no version in front.
            consistent_snapshot: false,
            version,
            expires: super::after_days(now, ROOT_DAYS)?,
            keys: HashMap::new(),
            roles: HashMap::new(),
            _extra: HashMap::new(),
        };
        let threshold = NonZeroU64::new(ROOT_THRESHOLD).unwrap_or(NonZeroU64::MIN);
        allow(&mut root, RoleType::Root, self.root.iter(), threshold)?;
        for (role, key) in &self.online {
            allow(&mut root, *role, std::iter::once(key), NonZeroU64::MIN)?;
        }
        Ok(root)
    }
}

fn allow<'a>(
    root: &mut Root,
    role: RoleType,
    keys: impl Iterator<Item = &'a SigningKey>,
    threshold: NonZeroU64,
) -> Result<()> {
    let mut keyids = Vec::new();
    for key in keys {
        let id = key.public.key_id().map_err(|e| BundleError::invalid("the root", e))?;
        root.keys.insert(id.clone(), key.public.clone());
        keyids.push(id);
    }
    root.roles.insert(role, RoleKeys { keyids, threshold, _extra: HashMap::new() });
    Ok(())
}

/// `root` with the signatures of those `keys` that `holder` names for roots.
fn sign(root: &Root, holder: &Root, keys: &[SigningKey]) -> Result<SignedRole<Root>> {
    let holder = KeyHolder::Root(holder.clone());
    let sources: Vec<Box<dyn KeySource>> = keys
        .iter()
        .map(|key| {
            let key = SigningKey { der: key.der.clone(), public: key.public.clone() };
            Box::new(key) as Box<dyn KeySource>
        })
        .collect();
    let root = root.clone();
    tuf::block_on(|| async move {
        let signed = SignedRole::new(root, &holder, &sources, &SystemRandom::new()).await;
        signed.map_err(tuf::making("the root"))
    })
}

/// Writes a root under its number, and then as the newest: that makes the
/// directory complete.
fn publish(directory: &Path, signed: &SignedRole<Root>) -> Result<()> {
    let number = signed.signed().signed.version;
    disk::create(&directory.join(format!("{number}.root.json")), signed.buffer(), 0o644)?;
    disk::create(&newest_root(directory), signed.buffer(), 0o644)
}
