//! `concord dns check`

use super::facts::{Asked, Gathered, gather};
use crate::commands::{Run, show};
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::{print, release};
use concord_base::{Clock, SystemClock};
use concord_dns_check::{
    Finding, Listing, Severity, World, blocklists, check, clock_offset, is_public, reach, verdict,
};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};

/// Signatures and certificates are judged to the minute; more than this is told.
const CLOCK_TOLERANCE_MS: u64 = 60_000;
/// The port of SMTP.
const SMTP: u16 = 25;

/// Compare the DNS with what our mail domains need
///
/// Each record is ok, missing, wrong, or to be looked at; what is wrong comes with the line to
/// set. Exit code 0: all is well, 1: something keeps mail from arriving or makes it fail
/// authentication (or nobody could say), 2: there are warnings.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
    /// Ask this name server, 'address' or 'address:port' (may be given several times) [default:
    /// internet-mail.nameservers, else those of /etc/resolv.conf]
    #[arg(long, value_name = "ADDRESS", value_parser = name_server)]
    name_server: Vec<SocketAddr>,
    /// A block list in the DNS to look for our addresses in (may be given several times), beside
    /// those of the policy
    #[arg(long, value_name = "ZONE")]
    blocklist: Vec<String>,
    /// See whether this host can be reached, on port 25 unless written (may be given several times)
    #[arg(long, value_name = "HOST[:PORT]")]
    reach: Vec<String>,
    /// Compare the clock with this time server (SNTP)
    #[arg(long, value_name = "HOST")]
    time_server: Option<String>,
}

/// What was looked at.
struct Seen {
    findings: Vec<Finding>,
    listings: Vec<Listing>,
    /// What is not of the DNS: what was asked, how it is, and in words.
    others: Vec<(String, Severity, String)>,
}

impl Run for Box<Args> {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let gathered = gather(context, &self.asked)?;
        let seen = runtime()?.block_on(self.look(&gathered))?;
        let worst = seen.worst();
        if context.json {
            print::json(&seen.view(&gathered, worst));
        } else {
            seen.tell();
        }
        match worst {
            Severity::Fine => Ok(()),
            Severity::Warning => Err(Failure::pending()),
            Severity::Trouble => Err(Failure::new(
                "cli.dns-trouble",
                format!(
                    "cannot call this well: {} of what was looked at keeps mail from arriving or \
                     makes it fail authentication; set what is named",
                    seen.count(Severity::Trouble)
                ),
            )),
        }
    }
}

impl Args {
    async fn look(&self, gathered: &Gathered) -> Result<Seen, Failure> {
        let facts = &gathered.facts;
        let servers =
            if self.name_server.is_empty() { &gathered.name_servers } else { &self.name_server };
        let world = World::asking(servers, &facts.host)?;
        let findings = check(facts, &world).await;
        let mut addresses: Vec<IpAddr> =
            facts.addresses.iter().copied().filter(|ip| is_public(*ip)).collect();
        if addresses.is_empty() {
            addresses = world.addresses(&facts.host).await.unwrap_or_default();
        }
        let zones = [&gathered.blocklists[..], &self.blocklist[..]].concat();
        let listings = blocklists(&world, &addresses, &zones).await;
        let mut others = Vec::new();
        for place in &self.reach {
            let (host, port) = host_and_port(place);
            others.push(match reach(&host, port).await {
                Ok(greeting) => (format!("reach {place}"), Severity::Fine, greeting),
                Err(error) => (format!("reach {place}"), Severity::Trouble, error.to_string()),
            });
        }
        others.push(self.clock().await);
        Ok(Seen { findings, listings, others })
    }

    async fn clock(&self) -> (String, Severity, String) {
        let what = "clock".to_owned();
        let built = release::facts().built;
        if let Err(cause) = concord_setup::probe::clock(SystemClock.now(), built) {
            return (what, Severity::Trouble, cause);
        }
        let Some(server) = &self.time_server else {
            return (what, Severity::Fine, "not before this program was made".to_owned());
        };
        match clock_offset(server, &SystemClock).await {
            Err(error) => (what, Severity::Warning, error.to_string()),
            Ok(offset) => {
                let seconds = offset.unsigned_abs() / 1_000;
                let way = if offset < 0 { "behind" } else { "ahead of" };
                let severity = match offset.unsigned_abs() > CLOCK_TOLERANCE_MS {
                    true => Severity::Trouble,
                    false => Severity::Fine,
                };
                (what, severity, format!("{seconds} s {way} {server}"))
            }
        }
    }
}

impl Seen {
    fn all(&self) -> impl Iterator<Item = Severity> {
        let lists = self.listings.iter().map(listing_severity);
        let others = self.others.iter().map(|(_, severity, _)| *severity);
        self.findings.iter().map(|finding| finding.severity).chain(lists).chain(others)
    }

    fn worst(&self) -> Severity {
        self.all().max().unwrap_or(verdict(&self.findings))
    }

    fn count(&self, severity: Severity) -> usize {
        self.all().filter(|found| *found == severity).count()
    }

    fn tell(&self) {
        let mut rows: Vec<Vec<String>> = self
            .findings
            .iter()
            .map(|finding| {
                vec![
                    finding.state.as_str().to_owned(),
                    finding.purpose.as_str().to_owned(),
                    finding.name.clone(),
                ]
            })
            .collect();
        rows.extend(self.listings.iter().map(|listing| {
            let state = match (&listing.listed, &listing.unusable) {
                (Some(_), _) => "listed",
                (None, Some(_)) => "unanswered",
                _ => "ok",
            };
            vec![state.to_owned(), "blocklist".to_owned(), format!("{} {}", listing.zone, listing.address)]
        }));
        rows.extend(self.others.iter().map(|(what, severity, words)| {
            let state = if *severity == Severity::Fine { "ok" } else { "wrong" };
            vec![state.to_owned(), what.clone(), show::said(words)]
        }));
        show::table(&["STATE", "WHAT", "WHERE"], rows, "nothing was looked at");
        for finding in &self.findings {
            if finding.severity != Severity::Fine || !finding.what.is_empty() {
                tell(finding);
            }
        }
        for listing in &self.listings {
            tell_listing(listing);
        }
        print::line(format_args!(
            "\n{} troubles, {} warnings",
            self.count(Severity::Trouble),
            self.count(Severity::Warning)
        ));
    }

    fn view(&self, gathered: &Gathered, worst: Severity) -> serde_json::Value {
        let findings: Vec<_> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "purpose": finding.purpose,
                    "domain": finding.domain,
                    "name": finding.name,
                    "state": finding.state,
                    "severity": finding.severity,
                    "seen": finding.seen,
                    "what": finding.what,
                    "set": finding.set.as_ref().map(ToString::to_string),
                })
            })
            .collect();
        let listings: Vec<_> = self
            .listings
            .iter()
            .map(|listing| {
                json!({
                    "zone": listing.zone,
                    "address": listing.address,
                    "listed": listing.listed.is_some(),
                    "answers": listing.listed.as_ref().map(|entry| &entry.answers),
                    "reason": listing.listed.as_ref().and_then(|entry| entry.reason.as_ref()),
                    "unusable": listing.unusable,
                    "severity": listing_severity(listing),
                })
            })
            .collect();
        let others: Vec<_> = self
            .others
            .iter()
            .map(|(what, severity, words)| {
                json!({ "what": what, "severity": severity, "seen": words })
            })
            .collect();
        json!({
            "host": gathered.facts.host,
            "verdict": worst,
            "findings": findings,
            "blocklists": listings,
            "others": others,
        })
    }
}

/// Other hosts refuse mail of a listed address; a list that says nothing is no
/// reason to worry.
fn listing_severity(listing: &Listing) -> Severity {
    match (&listing.listed, &listing.unusable) {
        (Some(_), _) => Severity::Trouble,
        (None, Some(_)) => Severity::Warning,
        _ => Severity::Fine,
    }
}

fn tell(finding: &Finding) {
    let word = match finding.severity {
        Severity::Trouble => "trouble",
        Severity::Warning => "warning",
        Severity::Fine => "note",
    };
    print::line(format_args!(
        "\n{word}: {} of {} is {}",
        finding.purpose.as_str(),
        finding.name,
        finding.state.as_str()
    ));
    if finding.what.is_empty() {
        print::line(format_args!("  for   {}", finding.purpose.why()));
    } else {
        print::line(format_args!("  why   {}", show::said(&finding.what)));
    }
    for seen in &finding.seen {
        print::line(format_args!("  is    {}", show::said(seen)));
    }
    if let Some(record) = &finding.set {
        print::line(format_args!("  set   {record}"));
    }
}

fn tell_listing(listing: &Listing) {
    let (address, zone) = (&listing.address, &listing.zone);
    if let Some(entry) = &listing.listed {
        let reason = entry.reason.as_deref().unwrap_or("it gives no reason");
        print::line(format_args!("\ntrouble: {address} is listed by {zone}"));
        print::line(format_args!("  why   {}", show::said(reason)));
    } else if let Some(cause) = &listing.unusable {
        print::line(format_args!("\nwarning: {zone} says nothing of {address}: {cause}"));
    }
}

fn host_and_port(place: &str) -> (String, u16) {
    match place.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => {
            (host.trim_matches(['[', ']']).to_owned(), port.parse().unwrap_or(SMTP))
        }
        _ => (place.trim_matches(['[', ']']).to_owned(), SMTP),
    }
}

/// `address` or `address:port`.
pub fn name_server(text: &str) -> Result<SocketAddr, String> {
    const DNS: u16 = 53;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(address, DNS));
    }
    text.parse().map_err(|_| "write an address, or address:port".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_port_25_unless_written() {
        assert_eq!(host_and_port("mx.test"), ("mx.test".into(), 25));
        assert_eq!(host_and_port("mx.test:587"), ("mx.test".into(), 587));
        assert_eq!(host_and_port("2001:db8::1"), ("2001:db8::1".into(), 25));
        assert_eq!(host_and_port("[2001:db8::1]:26"), ("2001:db8::1".into(), 26));
        assert_eq!(name_server("192.0.2.1").unwrap().port(), 53);
        assert!(name_server("ns.test").is_err());
    }
}
