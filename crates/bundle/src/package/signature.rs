//! Signatures of lists of hashes, in the format of minisign.
//!
//! They are made by the crate `minisign` and checked by `minisign-verify`, of
//! the same author: the former takes a signature whose second half is too
//! short for granted and panics.

use super::keys::{self, PublicKey};
use super::{SIGNATURE, SUMS};
use crate::error::{BundleError, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign::SecretKey;
use minisign_verify::Signature;
use std::path::Path;

/// A word of the trusted comment: the key that the signature fits. minisign's
/// format has no place for it, and an id alone cannot be compared with what a
/// publisher makes known.
const NAMED_KEY: &str = "public-key:";

/// Signs a list.
pub(super) fn make(sums: &str, key: &SecretKey, public: &PublicKey) -> Result<String> {
    // No time in it: it would be the only thing that changes from one run to
    // the next. (The signature does too, the library adds noise to it.)
    let trusted = format!("file:{SUMS}\thashed\t{NAMED_KEY}{public}");
    let untrusted = format!("signature of {SUMS} by minisign key {}", public.key_id());
    let made = minisign::sign(None, key, sums.as_bytes(), Some(&trusted), Some(&untrusted));
    match made {
        Ok(made) => Ok(made.into_string()),
        Err(e) => Err(BundleError::invalid("the signature", e)),
    }
}

/// Checks that one of the trusted keys signed a list; gives back which.
pub(super) fn check(
    package: &Path,
    signature: &[u8],
    sums: &[u8],
    trusted: &[PublicKey],
) -> Result<PublicKey> {
    let bad = |cause: String| BundleError::BadSignature { path: package.to_owned(), cause };
    let (signature, key_id) =
        read(signature).ok_or_else(|| bad(format!("{SIGNATURE} is not of minisign")))?;
    let mut cause = None;
    for key in trusted.iter().filter(|key| key.key_id() == key_id) {
        match key.inner().verify(sums, &signature, false) {
            Ok(()) => return Ok(key.clone()),
            Err(e) => cause = Some(e.to_string()),
        }
    }
    match cause {
        Some(cause) => Err(bad(format!("key {key_id}: {}", cause.to_lowercase()))),
        None => {
            let public_key = named(&signature, sums, &key_id).map(|key| key.to_string());
            Err(BundleError::UnknownKey { path: package.to_owned(), key_id, public_key })
        }
    }
}

fn read(signature: &[u8]) -> Option<(Signature, String)> {
    let text = std::str::from_utf8(signature).ok()?;
    let decoded = Signature::decode(text).ok()?;
    let octets = STANDARD.decode(text.lines().nth(1)?).ok()?;
    Some((decoded, keys::key_id(&octets)?))
}

/// The key that a signature names, if it really fits.
fn named(signature: &Signature, sums: &[u8], key_id: &str) -> Option<PublicKey> {
    let mut words = signature.trusted_comment().split_whitespace();
    let word = words.find_map(|word| word.strip_prefix(NAMED_KEY))?;
    let key = PublicKey::parse(word).ok()?;
    let fits = key.key_id() == key_id && key.inner().verify(sums, signature, false).is_ok();
    fits.then_some(key)
}

/// Feeds arbitrary octets to the readers of signatures and keys.
pub(super) fn fuzz(data: &[u8]) {
    if let Some((signature, key_id)) = read(data) {
        let _ = named(&signature, data, &key_id);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(key) = PublicKey::parse(text)
    {
        assert_eq!(PublicKey::parse(&key.to_file()).as_ref(), Ok(&key), "a key reads back");
    }
}
