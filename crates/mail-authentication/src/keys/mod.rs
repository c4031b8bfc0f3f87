//! Signing keys: making them, keeping them, publishing them, and changing them
//! in time.

mod disk;
mod material;
mod record;
mod rotation;
#[cfg(test)]
mod tests;

pub use disk::KeyStore;
pub(crate) use material::Material;
pub use record::KeyRecord;
pub use rotation::{KeyEntry, KeyRing, KeyState, RotationPolicy, RotationStep};

use serde::{Deserialize, Serialize};

/// What a key signs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyAlgorithm {
    /// RSA with SHA-256; new keys have 2048 bits (RFC 8301 section 3.2), so that
    /// the record fits into one answer of the DNS. Everybody verifies it.
    Rsa,
    /// Ed25519 with SHA-256 (RFC 8463). Not everybody verifies it: sign with
    /// both.
    Ed25519,
}
