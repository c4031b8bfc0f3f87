//! The keys themselves.

use super::{KeyAlgorithm, KeyRecord};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use mail_auth::common::crypto::{DkimKey, Ed25519Key, RsaKey, Sha256};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The name of the part in the file (RFC 5958, RFC 7468 section 10).
const LABEL: &str = "PRIVATE KEY";
/// RFC 8301 section 3.2: verifiers refuse shorter ones.
const MIN_RSA_BITS: usize = 1_024;

/// A private key in PKCS#8.
#[derive(Clone)]
pub(crate) struct Material {
    pub(crate) algorithm: KeyAlgorithm,
    der: Vec<u8>,
    public: Vec<u8>,
}

impl Material {
    /// A new key, from the machine's randomness. RSA takes some 100 ms.
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Option<Self> {
        let der = match algorithm {
            KeyAlgorithm::Rsa => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).ok()?;
                AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).ok()?.as_ref().to_vec()
            }
            KeyAlgorithm::Ed25519 => {
                Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).ok()?.as_ref().to_vec()
            }
        };
        Self::from_der(der).ok()
    }

    /// Reads a PEM file's text.
    pub(crate) fn from_pem(text: &[u8]) -> Result<Self, String> {
        let pem = pem::parse(text).map_err(|e| e.to_string())?;
        if pem.tag() != LABEL {
            return Err(format!("it holds '{}'", pem.tag()));
        }
        Self::from_der(pem.into_contents())
    }

    pub(crate) fn to_pem(&self) -> String {
        pem::encode(&pem::Pem::new(LABEL, self.der.clone()))
    }

    fn from_der(der: Vec<u8>) -> Result<Self, String> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
            let public = pair.public_key().as_ref().to_vec();
            return Ok(Self { algorithm: KeyAlgorithm::Ed25519, der, public });
        }
        let pair = RsaKeyPair::from_pkcs8(&der).map_err(|e| e.to_string())?;
        let bits = pair.public_modulus_len() * 8;
        if bits < MIN_RSA_BITS {
            return Err(format!("it has {bits} bits"));
        }
        let public = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key())
            .map_err(|e| e.to_string())?;
        Ok(Self { algorithm: KeyAlgorithm::Rsa, der, public: public.as_ref().to_vec() })
    }

    /// The record of the public half (RFC 6376 section 3.6.1, RFC 8463 section 4).
    pub(crate) fn record(&self, domain: &str, selector: &str) -> KeyRecord {
        KeyRecord::new(domain, selector, self.algorithm, &self.public)
    }

    pub(crate) fn signing_key(&self) -> Result<DkimKey, String> {
        Ok(match self.algorithm {
            KeyAlgorithm::Rsa => DkimKey::Rsa(self.rsa()?),
            KeyAlgorithm::Ed25519 => DkimKey::Ed25519(
                Ed25519Key::from_pkcs8_maybe_unchecked_der(&self.der).map_err(|e| e.to_string())?,
            ),
        })
    }

    pub(crate) fn rsa(&self) -> Result<RsaKey<Sha256>, String> {
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.der.as_slice()));
        RsaKey::from_key_der(der).map_err(|e| e.to_string())
    }
}
