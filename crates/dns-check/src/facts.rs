//! What is known of our own side.

use concord_mail_authentication::{KeyRecord, KeyState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Everything that the records follow from. Names are in lower case with
/// A-labels and without a final dot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The name that this server says in greetings and EHLO.
    pub host: String,
    /// Addresses by which the Internet reaches it and that its connections come
    /// from. Empty: those that the DNS has for the host.
    pub addresses: Vec<IpAddr>,
    /// Our mail domains.
    pub domains: Vec<String>,
    /// Whether mail from outside is to come here; not while a server is being
    /// retired (Q285090).
    pub inbound: bool,
    /// How mail leaves.
    pub outbound: Outbound,
    /// Keys that sign, will sign, or have signed.
    pub keys: Vec<DkimKey>,
    /// Where reports about our domains are to go.
    pub reports_to: Option<String>,
    /// What mail programs connect to.
    pub services: Vec<ClientService>,
    /// SHA-256 of the public keys (SubjectPublicKeyInfo) that are presented on
    /// port 25, in lower-case hex: the one in use first, then one that will be.
    pub public_keys: Vec<String>,
    /// The id of the MTA-STS policy, if somebody serves it for our domains
    /// (RFC 8461 section 3.1).
    pub mta_sts: Option<String>,
    /// The host that answers programs which configure themselves, if there is
    /// one.
    pub autoconfiguration: Option<String>,
}

/// How mail leaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Outbound {
    /// From here to the domains' exchangers.
    #[default]
    Direct,
    /// By this host.
    SmartHost(String),
}

/// A key of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKey {
    /// The domain that signs.
    pub domain: String,
    /// What is to stand in the DNS.
    pub record: KeyRecord,
    /// Whether it signs.
    pub state: KeyState,
}

/// A service for mail programs (RFC 6186, RFC 8314 section 5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientService {
    /// `imaps`, without the underscore.
    pub name: &'static str,
    /// Its port.
    pub port: u16,
}

/// Whether hosts of the Internet can connect to an address (RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    let shared = first == 100 && (64..128).contains(&second);
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_multicast()
        || shared)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    !(ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || ip.is_unique_local()
        || ip.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_behind_a_router_are_not_public() {
        for text in ["10.1.2.3", "192.168.0.1", "127.0.0.1", "100.64.0.1", "fe80::1", "fd00::1"] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        for text in ["192.0.2.1", "8.8.8.8", "2001:db8::1", "::ffff:192.0.2.1", "100.128.0.1"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }
}
