//! The server's side.

use crate::error::TlsError;
use crate::files::{CertificateFiles, Stamp};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A renewed certificate is used at the latest this long after it was
/// written; short enough for any renewal tool, long enough that handshakes
/// do not wait for the file system.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A server configuration (TLS 1.2 and 1.3, no client certificates) whose
/// certificate follows its files. Blocks while it reads them.
///
/// One configuration may serve every protocol and session.
pub fn server_config(files: CertificateFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let resolver = Reloading::new(files, Arc::clone(&provider))?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    Ok(Arc::new(config))
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A certificate that is read again when its files change.
#[derive(Debug)]
pub struct Reloading {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    stamp: Stamp,
    looked: Instant,
}

impl Reloading {
    /// Reads the files. Blocks.
    pub fn new(files: CertificateFiles, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        // Stamp first: a change during the read shows as a change afterwards.
        let stamp = files.stamp();
        let key = Arc::new(files.read(&provider)?);
        let current = Mutex::new(Current { key, stamp, looked: Instant::now() });
        Ok(Self { files, provider, current })
    }

    /// Reads the files again if they changed since they were last read.
    /// `Ok(true)` if another certificate is in use now. On an error the one
    /// in use stays, and the files are not tried again until they change.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.looked = Instant::now();
        let stamp = self.files.stamp();
        if stamp == current.stamp {
            return Ok(false);
        }
        current.stamp = stamp;
        current.key = Arc::new(self.files.read(&self.provider)?);
        Ok(true)
    }

    /// The certificate in use.
    pub fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner).key)
    }

    fn is_due(&self) -> bool {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.looked.elapsed() >= LOOK_EVERY
    }
}

impl ResolvesServerCert for Reloading {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if self.is_due() {
            match self.refresh() {
                Ok(false) => {}
                Ok(true) => tracing::info!(
                    file = %self.files.certificate.display(),
                    "the certificate was read again"
                ),
                Err(error) => tracing::warn!(%error, "the certificate before it stays in use"),
            }
        }
        Some(self.current())
    }
}
