//! A demand as rustls asks it of a peer, and what was seen there.

use crate::error::CertificateProblem;
use crate::mandate::Demand;
use crate::tlsa::{self, TlsaRecord};
use concord_tls::{Roots, TlsError, client_config_with, crypto_provider, root_store, server_name};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, OtherError,
    ProtocolVersion, SignatureScheme,
};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What a certificate was found to be, where that does not decide.
pub type Noted = Arc<OnceLock<Result<(), CertificateProblem>>>;

/// Makes client configurations for demands.
#[derive(Debug)]
pub struct Peers {
    provider: Arc<CryptoProvider>,
    roots: Roots,
    /// Read when it is needed first: a machine without roots can still send to
    /// whoever asks for nothing.
    authorities: Mutex<Option<Arc<WebPkiServerVerifier>>>,
    anybody: Arc<ClientConfig>,
}

impl Peers {
    /// Peers whose certificates are believed if `roots` vouch for them.
    ///
    /// # Errors
    /// [`TlsError::Config`]
    pub fn new(roots: Roots) -> Result<Self, TlsError> {
        let provider = crypto_provider();
        let verifier = Judge { provider: Arc::clone(&provider), asked: Asked::Nothing };
        let anybody = client_config_with(Arc::new(verifier))?;
        Ok(Self { provider, roots, authorities: Mutex::default(), anybody })
    }

    fn authorities(&self) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
        let mut kept = self.authorities.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verifier) = &*kept {
            return Ok(Arc::clone(verifier));
        }
        let roots = root_store(&self.roots)?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&self.provider))
                .build()
                .map_err(|e| TlsError::Config(rustls::Error::General(e.to_string())))?;
        *kept = Some(Arc::clone(&verifier));
        Ok(verifier)
    }

    /// A configuration that a peer must satisfy. With `note` the certificate
    /// is compared with that host's name, and taken whatever comes of it. May
    /// block while it reads the roots for the first time.
    ///
    /// # Errors
    /// [`TlsError`]: the roots cannot be read.
    pub fn config(
        &self,
        demand: &Demand,
        note: Option<&str>,
    ) -> Result<(Arc<ClientConfig>, Noted), TlsError> {
        let noted = Noted::default();
        let asked = match (demand, note) {
            (Demand::Verify { names } | Demand::Implicit { names }, _) => {
                Asked::Names { authorities: self.authorities()?, names: names.clone() }
            }
            (Demand::Tlsa { records, names }, _) => {
                Asked::Tlsa { records: records.clone(), names: names.clone() }
            }
            (Demand::Clear | Demand::Opportunistic | Demand::Encrypt, note) => {
                // Without roots nothing is noted: that must not hold mail up.
                let authorities = note.and_then(|host| Some((host, self.authorities().ok()?)));
                let Some((host, authorities)) = authorities else {
                    return Ok((Arc::clone(&self.anybody), noted));
                };
                let names = vec![host.to_owned()];
                Asked::Note { authorities, names, noted: Arc::clone(&noted) }
            }
        };
        let provider = Arc::clone(&self.provider);
        Ok((client_config_with(Arc::new(Judge { provider, asked }))?, noted))
    }

    /// A configuration for web servers, whose certificate must be of the name
    /// that they are asked by.
    ///
    /// # Errors
    /// As [`Peers::config`].
    pub fn web(&self) -> Result<Arc<ClientConfig>, TlsError> {
        client_config_with(self.authorities()?)
    }
}

#[derive(Debug)]
enum Asked {
    Nothing,
    Names { authorities: Arc<WebPkiServerVerifier>, names: Vec<String> },
    Tlsa { records: Vec<TlsaRecord>, names: Vec<String> },
    Note { authorities: Arc<WebPkiServerVerifier>, names: Vec<String>, noted: Noted },
}

/// Decides about certificates; proof that the peer holds its key is always
/// wanted.
#[derive(Debug)]
struct Judge {
    provider: Arc<CryptoProvider>,
    asked: Asked,
}

/// Whether a certificate is good for one of several names.
pub(crate) fn any_name(
    verifier: &dyn ServerCertVerifier,
    own: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    names: &[String],
    now: UnixTime,
) -> Result<(), rustls::Error> {
    let mut result = Err(CertificateError::NotValidForName.into());
    for name in names.iter().filter_map(|name| server_name(name).ok()) {
        match verifier.verify_server_cert(own, others, &name, &[], now) {
            Ok(_) => return Ok(()),
            Err(error) => result = Err(error),
        }
    }
    result
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.asked {
            Asked::Nothing => {}
            Asked::Names { authorities, names } => {
                any_name(&**authorities, own, others, names, now)?;
            }
            Asked::Tlsa { records, names } => {
                let chain: Vec<&CertificateDer<'_>> = std::iter::once(own).chain(others).collect();
                tlsa::verify(records, &chain, names, now, &self.provider)
                    .map_err(|e| CertificateError::Other(OtherError(Arc::new(e))))?;
            }
            Asked::Note { authorities, names, noted } => {
                let result = any_name(&**authorities, own, others, names, now);
                let _ = noted.set(result.map_err(|error| match &error {
                    rustls::Error::InvalidCertificate(cause) => {
                        CertificateProblem::of_certificate(cause)
                    }
                    other => CertificateProblem::Other(other.to_string()),
                }));
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What was seen of a peer's TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// `TLS 1.3`
    pub version: &'static str,
    /// As IANA names it.
    pub cipher: String,
    /// The certificate's first name.
    pub subject: String,
}

impl Seen {
    /// Reads it of a connection whose handshake is done.
    pub fn of(connection: &ClientConnection) -> Self {
        let version = match connection.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        let suite = connection.negotiated_cipher_suite();
        let cipher = suite.and_then(|s| s.suite().as_str().map(str::to_owned)).unwrap_or_default();
        let own = connection.peer_certificates().and_then(<[_]>::first);
        Self { version, cipher, subject: own.and_then(subject).unwrap_or_default() }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, certificate of {}", self.version, self.subject)
    }
}

/// A certificate's first DNS name, else its common name. Control characters
/// and what is longer than a name are left out: it goes into logs.
fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, parsed) = X509Certificate::from_der(certificate.as_ref()).ok()?;
    let names = parsed.subject_alternative_name().ok().flatten();
    let first = names.and_then(|names| {
        names.value.general_names.iter().find_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
    });
    let common = || {
        let name = parsed.subject().iter_common_name().next();
        name.and_then(|name| name.as_str().ok()).map(str::to_owned)
    };
    let name = first.or_else(common).unwrap_or_else(|| "no name".to_owned());
    Some(name.chars().filter(|c| !c.is_control()).take(255).collect())
}
