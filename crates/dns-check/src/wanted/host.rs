//! The host's own records.

use super::{Need, Purpose, Wanted};
use crate::facts::{Facts, is_public};
use crate::record::Data;
use hickory_resolver::proto::rr::Name;
use std::net::IpAddr;

pub(super) fn wanted(facts: &Facts) -> Vec<Wanted> {
    let host = facts.host.as_str();
    let mut all = Vec::new();
    let public: Vec<IpAddr> = facts.addresses.iter().copied().filter(|a| is_public(*a)).collect();
    for address in &public {
        let data = Data::Address(*address);
        all.push(Wanted::of_host(Purpose::HostAddress, Need::Required, host, data));
    }
    for address in &public {
        let data = Data::Pointer(host.to_owned());
        all.push(Wanted::of_host(Purpose::ReverseName, Need::Required, reverse_of(*address), data));
    }
    // Where the host is a mail domain itself, that one's policy stands there.
    if !facts.domains.iter().any(|domain| domain == host) {
        // RFC 7208 section 2.3: the identity of EHLO, and of reports.
        let data = Data::Text("v=spf1 a -all".to_owned());
        all.push(Wanted::of_host(Purpose::HostSpf, Need::Recommended, host, data));
    }
    if facts.inbound {
        for key in &facts.public_keys {
            // RFC 7672 section 3.1: DANE-EE, public key, SHA-256.
            let data = Data::Association { usage: 3, selector: 1, matching: 1, data: key.clone() };
            let name = format!("_25._tcp.{host}");
            all.push(Wanted::of_host(Purpose::Tlsa, Need::Optional, name, data));
        }
    }
    all
}

/// The name under which an address's name stands, without a final dot.
pub(crate) fn reverse_of(address: IpAddr) -> String {
    Name::from(address.to_canonical()).to_ascii().trim_end_matches('.').to_owned()
}
