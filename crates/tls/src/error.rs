//! Why there is no TLS configuration.

use concord_base::{Fault, Retry};
use std::path::PathBuf;

/// Why there is no TLS configuration. Every cause is the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}; check [tls] in etc/concord.toml and the file's owner", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// A file is not PEM.
    #[error("cannot read {}: {cause}; it must be PEM text", file.display())]
    NotPem {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// What is in the PEM is no certificate.
    #[error("cannot use {}: it is no X.509 certificate: {cause}; put the server's certificate there", file.display())]
    NotX509 {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        cause: String,
    },
    /// A file holds no certificate.
    #[error("cannot use {}: it holds no certificate; put the server's certificate and its chain in it", file.display())]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// A file holds no private key.
    #[error("cannot use {}: it holds no private key; an encrypted key must be decrypted first (openssl pkey)", file.display())]
    NoKey {
        /// The file.
        file: PathBuf,
    },
    /// Key and certificate are there and do not work.
    #[error("cannot use {} with {}: {cause}; give the key that the certificate was issued for", certificate.display(), key.display())]
    Unusable {
        /// Certificate file.
        certificate: PathBuf,
        /// Key file.
        key: PathBuf,
        /// What rustls found.
        cause: rustls::Error,
    },
    /// The self-made certificate cannot be made.
    #[error(
        "cannot make a certificate for '{hostname}': {cause}; set server.hostname in etc/concord.toml to a valid name"
    )]
    SelfMade {
        /// The name.
        hostname: String,
        /// What rcgen found.
        cause: String,
    },
    /// The self-made certificate cannot be written.
    #[error("cannot write {}: {cause}; check the owner of the directory and the free space", file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// No root certificates for verification.
    #[error("cannot verify peers: no root certificates in {}; install ca-certificates", file.display())]
    NoRoots {
        /// The file that was read.
        file: PathBuf,
    },
    /// The peer's name cannot stand in a certificate.
    #[error("cannot verify '{0}': it is neither a host name nor an address; write one of them")]
    PeerName(String),
    /// rustls refused the configuration.
    #[error("cannot configure TLS: {0}")]
    Config(rustls::Error),
}

impl Fault for TlsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "tls.unreadable",
            Self::NotPem { .. } => "tls.not-pem",
            Self::NotX509 { .. } => "tls.not-x509",
            Self::NoCertificate { .. } => "tls.no-certificate",
            Self::NoKey { .. } => "tls.no-key",
            Self::Unusable { .. } => "tls.unusable",
            Self::SelfMade { .. } => "tls.self-made",
            Self::Unwritable { .. } => "tls.unwritable",
            Self::NoRoots { .. } => "tls.no-roots",
            Self::PeerName(_) => "tls.peer-name",
            Self::Config(_) => "tls.config",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::PeerName(_) => Retry::Permanent,
            Self::Config(_) => Retry::Bug,
            _ => Retry::Operator,
        }
    }
}
