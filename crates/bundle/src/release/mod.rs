//! Release bundles: one file that holds a small repository of The Update
//! Framework.

mod keys;
mod make;
mod manifest;
#[cfg(test)]
mod tests;
mod trust;
mod tuf;
mod verify;

pub use keys::{make_keys, rotate_root, trust_root_of};
pub use make::{MakeOptions, ReleaseFacts, make};
pub use manifest::{ReleaseFile, ReleaseManifest, Schemas, compare_versions, is_version, platform};
pub use trust::Trust;
pub use verify::{Verified, verify};

use crate::error::{BundleError, Result};
use concord_base::Timestamp;

/// Where metadata lies in a bundle.
const METADATA: &str = "metadata/";
/// Where targets lie in a bundle.
const TARGETS: &str = "targets/";
/// The target that says what the release is.
const RELEASE_JSON: &str = "release.json";
/// The target with the files.
const RELEASE_TAR: &str = "release.tar.gz";
/// The newest root of a bundle, and of what was seen last.
const ROOT: &str = "root.json";
/// The name of a numbered root ends so.
const NUMBERED_ROOT: &str = ".root.json";
/// Metadata of which there is one file each.
const ROLES: [&str; 3] = ["snapshot.json", "targets.json", "timestamp.json"];

/// A moment some days later, in whole seconds as TUF has them.
fn after_days(now: Timestamp, days: u32) -> Result<jiff::Timestamp> {
    let seconds = now.seconds().saturating_add(i64::from(days) * 86_400);
    jiff::Timestamp::from_second(seconds).map_err(|e| BundleError::invalid("the metadata", e))
}

/// Feeds arbitrary octets to what reads manifests.
pub(crate) fn fuzz(data: &[u8]) {
    if let Ok(manifest) = ReleaseManifest::parse(data) {
        let again = serde_json::to_vec(&manifest).unwrap_or_default();
        assert!(ReleaseManifest::parse(&again).is_ok_and(|m| m == manifest), "it reads back");
    }
}
