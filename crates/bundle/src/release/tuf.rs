//! The Update Framework by the crate `tough`.
//!
//! `tough` is asynchronous, looks at the machine's clock, and its file
//! transport does not find paths with spaces in them. Here it runs on a thread
//! of its own, reads from memory, and leaves expiry to [`super::verify`],
//! which is told the time. Everything else of the client's workflow (TUF
//! specification 1.0, section 5) is the crate's: roots one after the other,
//! signatures by threshold, versions against the last seen ones, hashes and
//! lengths of snapshot and targets.

use crate::bounds::{MAX_METADATA, MAX_ROOTS};
use crate::digest;
use crate::error::{BundleError, Result};
use futures_util::stream;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt::Display;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use tough::error::Error as Tough;
use tough::schema::{Role, RoleType};
use tough::{
    Bytes, ExpirationEnforcement, Limits, Repository, RepositoryLoader, Transport, TransportError,
    TransportErrorKind, TransportStream,
};
use url::Url;

/// Metadata of a bundle by file name.
pub(super) type Metadata = BTreeMap<String, Vec<u8>>;

/// Runs what `tough` does to its end. On a thread of its own: the caller may
/// run on a runtime, which must not be blocked by another one. A panic of the
/// library is an error here.
pub(super) fn block_on<T: Send, F: Future<Output = Result<T>>>(
    work: impl FnOnce() -> F + Send,
) -> Result<T> {
    let failed = |cause: &dyn Display| BundleError::Internal {
        act: "work on signatures",
        cause: cause.to_string(),
    };
    std::thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.map_err(|e| failed(&e))?.block_on(work())
        };
        let thread = std::thread::Builder::new().name("bundle".to_owned());
        let thread = thread.spawn_scoped(scope, run).map_err(|e| failed(&e))?;
        thread.join().map_err(|_| failed(&"a thread panicked"))?
    })
}

/// Metadata in memory, as `tough` fetches it.
#[derive(Debug, Clone)]
struct InMemory(Arc<Metadata>);

#[async_trait::async_trait]
impl Transport for InMemory {
    async fn fetch(&self, url: Url) -> std::result::Result<TransportStream, TransportError> {
        let name = url.path_segments().and_then(|mut parts| parts.next_back());
        match name.and_then(|name| self.0.get(name)) {
            Some(octets) => Ok(Box::pin(stream::iter([Ok(Bytes::from(octets.clone()))]))),
            None => Err(TransportError::new(TransportErrorKind::FileNotFound, url)),
        }
    }
}

/// A target as the signed metadata names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) size: u64,
    /// Lower-case hex.
    pub(super) sha256: String,
}

/// What the metadata says once its signatures and versions are right.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Version of the root that all of it hangs on.
    pub(super) root: u64,
    /// Version of the timestamp.
    pub(super) version: u64,
    /// When each role expires.
    pub(super) expires: [(RoleType, jiff::Timestamp); 4],
    /// Targets by name.
    pub(super) targets: BTreeMap<String, Target>,
}

/// The client's workflow. `root` is trusted; `seen` is a directory with the
/// metadata seen last, which is written to.
pub(super) fn load(root: &[u8], metadata: &Metadata, seen: &Path) -> Result<Loaded> {
    block_on(|| async {
        // Only the last part of an address is looked at.
        let base = Url::parse("file:///metadata/").map_err(|e| BundleError::Internal {
            act: "name the metadata",
            cause: e.to_string(),
        })?;
        let loader = RepositoryLoader::new(&root, base.clone(), base)
            .transport(InMemory(Arc::new(metadata.clone())))
            .limits(Limits {
                max_root_size: MAX_METADATA,
                max_targets_size: MAX_METADATA,
                max_timestamp_size: MAX_METADATA,
                max_snapshot_size: MAX_METADATA,
                max_root_updates: MAX_ROOTS,
            })
            .datastore(seen)
            // By the machine's clock; ours comes from the caller.
            .expiration_enforcement(ExpirationEnforcement::Unsafe);
        describe(&loader.load().await.map_err(told)?)
    })
}

fn describe(repository: &Repository) -> Result<Loaded> {
    let root = &repository.root().signed;
    let timestamp = &repository.timestamp().signed;
    let snapshot = &repository.snapshot().signed;
    let targets = &repository.targets().signed;
    // The editor of `tough` writes an empty list.
    if targets.delegations.as_ref().is_some_and(|some| !some.roles.is_empty()) {
        return Err(unusable(RoleType::Targets, "it delegates, which no bundle needs"));
    }
    let named = targets.targets.iter().map(|(name, target)| {
        let sha256 = digest::hex(&target.hashes.sha256);
        (name.raw().to_owned(), Target { size: target.length, sha256 })
    });
    Ok(Loaded {
        root: root.version.get(),
        version: timestamp.version.get(),
        expires: [
            (RoleType::Root, root.expires()),
            (RoleType::Timestamp, timestamp.expires()),
            (RoleType::Snapshot, snapshot.expires()),
            (RoleType::Targets, targets.expires()),
        ],
        targets: named.collect(),
    })
}

fn unusable(role: impl Display, cause: impl Display) -> BundleError {
    BundleError::Metadata { role: role.to_string(), cause: cause.to_string() }
}

/// What an error of `tough` means for a bundle.
fn told(error: Tough) -> BundleError {
    let cause = lower_first(error.to_string());
    match error {
        Tough::ParseTrustedMetadata { .. } | Tough::VerifyTrustedMetadata { .. } => {
            BundleError::TrustRoot { cause }
        }
        Tough::VerifyMetadata { role, .. } => {
            BundleError::Signature { role: role.to_string(), cause }
        }
        Tough::VerifyRoleMetadata { role, .. } => BundleError::Signature { role, cause },
        // Roots are fetched by number: one that has another number is no older
        // one, it has the wrong name.
        Tough::OlderMetadata { role: RoleType::Root, .. } => unusable(RoleType::Root, cause),
        Tough::OlderMetadata { role, .. } => {
            BundleError::Rollback { role: role.to_string(), cause }
        }
        Tough::OlderSnapshotInTimestamp { .. }
        | Tough::SnapshotRoleMissing { .. }
        | Tough::SnapshotRoleRollback { .. } => {
            BundleError::Rollback { role: RoleType::Snapshot.to_string(), cause }
        }
        Tough::VersionMismatch { .. } => BundleError::MixAndMatch { cause },
        Tough::ParseMetadata { role, .. } => unusable(role, cause),
        Tough::Transport { source, url, .. } => fetched(&source, &url, cause),
        Tough::DatastoreCreate { path, source, .. }
        | Tough::DatastoreRemove { path, source, .. } => {
            BundleError::Io { act: "write", path, cause: source }
        }
        Tough::DatastoreOpen { path, source, .. } => {
            BundleError::Io { act: "read", path, cause: source }
        }
        _ => unusable("update", cause),
    }
}

/// As the middle of a sentence.
fn lower_first(mut text: String) -> String {
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}

/// Fetching fails if a part is not there or is not the one that was named.
fn fetched(error: &TransportError, url: &Url, cause: String) -> BundleError {
    if error.kind() == TransportErrorKind::FileNotFound {
        let name = url.path_segments().and_then(|mut parts| parts.next_back());
        let name = name.unwrap_or_default();
        return unusable(name.trim_end_matches(".json"), "the bundle does not have it");
    }
    match error.source().and_then(|source| source.downcast_ref::<Tough>()) {
        Some(Tough::HashMismatch { .. } | Tough::MaxSizeExceeded { .. }) => {
            let name = url.path_segments().and_then(|mut parts| parts.next_back());
            let name = name.unwrap_or_default();
            BundleError::MixAndMatch { cause: format!("{name} is not the one that was signed") }
        }
        _ => unusable("update", cause),
    }
}

/// For `map_err` on what `tough` does when something is made.
pub(super) fn making(what: &'static str) -> impl Fn(Tough) -> BundleError {
    move |error| BundleError::invalid(what, lower_first(error.to_string()))
}
