//! Why a host is not used.

use crate::limits::MAX_REASON;
use crate::mandate::Basis;
use crate::tlsa::TlsaMismatch;
use concord_base::{EnhancedStatus, Fault, Retry};
use concord_mail_authentication::report::TlsFailureKind;
use rustls::CertificateError;
use std::path::PathBuf;

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// It has ended.
    #[error("it has expired")]
    Expired,
    /// It has not begun.
    #[error("it is not valid yet")]
    NotYetValid,
    /// It is of other names.
    #[error("it is not for this name")]
    WrongName,
    /// Nobody whom this machine believes has issued it.
    #[error("its issuer is not trusted")]
    UnknownIssuer,
    /// It does not match the TLSA records.
    #[error("{0}")]
    Tlsa(TlsaMismatch),
    /// Something else.
    #[error("it cannot be used: {0}")]
    Other(String),
}

impl CertificateProblem {
    /// Reads the error of a handshake; `None` if it was not about the peer's
    /// certificate.
    pub fn of(error: &std::io::Error) -> Option<Self> {
        match error.get_ref()?.downcast_ref::<rustls::Error>()? {
            rustls::Error::InvalidCertificate(cause) => Some(Self::of_certificate(cause)),
            _ => None,
        }
    }

    pub(crate) fn of_certificate(cause: &CertificateError) -> Self {
        match cause {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            // The second: somebody else of the same name.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
            CertificateError::Other(other) => match other.0.downcast_ref::<TlsaMismatch>() {
                Some(mismatch) => Self::Tlsa(mismatch.clone()),
                None => Self::Other(short(&other.to_string())),
            },
            other => Self::Other(short(&other.to_string())),
        }
    }

    /// As RFC 8460 section 4.3 calls it.
    pub fn kind(&self) -> TlsFailureKind {
        match self {
            Self::Expired => TlsFailureKind::CertificateExpired,
            Self::WrongName => TlsFailureKind::CertificateHostMismatch,
            Self::UnknownIssuer => TlsFailureKind::CertificateNotTrusted,
            Self::NotYetValid | Self::Tlsa(_) | Self::Other(_) => TlsFailureKind::ValidationFailure,
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(MAX_REASON).collect()
}

/// A host may not be used as things are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// A host does not offer STARTTLS, or refuses it.
    #[error("{host} does not offer TLS, which {basis} asks for")]
    NoTls {
        /// `name [ip]`
        host: String,
        /// Who asks.
        basis: Basis,
    },
    /// The handshake broke, for another reason than the certificate.
    #[error("TLS with {host} failed, and {basis} asks for it: {cause}")]
    Handshake {
        /// `name [ip]`
        host: String,
        /// Who asks.
        basis: Basis,
        /// The library's words.
        cause: String,
    },
    /// The certificate is not what is asked for.
    #[error("certificate of {host}: {problem}; {basis} asks for it")]
    Certificate {
        /// `name [ip]`
        host: String,
        /// Who asks.
        basis: Basis,
        /// What is wrong.
        problem: CertificateProblem,
    },
    /// The certificate is none of those of the TLSA records (RFC 7672).
    #[error("certificate of {host} does not match its TLSA records")]
    TlsaMismatch {
        /// `name [ip]`
        host: String,
    },
    /// The host is none of the domain's policy (RFC 8461 section 4.1).
    #[error("{basis} asks for TLS, {host} is not in it")]
    NotInPolicy {
        /// The host's name.
        host: String,
        /// The policy.
        basis: Basis,
    },
    /// DNSSEC says that an answer is forged or broken.
    #[error("the DNS answer on {name} is not the domain's own (DNSSEC: bogus)")]
    Bogus {
        /// What was looked up.
        name: String,
    },
    /// Nobody answered whether there are TLSA records; without the answer a
    /// host cannot be used (RFC 7672 section 2.1.2).
    #[error("cannot look up the TLSA records of {host}: {cause}")]
    TlsaUnanswered {
        /// The host's name.
        host: String,
        /// The resolver's words.
        cause: String,
    },
    /// Setting `tls = "dane"`, and the host has no usable TLSA record.
    #[error("{host} has no usable TLSA records under DNSSEC, which {basis} asks for")]
    NoTlsa {
        /// The host's name.
        host: String,
        /// Who asks.
        basis: Basis,
    },
    /// Setting `tls = "dane"`, and the DNS servers of this machine give no
    /// signatures.
    #[error(
        "the name servers in use do not pass DNSSEC on, which {basis} asks for; \
         set internet-mail.nameservers to ones that do"
    )]
    NoDnssec {
        /// Who asks.
        basis: Basis,
    },
    /// RFC 8689 section 4.2.1: the host does not offer REQUIRETLS under TLS.
    #[error("{host} does not offer REQUIRETLS, which the sender asks for")]
    NoRequireTls {
        /// `name [ip]`
        host: String,
    },
    /// Section 4.2.1: neither DNSSEC nor an MTA-STS policy says that the host
    /// is the domain's.
    #[error(
        "neither DNSSEC nor MTA-STS says that {host} takes mail of the domain, \
         which REQUIRETLS asks for"
    )]
    UnprovenHost {
        /// The host's name.
        host: String,
    },
    /// REQUIRETLS, and the administrator has TLS switched off for the domain.
    #[error("the sender asks for TLS (REQUIRETLS), and tls = \"off\" is set for the domain")]
    TlsIsOff,
}

impl Fault for SecurityError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoTls { .. } => "transport-security.no-tls",
            Self::Handshake { .. } => "transport-security.handshake",
            Self::Certificate { .. } => "transport-security.certificate",
            Self::TlsaMismatch { .. } => "transport-security.tlsa-mismatch",
            Self::NotInPolicy { .. } => "transport-security.not-in-policy",
            Self::Bogus { .. } => "transport-security.bogus",
            Self::TlsaUnanswered { .. } => "transport-security.tlsa-unanswered",
            Self::NoTlsa { .. } => "transport-security.no-tlsa",
            Self::NoDnssec { .. } => "transport-security.no-dnssec",
            Self::NoRequireTls { .. } => "transport-security.no-requiretls",
            Self::UnprovenHost { .. } => "transport-security.unproven-host",
            Self::TlsIsOff => "transport-security.tls-is-off",
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::NoRequireTls { .. } | Self::UnprovenHost { .. } | Self::TlsIsOff => {
                Retry::Permanent
            }
            Self::NoDnssec { .. } => Retry::Operator,
            _ => Retry::Temporary,
        }
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        let (class, detail) = match self {
            // RFC 8689 section 8: X.7.30 REQUIRETLS support required.
            Self::NoRequireTls { .. } | Self::UnprovenHost { .. } => (5, 30),
            // RFC 5248 registry: X.7.10 encryption needed.
            Self::TlsIsOff => (5, 10),
            // RFC 3463 section 3.8: X.7.4 security features not supported,
            // X.7.5 cryptographic failure, X.7.0 other.
            Self::NoTls { .. } | Self::NoTlsa { .. } | Self::NoDnssec { .. } => (4, 4),
            Self::Handshake { .. }
            | Self::Certificate { .. }
            | Self::TlsaMismatch { .. }
            | Self::Bogus { .. }
            | Self::TlsaUnanswered { .. } => (4, 5),
            Self::NotInPolicy { .. } => (4, 0),
        };
        EnhancedStatus::new(class, 7, detail)
    }
}

impl SecurityError {
    /// As RFC 8460 section 4.3 calls it.
    pub fn kind(&self) -> TlsFailureKind {
        match self {
            Self::NoTls { .. } | Self::TlsIsOff => TlsFailureKind::StarttlsNotSupported,
            Self::Certificate { problem, .. } => problem.kind(),
            Self::NoTlsa { .. } => TlsFailureKind::DaneRequired,
            Self::Bogus { .. } | Self::TlsaUnanswered { .. } | Self::NoDnssec { .. } => {
                TlsFailureKind::DnssecInvalid
            }
            Self::Handshake { .. }
            | Self::TlsaMismatch { .. }
            | Self::NotInPolicy { .. }
            | Self::NoRequireTls { .. }
            | Self::UnprovenHost { .. } => TlsFailureKind::ValidationFailure,
        }
    }
}

/// The counts cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The system refuses.
    #[error("cannot use {file}: {cause}")]
    Io {
        /// Which file or directory.
        file: PathBuf,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The file is not what was written.
    #[error("{file} is not what was written there: {cause}; remove it to begin that day anew")]
    Broken {
        /// Which file.
        file: PathBuf,
        /// The parser's words.
        cause: serde_json::Error,
    },
}

impl Fault for LedgerError {
    fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "transport-security.ledger-io",
            Self::Broken { .. } => "transport-security.ledger-broken",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Operator
    }
}
