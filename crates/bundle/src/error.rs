//! How bundles and packages fail.

use concord_base::{Fault, Retry};
use std::path::{Path, PathBuf};

/// A bundle or package could not be made, was refused, or could not be
/// unpacked. One cause, one variant.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The operating system refused something.
    #[error("cannot {act} {}: {cause}", path.display())]
    Io {
        /// What was tried, an infinitive.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// It is no release bundle, or a damaged one.
    #[error(
        "cannot read the bundle {}: it is not a release bundle ({cause}); fetch it again", path.display()
    )]
    NotABundle {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// It is no package, or a damaged one.
    #[error(
        "cannot read the package {}: it is not a connector package ({cause}); fetch it again", path.display()
    )]
    NotAPackage {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// The file ends too early.
    #[error("cannot read {}: the file ends too early; fetch it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// More than a bound allows.
    #[error("cannot read {}: {what} exceeds the bound of {limit}; it is not one of ours", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// What is too large or too many.
        what: String,
        /// The bound.
        limit: u64,
    },
    /// A path that would lead out of the directory, a link, a device.
    #[error("cannot use {}: '{entry}' {why}; do not use this file", path.display())]
    UnsafeEntry {
        /// The archive or directory.
        path: PathBuf,
        /// The entry, as far as it can be shown.
        entry: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The bundle lacks a part.
    #[error("cannot read the bundle {}: {entry} is missing; fetch it again", path.display())]
    MissingEntry {
        /// The file.
        path: PathBuf,
        /// The part.
        entry: String,
    },
    /// The trusted root itself is unusable.
    #[error(
        "cannot check the bundle: the trusted root is unusable ({cause}); put the root.json of \
         your distributor in its place"
    )]
    TrustRoot {
        /// What does not fit.
        cause: String,
    },
    /// What was seen last is unusable.
    #[error(
        "cannot check the bundle: {} is damaged ({cause}); remove the file to begin anew, older \
         bundles are taken once then", path.display()
    )]
    Seen {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// The metadata is not signed by keys of the trusted root.
    #[error(
        "cannot trust the bundle: its {role} metadata is not signed by the keys of the trusted \
         root ({cause}); get it from your distributor, or trust another root on purpose"
    )]
    Signature {
        /// Which metadata.
        role: String,
        /// What does not fit.
        cause: String,
    },
    /// Metadata cannot be understood.
    #[error("cannot read the bundle: its {role} metadata is unusable ({cause}); fetch it again")]
    Metadata {
        /// Which metadata.
        role: String,
        /// What does not fit.
        cause: String,
    },
    /// The metadata was good once (freeze attack).
    #[error(
        "cannot trust the bundle: its {role} metadata expired at {expired}; fetch a newer one, or \
         set the clock right"
    )]
    Expired {
        /// Which metadata.
        role: String,
        /// When, RFC 3339.
        expired: String,
    },
    /// Newer metadata was seen before (rollback attack).
    #[error(
        "cannot trust the bundle: its {role} metadata is older than what this server has seen \
         ({cause}); fetch the newest bundle"
    )]
    Rollback {
        /// Which metadata.
        role: String,
        /// Both versions.
        cause: String,
    },
    /// Parts of different bundles (mix-and-match attack).
    #[error("cannot trust the bundle: its parts do not belong together ({cause}); fetch it again")]
    MixAndMatch {
        /// What does not fit.
        cause: String,
    },
    /// A target is not what the metadata names.
    #[error("cannot trust the bundle: {target} is not what was signed ({cause}); fetch it again")]
    TargetChanged {
        /// The target.
        target: String,
        /// Size or hash.
        cause: String,
    },
    /// What the release says of itself is unusable.
    #[error("cannot use the release: its release.json is unusable ({cause}); report it")]
    Manifest {
        /// What does not fit.
        cause: String,
    },
    /// For another kind of machine.
    #[error(
        "cannot use the release: it is for {found} and this machine is {ours}; fetch the bundle \
         for {ours}"
    )]
    WrongPlatform {
        /// What the release is for.
        found: String,
        /// What this is.
        ours: String,
    },
    /// The package is not signed at all.
    #[error(
        "cannot trust the package {}: it has no signature; ask its publisher for a signed one, or \
         sign it with 'minisign -Sm SHA256SUMS'", path.display()
    )]
    Unsigned {
        /// The file.
        path: PathBuf,
    },
    /// The package is signed, but nobody trusts the key.
    #[error(
        "cannot trust the package {}: it is signed by an unknown key, id {key_id}, {}; compare it \
         with what the publisher makes known before you trust it",
        path.display(), key_words(public_key.as_deref())
    )]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key's id as minisign shows it.
        key_id: String,
        /// The whole public key, if the signature names the one that it fits.
        public_key: Option<String>,
    },
    /// The signature does not fit.
    #[error(
        "cannot trust the package {}: its signature does not fit ({cause}); fetch it again, and \
         do not use this one", path.display()
    )]
    BadSignature {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// A file that was promised is not there.
    #[error("cannot use {}: the file '{entry}' is missing; fetch it again", path.display())]
    FileMissing {
        /// The archive.
        path: PathBuf,
        /// The file.
        entry: String,
    },
    /// A file that nobody promised.
    #[error("cannot use {}: the file '{entry}' is not in its signed list; do not use it", path.display())]
    FileExtra {
        /// The archive.
        path: PathBuf,
        /// The file.
        entry: String,
    },
    /// A file that is not what was promised.
    #[error("cannot use {}: the file '{entry}' is not what was signed; do not use it", path.display())]
    FileChanged {
        /// The archive.
        path: PathBuf,
        /// The file.
        entry: String,
    },
    /// A key cannot be used.
    #[error("cannot use the key {}: {cause}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What does not fit, and what to do.
        cause: String,
    },
    /// What was to be made makes no sense.
    #[error("cannot make {what}: {cause}")]
    Invalid {
        /// What was to be made.
        what: &'static str,
        /// Why not, and what to do.
        cause: String,
    },
    /// A defect, or a machine at its end.
    #[error("cannot {act}: {cause}; report it")]
    Internal {
        /// What was tried, an infinitive.
        act: &'static str,
        /// What happened.
        cause: String,
    },
}

fn key_words(public_key: Option<&str>) -> String {
    public_key.map_or_else(
        || "and does not carry its public key".to_owned(),
        |key| format!("public key {key}"),
    )
}

impl BundleError {
    /// For `map_err` on calls of the system.
    pub(crate) fn io<'a>(
        act: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |cause| Self::Io { act, path: path.to_owned(), cause }
    }

    /// What was to be made makes no sense.
    pub(crate) fn invalid(what: &'static str, cause: impl std::fmt::Display) -> Self {
        Self::Invalid { what, cause: cause.to_string() }
    }

    /// A key cannot be used.
    pub(crate) fn key(path: &Path, cause: impl std::fmt::Display) -> Self {
        Self::Key { path: path.to_owned(), cause: cause.to_string() }
    }
}

impl Fault for BundleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "bundle.io",
            Self::NotABundle { .. } => "bundle.not-a-bundle",
            Self::NotAPackage { .. } => "bundle.not-a-package",
            Self::Truncated { .. } => "bundle.truncated",
            Self::TooLarge { .. } => "bundle.too-large",
            Self::UnsafeEntry { .. } => "bundle.unsafe-entry",
            Self::MissingEntry { .. } => "bundle.missing-entry",
            Self::TrustRoot { .. } => "bundle.trust-root",
            Self::Seen { .. } => "bundle.seen",
            Self::Signature { .. } => "bundle.signature",
            Self::Metadata { .. } => "bundle.metadata",
            Self::Expired { .. } => "bundle.expired",
            Self::Rollback { .. } => "bundle.rollback",
            Self::MixAndMatch { .. } => "bundle.mix-and-match",
            Self::TargetChanged { .. } => "bundle.target-changed",
            Self::Manifest { .. } => "bundle.manifest",
            Self::WrongPlatform { .. } => "bundle.wrong-platform",
            Self::Unsigned { .. } => "bundle.unsigned",
            Self::UnknownKey { .. } => "bundle.unknown-key",
            Self::BadSignature { .. } => "bundle.bad-signature",
            Self::FileMissing { .. } => "bundle.file-missing",
            Self::FileExtra { .. } => "bundle.file-extra",
            Self::FileChanged { .. } => "bundle.file-changed",
            Self::Key { .. } => "bundle.key",
            Self::Invalid { .. } => "bundle.invalid",
            Self::Internal { .. } => "bundle.internal",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            // The file stays what it is; only another one helps.
            Self::NotABundle { .. }
            | Self::NotAPackage { .. }
            | Self::Truncated { .. }
            | Self::TooLarge { .. }
            | Self::UnsafeEntry { .. }
            | Self::MissingEntry { .. }
            | Self::Metadata { .. }
            | Self::Rollback { .. }
            | Self::MixAndMatch { .. }
            | Self::TargetChanged { .. }
            | Self::Manifest { .. }
            | Self::WrongPlatform { .. }
            | Self::BadSignature { .. }
            | Self::FileMissing { .. }
            | Self::FileExtra { .. }
            | Self::FileChanged { .. }
            | Self::Invalid { .. } => Retry::Permanent,
            // Trust, clock, keys and disk are the administrator's.
            Self::Io { .. }
            | Self::TrustRoot { .. }
            | Self::Seen { .. }
            | Self::Signature { .. }
            | Self::Expired { .. }
            | Self::Unsigned { .. }
            | Self::UnknownKey { .. }
            | Self::Key { .. } => Retry::Operator,
            Self::Internal { .. } => Retry::Bug,
        }
    }
}

/// What most of this crate returns.
pub type Result<T> = std::result::Result<T, BundleError>;
