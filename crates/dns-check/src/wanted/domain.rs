//! The records of a mail domain.

use super::{Need, Purpose, Wanted};
use crate::facts::{Facts, Outbound};
use crate::record::Data;
use concord_mail_authentication::KeyState;

/// The preference of the only exchanger; others have room on both sides.
const PREFERENCE: u16 = 10;

pub(super) fn wanted(facts: &Facts, domain: &str) -> Vec<Wanted> {
    let host = facts.host.as_str();
    let text = |purpose, need, name: String, text: String| {
        Wanted::of_domain(domain, purpose, need, name, Data::Text(text))
    };
    let mut all = Vec::new();
    if facts.inbound {
        let data = Data::Exchanger { preference: PREFERENCE, host: host.to_owned() };
        all.push(Wanted::of_domain(domain, Purpose::Exchanger, Need::Required, domain, data));
    }
    all.push(text(Purpose::Spf, Need::Required, domain.to_owned(), spf(facts)));
    for key in facts.keys.iter().filter(|key| key.domain == domain) {
        // One that signs must be there; one that will sign, or whose mail is
        // still under way, should be.
        let need = if key.state == KeyState::Active { Need::Required } else { Need::Recommended };
        let (name, value) = (key.record.name.clone(), key.record.value.clone());
        all.push(text(Purpose::Dkim, need, name, value));
    }
    let name = format!("_dmarc.{domain}");
    all.push(text(Purpose::Dmarc, Need::Recommended, name, dmarc(facts)));
    all.extend(authorisation(facts, domain));
    all.extend(transport(facts, domain));
    all.extend(client_services(facts, domain));
    all
}

/// RFC 7208. `~all`: who forwards mail of ours is no forger, and DMARC decides
/// by the signature too (RFC 7489 section 10.1).
fn spf(facts: &Facts) -> String {
    let own = if facts.inbound { "mx".to_owned() } else { format!("a:{}", facts.host) };
    match &facts.outbound {
        Outbound::Direct => format!("v=spf1 {own} ~all"),
        Outbound::SmartHost(relay) => format!("v=spf1 {own} a:{relay} ~all"),
    }
}

/// RFC 7489 section 6.3. It begins with `none`: reports tell whether all mail of
/// the domain is signed before anybody is asked to refuse some.
fn dmarc(facts: &Facts) -> String {
    match &facts.reports_to {
        Some(address) => format!("v=DMARC1; p=none; rua=mailto:{address}"),
        None => "v=DMARC1; p=none".to_owned(),
    }
}

/// RFC 7489 section 7.1: reports go to another domain only where that one says so.
fn authorisation(facts: &Facts, domain: &str) -> Option<Wanted> {
    let (_, receiver) = facts.reports_to.as_deref()?.rsplit_once('@')?;
    // Within one organisation nothing needs to be said. What an organisation's
    // domain is takes a list of suffixes; the record does no harm below it.
    let within = |inner: &str, outer: &str| {
        inner.strip_suffix(outer).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if within(receiver, domain) || within(domain, receiver) {
        return None;
    }
    Some(Wanted::of_domain(
        domain,
        Purpose::ReportAuthorisation,
        Need::Recommended,
        format!("{domain}._report._dmarc.{receiver}"),
        Data::Text("v=DMARC1".to_owned()),
    ))
}

/// MTA-STS (RFC 8461) and reports about TLS (RFC 8460).
fn transport(facts: &Facts, domain: &str) -> Vec<Wanted> {
    if !facts.inbound {
        return Vec::new();
    }
    let mut all = Vec::new();
    if let Some(id) = &facts.mta_sts {
        let data = Data::Text(format!("v=STSv1; id={id}"));
        let name = format!("_mta-sts.{domain}");
        all.push(Wanted::of_domain(domain, Purpose::MtaSts, Need::Recommended, name, data));
        let data = Data::Alias(facts.host.clone());
        let name = format!("mta-sts.{domain}");
        all.push(Wanted::of_domain(domain, Purpose::MtaSts, Need::Recommended, name, data));
    }
    if let Some(address) = &facts.reports_to {
        let data = Data::Text(format!("v=TLSRPTv1; rua=mailto:{address}"));
        let name = format!("_smtp._tls.{domain}");
        all.push(Wanted::of_domain(domain, Purpose::TlsReporting, Need::Optional, name, data));
    }
    all
}

/// RFC 6186 and RFC 8314 section 5.1; names that programs of Mozilla's and
/// Microsoft's kind ask.
fn client_services(facts: &Facts, domain: &str) -> Vec<Wanted> {
    let service = |name: &str, port, target: &str| {
        let data = Data::Service { priority: 0, weight: 1, port, target: target.to_owned() };
        let name = format!("_{name}._tcp.{domain}");
        Wanted::of_domain(domain, Purpose::ClientService, Need::Optional, name, data)
    };
    let mut all: Vec<Wanted> = facts
        .services
        .iter()
        .map(|offered| service(offered.name, offered.port, &facts.host))
        .collect();
    if let Some(answers) = &facts.autoconfiguration {
        for name in ["autoconfig", "autodiscover"] {
            let data = Data::Alias(answers.clone());
            let name = format!("{name}.{domain}");
            let purpose = Purpose::Autoconfiguration;
            all.push(Wanted::of_domain(domain, purpose, Need::Optional, name, data));
        }
        all.push(service("autodiscover", 443, answers));
    }
    all
}
