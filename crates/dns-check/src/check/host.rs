//! Records of the host.

use super::{Finding, Judgement, Severity, State};
use crate::facts::{Facts, is_public};
use crate::record::{Data, Kind};
use crate::wanted::{Purpose, Wanted, reverse_of};
use crate::world::{Answer, World};
use std::net::IpAddr;

/// The addresses that the DNS has for the host, where nobody said which it has.
pub(super) async fn learn(facts: &Facts, world: &World) -> Result<Vec<IpAddr>, Box<Finding>> {
    let fail = |state, what: String| {
        let level = (state, Severity::Trouble);
        Err(Box::new(Finding::beside(Purpose::HostAddress, None, &facts.host, level, what)))
    };
    match world.addresses(&facts.host).await {
        Ok(found) if found.iter().any(|address| is_public(*address)) => Ok(found),
        Ok(found) if found.is_empty() => fail(
            State::Missing,
            "the host has no address in the DNS, and its own are behind a router or unknown; say \
             by which it is reached"
                .to_owned(),
        ),
        Ok(found) => {
            let first = found.first().map(ToString::to_string).unwrap_or_default();
            let what = format!("the Internet cannot reach {first}, which the DNS has for it");
            fail(State::Wrong, what)
        }
        Err(cause) => fail(State::Unanswered, cause),
    }
}

pub(super) fn address(wanted: &Wanted, there: &[Data]) -> Judgement {
    if there.contains(&wanted.record.data) {
        return Judgement::ok();
    }
    Judgement::wrong("the name leads to another machine")
}

/// The name must lead back to the address (RFC 8601 section 3), else it is not
/// believed.
pub(super) async fn reverse_name(wanted: &Wanted, there: &[Data], world: &World) -> Judgement {
    if there.contains(&wanted.record.data) {
        return Judgement::ok();
    }
    for data in there {
        let Data::Pointer(name) = data else { continue };
        let back = world.addresses(name).await.unwrap_or_default();
        let leads_back = back.iter().any(|address| reverse_of(*address) == wanted.record.name);
        if leads_back {
            return Judgement::warning(format!(
                "the address is called {name}, not as the server calls itself; some hosts count \
                 that against its mail"
            ));
        }
    }
    Judgement::wrong("the name does not lead back to the address")
}

pub(super) fn association(wanted: &Wanted, there: &[Data], facts: &Facts) -> Judgement {
    if there.contains(&wanted.record.data) {
        return Judgement::ok();
    }
    let is_key =
        |data: &Data| matches!(data, Data::Association { usage: 3, selector: 1, matching: 1, .. });
    let ours = |data: &Data| match data {
        Data::Association { data: hash, .. } => is_key(data) && facts.public_keys.contains(hash),
        _ => false,
    };
    if there.iter().any(ours) {
        return Judgement::warning(
            "another key of this server is published, this one is not yet: set it before the \
             server uses it",
        );
    }
    if there.iter().all(is_key) {
        return Judgement::wrong(
            "none of the published keys is this server's: hosts that know DANE deliver nothing",
        );
    }
    Judgement::warning("there are associations of a kind that is not compared here")
}

/// A name that should lead where another one leads.
pub(super) async fn alias(wanted: &Wanted, target: &str, world: &World) -> (Judgement, Vec<Data>) {
    let (there, should) =
        tokio::join!(world.addresses(&wanted.record.name), world.addresses(target));
    let judgement = match (&there, &should) {
        (Err(cause), _) | (_, Err(cause)) => Judgement::unanswered(wanted.need, cause),
        (Ok(there), _) if there.is_empty() => Judgement::missing(wanted.need),
        (Ok(there), Ok(should)) if there.iter().any(|address| should.contains(address)) => {
            Judgement::ok()
        }
        _ => Judgement::warning(format!("it does not lead to {target}")),
    };
    let seen = there.unwrap_or_default().into_iter().map(Data::Address).collect();
    (judgement, seen)
}

/// Addresses that the DNS has beside ours.
pub(super) async fn beside(facts: &Facts, world: &World) -> Vec<Finding> {
    let mut findings = Vec::new();
    for kind in [Kind::A, Kind::Aaaa] {
        let Answer::Records(there) = world.lookup(&facts.host, kind).await else { continue };
        let is_ours = |data: &Data| matches!(data, Data::Address(address) if facts.addresses.contains(address));
        let expected = facts.addresses.iter().any(|a| Data::Address(*a).kind() == kind);
        // The wanted record is the finding then.
        if expected && !there.iter().any(is_ours) {
            continue;
        }
        for address in there.iter().filter(|data| !is_ours(data)) {
            let what = format!(
                "the DNS has {address} for it too, which is not known as this server's: hosts \
                 that try it first reach nobody, or somebody else"
            );
            let level = (State::Warning, Severity::Warning);
            findings.push(Finding::beside(Purpose::HostAddress, None, &facts.host, level, what));
        }
    }
    if let Answer::Records(there) = world.lookup(&facts.host, Kind::Cname).await {
        let what = format!(
            "it is another name of {}: an exchanger must have addresses of its own (RFC 2181 \
             section 10.3)",
            there.first().map(ToString::to_string).unwrap_or_default()
        );
        let level = (State::Wrong, Severity::Warning);
        findings.push(Finding::beside(Purpose::HostAddress, None, &facts.host, level, what));
    }
    findings
}
