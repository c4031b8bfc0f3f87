//! The client's side.

use crate::error::TlsError;
use crate::files::certificates;
use crate::server::provider;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where distributions keep the roots that their administrators trust:
/// Debian, Fedora, SUSE, Alpine.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Whom a client believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Anybody: the connection is encrypted, the peer is not known (RFC 7435).
    /// Right where the alternative is no encryption at all.
    Opportunistic,
    /// Peers whose certificate is valid for their name.
    Verify(Roots),
}

/// Certificates that vouch for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// Those that the machine's administrator trusts.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// A client configuration (TLS 1.2 and 1.3). Blocks while it reads roots;
/// make it once and share it.
pub fn client_config(verification: &Verification) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?;
    let config = match verification {
        Verification::Opportunistic => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
            .with_no_client_auth(),
        Verification::Verify(roots) => {
            builder.with_root_certificates(store(roots)?).with_no_client_auth()
        }
    };
    Ok(Arc::new(config))
}

/// A client configuration (TLS 1.2 and 1.3) whose peers a verifier of the
/// caller's own judges.
pub fn client_config_with(
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A configuration that trusts nobody, for libraries that want one and never use
/// it: without it they read the machine's authorities, and fail where there are
/// none.
///
/// # Errors
/// [`TlsError::Config`]
pub fn trusting_nobody() -> Result<ClientConfig, TlsError> {
    Ok(ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Config)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

/// What all configurations of this crate compute with.
pub fn crypto_provider() -> Arc<CryptoProvider> {
    provider()
}

/// Certificates that vouch for others, for verifiers of the caller's own.
/// Blocks while it reads them.
pub fn root_store(roots: &Roots) -> Result<Arc<RootCertStore>, TlsError> {
    store(roots).map(Arc::new)
}

/// The peer's name as a certificate has it: a host name, or an address
/// without brackets.
pub fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    let bare = host.strip_suffix('.').unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::PeerName(host.to_owned()))
}

fn store(roots: &Roots) -> Result<RootCertStore, TlsError> {
    let file = match roots {
        Roots::File(file) => file.clone(),
        Roots::System => system_roots(),
    };
    let mut store = RootCertStore::empty();
    // A bundle may hold a certificate that webpki cannot read; the others serve.
    let (_, ignored) = store.add_parsable_certificates(certificates(&file)?);
    if ignored > 0 {
        tracing::debug!(file = %file.display(), ignored, "some root certificates were not read");
    }
    if store.is_empty() { Err(TlsError::NoRoots { file }) } else { Ok(store) }
}

fn system_roots() -> PathBuf {
    let [first, ..] = SYSTEM_ROOTS;
    SYSTEM_ROOTS.into_iter().find(|file| Path::new(file).exists()).unwrap_or(first).into()
}

/// Takes any certificate, but still wants proof that the peer holds its key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
