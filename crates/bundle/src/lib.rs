//! What comes from outside to be installed: release bundles of Concord, and
//! packages of external connectors. Made, checked and unpacked here.
//!
//! **A release bundle** is one file, `concord-VERSION-PLATFORM.bundle`: an
//! uncompressed tar of `metadata/` (`root.json`, every root since the first as
//! `N.root.json`, `timestamp.json`, `snapshot.json`, `targets.json`) and
//! `targets/` (`release.json`, which says what the release is and names every
//! file with its hash, and `release.tar.gz`, the files). It is a repository of
//! The Update Framework without consistent snapshots and without delegations,
//! so that a server notices a stranger's signature, an old bundle
//! ([`BundleError::Rollback`]), one that was good once
//! ([`BundleError::Expired`]) and one put together from several
//! ([`BundleError::MixAndMatch`]); and so that keys can be changed
//! ([`rotate_root`]).
//!
//! **A package** is a `.ccp` file: a compressed tar with `connector.toml`, the
//! files, `SHA256SUMS` over all of them, and `SHA256SUMS.minisig`. Stock tools
//! make and check it:
//!
//! ```sh
//! find . -type f ! -name 'SHA256SUMS*' -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum > SHA256SUMS
//! minisign -S -s publisher.key -m SHA256SUMS \
//!     -t "$(printf 'public-key:%s' "$(tail -n 1 publisher.pub)")"
//! tar -czf ../webhook.ccp *
//!
//! sha256sum -c SHA256SUMS && minisign -V -p publisher.pub -m SHA256SUMS
//! ```
//!
//! The trusted comment is optional; with it, whoever does not know the key yet
//! is shown the whole key instead of its id. The mode of an unpacked file is
//! decided by its content (ELF and `#!` can be run), since modes are not signed.
//!
//! What this crate does not: fetch anything, decide which keys are trusted,
//! compare a release with what is installed, read `connector.toml`.
//!
//! Sources: The Update Framework Specification 1.0.34 (the client's workflow
//! is the crate `tough`); POSIX.1-2017, pax, "ustar Interchange Format"; the
//! manuals of GNU tar 1.35 ("Basic Tar Format"), of coreutils ("sha2
//! utilities") and of minisign ("Signature format"); RFC 8032, RFC 5958.
//!
//! Invariants: nothing is unpacked that was not signed by a trusted key and
//! hashed; what is not signed decides nothing; checking writes to a scratch
//! directory only; memory does not grow with what an archive claims; what a
//! function made is whole and durable, or not there.

mod archive;
mod bounds;
mod digest;
mod disk;
mod error;
mod names;
mod package;
mod release;
mod tree;
mod unpack;

pub use error::{BundleError, Result};
pub use package::{OpenedPackage, PackageFile, Packed, PublicKey, keygen, open, pack};
pub use release::{
    MakeOptions, ReleaseFacts, ReleaseFile, ReleaseManifest, Schemas, Trust, Verified,
    compare_versions, is_version, make, make_keys, platform, rotate_root, trust_root_of, verify,
};

/// Feeds arbitrary octets to everything here that reads by hand what came from
/// outside: archives, lists of hashes, signatures, keys, manifests.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    archive::fuzz(data);
    package::fuzz(data);
    release::fuzz(data);
}
