//! Lists of hosts in the DNS (RFC 5782): the rows `[[blocklist]]`.

mod name;
mod silence;

use crate::limits::{LIST_TIME, LISTS_AT_ONCE, MAX_REASON, REASON_TIME};
use concord_base::Timestamp;
use concord_mail_policy::{Blocklist, Rule};
use futures_util::StreamExt;
use futures_util::stream;
use silence::Silences;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use tokio::time::timeout;

/// The DNS did not say whether a name is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAnswer;

/// Asks the DNS. Answers are kept there as long as their TTL says, so that the
/// same question costs nothing the next time.
#[async_trait::async_trait]
pub trait Resolve: Send + Sync {
    /// The IPv4 addresses of a name (without the final dot); none if it has none
    /// or does not exist.
    ///
    /// # Errors
    /// [`NoAnswer`].
    async fn addresses(&self, name: &str) -> Result<Vec<Ipv4Addr>, NoAnswer>;

    /// The first text of a name, if it has one.
    ///
    /// # Errors
    /// [`NoAnswer`].
    async fn text(&self, name: &str) -> Result<Option<String>, NoAnswer>;
}

/// A list that has a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The list.
    pub zone: String,
    /// Its answer.
    pub answer: Ipv4Addr,
    /// What the list says of it, in printable ASCII; known of the listing that
    /// decides.
    pub reason: Option<String>,
    /// What the administrator wants done.
    pub action: Rule,
}

/// Asks lists for clients, and remembers which lists do not answer.
#[derive(Debug, Default)]
pub struct Blocklists {
    silences: Mutex<Silences>,
}

impl Blocklists {
    /// Nothing was asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The lists that have a client, the one that decides first: one that
    /// refuses before one that defers before one that marks, then in the order
    /// of the rows. Lists that do not answer within [`LIST_TIME`] do not have
    /// it. Ends within [`LIST_TIME`] and [`REASON_TIME`].
    pub async fn look_up(
        &self,
        rows: &[Blocklist],
        client: IpAddr,
        resolver: &dyn Resolve,
        now: Timestamp,
    ) -> Vec<Listing> {
        if !name::is_asked_for(client) {
            return Vec::new();
        }
        let asked = {
            let silences = self.silences.lock().unwrap_or_else(PoisonError::into_inner);
            rows.iter().filter(|row| !silences.is_silent(&row.zone, now)).collect::<Vec<_>>()
        };
        let mut answers: Vec<Pin<Box<dyn Future<Output = Option<Listing>> + Send + '_>>> =
            Vec::with_capacity(asked.len());
        for row in asked {
            answers.push(Box::pin(async move {
                let name = name::question(client, &row.zone);
                let answer = timeout(LIST_TIME, resolver.addresses(&name)).await;
                self.judge(row, answer.unwrap_or(Err(NoAnswer)), now)
            }));
        }
        let answers = stream::iter(answers);
        let mut listings = Vec::new();
        let mut answers = std::pin::pin!(answers.buffered(LISTS_AT_ONCE));
        let all = async {
            while let Some(listing) = answers.next().await {
                listings.extend(listing);
            }
        };
        // With more lists than are asked at once, the rest may not get its turn.
        let _ = timeout(LIST_TIME, all).await;
        listings.sort_by_key(|listing| match listing.action {
            Rule::Refuse => 0,
            Rule::Defer => 1,
            Rule::Mark => 2,
        });
        if let Some(first) = listings.first_mut() {
            let name = name::question(client, &first.zone);
            let text = timeout(REASON_TIME, resolver.text(&name)).await;
            first.reason = text.ok().and_then(Result::ok).flatten().map(|text| printable(&text));
        }
        listings
    }

    fn judge(
        &self,
        row: &Blocklist,
        answer: Result<Vec<Ipv4Addr>, NoAnswer>,
        now: Timestamp,
    ) -> Option<Listing> {
        let zone = &row.zone;
        let refused = answer.as_ref().is_ok_and(|found| found.iter().any(|a| is_refusal(*a)));
        let mut silences = self.silences.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(found) = answer else {
            if silences.failed(zone, now) {
                tracing::warn!(zone, "a blocklist does not answer; it is left alone for a minute");
            }
            return None;
        };
        if refused {
            if silences.failed(zone, now) {
                tracing::warn!(
                    zone,
                    ?found,
                    "a blocklist does not answer questions of our name server; see its rules of use"
                );
            }
            return None;
        }
        silences.answered(zone);
        drop(silences);
        let counts = |address: Ipv4Addr| {
            row.answers.is_empty() || row.answers.iter().any(|n| n.contains(IpAddr::V4(address)))
        };
        // RFC 5782 section 2.3: other addresses are no listing; a domain that was
        // given up and now has an address for every name would list everybody.
        let answer = found.into_iter().find(|a| a.is_loopback() && counts(*a))?;
        Some(Listing { zone: zone.clone(), answer, reason: None, action: row.action })
    }
}

/// Answers in 127.255.255.0/24 are errors, by Spamhaus's use that others follow:
/// 252 a mistyped name, 254 asked by way of an open resolver, 255 asked too
/// often.
fn is_refusal(answer: Ipv4Addr) -> bool {
    matches!(answer.octets(), [127, 255, 255, _])
}

fn printable(text: &str) -> String {
    let shown = |c: char| if matches!(c, ' '..='~') { c } else { ' ' };
    text.trim().chars().map(shown).take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests;
