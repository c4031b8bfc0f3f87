//! Names: MX and addresses.

use super::error::OutError;
use crate::error::InternetMailError;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{ResolverBuilder, TokioResolver};
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

/// The resolver, with its cache.
#[derive(Clone)]
pub(crate) struct Dns(Arc<TokioResolver>);

/// An MX record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mx {
    pub(crate) preference: u16,
    /// Without the final dot.
    pub(crate) host: String,
}

impl Dns {
    pub(crate) fn new(servers: &[SocketAddr]) -> Result<Self, InternetMailError> {
        let fail = |e: NetError| InternetMailError::Resolver(e.to_string());
        let mut builder = if servers.is_empty() {
            TokioResolver::builder_tokio().unwrap_or_else(|error| {
                // resolv.conf(5): without it the server is this machine. A
                // service that only takes mail in must start all the same.
                tracing::warn!(%error, "cannot read /etc/resolv.conf; asking 127.0.0.1 for names");
                with_servers(&[SocketAddr::from(([127, 0, 0, 1], 53))])
            })
        } else {
            with_servers(servers)
        };
        builder.options_mut().timeout = TIMEOUT;
        builder.options_mut().attempts = ATTEMPTS;
        Ok(Self(Arc::new(builder.build().map_err(fail)?)))
    }

    /// The MX records of a domain, best first; empty if it has none.
    pub(crate) async fn mx(&self, domain: &str) -> Result<Vec<Mx>, OutError> {
        let lookup = match self.0.mx_lookup(format!("{domain}.")).await {
            Ok(lookup) => lookup,
            Err(e) if e.is_nx_domain() => return Err(OutError::NoSuchDomain(domain.to_owned())),
            Err(e) if e.is_no_records_found() => return Ok(Vec::new()),
            Err(e) => return Err(unanswered(domain, &e)),
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

    /// The addresses of a host; empty if it has none or does not exist.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, OutError> {
        match self.0.lookup_ip(format!("{host}.")).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(e) if e.is_no_records_found() => Ok(Vec::new()),
            Err(e) => Err(unanswered(host, &e)),
        }
    }

    /// The name of an address, if it has one whose addresses include it.
    pub(crate) async fn name_of(&self, ip: IpAddr) -> Option<String> {
        let lookup = self.0.reverse_lookup(ip).await.ok()?;
        let name = lookup.answers().iter().find_map(|record| match &record.data {
            RData::PTR(name) => Some(name.0.to_ascii()),
            _ => None,
        })?;
        let name = name.trim_end_matches('.').to_owned();
        self.addresses(&name).await.ok()?.contains(&ip).then_some(name)
    }
}

fn with_servers(servers: &[SocketAddr]) -> ResolverBuilder<TokioRuntimeProvider> {
    let servers = servers.iter().map(|server| {
        let on_port = |mut connection: ConnectionConfig| {
            connection.port = server.port();
            connection
        };
        let connections = vec![on_port(ConnectionConfig::udp()), on_port(ConnectionConfig::tcp())];
        NameServerConfig::new(server.ip(), true, connections)
    });
    let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
}

fn unanswered(name: &str, error: &NetError) -> OutError {
    OutError::Dns { name: name.to_owned(), cause: error.to_string() }
}
