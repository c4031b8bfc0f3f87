//! Whether a chain of certificates matches TLSA records.

use super::record::{Matching, Selector, TlsaRecord, Usability, Usage};
use crate::limits::MAX_CHAIN;
use crate::peer::any_name;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use sha2::{Digest, Sha256, Sha512};
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Why a chain does not match.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsaMismatch {
    /// No certificate of the chain is one of the records'.
    #[error("the certificate does not match the TLSA records")]
    NoMatch,
    /// A trust anchor of the records is in the chain, but the certificate does
    /// not follow from it, or is past its dates, or is of another name.
    #[error("it does not follow from the trust anchor of the TLSA records: {0}")]
    Chain(String),
}

/// Checks a chain: DANE-EE(3) by the first certificate alone, without names
/// and dates (RFC 7672 section 3.1.1); DANE-TA(2) by the path from an issuer in
/// the chain, with names and dates (section 3.1.2). One record that fits is
/// enough. Records that cannot be used do not count.
///
/// # Errors
/// [`TlsaMismatch`]
pub fn verify(
    records: &[TlsaRecord],
    chain: &[&CertificateDer<'_>],
    names: &[String],
    now: UnixTime,
    provider: &Arc<CryptoProvider>,
) -> Result<(), TlsaMismatch> {
    let own = chain.first().ok_or(TlsaMismatch::NoMatch)?;
    let of_usage = |wanted: Usage| {
        records.iter().filter(move |record| {
            matches!(record.usability(), Usability::Usable(usage, ..) if usage == wanted)
        })
    };
    if of_usage(Usage::EndEntity).any(|record| fits(record, own)) {
        return Ok(());
    }
    let mut result = TlsaMismatch::NoMatch;
    for issuer in chain.iter().take(MAX_CHAIN) {
        if !of_usage(Usage::TrustAnchor).any(|record| fits(record, issuer)) {
            continue;
        }
        match path(own, chain.get(1..).unwrap_or_default(), issuer, names, now, provider) {
            Ok(()) => return Ok(()),
            Err(error) => result = TlsaMismatch::Chain(error.to_string()),
        }
    }
    Err(result)
}

fn path(
    own: &CertificateDer<'_>,
    others: &[&CertificateDer<'_>],
    anchor: &CertificateDer<'_>,
    names: &[String],
    now: UnixTime,
    provider: &Arc<CryptoProvider>,
) -> Result<(), rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(anchor.clone().into_owned())?;
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
            .build()
            .map_err(|e| rustls::Error::General(e.to_string()))?;
    let others: Vec<CertificateDer<'_>> =
        others.iter().take(MAX_CHAIN).map(|one| (*one).clone()).collect();
    any_name(&*verifier, own, &others, names, now)
}

/// Whether a record is of a certificate.
fn fits(record: &TlsaRecord, certificate: &CertificateDer<'_>) -> bool {
    let Usability::Usable(_, selector, matching) = record.usability() else { return false };
    let selected = match selector {
        Selector::Certificate => certificate.as_ref(),
        Selector::PublicKey => match public_key(certificate) {
            Some(key) => key,
            None => return false,
        },
    };
    match matching {
        Matching::Full => selected == record.data,
        Matching::Sha256 => Sha256::digest(selected).as_slice() == record.data,
        Matching::Sha512 => Sha512::digest(selected).as_slice() == record.data,
    }
}

/// The public key of a certificate (`SubjectPublicKeyInfo`, DER), if it is one.
pub fn public_key<'a>(certificate: &'a CertificateDer<'_>) -> Option<&'a [u8]> {
    let (_, parsed) = X509Certificate::from_der(certificate.as_ref()).ok()?;
    Some(parsed.tbs_certificate.subject_pki.raw)
}

/// The first octet says where records end and a certificate begins, in
/// fourths.
pub(super) fn fuzz(data: &[u8]) {
    let Some((first, rest)) = data.split_first() else { return };
    let cut = rest.len() / 4 * usize::from(*first % 5);
    let (records, certificate) = rest.split_at(cut.min(rest.len()));
    let records = super::record::from_octets(records);
    let certificate = CertificateDer::from(certificate);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let names = ["mx.example.test".to_owned()];
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_795_886_100));
    let _ = verify(&records, &[&certificate, &certificate], &names, now, &provider);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use std::time::Duration;

    const NOW: u64 = 1_795_886_100;

    struct Chain {
        leaf: CertificateDer<'static>,
        ca: CertificateDer<'static>,
    }

    fn chain(host: &str) -> Chain {
        let ca_key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "a CA of a test");
        let ca = params.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let leaf = params.signed_by(&key, &issuer).unwrap();
        Chain { leaf: leaf.der().clone(), ca: ca.der().clone() }
    }

    fn record(usage: u8, selector: u8, matching: u8, of: &CertificateDer<'_>) -> TlsaRecord {
        let selected = if selector == 0 { of.as_ref() } else { public_key(of).unwrap() };
        let data = match matching {
            0 => selected.to_vec(),
            1 => Sha256::digest(selected).to_vec(),
            _ => Sha512::digest(selected).to_vec(),
        };
        TlsaRecord { usage, selector, matching, data }
    }

    fn check(
        records: &[TlsaRecord],
        chain: &[&CertificateDer<'_>],
        name: &str,
        at: u64,
    ) -> Result<(), TlsaMismatch> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let now = UnixTime::since_unix_epoch(Duration::from_secs(at));
        verify(records, chain, &[name.to_owned()], now, &provider)
    }

    #[test]
    fn every_selector_and_matching_type_of_both_usages() {
        let good = chain("mx.example.test");
        let other = chain("mx.example.test");
        let sent = [&good.leaf, &good.ca];
        for selector in 0..=1 {
            for matching in 0..=2 {
                let ee = record(3, selector, matching, &good.leaf);
                let ta = record(2, selector, matching, &good.ca);
                assert_eq!(check(&[ee], &sent, "mx.example.test", NOW), Ok(()));
                assert_eq!(check(&[ta], &sent, "mx.example.test", NOW), Ok(()));
                let ee = record(3, selector, matching, &other.leaf);
                let ta = record(2, selector, matching, &other.ca);
                let both = [ee, ta];
                assert_eq!(check(&both, &sent, "mx.example.test", NOW), Err(TlsaMismatch::NoMatch));
            }
        }
    }

    #[test]
    fn names_and_dates_count_for_a_trust_anchor_only() {
        let good = chain("mx.example.test");
        let sent = [&good.leaf, &good.ca];
        let ee = [record(3, 1, 1, &good.leaf)];
        let ta = [record(2, 0, 1, &good.ca)];
        let late = 2_000_000_000;
        assert_eq!(check(&ee, &sent, "another.test", late), Ok(()));
        for (name, at) in [("another.test", NOW), ("mx.example.test", late)] {
            let result = check(&ta, &sent, name, at);
            assert!(matches!(result, Err(TlsaMismatch::Chain(_))), "{result:?}");
        }
    }

    #[test]
    fn a_trust_anchor_that_was_not_sent_or_did_not_sign_helps_nobody() {
        let (good, other) = (chain("mx.example.test"), chain("mx.example.test"));
        let ta = [record(2, 0, 1, &good.ca)];
        assert_eq!(check(&ta, &[&good.leaf], "mx.example.test", NOW), Err(TlsaMismatch::NoMatch));
        let result = check(&ta, &[&other.leaf, &good.ca], "mx.example.test", NOW);
        assert!(matches!(result, Err(TlsaMismatch::Chain(_))), "{result:?}");
        // An issuer is no end entity.
        let ee = [record(3, 0, 1, &good.ca)];
        assert_eq!(
            check(&ee, &[&good.leaf, &good.ca], "mx.example.test", NOW),
            Err(TlsaMismatch::NoMatch)
        );
    }

    #[test]
    fn one_record_that_fits_is_enough_and_unusable_ones_do_not_count() {
        let (good, other) = (chain("mx.example.test"), chain("mx.example.test"));
        let mut pkix = record(3, 1, 1, &good.leaf);
        pkix.usage = 1;
        let sent = [&good.leaf];
        assert_eq!(
            check(std::slice::from_ref(&pkix), &sent, "mx.example.test", NOW),
            Err(TlsaMismatch::NoMatch)
        );
        let mixed = [pkix, record(3, 1, 1, &other.leaf), record(3, 1, 1, &good.leaf)];
        assert_eq!(check(&mixed, &sent, "mx.example.test", NOW), Ok(()));
    }

    proptest! {
        #[test]
        fn nothing_panics(data: Vec<u8>) {
            fuzz(&data);
        }
    }
}
