//! The server's side.

use crate::error::TlsError;
use crate::files::{CertificateFiles, Stamp};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
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
    server_config_of_first(vec![files])
}

/// The same with the first certificate of several that is there and good: an
/// ordered one is taken into use when it comes, without a restart.
pub fn server_config_of_first(files: Vec<CertificateFiles>) -> Result<Arc<ServerConfig>, TlsError> {
    Ok(Arc::new(config_of_first(files)?))
}

/// As [`server_config_of_first`], to be changed before it is used.
pub fn config_of_first(files: Vec<CertificateFiles>) -> Result<ServerConfig, TlsError> {
    let provider = provider();
    let resolver = Reloading::of_first(files, Arc::clone(&provider))?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    Ok(config)
}

/// A configuration that shows one certificate only, to be changed before it is
/// used.
pub fn config_with(key: Arc<CertifiedKey>) -> Result<ServerConfig, TlsError> {
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(key)));
    Ok(config)
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A certificate that is read again when its files change.
#[derive(Debug)]
pub struct Reloading {
    files: Vec<CertificateFiles>,
    provider: Arc<CryptoProvider>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    stamp: Vec<Stamp>,
    looked: Instant,
}

impl Reloading {
    /// Reads the files. Blocks.
    pub fn new(files: CertificateFiles, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        Self::of_first(vec![files], provider)
    }

    /// The first certificate that is there and good. Blocks.
    ///
    /// # Errors
    /// None is; the error is the last one's.
    pub fn of_first(
        files: Vec<CertificateFiles>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        // Stamp first: a change during the read shows as a change afterwards.
        let stamp = stamps(&files);
        let key = Arc::new(first_good(&files, &provider)?);
        let current = Mutex::new(Current { key, stamp, looked: Instant::now() });
        Ok(Self { files, provider, current })
    }

    /// Reads the files again if they changed since they were last read.
    /// `Ok(true)` if another certificate is in use now. On an error the one
    /// in use stays, and the files are not tried again until they change.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.looked = Instant::now();
        let stamp = stamps(&self.files);
        if stamp == current.stamp {
            return Ok(false);
        }
        current.stamp = stamp;
        // What works is not given up for the next best because a file is damaged.
        let key = first_there(&self.files)?.read(&self.provider)?;
        if key.cert == current.key.cert {
            return Ok(false);
        }
        current.key = Arc::new(key);
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

fn stamps(files: &[CertificateFiles]) -> Vec<Stamp> {
    files.iter().map(CertificateFiles::stamp).collect()
}

/// The first whose file exists, else the last one, which must.
fn first_there(files: &[CertificateFiles]) -> Result<&CertificateFiles, TlsError> {
    files
        .iter()
        .find(|files| files.certificate.exists())
        .or(files.last())
        .ok_or_else(|| TlsError::NoCertificate { file: PathBuf::new() })
}

/// A start must not fail over one that has a substitute.
fn first_good(
    files: &[CertificateFiles],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let there = first_there(files)?;
    let mut tried = there.read(provider);
    for files in files.iter().skip_while(|files| *files != there).skip(1) {
        if let Err(error) = &tried {
            tracing::warn!(%error, "the next certificate is used instead");
            tried = files.read(provider);
        }
    }
    tried
}

impl ResolvesServerCert for Reloading {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if self.is_due() {
            match self.refresh() {
                Ok(false) => {}
                Ok(true) => tracing::info!("another certificate is in use"),
                Err(error) => tracing::warn!(%error, "the certificate before it stays in use"),
            }
        }
        Some(self.current())
    }
}
