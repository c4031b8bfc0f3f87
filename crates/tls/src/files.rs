//! Reading PEM files.

use crate::error::TlsError;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A certificate chain with its key is some kilobytes, the system's roots
/// some hundred; more is some other file.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Where a certificate with its chain and its private key are. Both may be
/// the same file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// What a file looked like when it was read.
pub(crate) type Stamp = [Option<(Duration, u64)>; 2];

impl CertificateFiles {
    /// Changes whenever a file is written or replaced.
    pub(crate) fn stamp(&self) -> Stamp {
        use std::os::unix::fs::MetadataExt;
        [&self.certificate, &self.key].map(|file| {
            let data = std::fs::metadata(file).ok()?;
            let seconds = u64::try_from(data.mtime()).unwrap_or(0);
            let nanos = u32::try_from(data.mtime_nsec()).unwrap_or(0);
            Some((Duration::new(seconds, nanos), data.ino()))
        })
    }

    /// Reads both files and checks that they belong together. Blocks.
    pub(crate) fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let chain = certificates(&self.certificate)?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate { file: self.certificate.clone() });
        }
        let key = match PrivateKeyDer::from_pem_slice(&read(&self.key)?) {
            Ok(key) => key,
            Err(pem::Error::NoItemsFound) => {
                return Err(TlsError::NoKey { file: self.key.clone() });
            }
            Err(cause) => return Err(not_pem(&self.key, &cause)),
        };
        CertifiedKey::from_der(chain, key, provider).map_err(|cause| TlsError::Unusable {
            certificate: self.certificate.clone(),
            key: self.key.clone(),
            cause,
        })
    }
}

/// Every certificate of a PEM file. Blocks.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(&read(file)?)
        .collect::<Result<_, _>>()
        .map_err(|cause| not_pem(file, &cause))
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let unreadable = |cause| TlsError::Unreadable { file: file.to_owned(), cause };
    if std::fs::metadata(file).map_err(unreadable)?.len() > MAX_FILE {
        return Err(unreadable(std::io::Error::other("it is larger than any certificate")));
    }
    std::fs::read(file).map_err(unreadable)
}

fn not_pem(file: &Path, cause: &pem::Error) -> TlsError {
    TlsError::NotPem { file: file.to_owned(), cause: cause.to_string() }
}
