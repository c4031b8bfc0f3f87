//! The answers that the web service gives while orders run.

use crate::error::AcmeError;
use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The protocol's name in TLS (RFC 8737 section 3).
pub const ACME_TLS_ALPN: &[u8] = b"acme-tls/1";

/// The answers to the challenges of orders that run now. A clone is the same
/// set.
#[derive(Debug, Clone, Default)]
pub struct Challenges(Arc<Mutex<Answers>>);

#[derive(Debug, Default)]
struct Answers {
    /// Key authorizations by token.
    http: HashMap<String, String>,
    /// Certificates by name, lower case.
    tls: HashMap<String, Arc<CertifiedKey>>,
}

impl Challenges {
    /// The body for `/.well-known/acme-challenge/TOKEN` (RFC 8555 section 8.3).
    pub fn http(&self, token: &str) -> Option<String> {
        self.lock().http.get(token).cloned()
    }

    /// The certificate for a handshake with [`ACME_TLS_ALPN`] (RFC 8737
    /// section 3).
    pub fn tls(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.lock().tls.get(&name.to_ascii_lowercase()).cloned()
    }

    pub(crate) fn set_http(&self, token: &str, key_authorization: &str) {
        self.lock().http.insert(token.to_owned(), key_authorization.to_owned());
    }

    pub(crate) fn remove_http(&self, token: &str) {
        self.lock().http.remove(token);
    }

    pub(crate) fn set_tls(&self, name: &str, key_authorization: &str) -> Result<(), AcmeError> {
        let key = Arc::new(certificate(name, key_authorization)?);
        self.lock().tls.insert(name.to_ascii_lowercase(), key);
        Ok(())
    }

    pub(crate) fn remove_tls(&self, name: &str) {
        self.lock().tls.remove(&name.to_ascii_lowercase());
    }

    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// RFC 8737 section 3: the name, and the digest of the key authorization in a
/// critical extension.
fn certificate(name: &str, key_authorization: &str) -> Result<CertifiedKey, AcmeError> {
    let failed = |e: rcgen::Error| AcmeError::Library(e.to_string());
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    let hash = digest(&SHA256, key_authorization.as_bytes());
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(hash.as_ref())];
    let made = params.self_signed(&key).map_err(failed)?;
    let chain = vec![CertificateDer::from(made.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|e| AcmeError::Library(e.to_owned()))?;
    let provider = rustls::crypto::aws_lc_rs::default_provider().key_provider;
    let key = provider.load_private_key(key).map_err(|e| AcmeError::Library(e.to_string()))?;
    // Not from_der: it reads the certificate, and refuses the critical extension.
    Ok(CertifiedKey::new(chain, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_there_until_they_are_taken_away() {
        let challenges = Challenges::default();
        let other = challenges.clone();
        challenges.set_http("token", "token.thumb");
        challenges.set_tls("Mail.example.test", "token.thumb").unwrap();
        assert_eq!(other.http("token").as_deref(), Some("token.thumb"));
        let key = other.tls("mail.EXAMPLE.test").unwrap();
        assert_eq!(key.cert.len(), 1);
        assert!(other.http("another").is_none() && other.tls("example.test").is_none());
        other.remove_http("token");
        other.remove_tls("mail.example.test");
        assert!(challenges.http("token").is_none());
        assert!(challenges.tls("mail.example.test").is_none());
    }
}
