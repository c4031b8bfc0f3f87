//! Which hosts take a destination's mail (RFC 5321 section 5.1).

use super::OutService;
use super::dns::Mx;
use super::error::OutError;
use concord_address::Domain;
use concord_smtp::RcptCommand;
use rand::seq::SliceRandom;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Addresses that are tried for one message; the next attempt begins anew.
const MAX_ADDRESSES: usize = 8;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    SmartHost,
    Domain(String),
    Literal(IpAddr),
}

impl Destination {
    /// The destination of a recipient; `None` for an address without a domain.
    pub(crate) fn of(rcpt: &RcptCommand, smart_host: bool) -> Option<Self> {
        if smart_host {
            return Some(Self::SmartHost);
        }
        Some(match rcpt.to.address()?.domain() {
            Domain::Name(name) => Self::Domain(name.clone()),
            Domain::Literal(ip) => Self::Literal(*ip),
        })
    }

    /// What its connections are kept under; no domain has brackets.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::SmartHost => "[smart-host]".to_owned(),
            Self::Domain(name) => name.clone(),
            Self::Literal(ip) => format!("[{ip}]"),
        }
    }
}

/// One address of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) address: SocketAddr,
}

impl Target {
    /// As reports name it.
    pub(crate) fn label(&self) -> String {
        format!("{} [{}]", self.host, self.address.ip())
    }
}

impl OutService {
    /// The addresses to try, in order; at least one.
    pub(super) async fn targets(&self, destination: &Destination) -> Result<Vec<Target>, OutError> {
        match (destination, &self.config.smart_host) {
            (Destination::SmartHost, Some(smart)) => {
                let hosts = vec![Mx { preference: 0, host: smart.host.clone() }];
                let found = self.resolve(&smart.host, hosts, smart.port).await;
                found.map_err(|error| match error {
                    // The operator's name, not the sender's: no reason to bounce.
                    OutError::NoMailHost(host) => OutError::NoSmartHost(host),
                    other => other,
                })
            }
            (Destination::SmartHost, None) => Err(OutError::NoSmartHost("(not set)".to_owned())),
            (Destination::Literal(ip), _) => {
                let address = SocketAddr::new(*ip, self.config.remote_port);
                if self.is_ours(address) {
                    return Err(OutError::Loop(format!("[{ip}]")));
                }
                Ok(vec![Target { host: format!("[{ip}]"), address }])
            }
            (Destination::Domain(domain), _) => {
                let hosts = self.hosts(domain).await?;
                self.resolve(domain, hosts, self.config.remote_port).await
            }
        }
    }

    async fn hosts(&self, domain: &str) -> Result<Vec<Mx>, OutError> {
        let mut records = self.dns.mx(domain).await?;
        if records.is_empty() {
            // The implicit MX of section 5.1.
            return Ok(vec![Mx { preference: 0, host: domain.to_owned() }]);
        }
        // RFC 7505: the only record is the root.
        records.retain(|mx| !mx.host.is_empty());
        if records.is_empty() {
            return Err(OutError::NullMx(domain.to_owned()));
        }
        shuffle_equals(&mut records);
        Ok(records)
    }

    async fn resolve(
        &self,
        domain: &str,
        hosts: Vec<Mx>,
        port: u16,
    ) -> Result<Vec<Target>, OutError> {
        let mut targets = Vec::new();
        let mut unanswered = None;
        let mut own_preference = None;
        for mx in hosts {
            // Section 5.1: records as good as our own, and worse ones, are not
            // for us to use.
            if targets.len() >= MAX_ADDRESSES
                || own_preference.is_some_and(|own| mx.preference >= own)
            {
                break;
            }
            let addresses = match mx.host.parse() {
                Ok(ip) => vec![ip],
                Err(_) => match self.dns.addresses(&mx.host).await {
                    Ok(addresses) => addresses,
                    Err(error) => {
                        unanswered = Some(error);
                        continue;
                    }
                },
            };
            let sockets = addresses.into_iter().map(|ip| SocketAddr::new(ip, port));
            let found: Vec<SocketAddr> = sockets.collect();
            if mx.host.eq_ignore_ascii_case(&self.config.hostname)
                || found.iter().any(|address| self.is_ours(*address))
            {
                own_preference = Some(mx.preference);
                targets.retain(|(preference, _): &(u16, Target)| *preference < mx.preference);
                continue;
            }
            let target = |address| (mx.preference, Target { host: mx.host.clone(), address });
            targets.extend(found.into_iter().map(target));
        }
        targets.truncate(MAX_ADDRESSES);
        if !targets.is_empty() {
            return Ok(targets.into_iter().map(|(_, target)| target).collect());
        }
        match (own_preference, unanswered) {
            (Some(_), _) => Err(OutError::Loop(domain.to_owned())),
            (None, Some(error)) => Err(error),
            (None, None) => Err(OutError::NoMailHost(domain.to_owned())),
        }
    }

    /// Whether this service listens there.
    fn is_ours(&self, address: SocketAddr) -> bool {
        self.ours.iter().any(|ours| {
            ours.port() == address.port()
                && (ours.ip() == address.ip()
                    || (ours.ip().is_unspecified() && is_local(address.ip())))
        })
    }
}

/// Whether an address is one of this machine's: only those can be bound.
fn is_local(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

/// Section 5.1: among equally good hosts the order is random.
fn shuffle_equals(sorted: &mut [Mx]) {
    for equals in sorted.chunk_by_mut(|a, b| a.preference == b.preference) {
        equals.shuffle(&mut rand::rng());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equals_are_shuffled() {
        let mx = |preference, host: &str| Mx { preference, host: host.to_owned() };
        let mut seen = std::collections::HashSet::new();
        for _ in 0..64 {
            let mut list = vec![mx(5, "a"), mx(10, "b"), mx(10, "c"), mx(20, "d")];
            shuffle_equals(&mut list);
            let order: String = list.iter().map(|m| m.host.as_str()).collect();
            seen.insert(order);
        }
        let mut seen: Vec<String> = seen.into_iter().collect();
        seen.sort();
        assert_eq!(seen, ["abcd", "acbd"]);
    }
}
