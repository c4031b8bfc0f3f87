//! Names: MX, addresses, texts and TLSA records, and whether DNSSEC says that
//! they are the domain's own.
//!
//! Outbound names are validated in this process (RFC 4035) by whatever name
//! servers are set, so that nobody between them and us has to be believed, and
//! no AD bit either. It is known to work once the anchor's own keys have
//! validated; until then names are taken as they come and there is no DANE.

use super::dnssec::Validating;
use super::error::OutError;
use crate::config::InternetMailConfig;
use crate::error::InternetMailError;
use concord_resolver::Builder;
use concord_transport_security::sts::{StsRecord, read_record};
use concord_transport_security::tlsa::TlsaRecord;
use concord_transport_security::{SecurityError, TlsaAnswer};
use hickory_resolver::TokioResolver;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{RData, Record, RecordType};

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// For one question to one server; with [`ATTEMPTS`] a lookup ends in 10 s.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often a question is asked.
const ATTEMPTS: usize = 2;
/// MX records of a domain that are looked at. Real domains have fewer than 20;
/// RFC 5321 section 5.1 wants at least 5 addresses tried.
const MAX_MX: usize = 32;
/// Aliases of a host that are followed for DANE; resolvers follow as many.
const MAX_ALIASES: usize = 8;

/// The resolver, with its cache.
#[derive(Clone)]
pub(crate) struct Dns {
    plain: Arc<TokioResolver>,
    validating: Option<Arc<Validating>>,
}

/// An MX record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mx {
    pub(crate) preference: u16,
    /// Without the final dot.
    pub(crate) host: String,
}

/// Why there is no answer.
enum Missing {
    NoName,
    NoRecords,
    Bogus,
    Unanswered(String),
}

impl Dns {
    pub(crate) fn new(config: &InternetMailConfig) -> Result<Self, InternetMailError> {
        let servers = &config.name_servers;
        Ok(Self {
            plain: Arc::new(concord_resolver::build(builder(servers))?),
            validating: Validating::new(config.dnssec, config.trust_anchors.as_deref(), || {
                builder(servers)
            })?
            .map(Arc::new),
        })
    }

    /// The resolver to ask, and whether it validates.
    async fn resolver(&self) -> (&TokioResolver, bool) {
        match &self.validating {
            Some(validating) if validating.works().await => (validating.resolver(), true),
            _ => (&self.plain, false),
        }
    }

    /// Whether DNSSEC is validated.
    pub(crate) async fn validates(&self) -> bool {
        self.resolver().await.1
    }

    /// For other questions, whose answers are not validated.
    pub(crate) fn plain(&self) -> &TokioResolver {
        &self.plain
    }

    /// The MX records of a domain, best first; empty if it has none.
    pub(crate) async fn mx(&self, domain: &str) -> Result<Vec<Mx>, OutError> {
        let found = self.resolver().await.0.lookup(format!("{domain}."), RecordType::MX).await;
        let lookup = match found.map_err(|e| missing(&e)) {
            Ok(lookup) => lookup,
            Err(Missing::NoName) => return Err(OutError::NoSuchDomain(domain.to_owned())),
            Err(Missing::NoRecords) => return Ok(Vec::new()),
            Err(other) => return Err(failed(domain, other)),
        };
        let mut records: Vec<Mx> = lookup
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::MX(mx) => Some(Mx {
                    preference: mx.preference,
                    host: mx.exchange.to_ascii().trim_end_matches('.').to_ascii_lowercase(),
                }),
                _ => None,
            })
            .collect();
        records.sort_by_key(|mx| mx.preference);
        records.truncate(MAX_MX);
        Ok(records)
    }

    /// Whether the MX records of a domain are its own by DNSSEC. If it has
    /// none its address decides, as that of its implicit MX.
    pub(crate) async fn mx_is_signed(&self, domain: &str) -> bool {
        let (resolver, true) = self.resolver().await else { return false };
        match resolver.lookup(format!("{domain}."), RecordType::MX).await {
            Ok(lookup) => signed(lookup.answers(), RecordType::MX),
            Err(error) => matches!(missing(&error), Missing::NoRecords),
        }
    }

    /// The addresses of a host; empty if it has none or does not exist.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, OutError> {
        match self.resolver().await.0.lookup_ip(format!("{host}.")).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) => match missing(&error) {
                Missing::NoName | Missing::NoRecords => Ok(Vec::new()),
                other => Err(failed(host, other)),
            },
        }
    }

    /// The TLSA records of a host and port (RFC 7672 section 2.2), at the name
    /// that its aliases lead to, else at its own. The second value is the name
    /// at which they are (the TLSA base domain).
    pub(crate) async fn tlsa(&self, host: &str, port: u16) -> (TlsaAnswer, String) {
        let own = host.to_owned();
        let (resolver, true) = self.resolver().await else { return (TlsaAnswer::NoDnssec, own) };
        let bases = match resolver.lookup_ip(format!("{host}.")).await {
            Ok(found) => bases(host, found.as_lookup().answers()),
            Err(error) => match missing(&error) {
                Missing::Bogus => return (TlsaAnswer::Bogus { name: own.clone() }, own),
                Missing::Unanswered(cause) => return (TlsaAnswer::Unanswered { cause }, own),
                Missing::NoName | Missing::NoRecords => Vec::new(),
            },
        };
        let mut last = TlsaAnswer::Insecure;
        for base in bases {
            last = records(resolver, &format!("_{port}._tcp.{base}.")).await;
            // Section 2.2.3: the next name is only tried where the answer is
            // sure and there are none.
            if last != TlsaAnswer::Absent {
                return (last, base);
            }
        }
        (last, own)
    }

    /// The record of a domain's MTA-STS.
    pub(crate) async fn sts_record(&self, domain: &str) -> StsRecord {
        let name = format!("_mta-sts.{domain}.");
        match self.resolver().await.0.lookup(name, RecordType::TXT).await {
            Ok(lookup) => {
                let texts: Vec<Vec<u8>> = lookup
                    .answers()
                    .iter()
                    .filter_map(|record| match &record.data {
                        RData::TXT(txt) => Some(txt.txt_data.concat()),
                        _ => None,
                    })
                    .collect();
                read_record(texts.iter().map(Vec::as_slice))
            }
            Err(error) => match missing(&error) {
                Missing::NoName | Missing::NoRecords => StsRecord::Absent,
                Missing::Bogus | Missing::Unanswered(_) => StsRecord::Unanswered,
            },
        }
    }

    /// The name of an address, if it has one whose addresses include it.
    pub(crate) async fn name_of(&self, ip: IpAddr) -> Option<String> {
        let lookup = self.plain.reverse_lookup(ip).await.ok()?;
        let name = lookup.answers().iter().find_map(|record| match &record.data {
            RData::PTR(name) => Some(name.0.to_ascii()),
            _ => None,
        })?;
        let name = name.trim_end_matches('.').to_owned();
        let found = self.plain.lookup_ip(format!("{name}.")).await.ok()?;
        found.iter().any(|address| address == ip).then_some(name)
    }
}

async fn records(resolver: &TokioResolver, name: &str) -> TlsaAnswer {
    let lookup = match resolver.lookup(name, RecordType::TLSA).await {
        Ok(lookup) => lookup,
        Err(error) => {
            return match missing(&error) {
                Missing::NoName | Missing::NoRecords => TlsaAnswer::Absent,
                Missing::Bogus => TlsaAnswer::Bogus { name: name.trim_end_matches('.').to_owned() },
                Missing::Unanswered(cause) => TlsaAnswer::Unanswered { cause },
            };
        }
    };
    if !signed(lookup.answers(), RecordType::TLSA) {
        return TlsaAnswer::Insecure;
    }
    let records = lookup.answers().iter().filter_map(|record| match &record.data {
        RData::TLSA(tlsa) => Some(TlsaRecord {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        }),
        _ => None,
    });
    TlsaAnswer::Records(records.collect())
}

/// The names at which a host's TLSA records may be, the best first (RFC 7672
/// section 2.2.2): the one that its aliases lead to if all of it is signed,
/// and its own if at least the first step is.
fn bases(host: &str, answers: &[Record]) -> Vec<String> {
    let is_address = |r: &&Record| matches!(r.record_type(), RecordType::A | RecordType::AAAA);
    let mut name = host.to_owned();
    for _ in 0..MAX_ALIASES {
        let alias = answers.iter().find_map(|record| match &record.data {
            RData::CNAME(to) if plain(&record.name.to_ascii()) == name => {
                Some((plain(&to.0.to_ascii()), record.proof))
            }
            _ => None,
        });
        match alias {
            Some((to, Proof::Secure)) => name = to,
            Some(_) => break,
            None => {
                let mut addresses = answers.iter().filter(is_address).peekable();
                let sure =
                    addresses.peek().is_some() && addresses.all(|r| r.proof == Proof::Secure);
                return match (sure, name == host) {
                    (true, true) => vec![name],
                    (true, false) => vec![name, host.to_owned()],
                    (false, true) => Vec::new(),
                    (false, false) => vec![host.to_owned()],
                };
            }
        }
    }
    if name == host { Vec::new() } else { vec![host.to_owned()] }
}

fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether there are records of a type, and they and the aliases before them
/// are the domain's own.
fn signed(answers: &[Record], kind: RecordType) -> bool {
    let counts = |r: &&Record| r.record_type() == kind || r.record_type() == RecordType::CNAME;
    let mut records = answers.iter().filter(counts).peekable();
    records.peek().is_some() && records.all(|record| record.proof == Proof::Secure)
}

fn builder(servers: &[SocketAddr]) -> Builder {
    let mut builder = concord_resolver::service_builder(servers);
    builder.options_mut().timeout = TIMEOUT;
    builder.options_mut().attempts = ATTEMPTS;
    builder
}

fn missing(error: &NetError) -> Missing {
    match error {
        NetError::Dns(DnsError::DnssecBogus) => Missing::Bogus,
        // An unsigned part of a signed zone (opt-out): a plain denial.
        NetError::Dns(DnsError::Nsec { proof: Proof::Insecure, response, .. }) => {
            match response.response_code {
                ResponseCode::NXDomain => Missing::NoName,
                _ => Missing::NoRecords,
            }
        }
        NetError::Dns(DnsError::Nsec { .. }) => Missing::Bogus,
        error if error.is_nx_domain() => Missing::NoName,
        error if error.is_no_records_found() => Missing::NoRecords,
        error => Missing::Unanswered(error.to_string()),
    }
}

fn failed(name: &str, missing: Missing) -> OutError {
    let name = name.to_owned();
    match missing {
        Missing::Bogus => SecurityError::Bogus { name }.into(),
        Missing::Unanswered(cause) => OutError::Dns { name, cause },
        Missing::NoName | Missing::NoRecords => OutError::Dns { name, cause: "no answer".into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::proto::rr::Name;
    use hickory_resolver::proto::rr::rdata::{A, CNAME};

    fn record(name: &str, data: RData, proof: Proof) -> Record {
        let mut record = Record::from_rdata(Name::from_ascii(name).unwrap(), 60, data);
        record.proof = proof;
        record
    }

    fn alias(name: &str, to: &str, proof: Proof) -> Record {
        record(name, RData::CNAME(CNAME(Name::from_ascii(to).unwrap())), proof)
    }

    fn address(name: &str, proof: Proof) -> Record {
        record(name, RData::A(A::new(192, 0, 2, 1)), proof)
    }

    /// RFC 7672 section 2.2.2
    #[test]
    fn where_the_records_of_an_alias_are() {
        use Proof::{Insecure, Secure};
        let host = "mx.a.test";
        for (answers, expected) in [
            (vec![address("mx.a.test.", Secure)], vec!["mx.a.test"]),
            (vec![address("mx.a.test.", Insecure)], vec![]),
            (vec![], vec![]),
            (
                vec![alias("mx.a.test.", "HOST.b.test.", Secure), address("host.b.test.", Secure)],
                vec!["host.b.test", "mx.a.test"],
            ),
            (
                vec![
                    alias("mx.a.test.", "host.b.test.", Secure),
                    address("host.b.test.", Insecure),
                ],
                vec!["mx.a.test"],
            ),
            (
                vec![
                    alias("mx.a.test.", "host.b.test.", Insecure),
                    address("host.b.test.", Secure),
                ],
                vec![],
            ),
            (
                vec![
                    alias("mx.a.test.", "b.test.", Secure),
                    alias("b.test.", "mx.a.test.", Secure),
                ],
                vec![],
            ),
        ] {
            assert_eq!(bases(host, &answers), expected, "{answers:?}");
        }
    }

    #[test]
    fn one_unsigned_record_spoils_an_answer() {
        let (good, bad) = (address("a.test.", Proof::Secure), address("a.test.", Proof::Insecure));
        assert!(signed(&[good.clone(), good.clone()], RecordType::A));
        assert!(!signed(&[good.clone(), bad], RecordType::A));
        assert!(!signed(&[], RecordType::A));
        assert!(!signed(&[good], RecordType::TLSA));
    }
}
