//! Where packages are unpacked that cannot be installed beside each other.

use std::path::PathBuf;

/// `$CONCORD_PEERS`, or `peers` in the build directory; `cargo xtask peers`
/// fills it.
pub fn peer_trees() -> PathBuf {
    if let Some(named) = std::env::var_os("CONCORD_PEERS") {
        return PathBuf::from(named);
    }
    let own = std::env::current_exe().unwrap_or_default();
    let target = own.ancestors().find(|dir| dir.ends_with("target"));
    target.map_or_else(|| PathBuf::from("target/peers"), |target| target.join("peers"))
}
