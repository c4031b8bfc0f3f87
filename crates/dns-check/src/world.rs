//! What the DNS says.

use crate::error::DnsCheckError;
use crate::record::{Data, Kind};
use concord_mail_authentication::{Arrival, Checker, SpfResult};
use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// For one question to one server; with [`ATTEMPTS`] a lookup ends in 10 s.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often a question is asked.
const ATTEMPTS: usize = 2;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There are such records; never empty.
    Records(Vec<Data>),
    /// There are none.
    Nothing,
    /// Nobody said; with the cause.
    Unanswered(String),
}

impl Answer {
    /// The records; none if there are none or nobody said.
    pub fn records(&self) -> &[Data] {
        match self {
            Self::Records(records) => records,
            _ => &[],
        }
    }
}

/// The DNS as name servers show it. Cheap to clone.
#[derive(Clone)]
pub struct World {
    resolver: TokioResolver,
    checker: Checker,
    host: String,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("host", &self.host).finish_non_exhaustive()
    }
}

impl World {
    /// The world as a resolver and a checker of messages see it; `host` is the
    /// name that we say in EHLO.
    pub fn new(resolver: TokioResolver, checker: Checker, host: impl Into<String>) -> Self {
        Self { resolver, checker, host: host.into() }
    }

    /// The world as these name servers show it, or those of `/etc/resolv.conf`
    /// if there are none. Nothing is kept from one run to the next. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// The resolver cannot be set up.
    pub fn asking(servers: &[SocketAddr], host: &str) -> Result<Self, DnsCheckError> {
        let mut builder = concord_resolver::builder(servers)?;
        builder.options_mut().timeout = TIMEOUT;
        builder.options_mut().attempts = ATTEMPTS;
        let resolver = concord_resolver::build(builder)?;
        let checker = Checker::new(servers, host)?;
        Ok(Self::new(resolver, checker, host))
    }

    /// The records of a name; aliases are followed, except for CNAME.
    pub async fn lookup(&self, name: &str, kind: Kind) -> Answer {
        let wanted = match kind {
            Kind::A => RecordType::A,
            Kind::Aaaa => RecordType::AAAA,
            Kind::Ptr => RecordType::PTR,
            Kind::Mx => RecordType::MX,
            Kind::Txt => RecordType::TXT,
            Kind::Cname => RecordType::CNAME,
            Kind::Srv => RecordType::SRV,
            Kind::Tlsa => RecordType::TLSA,
        };
        let Ok(full) = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))) else {
            return Answer::Nothing;
        };
        let found = match self.resolver.lookup(full, wanted).await {
            Ok(found) => found,
            Err(e) if e.is_no_records_found() || e.is_nx_domain() => return Answer::Nothing,
            Err(e) => return Answer::Unanswered(e.to_string()),
        };
        let records: Vec<Data> = found
            .answers()
            .iter()
            .filter(|record| record.record_type() == wanted)
            .filter_map(|record| data(&record.data))
            .collect();
        if records.is_empty() { Answer::Nothing } else { Answer::Records(records) }
    }

    /// The addresses of a name, of both families.
    ///
    /// # Errors
    /// Nobody said; with the cause.
    pub async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        let (four, six) = tokio::join!(self.lookup(name, Kind::A), self.lookup(name, Kind::Aaaa));
        let mut addresses = Vec::new();
        let mut failed = None;
        for answer in [four, six] {
            match answer {
                Answer::Records(records) => {
                    addresses.extend(records.iter().filter_map(|data| match data {
                        Data::Address(address) => Some(*address),
                        _ => None,
                    }));
                }
                Answer::Nothing => {}
                Answer::Unanswered(cause) => failed = Some(cause),
            }
        }
        match failed {
            Some(cause) if addresses.is_empty() => Err(cause),
            _ => Ok(addresses),
        }
    }

    /// What SPF says of mail of a domain that comes from an address: what every
    /// host that gets such a message asks.
    pub async fn spf(&self, domain: &str, from: IpAddr) -> SpfResult {
        let reverse_path = format!("postmaster@{domain}");
        let arrival =
            Arrival { ip: from, helo: &self.host, reverse_path: &reverse_path, message: &[] };
        self.checker.check_spf(&arrival).await.1.result
    }
}

fn data(found: &RData) -> Option<Data> {
    let name = |name: &Name| name.to_ascii().trim_end_matches('.').to_ascii_lowercase();
    Some(match found {
        RData::A(a) => Data::Address(IpAddr::V4(a.0)),
        RData::AAAA(aaaa) => Data::Address(IpAddr::V6(aaaa.0)),
        RData::PTR(ptr) => Data::Pointer(name(&ptr.0)),
        RData::CNAME(cname) => Data::Alias(name(&cname.0)),
        RData::MX(mx) => Data::Exchanger { preference: mx.preference, host: name(&mx.exchange) },
        RData::TXT(txt) => {
            let octets = txt.txt_data.iter().flat_map(|part| part.iter().copied());
            Data::Text(octets.map(char::from).collect())
        }
        RData::SRV(srv) => Data::Service {
            priority: srv.priority,
            weight: srv.weight,
            port: srv.port,
            target: name(&srv.target),
        },
        RData::TLSA(tlsa) => Data::Association {
            usage: u8::from(tlsa.cert_usage),
            selector: u8::from(tlsa.selector),
            matching: u8::from(tlsa.matching),
            data: tlsa.cert_data.iter().map(|octet| format!("{octet:02x}")).collect(),
        },
        _ => return None,
    })
}
