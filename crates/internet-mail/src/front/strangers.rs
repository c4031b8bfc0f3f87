//! What is asked of a client because of what it is and does: limits,
//! blocklists, greylisting.
//!
//! In this order, each only if what stands before let it pass: at the connection
//! rows `[[host]]` and the limit of connections; at AUTH that of failed logins; at MAIL that of
//! messages; at RCPT the limit of recipients, the rules of the policy
//! (`admission`), blocklists, greylisting; then filters and core are asked. A
//! limit costs no look-up, so a flood is answered at once (Q166584).

use super::reputation::Names;
use super::session::Front;
use concord_mail_policy::{Event, Period, Policy, Rule};
use concord_reputation::{Exceeded, Listing, Presented, Who};
use concord_smtp::{RcptCommand, Reply};
use metrics::counter;
use std::fmt::Write as _;
use std::time::Duration;

/// What a session knows of its client.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Whom it has logged in as.
    pub(super) user: Option<String>,
    /// The lists that have it, once they were asked.
    listings: Option<Vec<Listing>>,
}

/// A time in whole seconds, not shorter than it is.
fn shown(wait: Duration) -> Period {
    let more = u64::from(wait.subsec_nanos() > 0);
    Period::seconds(wait.as_secs().saturating_add(more))
}

/// RFC 5321 section 4.5.1: everybody may write to the postmaster; whoever is
/// listed wrongly has nobody else to tell.
fn is_postmaster(rcpt: &RcptCommand) -> bool {
    rcpt.to.address().is_none_or(|to| to.local_part().eq_ignore_ascii_case("postmaster"))
}

impl Front {
    /// Whether limits are for this client: a row `[[host]]` can spare it.
    fn is_limited(&self, policy: &Policy) -> bool {
        !policy.limits.is_empty() && !policy.host(self.client.ip()).is_some_and(|rule| rule.exempt)
    }

    fn with_who<T>(&self, ask: impl FnOnce(&Who<'_>) -> T) -> T {
        let from = self.mail.as_ref().and_then(|mail| mail.from.0.as_ref());
        let domain = from.map(|from| from.domain().to_string().to_ascii_lowercase());
        ask(&Who {
            client: self.client.ip(),
            user: self.known.user.as_deref(),
            domain: domain.as_deref(),
        })
    }

    /// Counts an event; a refusal if it is one too many.
    pub(super) fn limit(&self, event: Event) -> Result<(), Reply> {
        let (policy, generation) = self.service.config.policy.with_generation();
        if !self.is_limited(&policy) {
            return Ok(());
        }
        let now = self.service.clock.now();
        let reputation = &self.service.reputation;
        self.with_who(|who| reputation.take((&policy, generation), event, who, now))
            .map_err(|exceeded| self.too_many(event, &exceeded))
    }

    /// Before a login is tried.
    pub(super) fn limit_logins(&self) -> Result<(), Reply> {
        let (policy, generation) = self.service.config.policy.with_generation();
        if !self.is_limited(&policy) {
            return Ok(());
        }
        let now = self.service.clock.now();
        let event = Event::FailedLogins;
        let reputation = &self.service.reputation;
        self.with_who(|who| reputation.check((&policy, generation), event, who, now))
            .map_err(|exceeded| self.too_many(event, &exceeded))
    }

    /// A login has failed.
    pub(super) fn login_failed(&self) {
        let (policy, generation) = self.service.config.policy.with_generation();
        if self.is_limited(&policy) {
            let now = self.service.clock.now();
            let event = Event::FailedLogins;
            let reputation = &self.service.reputation;
            self.with_who(|who| reputation.count((&policy, generation), event, who, now));
        }
    }

    fn too_many(&self, event: Event, exceeded: &Exceeded) -> Reply {
        counter!("concord_smtp_refusals_total", "cause" => "limit").increment(1);
        tracing::info!(client = %self.client, %exceeded, "a limit is reached");
        let code = match event {
            // RFC 5321 section 3.8: the connection ends.
            Event::Connections => 421,
            // RFC 4954 section 4: a temporary failure of AUTH.
            Event::FailedLogins => 454,
            Event::Messages | Event::Recipients => 450,
        };
        let wait = shown(exceeded.wait);
        Reply::new(code, (4, 7, 0), format!("{exceeded}; come again in {wait}"))
    }

    /// Blocklists and greylisting, for a recipient of a stranger's message.
    pub(super) async fn refuse_stranger(&mut self, rcpt: &RcptCommand) -> Option<Reply> {
        if !self.is_stranger() || is_postmaster(rcpt) {
            return None;
        }
        let policy = self.policy();
        if let Some(refusal) = self.listed(&policy).await {
            return Some(refusal);
        }
        // RFC 6647 section 2.4 and common practice: hosts that ask whether a
        // sender exists (callbacks) use the null path and go no further than
        // RCPT. If they were deferred, mail of our users to them would be.
        let null = self.mail.as_ref().is_none_or(|mail| mail.from.0.is_none());
        if null { None } else { self.greylisted(&policy, rcpt) }
    }

    /// At DATA: the null path's turn with the greylist.
    pub(super) fn greylist_reports(&self) -> Result<(), Reply> {
        let null = self.mail.as_ref().is_none_or(|mail| mail.from.0.is_none());
        if !null || !self.is_stranger() {
            return Ok(());
        }
        let policy = self.policy();
        let named = self.accepted.iter().filter(|rcpt| !is_postmaster(rcpt));
        // All are asked, so that all have come once.
        let refusals: Vec<Reply> =
            named.filter_map(|rcpt| self.greylisted(&policy, rcpt)).collect();
        refusals.into_iter().next_back().map_or(Ok(()), Err)
    }

    /// Lists are asked once in a session.
    async fn listed(&mut self, policy: &Policy) -> Option<Reply> {
        let client = self.client.ip();
        if self.known.listings.is_none() && !policy.blocklists.is_empty() {
            let (names, now) = (Names(self.service.dns.plain()), self.service.clock.now());
            let lists = &self.service.reputation.blocklists;
            let found = lists.look_up(&policy.blocklists, client, &names, now).await;
            for listing in &found {
                let (zone, answer) = (&listing.zone, listing.answer);
                let action = format!("{:?}", listing.action).to_lowercase();
                counter!("concord_blocklist_hits_total", "zone" => zone.clone()).increment(1);
                tracing::info!(client = %self.client, zone, %answer, action, "a blocklist has it");
            }
            self.known.listings = Some(found);
        }
        let listing = self.known.listings.as_ref()?.first()?;
        let (code, class) = match listing.action {
            Rule::Refuse => (550, 5),
            Rule::Defer => (450, 4),
            Rule::Mark => return None,
        };
        counter!("concord_smtp_refusals_total", "cause" => "blocklist").increment(1);
        let mut text = format!("{client} is listed by {}", listing.zone);
        if let Some(reason) = &listing.reason {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {reason}");
        }
        Some(Reply::new(code, (class, 7, 1), text))
    }

    /// Fields for lists that only mark.
    pub(super) fn marks(&self) -> String {
        let mut fields = String::new();
        let listings = self.known.listings.iter().flatten();
        for listing in listings.filter(|listing| listing.action == Rule::Mark) {
            let (zone, answer) = (&listing.zone, listing.answer);
            // Writing to a String cannot fail.
            let _ = write!(fields, "X-Blocklist: {} in {zone} ({answer})\r\n", self.client.ip());
        }
        fields
    }

    fn greylisted(&self, policy: &Policy, rcpt: &RcptCommand) -> Option<Reply> {
        let settings = &policy.greylisting;
        if !settings.enabled {
            return None;
        }
        let from = self.mail.as_ref().and_then(|mail| mail.from.0.as_ref());
        let (from, to) = (from.map(ToString::to_string), rcpt.to.address()?.to_string());
        let presented =
            Presented { client: self.client.ip(), sender: from.as_deref(), recipient: &to };
        let asked =
            self.service.reputation.greylist(settings, &presented, self.service.clock.now());
        let wait = shown(asked.err()?);
        counter!("concord_smtp_refusals_total", "cause" => "greylisting").increment(1);
        let from = from.unwrap_or_default();
        tracing::info!(client = %self.client, from, to, %wait, "asked to come again");
        let text = format!("{} is not known here yet, come again in {wait}", self.client.ip());
        Some(Reply::new(450, (4, 7, 1), text))
    }
}
