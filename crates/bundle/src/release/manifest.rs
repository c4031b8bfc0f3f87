//! `release.json`: what a release says of itself.

use crate::bounds::{MAX_COMPONENTS, MAX_RELEASE_FILES, MAX_UNPACKED};
use crate::digest;
use crate::error::{BundleError, Result};
use crate::names;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// Names of components are short words.
const MAX_COMPONENT: usize = 64;

/// What a release says of itself, signed as a whole.
///
/// Members that this version does not know are passed over: an older Setup
/// must be able to read what a newer release says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseManifest {
    /// Its version, semantic versioning 2.0.0.
    pub version: String,
    /// What it runs on, see [`platform`].
    pub platform: String,
    /// Versions of what it keeps on disk and of its contracts.
    pub schemas: Schemas,
    /// Components that it has, sorted.
    pub components: Vec<String>,
    /// When it was built, milliseconds since 1970.
    pub built: i64,
    /// Every file, sorted by path.
    pub files: Vec<ReleaseFile>,
}

/// Versions of what a release keeps on disk and of its contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schemas {
    /// The index of the store.
    pub index: i64,
    /// The registry of Setup.
    pub registry: i64,
    /// The contract with connectors.
    pub contract: u32,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseFile {
    /// Relative, `/` between parts, without `.` and `..`.
    pub path: String,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// Octets.
    pub size: u64,
    /// Whether it can be run.
    pub executable: bool,
}

/// The platform of this program: architecture and operating system as Rust
/// names them, `x86_64-linux`.
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
}

/// Compares two versions by the precedence of semantic versioning 2.0.0
/// (section 11): `1.2.0-rc.1` is before `1.2.0`, build metadata does not
/// count. What is no version comes before what is one, and two such compare
/// as text; callers that need to know check with [`is_version`].
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    match (semver::Version::parse(a), semver::Version::parse(b)) {
        (Ok(a), Ok(b)) => a.cmp_precedence(&b),
        (Ok(_), Err(_)) => Ordering::Greater,
        (Err(_), Ok(_)) => Ordering::Less,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// Whether it is a version by semantic versioning 2.0.0.
pub fn is_version(text: &str) -> bool {
    semver::Version::parse(text).is_ok()
}

impl ReleaseManifest {
    /// Reads and checks it.
    pub(crate) fn parse(octets: &[u8]) -> Result<Self> {
        let unusable = |cause: String| BundleError::Manifest { cause };
        let manifest: Self = serde_json::from_slice(octets).map_err(|e| unusable(e.to_string()))?;
        manifest.check().map_err(unusable)?;
        Ok(manifest)
    }

    /// Whether it keeps its own rules; the error says which it breaks.
    pub(crate) fn check(&self) -> std::result::Result<(), String> {
        if !is_version(&self.version) || self.version.len() > 64 {
            return Err(format!("version '{:.64}' is not x.y.z", self.version));
        }
        if !is_word(&self.platform) {
            return Err("platform is not ARCHITECTURE-SYSTEM".to_owned());
        }
        if self.components.len() > MAX_COMPONENTS {
            return Err(format!("it has more than {MAX_COMPONENTS} components"));
        }
        if !self.components.iter().all(|name| is_word(name)) {
            return Err("the name of a component is not of a-z, 0-9, '-', '_', '.'".to_owned());
        }
        self.check_files()
    }

    fn check_files(&self) -> std::result::Result<(), String> {
        if self.files.len() > MAX_RELEASE_FILES {
            return Err(format!("it has more than {MAX_RELEASE_FILES} files"));
        }
        let mut total = 0_u64;
        for file in &self.files {
            if names::plain(file.path.as_bytes()) != Ok(Some(file.path.clone())) {
                let name = names::shown(file.path.as_bytes());
                return Err(format!("the path '{name}' is not plain and relative"));
            }
            if !digest::is_sha256(&file.sha256) {
                return Err(format!("'{}' has no SHA-256", file.path));
            }
            total = total.saturating_add(file.size);
        }
        if total > MAX_UNPACKED {
            return Err(format!("its files have more than {MAX_UNPACKED} octets together"));
        }
        let mut paths: Vec<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        paths.sort_unstable();
        match names::clash(paths.into_iter()) {
            Some(path) => Err(format!("'{path}' is there twice, or is a file and a directory")),
            None => Ok(()),
        }
    }
}

fn is_word(text: &str) -> bool {
    (1..=MAX_COMPONENT).contains(&text.len())
        && !text.starts_with('.')
        && text.bytes().all(|c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'_' | b'.')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn good() -> ReleaseManifest {
        ReleaseManifest {
            version: "1.2.3".to_owned(),
            platform: platform(),
            schemas: Schemas { index: 1, registry: 1, contract: 1 },
            components: vec!["core".to_owned()],
            built: 0,
            files: vec![ReleaseFile {
                path: "concord".to_owned(),
                sha256: digest::sha256(b""),
                size: 0,
                executable: true,
            }],
        }
    }

    #[test]
    fn a_manifest_is_read_as_it_was_written_and_unknown_members_are_passed_over() {
        let mut value = serde_json::to_value(good()).unwrap();
        value["colour"] = "red".into();
        value["schemas"]["calendar"] = 4.into();
        let octets = serde_json::to_vec(&value).unwrap();
        assert_eq!(ReleaseManifest::parse(&octets).unwrap(), good());
    }

    #[test]
    fn every_mistake_is_refused() {
        let mistakes: [fn(&mut ReleaseManifest); 9] = [
            |m| m.version = "1.2".to_owned(),
            |m| m.platform = "x86_64 linux".to_owned(),
            |m| m.components = vec!["../core".to_owned()],
            |m| m.components = vec!["a".to_owned(); 257],
            |m| m.files[0].path = "../concord".to_owned(),
            |m| m.files[0].path = "./concord".to_owned(),
            |m| m.files[0].sha256.make_ascii_uppercase(),
            |m| m.files[0].size = u64::MAX,
            |m| m.files.push(m.files[0].clone()),
        ];
        for mistake in mistakes {
            let mut manifest = good();
            mistake(&mut manifest);
            assert!(manifest.check().is_err(), "{manifest:?}");
        }
    }

    #[test]
    fn versions_have_the_order_of_semantic_versioning() {
        let sorted =
            ["nonsense", "0.9.0", "1.0.0-alpha", "1.0.0-alpha.2", "1.0.0-rc.10", "1.0.0", "1.10.0"];
        for (at, a) in sorted.iter().enumerate() {
            for (other, b) in sorted.iter().enumerate() {
                assert_eq!(compare_versions(a, b), at.cmp(&other), "{a} {b}");
            }
        }
        assert_eq!(compare_versions("1.0.0+a", "1.0.0+b"), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ReleaseManifest::parse(&octets);
        }
    }
}
