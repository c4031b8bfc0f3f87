//! Whether our addresses are on block lists (RFC 5782).

use crate::facts::is_public;
use crate::record::{Data, Kind};
use crate::wanted::reverse_of;
use crate::world::{Answer, World};
use std::net::{IpAddr, Ipv4Addr};

/// What a list says of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The address.
    pub address: IpAddr,
    /// The list.
    pub zone: String,
    /// What it says; none if the address is not listed.
    pub listed: Option<Listed>,
    /// Why the list says nothing that counts.
    pub unusable: Option<String>,
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The answers, 127.0.0.x.
    pub answers: Vec<IpAddr>,
    /// The list's words.
    pub reason: Option<String>,
}

/// Asks every list for every public address.
pub async fn blocklists(world: &World, addresses: &[IpAddr], zones: &[String]) -> Vec<Listing> {
    let mut all = Vec::new();
    for zone in zones {
        let zone = zone.trim_matches('.');
        let unusable = test_entry(world, zone).await;
        for address in addresses.iter().copied().filter(|address| is_public(*address)) {
            let mut listing = Listing {
                address,
                zone: zone.to_owned(),
                listed: None,
                unusable: unusable.clone(),
            };
            if unusable.is_none() {
                look(world, &mut listing).await;
            }
            all.push(listing);
        }
    }
    all
}

/// RFC 5782 section 5: a list has 127.0.0.2 and does not have 127.0.0.1. One
/// that lists everything is gone, one that lists nothing does not answer us.
async fn test_entry(world: &World, zone: &str) -> Option<String> {
    let never = world.lookup(&format!("1.0.0.127.{zone}"), Kind::A).await;
    if !entries(&never).is_empty() {
        return Some("it lists 127.0.0.1, so it lists everything".to_owned());
    }
    match world.lookup(&format!("2.0.0.127.{zone}"), Kind::A).await {
        Answer::Unanswered(cause) => Some(format!("it does not answer: {cause}")),
        Answer::Nothing => Some(
            "it does not list 127.0.0.2, so it is no list or does not answer this name server"
                .to_owned(),
        ),
        answer if refused(&answer) => Some(
            "it refuses questions from this name server; ask by one of your own, not a public one"
                .to_owned(),
        ),
        Answer::Records(_) => None,
    }
}

async fn look(world: &World, listing: &mut Listing) {
    let name = name_in(listing.address, &listing.zone);
    let answer = world.lookup(&name, Kind::A).await;
    if let Answer::Unanswered(cause) = &answer {
        listing.unusable = Some(format!("it does not answer: {cause}"));
        return;
    }
    let answers = entries(&answer);
    if answers.is_empty() {
        return;
    }
    let reason =
        world.lookup(&name, Kind::Txt).await.records().iter().find_map(|data| match data {
            Data::Text(text) => Some(text.clone()),
            _ => None,
        });
    listing.listed = Some(Listed { answers, reason });
}

/// RFC 5782 sections 2.1 and 2.4: the address reversed, in front of the zone.
fn name_in(address: IpAddr, zone: &str) -> String {
    let reversed = reverse_of(address);
    let bare = reversed.strip_suffix(".in-addr.arpa").or(reversed.strip_suffix(".ip6.arpa"));
    format!("{}.{zone}", bare.unwrap_or(&reversed))
}

/// Answers that mean something (RFC 5782 section 2.1: 127.0.0.0/8).
fn entries(answer: &Answer) -> Vec<IpAddr> {
    let found = answer.records().iter().filter_map(|data| match data {
        Data::Address(IpAddr::V4(ip)) if ip.is_loopback() && !is_refusal(*ip) => {
            Some(IpAddr::V4(*ip))
        }
        _ => None,
    });
    found.collect()
}

fn refused(answer: &Answer) -> bool {
    answer
        .records()
        .iter()
        .any(|data| matches!(data, Data::Address(IpAddr::V4(ip)) if is_refusal(*ip)))
}

/// By custom 127.255.255.0/24 says that the question was refused.
fn is_refusal(ip: Ipv4Addr) -> bool {
    ip.octets().starts_with(&[127, 255, 255])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_list_are_the_reversed_address() {
        let name = |ip: &str| name_in(ip.parse().unwrap(), "bl.test");
        assert_eq!(name("192.0.2.99"), "99.2.0.192.bl.test");
        assert!(name("2001:db8::1").starts_with("1.0.0.0.0."));
        assert!(name("2001:db8::1").ends_with(".8.b.d.0.1.0.0.2.bl.test"));
    }
}
