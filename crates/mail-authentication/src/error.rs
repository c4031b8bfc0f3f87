//! What can go wrong, one variant for each cause.

use concord_base::{EnhancedStatus, Fault, Retry};
use concord_resolver::ResolverError;
use std::path::PathBuf;

/// Why something of this crate cannot be done. A message that fails its checks
/// is no error: that is in [`Results`](crate::Results).
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// Names cannot be looked up.
    #[error(transparent)]
    Resolver(#[from] ResolverError),
    /// A file of keys cannot be read.
    #[error("cannot read {}: {cause}; check its owner and that it is there", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// A file of keys cannot be written.
    #[error("cannot write {}: {cause}; check the owner of the directory and the free space", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// Others can read a private key.
    #[error("cannot use {}: others can read it (mode {mode:o}); make it 0600, and rotate the key if somebody may have copied it", file.display())]
    Exposed {
        /// The file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A file in the directory of keys is no private key that signs here.
    #[error("cannot use {}: {cause}; it must be a PKCS#8 private key in PEM, RSA of 1024 bits or more or Ed25519", file.display())]
    BadKey {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// The file of the secrets of rewritten senders.
    #[error("cannot use {}: {cause}; it must hold secrets of 16 octets or more in base64, one in a line, the one in use first", file.display())]
    BadSecret {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// `dkim.toml` cannot be understood.
    #[error("cannot read {}: {cause}; mend it, or put it back from a backup", file.display())]
    BadState {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// `dkim.toml` names a key that has no file.
    #[error("cannot use key '{selector}' of {domain}: {} is missing; put it back from a backup, or remove the key", file.display())]
    KeyMissing {
        /// The domain that signs.
        domain: String,
        /// The selector.
        selector: String,
        /// Where the key should be.
        file: PathBuf,
    },
    /// The directory holds more keys than are read.
    #[error(
        "cannot read the keys: there are more than {limit}; remove those that are not used any more"
    )]
    TooManyKeys {
        /// The bound.
        limit: usize,
    },
    /// A domain or a selector cannot stand in DNS or in a file name.
    #[error(
        "cannot use '{0}' as a domain or selector; write it in letters, digits, hyphens and dots"
    )]
    BadName(String),
    /// A key of this name is there already.
    #[error("cannot make key '{selector}' of {domain}: it exists; choose another selector")]
    KeyExists {
        /// The domain.
        domain: String,
        /// The selector.
        selector: String,
    },
    /// The cryptographic library refused to make a key.
    #[error(
        "cannot make a key: the cryptographic library refused; look at the machine's source of randomness"
    )]
    Generate,
    /// The message has nothing that could be signed.
    #[error("cannot sign the message: it has no From field; hand it in again with one")]
    NothingToSign,
    /// The cryptographic library refused to sign.
    #[error("cannot sign the message: {0}; check the key")]
    Sign(String),
    /// The ARC chain could not be judged, so nothing may be said on it.
    #[error("cannot seal the message: the DNS did not answer for its ARC chain; try again later")]
    ChainUnknown,
    /// The ARC chain is broken; a seal would add nothing (RFC 8617 section 5.1).
    #[error("cannot seal the message: its ARC chain does not verify; pass it on without a seal")]
    ChainBroken,
    /// The DNS did not say whether a report may be sent to an address.
    #[error(
        "cannot send a report on {0}: the DNS did not answer whether its addresses want it; try again later"
    )]
    ReportAddress(String),
    /// A received report cannot be read.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A report cannot be written.
    #[error("cannot write the report: {0}; this is a defect, report it")]
    WriteReport(String),
}

/// Why a received report cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// It is larger than is read.
    #[error("cannot read the report: it has {size} octets, more than {limit}; look at it by hand")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The bound.
        limit: usize,
    },
    /// Unpacked it is larger than is read: maybe a decompression bomb.
    #[error("cannot read the report: it unpacks to more than {limit} octets; do not open it")]
    Bomb {
        /// The bound.
        limit: usize,
    },
    /// What it is packed by is damaged.
    #[error("cannot unpack the report: {0}; ask the sender for it again")]
    Packed(String),
    /// The octets are neither a message with a report nor a report.
    #[error("cannot find a report in it; give a message, or a .xml, .json, .gz or .zip file")]
    NotFound,
    /// The XML of a DMARC report is not what it should be.
    #[error("cannot read the DMARC report: {0}; it does not follow RFC 7489 appendix C")]
    Xml(String),
    /// The JSON of a TLS report is not what it should be.
    #[error("cannot read the TLS report: {0}; it does not follow RFC 8460 section 4")]
    Json(String),
}

impl Fault for AuthenticationError {
    fn code(&self) -> &'static str {
        match self {
            Self::Resolver(error) => error.code(),
            Self::Unreadable { .. } => "authentication.unreadable",
            Self::Unwritable { .. } => "authentication.unwritable",
            Self::Exposed { .. } => "authentication.key-exposed",
            Self::BadKey { .. } => "authentication.bad-key",
            Self::BadSecret { .. } => "authentication.bad-secret",
            Self::BadState { .. } => "authentication.bad-state",
            Self::KeyMissing { .. } => "authentication.key-missing",
            Self::TooManyKeys { .. } => "authentication.too-many-keys",
            Self::BadName(_) => "authentication.bad-name",
            Self::KeyExists { .. } => "authentication.key-exists",
            Self::Generate => "authentication.generate",
            Self::NothingToSign => "authentication.nothing-to-sign",
            Self::Sign(_) => "authentication.sign",
            Self::ChainUnknown => "authentication.chain-unknown",
            Self::ChainBroken => "authentication.chain-broken",
            Self::ReportAddress(_) => "authentication.report-address",
            Self::Report(error) => error.code(),
            Self::WriteReport(_) => "authentication.write-report",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::ChainUnknown | Self::ReportAddress(_) => Retry::Temporary,
            Self::NothingToSign | Self::ChainBroken | Self::KeyExists { .. } | Self::BadName(_) => {
                Retry::Permanent
            }
            Self::Resolver(error) => error.retry(),
            Self::Report(error) => error.retry(),
            Self::WriteReport(_) => Retry::Bug,
            _ => Retry::Operator,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::ChainUnknown => EnhancedStatus::new(4, 7, 0),
            Self::NothingToSign | Self::ChainBroken => EnhancedStatus::new(5, 6, 0),
            Self::Report(_) => EnhancedStatus::new(5, 6, 0),
            _ => EnhancedStatus::new(4, 3, 5),
        }
    }
}

impl Fault for ReportError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "authentication.report-too-large",
            Self::Bomb { .. } => "authentication.report-bomb",
            Self::Packed(_) => "authentication.report-packed",
            Self::NotFound => "authentication.report-not-found",
            Self::Xml(_) => "authentication.report-xml",
            Self::Json(_) => "authentication.report-json",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }
}
