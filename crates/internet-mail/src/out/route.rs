//! Which hosts take a destination's mail (RFC 5321 section 5.1).

use super::OutService;
use super::dns::Mx;
use super::error::OutError;
use super::plan::Plan;
use concord_address::Domain;
use concord_mail_policy::NextHop;
use rand::seq::SliceRandom;
use std::fmt;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// Addresses that are tried for one message; the next attempt begins anew.
const MAX_ADDRESSES: usize = 8;

/// Where a message goes. No domain has the brackets with which the others are
/// written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// These hosts, in this order.
    Hosts(Vec<NextHop>),
    /// The domain's mail hosts.
    Domain(String),
    /// The host itself.
    Literal(IpAddr),
}

impl Destination {
    /// Where a domain's mail goes if nobody says otherwise.
    pub(crate) fn of(domain: &Domain) -> Self {
        match domain {
            Domain::Name(name) => Self::Domain(name.clone()),
            Domain::Literal(ip) => Self::Literal(*ip),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosts(hosts) => {
                let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", hosts.join(","))
            }
            Self::Domain(name) => f.write_str(name),
            Self::Literal(ip) => write!(f, "[{ip}]"),
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
    /// The addresses to try, in order; at least one. Those that failed a moment
    /// ago come last.
    pub(super) async fn targets(&self, plan: &Plan) -> Result<Vec<Target>, OutError> {
        let mut targets = match &plan.destination {
            Destination::Hosts(hosts) => self.route_hosts(hosts).await?,
            Destination::Literal(ip) => {
                let address = SocketAddr::new(*ip, self.config.remote_port);
                if self.is_ours(address) {
                    return Err(OutError::Loop(format!("[{ip}]")));
                }
                vec![Target { host: format!("[{ip}]"), address }]
            }
            Destination::Domain(domain) => {
                let hosts = self.mail_hosts(domain).await?;
                self.resolve(domain, hosts).await?
            }
        };
        targets.sort_by_key(|target| self.failing.is_failing(target.address));
        Ok(targets)
    }

    async fn mail_hosts(&self, domain: &str) -> Result<Vec<Mx>, OutError> {
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

    /// The addresses of hosts that an administrator named. That one of them has
    /// none is his to mend, and no reason to return mail (Q267245).
    async fn route_hosts(&self, hosts: &[NextHop]) -> Result<Vec<Target>, OutError> {
        let mut targets = Vec::new();
        let mut trouble = None;
        for hop in hosts {
            let addresses = match self.addresses(&hop.host).await {
                Ok(addresses) => addresses,
                Err(error) => {
                    trouble = Some(error);
                    continue;
                }
            };
            let port = hop.port.unwrap_or(self.config.remote_port);
            let sockets = addresses.into_iter().map(|ip| SocketAddr::new(ip, port));
            let found: Vec<SocketAddr> = sockets.take(most_of_each(hosts.len())).collect();
            if found.is_empty() {
                trouble = Some(OutError::NoSmartHost(hop.host.clone()));
            }
            for address in found {
                if self.is_ours(address) {
                    trouble = Some(OutError::RouteToOurselves(hop.to_string()));
                } else {
                    targets.push(Target { host: hop.host.clone(), address });
                }
            }
        }
        targets.truncate(MAX_ADDRESSES);
        match trouble {
            Some(error) if targets.is_empty() => Err(error),
            _ => Ok(targets),
        }
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, OutError> {
        match host.parse() {
            Ok(ip) => Ok(vec![ip]),
            Err(_) => self.dns.addresses(host).await,
        }
    }

    async fn resolve(&self, domain: &str, hosts: Vec<Mx>) -> Result<Vec<Target>, OutError> {
        let (most, port) = (most_of_each(hosts.len()), self.config.remote_port);
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
            let addresses = match self.addresses(&mx.host).await {
                Ok(addresses) => addresses,
                Err(error) => {
                    unanswered = Some(error);
                    continue;
                }
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
            targets.extend(found.into_iter().take(most).map(target));
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

/// Addresses of one of several hosts that are tried: one with many of them
/// leaves places for the others.
fn most_of_each(hosts: usize) -> usize {
    MAX_ADDRESSES.checked_div(hosts).unwrap_or(MAX_ADDRESSES).max(2)
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
