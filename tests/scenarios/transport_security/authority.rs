//! Certificates for the world of a test.

use concord_testkit::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256,
    PublicKeyData, RsaKeySize,
};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// An authority; what it issues is trusted by whoever has its certificate.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// A host's certificate and key, as files.
pub struct Certificate {
    pub files: (PathBuf, PathBuf),
    /// Certificate association data of `TLSA 3 1 1`, in hexadecimal.
    pub tlsa: String,
}

impl Authority {
    pub fn new(name: &str) -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// Issues a certificate for names, into files below a directory. The key is
    /// RSA: OpenSMTPD of old takes no other.
    pub fn issue(&self, directory: &Path, file: &str, names: &[&str]) -> Result<Certificate> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2040, 1, 1);
        let pem = params.signed_by(&key, &self.issuer)?.pem();
        let files = (directory.join(format!("{file}.pem")), directory.join(format!("{file}.key")));
        std::fs::write(&files.0, format!("{pem}{}", self.pem))?;
        std::fs::write(&files.1, key.serialize_pem())?;
        let digest = Sha256::digest(key.subject_public_key_info());
        let tlsa = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        Ok(Certificate { files, tlsa })
    }
}
