//! Records that are texts.

use super::Judgement;
use crate::facts::{Facts, Outbound, is_public};
use crate::record::Data;
use crate::wanted::Wanted;
use crate::world::World;
use concord_mail_authentication::{KeyState, SpfResult};
use std::net::IpAddr;

fn texts(there: &[Data]) -> impl Iterator<Item = &str> {
    there.iter().filter_map(|data| match data {
        Data::Text(text) => Some(text.as_str()),
        _ => None,
    })
}

/// RFC 7208 section 4.5: the version, then a space or the end.
fn is_spf(text: &str) -> bool {
    let rest = text.get(..6).filter(|head| head.eq_ignore_ascii_case("v=spf1"));
    rest.is_some() && matches!(text.as_bytes().get(6), None | Some(b' '))
}

/// SPF records among the texts of a name.
pub(super) fn policies(there: &[Data]) -> Vec<Data> {
    texts(there).filter(|text| is_spf(text)).map(|text| Data::Text(text.to_owned())).collect()
}

pub(super) async fn spf(
    wanted: &Wanted,
    there: &[Data],
    facts: &Facts,
    world: &World,
) -> Judgement {
    let domain = wanted.domain.as_deref().unwrap_or(&wanted.record.name);
    let (senders, relay) = match &facts.outbound {
        Outbound::Direct => (facts.addresses.clone(), None),
        Outbound::SmartHost(host) => {
            (world.addresses(host).await.unwrap_or_default(), Some(host.as_str()))
        }
    };
    evaluated(wanted, there, domain, &senders, relay, world).await
}

pub(super) async fn host_spf(
    wanted: &Wanted,
    there: &[Data],
    facts: &Facts,
    world: &World,
) -> Judgement {
    let mut judgement = evaluated(wanted, there, &facts.host, &facts.addresses, None, world).await;
    // It is recommended only; what is there and wrong still fails mail.
    if judgement.state == super::State::Missing {
        judgement.severity = super::Severity::Warning;
    }
    judgement
}

async fn evaluated(
    wanted: &Wanted,
    there: &[Data],
    domain: &str,
    senders: &[IpAddr],
    relay: Option<&str>,
    world: &World,
) -> Judgement {
    let records: Vec<&str> = texts(there).filter(|text| is_spf(text)).collect();
    let [record] = records.as_slice() else {
        if records.is_empty() {
            return Judgement::missing(wanted.need);
        }
        return Judgement::wrong(format!(
            "there are {} SPF records; hosts then judge by none (RFC 7208 section 4.5): keep one",
            records.len()
        ));
    };
    let everybody = record.split(' ').any(|term| matches!(term, "+all" | "all"));
    if everybody {
        return Judgement::wrong("it lets everybody send in the name of the domain");
    }
    for address in senders.iter().filter(|address| is_public(**address)) {
        let result = world.spf(domain, *address).await;
        let judgement = match result {
            SpfResult::Pass => continue,
            SpfResult::PermError => {
                return Judgement::wrong(
                    "it cannot be evaluated: a mistake in it, or more than 10 lookups (RFC 7208 \
                     section 4.6)",
                );
            }
            SpfResult::TempError => {
                return Judgement::unanswered(wanted.need, "what it refers to was not answered");
            }
            // A relay may send by other hosts than the one that takes mail in.
            other if relay.is_some() => Judgement::warning(format!(
                "it says '{other}' of {address}, an address of {}: see that it names the hosts \
                 that the relay sends by",
                relay.unwrap_or_default()
            )),
            other => Judgement::wrong(format!(
                "it says '{other}' of {address}, which this server sends from"
            )),
        };
        return judgement;
    }
    Judgement::ok()
}

pub(super) fn key(wanted: &Wanted, there: &[Data], facts: &Facts) -> Judgement {
    let Some(key) = facts.keys.iter().find(|key| key.record.name == wanted.record.name) else {
        return Judgement::ok();
    };
    let texts: Vec<&str> = texts(there).collect();
    let Some(text) = texts.iter().find(|text| key.record.is_published_as(text)) else {
        let mut wrong = Judgement::wrong("another key is published: signatures fail");
        if key.state != KeyState::Active {
            wrong.severity = super::Severity::Warning;
            "another key is published; this one does not sign".clone_into(&mut wrong.what);
        }
        return wrong;
    };
    if texts.len() > 1 {
        // RFC 6376 section 3.6.2.2: what several records mean is not defined.
        return Judgement::warning("there are several texts at this name; keep this one");
    }
    let testing = text.split(';').any(|tag| {
        let flags = tag.trim().strip_prefix("t=").unwrap_or_default();
        flags.split(':').any(|flag| flag.trim() == "y")
    });
    if testing {
        return Judgement::warning("it says t=y: hosts treat signed mail like unsigned mail");
    }
    Judgement::ok()
}

/// RFC 7489 sections 6.3 and 6.6.3.
pub(super) fn dmarc(wanted: &Wanted, there: &[Data]) -> Judgement {
    let records: Vec<&str> = texts(there).filter(|text| text.starts_with("v=DMARC1")).collect();
    let [record] = records.as_slice() else {
        if records.is_empty() {
            return Judgement::missing(wanted.need);
        }
        return Judgement::wrong(format!(
            "there are {} DMARC records, which counts as none (RFC 7489 section 6.6.3): keep one",
            records.len()
        ));
    };
    let tag = |name: &str| {
        record.split(';').find_map(|part| {
            let (tag, value) = part.split_once('=')?;
            (tag.trim() == name).then(|| value.trim())
        })
    };
    let reports = tag("rua").is_some();
    match tag("p").map(str::to_ascii_lowercase).as_deref() {
        Some("reject" | "quarantine") => Judgement::ok(),
        Some("none") if reports => Judgement::remark(
            "p=none asks nobody to refuse forgeries; when the reports show that all your mail \
             passes, say p=quarantine, then p=reject",
        ),
        Some("none") => {
            Judgement::warning("p=none without rua: nothing is refused and nobody hears of it")
        }
        Some(other) => Judgement::wrong(format!("p={other} is no policy")),
        None => Judgement::wrong("it has no p, so it says nothing"),
    }
}

/// A text of which only one kind may be there, with values of the
/// administrator's choice.
pub(super) fn one_of(wanted: &Wanted, there: &[Data], version: &str) -> Judgement {
    match texts(there).filter(|text| text.starts_with(version)).count() {
        0 => Judgement::missing(wanted.need),
        1 => Judgement::ok(),
        several => Judgement::wrong(format!("there are {several} of them; keep one")),
    }
}
