//! Packages of external connectors: a compressed archive with a signed list of
//! hashes, made and checked by tools that every system has.

mod keys;
mod open;
mod pack;
mod signature;
mod sums;
#[cfg(test)]
mod tests;

pub use keys::{PublicKey, keygen};
pub use open::{OpenedPackage, PackageFile, open};
pub use pack::{Packed, pack};

/// What the connector says of itself. Its content is not looked at here.
const CONNECTOR_TOML: &str = "connector.toml";
/// The list of hashes.
const SUMS: &str = "SHA256SUMS";
/// The signature of the list.
const SIGNATURE: &str = "SHA256SUMS.minisig";

/// Whether a file that begins so can be run: ELF, or a script that names its
/// interpreter.
///
/// This decides about the mode of what is unpacked, and not the mode in the
/// archive: that one is not signed, and what is not signed must not matter.
fn is_program(beginning: &[u8]) -> bool {
    beginning.starts_with(b"\x7fELF") || beginning.starts_with(b"#!")
}

/// Feeds arbitrary octets to everything here that reads by hand.
pub(crate) fn fuzz(data: &[u8]) {
    sums::fuzz(data);
    signature::fuzz(data);
}
