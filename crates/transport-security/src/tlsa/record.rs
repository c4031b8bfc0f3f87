//! One record, and whether a mail client can use it.

use crate::limits::MAX_TLSA;
use std::fmt;

/// A record as the DNS has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TlsaRecord {
    /// Certificate usage.
    pub usage: u8,
    /// Selector.
    pub selector: u8,
    /// Matching type.
    pub matching: u8,
    /// Certificate association data.
    pub data: Vec<u8>,
}

/// Usages that mail knows (RFC 7672 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// DANE-TA(2): an issuer of the certificate.
    TrustAnchor,
    /// DANE-EE(3): the certificate itself; names and dates do not count.
    EndEntity,
}

/// What of a certificate is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// Cert(0): all of it.
    Certificate,
    /// SPKI(1): its public key.
    PublicKey,
}

/// How it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// Full(0)
    Full,
    /// SHA2-256(1)
    Sha256,
    /// SHA2-512(2)
    Sha512,
}

/// A record's values as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usability {
    /// It can be used.
    Usable(Usage, Selector, Matching),
    /// PKIX-TA(0) and PKIX-EE(1): RFC 7672 section 3.1.3 leaves to the client
    /// what they mean in mail; to us, as to most, they cannot be used.
    Pkix,
    /// A value that is not assigned, or data of a wrong length.
    Unknown,
}

impl TlsaRecord {
    /// Whether it can be used (RFC 7671 section 4.1).
    pub fn usability(&self) -> Usability {
        let usage = match self.usage {
            0 | 1 => return Usability::Pkix,
            2 => Usage::TrustAnchor,
            3 => Usage::EndEntity,
            _ => return Usability::Unknown,
        };
        let selector = match self.selector {
            0 => Selector::Certificate,
            1 => Selector::PublicKey,
            _ => return Usability::Unknown,
        };
        let matching = match (self.matching, self.data.len()) {
            (0, 1..) => Matching::Full,
            (1, 32) => Matching::Sha256,
            (2, 64) => Matching::Sha512,
            _ => return Usability::Unknown,
        };
        Usability::Usable(usage, selector, matching)
    }

    /// Whether it can be used.
    pub fn is_usable(&self) -> bool {
        matches!(self.usability(), Usability::Usable(..))
    }
}

/// The records that can be used, at most [`MAX_TLSA`].
pub fn usable(records: &[TlsaRecord]) -> Vec<TlsaRecord> {
    records.iter().filter(|record| record.is_usable()).take(MAX_TLSA).cloned().collect()
}

/// As it stands in a zone file.
impl fmt::Display for TlsaRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} ", self.usage, self.selector, self.matching)?;
        self.data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// Records from fuzzer's octets: each three values, a length, and data.
pub(super) fn from_octets(mut data: &[u8]) -> Vec<TlsaRecord> {
    let mut records = Vec::new();
    while let [usage, selector, matching, length, rest @ ..] = data {
        let length = usize::from(*length).min(rest.len());
        let (own, rest) = rest.split_at(length);
        records.push(TlsaRecord {
            usage: *usage,
            selector: *selector,
            matching: *matching,
            data: own.to_vec(),
        });
        data = rest;
    }
    records
}

pub(super) fn fuzz(data: &[u8]) {
    let records = from_octets(data);
    for record in usable(&records) {
        assert!(matches!(record.usage, 2 | 3));
        let _ = record.to_string();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_records_can_be_used() {
        let record = |usage, selector, matching, octets: usize| TlsaRecord {
            usage,
            selector,
            matching,
            data: vec![0xab; octets],
        };
        for good in [record(3, 1, 1, 32), record(2, 0, 2, 64), record(3, 0, 0, 700)] {
            assert!(good.is_usable(), "{good}");
        }
        for pkix in [record(0, 1, 1, 32), record(1, 0, 1, 32)] {
            assert_eq!(pkix.usability(), Usability::Pkix);
        }
        for bad in [
            record(4, 1, 1, 32),
            record(255, 1, 1, 32),
            record(3, 2, 1, 32),
            record(3, 1, 3, 32),
            record(3, 1, 1, 31),
            record(3, 1, 2, 32),
            record(3, 1, 0, 0),
        ] {
            assert_eq!(bad.usability(), Usability::Unknown, "{bad}");
        }
        let text = TlsaRecord { usage: 3, selector: 1, matching: 1, data: vec![0, 0xff] };
        assert_eq!(text.to_string(), "3 1 1 00ff");
    }
}
