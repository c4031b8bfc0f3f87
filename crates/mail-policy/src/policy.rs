//! The whole file.

use crate::domain::{Outbound, RemoteDomain};
use crate::error::PolicyError;
use crate::host::{self, HostRule};
use crate::journal::Journal;
use crate::limit::{Event, Limit, Subject};
use crate::local::{LocalDomain, is_role};
use crate::pattern::DomainPattern;
use crate::relay::Relay;
use crate::sections::{
    Authentication, Blocklist, Greylisting, Inbound, Pickup, Rewriting, Signing, UrgencyTimes,
};
use crate::sender::SenderRule;
use concord_address::{Domain, SmtpAddress};
use concord_mail_filter::FilterConfig;
use concord_message::Urgency;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;

/// Octets of the file: ten thousand domains have room.
pub const MAX_FILE: u64 = 1 << 20;

/// Rows `[[limit]]`: each has counts of its own in memory.
const MAX_LIMITS: usize = 32;

/// Rows `[[blocklist]]`: each is a question for every session.
const MAX_BLOCKLISTS: usize = 32;

/// Everything that `etc/internet-mail.toml` says; `Policy::default()` is what an
/// empty file means.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Policy {
    /// Whether mail comes and goes.
    pub mode: Mode,
    /// `[relay]`
    pub relay: Relay,
    /// `[inbound]`
    pub inbound: Inbound,
    /// `[outbound]`
    pub outbound: Outbound,
    /// `[urgency.*]`
    pub urgency: BTreeMap<Urgency, UrgencyTimes>,
    /// `[authentication]`
    pub authentication: Authentication,
    /// `[signing]`
    pub signing: Signing,
    /// `[greylisting]`
    pub greylisting: Greylisting,
    /// `[rewriting]`
    pub rewriting: Rewriting,
    /// `[pickup]`
    pub pickup: Pickup,
    /// `[[host]]`
    #[serde(rename = "host")]
    pub hosts: Vec<HostRule>,
    /// `[[sender]]`
    #[serde(rename = "sender")]
    pub senders: Vec<SenderRule>,
    /// `[[blocklist]]`
    #[serde(rename = "blocklist")]
    pub blocklists: Vec<Blocklist>,
    /// `[[limit]]`
    #[serde(rename = "limit")]
    pub limits: Vec<Limit>,
    /// `[[local-domain]]`
    #[serde(rename = "local-domain")]
    pub local_domains: Vec<LocalDomain>,
    /// `[[domain]]`
    #[serde(rename = "domain")]
    pub domains: Vec<RemoteDomain>,
    /// `[[journal]]`
    #[serde(rename = "journal")]
    pub journals: Vec<Journal>,
    /// `[[filter]]`
    #[serde(rename = "filter")]
    pub filters: Vec<FilterConfig>,
}

/// Whether mail comes and goes (Q285090).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Both.
    #[default]
    Normal,
    /// Nothing comes from outside; what waits goes out, and users send. For a
    /// server that is being retired.
    Drain,
    /// Nothing comes, nothing goes, what waits waits. Mailboxes can be read.
    ReadOnly,
}

impl Policy {
    /// Reads and checks a file's text.
    ///
    /// # Errors
    /// [`PolicyError`], with the line where one is known.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() as u64 > MAX_FILE {
            return Err(PolicyError::TooLarge);
        }
        let policy: Self = toml::from_str(text)
            .map_err(|error| PolicyError::Syntax(error.to_string().trim_end().to_owned()))?;
        let mistakes = policy.mistakes();
        if mistakes.is_empty() {
            return Ok(policy);
        }
        Err(PolicyError::Contradictions(mistakes))
    }

    /// What each value allows but all together do not.
    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        twice(&mut mistakes, "host", self.hosts.iter().map(|rule| rule.network));
        twice(&mut mistakes, "local-domain", self.local_domains.iter().map(|d| &d.name));
        twice(&mut mistakes, "domain", self.domains.iter().map(|domain| &domain.name));
        twice(&mut mistakes, "journal", self.journals.iter().map(|journal| &journal.name));
        twice(&mut mistakes, "blocklist", self.blocklists.iter().map(|list| &list.zone));
        if self.limits.len() > MAX_LIMITS {
            mistakes.push(format!("limit: {} rows; write at most {MAX_LIMITS}", self.limits.len()));
        }
        if self.blocklists.len() > MAX_BLOCKLISTS {
            let rows = self.blocklists.len();
            mistakes.push(format!("blocklist: {rows} rows; write at most {MAX_BLOCKLISTS}"));
        }
        for domain in &self.local_domains {
            let name = &domain.name;
            if domain.alias_of.is_some()
                && (domain.catch_all.is_some() || domain.elsewhere.is_some())
            {
                mistakes.push(format!(
                    "local-domain {name}: alias-of leaves nothing for catch-all or elsewhere; \
                     write them at the other domain"
                ));
            }
            if domain.catch_all.is_some() && domain.elsewhere.is_some() {
                mistakes.push(format!(
                    "local-domain {name}: catch-all and elsewhere both want what nobody has; \
                     keep one"
                ));
            }
            if domain.elsewhere.as_ref().is_some_and(|elsewhere| elsewhere.hosts.is_empty()) {
                mistakes.push(format!("local-domain {name}: elsewhere names no host"));
            }
            if domain.separator.chars().count() > 1 {
                mistakes.push(format!("local-domain {name}: separator is one character, or empty"));
            }
            let ends = domain.alias_of.as_ref().is_some_and(|other| {
                self.local_domain(other).is_some_and(|other| other.alias_of.is_some())
            });
            if ends {
                mistakes.push(format!(
                    "local-domain {name}: alias-of names a domain that is another's alias itself; \
                     name that one"
                ));
            }
        }
        self.outbound_mistakes("outbound", &self.outbound, &mut mistakes);
        for domain in &self.domains {
            self.outbound_mistakes(
                &format!("domain {}", domain.name),
                &domain.values,
                &mut mistakes,
            );
        }
        if let Err(wrong) = FilterConfig::validate(&self.filters) {
            mistakes.extend(wrong.iter().map(ToString::to_string));
        }
        for (from, to) in &self.rewriting.masquerade {
            for domain in [from, to].into_iter().filter(|d| d.parse::<Domain>().is_err()) {
                mistakes.push(format!("rewriting.masquerade: '{domain}' is not a domain"));
            }
        }
        for (from, to) in &self.rewriting.canonical {
            for text in [from, to].into_iter().filter(|a| a.parse::<SmtpAddress>().is_err()) {
                mistakes.push(format!("rewriting.canonical: '{text}' is not an address"));
            }
        }
        for limit in &self.limits {
            if (limit.per, limit.of) == (Subject::User, Event::FailedLogins) {
                mistakes.push(
                    "limit: nobody knows whose login failed; count them per host or network"
                        .to_owned(),
                );
            }
            if limit.most == 0 || limit.within.0.is_zero() {
                mistakes.push(
                    "limit: most and within must be above zero; to refuse hosts write [[host]]"
                        .to_owned(),
                );
            }
        }
        mistakes
    }

    fn outbound_mistakes(&self, place: &str, values: &Outbound, mistakes: &mut Vec<String>) {
        if values.user.is_some() != values.password_file.is_some() {
            mistakes.push(format!("{place}: user and password-file belong together"));
        }
        if values.user.is_some() && values.route.is_none() {
            mistakes
                .push(format!("{place}: user is a login at the hosts of route; write route too"));
        }
        if values.route.as_ref().is_some_and(Vec::is_empty) {
            mistakes.push(format!("{place}: route names no host; leave it out for delivery by MX"));
        }
        if values.retry_schedule.as_ref().is_some_and(Vec::is_empty) {
            mistakes.push(format!("{place}: retry-schedule is empty; write at least one wait"));
        }
        let waits = values.retry_schedule.iter().flatten();
        // RFC 5321 section 4.5.4.1; above a day nobody waits on purpose (Q151780).
        const DAY: u64 = 24 * 3600;
        for wait in waits.filter(|wait| wait.0.is_zero() || wait.0.as_secs() > DAY) {
            mistakes.push(format!("{place}: a wait of {wait}; write one of 1 s to 1 d"));
        }
        for (name, zero) in [
            ("recipients", values.recipients == Some(0)),
            ("connections", values.connections == Some(0)),
            ("messages-per-minute", values.messages_per_minute == Some(0)),
            ("messages-per-connection", values.messages_per_connection == Some(0)),
        ] {
            if zero {
                mistakes
                    .push(format!("{place}: {name} is 0, which would hold all mail; leave it out"));
            }
        }
        if let Some(domain) = &values.rewrite_to
            && domain.parse::<Domain>().is_err()
        {
            mistakes.push(format!("{place}: rewrite-to '{domain}' is not a domain"));
        }
    }

    /// The rule for a host.
    pub fn host(&self, address: IpAddr) -> Option<&HostRule> {
        host::of(&self.hosts, address)
    }

    /// The rule for a sender, and a recipient where one is known.
    pub fn sender(
        &self,
        from: Option<&SmtpAddress>,
        to: Option<&SmtpAddress>,
    ) -> Option<&SenderRule> {
        self.senders.iter().find(|rule| rule.fits(from, to))
    }

    /// What is said of a domain of ours.
    pub fn local_domain(&self, domain: &Domain) -> Option<&LocalDomain> {
        self.local_domains.iter().find(|local| local.name == *domain)
    }

    /// Who gets mail to postmaster and abuse, if the domain says nothing.
    pub fn postmaster_for(&self, address: &SmtpAddress) -> Option<&SmtpAddress> {
        self.inbound.postmaster.as_ref().filter(|_| is_role(address.local_part()))
    }

    /// Rows `[[domain]]` for a domain, the closest first.
    pub fn domains_for(&self, domain: &str) -> Vec<&RemoteDomain> {
        let fits = |row: &&RemoteDomain| row.name.fits(domain);
        let mut rows: Vec<_> = self.domains.iter().filter(|row| fits(row).is_some()).collect();
        rows.sort_by_key(|row| std::cmp::Reverse(fits(row)));
        rows
    }

    /// How mail goes to a domain (lower case, A-labels).
    pub fn outbound_for(&self, domain: &str) -> Outbound {
        if self.domains.is_empty() {
            return self.outbound.clone();
        }
        let rows = self.domains_for(domain);
        let closest = rows.iter().fold(Outbound::default(), |so_far, row| so_far.or(&row.values));
        closest.or(&self.outbound)
    }

    /// Times of an urgency.
    pub fn urgency(&self, urgency: Urgency) -> UrgencyTimes {
        self.urgency.get(&urgency).cloned().unwrap_or_default()
    }

    /// Whether some domain's mail waits for ETRN.
    pub fn waits_for_etrn(&self, domain: &str) -> bool {
        self.outbound_for(domain).wait_for_etrn.unwrap_or(false)
    }

    /// Patterns of domains that are named.
    pub fn named_domains(&self) -> impl Iterator<Item = &DomainPattern> {
        self.domains.iter().map(|row| &row.name)
    }
}

fn twice<T: std::hash::Hash + Eq + ToString>(
    mistakes: &mut Vec<String>,
    row: &str,
    names: impl Iterator<Item = T>,
) {
    let mut seen = HashSet::new();
    let mut told = HashMap::new();
    for name in names {
        let text = name.to_string();
        if !seen.insert(name) && told.insert(text.clone(), ()).is_none() {
            mistakes.push(format!("{row} {text}: it stands there twice; keep one"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DomainTls, Size};

    #[test]
    fn an_empty_file_is_the_default_and_opens_nothing() {
        let policy = Policy::parse("").unwrap();
        assert_eq!(policy, Policy::default());
        assert!(policy.relay.allow.is_empty() && policy.relay.interfaces.is_empty());
    }

    /// T13, T43, T52, T53
    #[test]
    fn the_closest_row_has_the_first_word_and_the_rest_is_inherited() {
        let policy = Policy::parse(
            "[outbound]\nsize-limit = '2000 KiB'\nconnections = 4\n\
             [[domain]]\nname = 'ms.test'\nroute = ['host1.test']\nsize-limit = '1 MiB'\n\
             [[domain]]\nname = '#ms.test'\ntls = 'verify'\n",
        )
        .unwrap();
        let exact = policy.outbound_for("ms.test");
        assert_eq!(exact.tls, Some(DomainTls::Verify));
        assert_eq!(exact.size_limit, Some(Size(1 << 20)));
        assert_eq!(exact.connections, Some(4));
        let below = policy.outbound_for("sales.ms.test");
        assert_eq!((below.tls, below.route.map(|r| r.len())), (None, Some(1)));
        let beside = policy.outbound_for("pms.test");
        assert_eq!((beside.route, beside.size_limit), (None, Some(Size(2000 * 1024))));
    }

    #[test]
    fn what_the_original_took_silently_is_refused_with_its_place() {
        for (text, said) in [
            ("[outbound]\nretry-schedule = ['150']\n", "150"),
            ("[outbound]\nretry-schedule = ['abc']\n", "abc"),
            ("[outbound]\nretry-schedule = ['30 h']\n", "30 h"),
            ("[outbound]\nretry-schedule = []\n", "retry-schedule"),
            ("[outbound]\nsize-limit = '2000'\n", "unit"),
            ("[outbound]\nconnections = 0\n", "connections"),
            ("[rewriting]\nmasquerade = { 'a b' = 'a.test' }\n", "'a b' is not a domain"),
            ("[rewriting]\ncanonical = { 'x@a.test' = 'x' }\n", "'x' is not an address"),
            ("[outbound]\nuser = 'x'\n", "password-file"),
            ("[relay]\nallow = ['10.0.0.1/8']\n", "10.0.0.0/8"),
            ("[relay]\nalow = []\n", "alow"),
            ("[[domain]]\nname='a.test'\nrout = []\n", "rout"),
            (
                "[[local-domain]]\nname='a.test'\nalias-of='b.test'\ncatch-all='x@a.test'\n",
                "alias-of",
            ),
            ("[[limit]]\nper='host'\nof='messages'\nmost=0\nwithin='1 h'\n", "above zero"),
            (
                "[[limit]]\nper='user'\nof='failed-logins'\nmost=1\nwithin='1 h'\n",
                "per host or network",
            ),
        ] {
            let error = Policy::parse(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
