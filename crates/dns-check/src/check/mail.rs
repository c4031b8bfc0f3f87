//! Where mail for a domain goes.

use super::{Finding, Judgement, Severity, State};
use crate::facts::Facts;
use crate::record::{Data, Kind};
use crate::wanted::{Purpose, Wanted};
use crate::world::{Answer, World};

pub(super) async fn exchanger(facts: &Facts, there: &[Data], world: &World) -> Judgement {
    let mut ours = None;
    let mut others: Vec<(u16, &str)> = Vec::new();
    for data in there {
        let Data::Exchanger { preference, host } = data else { continue };
        if *host == facts.host {
            ours = Some(*preference);
        } else if host.is_empty() {
            return Judgement::wrong("the domain says that it takes no mail (RFC 7505)");
        } else {
            others.push((*preference, host));
        }
    }
    let names = |others: &[(u16, &str)]| {
        others.iter().map(|(_, host)| *host).collect::<Vec<_>>().join(", ")
    };
    let Some(ours) = ours else {
        // Another name of this host is as good.
        for (_, host) in &others {
            let found = world.addresses(host).await.unwrap_or_default();
            if found.iter().any(|address| facts.addresses.contains(address)) {
                return Judgement::warning(format!(
                    "mail comes here by the name {host}, which the certificate must have too"
                ));
            }
        }
        return Judgement::wrong(format!("mail goes to {}", names(&others)));
    };
    others.retain(|(preference, _)| *preference <= ours);
    if others.is_empty() {
        return Judgement::ok();
    }
    Judgement::warning(format!("mail goes to {} as well or first", names(&others)))
}

pub(super) fn client_service(wanted: &Wanted, there: &[Data]) -> Judgement {
    let Data::Service { port, target, .. } = &wanted.record.data else {
        return Judgement::ok();
    };
    let same = |data: &Data| matches!(data, Data::Service { port: p, target: t, .. } if p == port && t == target);
    if there.iter().any(same) {
        return Judgement::ok();
    }
    Judgement::warning("mail programs are sent elsewhere")
}

/// What speaks against us at a domain beside the wanted records.
pub(super) async fn beside(facts: &Facts, world: &World, domain: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let warning = (State::Warning, Severity::Warning);
    if !facts.keys.iter().any(|key| key.domain == domain) {
        let what =
            format!("mail of the domain is not signed: make a key by 'concord dkim add {domain}'");
        findings.push(Finding::beside(Purpose::Dkim, Some(domain), domain, warning, what));
    }
    if !facts.inbound && points_here(facts, world, domain).await {
        let what = "mail for the domain still comes to this server, which is being retired: let \
                    MX name its successor, and wait until the old record's time is over";
        let level = (State::Wrong, Severity::Trouble);
        findings.push(Finding::beside(Purpose::Exchanger, Some(domain), domain, level, what));
    }
    if facts.mta_sts.is_none() {
        let name = format!("_mta-sts.{domain}");
        let answer = world.lookup(&name, Kind::Txt).await;
        let announced =
            |data: &Data| matches!(data, Data::Text(text) if text.starts_with("v=STSv1"));
        if answer.records().iter().any(announced) {
            let what = format!(
                "the domain announces MTA-STS: see that https://mta-sts.{domain}/.well-known/\
                 mta-sts.txt names {}, because this server does not serve that file",
                facts.host
            );
            findings.push(Finding::beside(Purpose::MtaSts, Some(domain), &name, warning, what));
        }
    }
    findings
}

/// Whether mail for a domain comes to this host: by MX, or without one by the
/// domain's own addresses (RFC 5321 section 5.1).
async fn points_here(facts: &Facts, world: &World, domain: &str) -> bool {
    let hosts: Vec<String> = match world.lookup(domain, Kind::Mx).await {
        Answer::Records(there) => there
            .into_iter()
            .filter_map(|data| match data {
                Data::Exchanger { host, .. } => Some(host),
                _ => None,
            })
            .collect(),
        Answer::Nothing => vec![domain.to_owned()],
        Answer::Unanswered(_) => return false,
    };
    for host in hosts {
        let found = world.addresses(&host).await.unwrap_or_default();
        if host == facts.host || found.iter().any(|address| facts.addresses.contains(address)) {
            return true;
        }
    }
    false
}
