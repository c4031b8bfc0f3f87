//! What a certificate says of itself.

use crate::error::TlsError;
use crate::files::{CertificateFiles, certificates};
use concord_base::Timestamp;
use std::path::Path;
use std::sync::Arc;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Not valid before.
    pub not_before: Timestamp,
    /// Not valid after.
    pub not_after: Timestamp,
    /// DNS names that it is for.
    pub names: Vec<String>,
    /// Serial number, hexadecimal pairs with colons between them.
    pub serial: String,
    /// Who issued it, as a distinguished name (RFC 4514).
    pub issuer: String,
    /// SHA-256 over the certificate, hexadecimal.
    pub fingerprint: String,
}

impl CertificateFacts {
    /// Whether it is for a host (RFC 6125: a wildcard stands for one label).
    pub fn names_host(&self, host: &str) -> bool {
        self.names.iter().any(|name| {
            name.eq_ignore_ascii_case(host)
                || name.strip_prefix("*.").is_some_and(|parent| {
                    host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent))
                })
        })
    }
}

/// Where the certificate that was ordered by ACME is below `directory`. Key
/// and chain are one file, so that no one ever sees half of a renewal.
pub fn ordered_files(directory: &Path) -> CertificateFiles {
    let file = directory.join("acme.pem");
    CertificateFiles { certificate: file.clone(), key: file }
}

/// Where the self-made certificate below `directory` is.
pub fn self_made_files(directory: &Path) -> CertificateFiles {
    let file = directory.join("self-made.pem");
    CertificateFiles { certificate: file.clone(), key: file }
}

/// Reads a certificate and its key, checks that they belong together, and
/// tells what the certificate says. Blocks.
///
/// # Errors
/// [`TlsError`] if a file is missing, unreadable, or does not fit.
pub fn facts(files: &CertificateFiles) -> Result<CertificateFacts, TlsError> {
    files.read(&Arc::new(rustls::crypto::aws_lc_rs::default_provider()))?;
    let chain = certificates(&files.certificate)?;
    let own =
        chain.first().ok_or_else(|| TlsError::NoCertificate { file: files.certificate.clone() })?;
    let (_, found) = X509Certificate::from_der(own)
        .map_err(|e| TlsError::NotX509 { file: files.certificate.clone(), cause: e.to_string() })?;
    let names = found.subject_alternative_name().ok().flatten();
    let names = names.map(|extension| extension.value.general_names.as_slice());
    Ok(CertificateFacts {
        not_before: Timestamp::from_seconds(found.validity().not_before.timestamp()),
        not_after: Timestamp::from_seconds(found.validity().not_after.timestamp()),
        names: names
            .unwrap_or_default()
            .iter()
            .filter_map(|name| match name {
                GeneralName::DNSName(name) => Some((*name).to_owned()),
                _ => None,
            })
            .collect(),
        serial: found.raw_serial_as_string(),
        issuer: found.issuer().to_string(),
        fingerprint: hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, own).as_ref()),
    })
}

/// The public key of a certificate as DER (SubjectPublicKeyInfo, RFC 5280
/// section 4.1), of which DANE publishes a hash. Blocks.
///
/// # Errors
/// [`TlsError`] if the file is missing or holds no certificate.
pub fn public_key(files: &CertificateFiles) -> Result<Vec<u8>, TlsError> {
    let chain = certificates(&files.certificate)?;
    let own =
        chain.first().ok_or_else(|| TlsError::NoCertificate { file: files.certificate.clone() })?;
    let (_, found) = X509Certificate::from_der(own)
        .map_err(|e| TlsError::NotX509 { file: files.certificate.clone(), cause: e.to_string() })?;
    Ok(found.public_key().raw.to_vec())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_self_made_certificate_tells_its_names_and_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let now = Timestamp::from_seconds(1_795_886_100);
        let files = crate::self_made(dir.path(), "mail.example.test", now).unwrap();
        assert_eq!(files, self_made_files(dir.path()));
        let facts = facts(&files).unwrap();
        assert!(facts.names_host("MAIL.example.test"));
        assert!(!facts.names_host("example.test"));
        assert_eq!(facts.fingerprint.len(), 64);
        assert!(facts.issuer.contains("mail.example.test") && !facts.serial.is_empty());
        assert!(facts.not_before < now && now + Duration::from_secs(86_400) < facts.not_after);
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let facts = CertificateFacts {
            not_before: Timestamp(0),
            not_after: Timestamp(0),
            names: vec!["*.example.test".into()],
            serial: String::new(),
            issuer: String::new(),
            fingerprint: String::new(),
        };
        assert!(facts.names_host("mail.example.test"));
        assert!(!facts.names_host("a.mail.example.test"));
        assert!(!facts.names_host("example.test"));
    }
}
