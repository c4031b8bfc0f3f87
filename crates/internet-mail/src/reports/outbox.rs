//! What is counted and what waits. Pure.

use super::wire::{ReportKind, ReportLine, ReportState};
use concord_base::Timestamp;
use concord_mail_authentication::report::{DmarcCollector, DmarcDay, TlsReportRow, utc_day};
use concord_mail_authentication::{Applied, Results};
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Days after which a report that could not be sent is given up: nobody acts on
/// figures that are older.
const KEEP_DAYS: i64 = 4;

/// Reports that wait at once: those of two days of the largest size. Beyond it
/// the oldest go.
const MAX_WAITING: usize = 8_192;

/// The first wait after a failure; it doubles up to [`MAX_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(600);
const MAX_WAIT: Duration = Duration::from_secs(6 * 3600);

/// The span after midnight in which reports begin: a domain with many
/// correspondents must not hear of all of them at once (RFC 8460 section 4.1).
const SPREAD: u64 = 4 * 3600;

/// When after midnight this host sends, always the same.
pub(super) fn spread(hostname: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    hostname.hash(&mut hasher);
    Duration::from_secs(hasher.finish() % SPREAD)
}

/// What one report says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Content {
    Dmarc(DmarcDay),
    Tls { day: i64, domain: String, rows: Vec<TlsReportRow> },
}

impl Content {
    pub(super) fn day(&self) -> i64 {
        match self {
            Self::Dmarc(day) => day.day,
            Self::Tls { day, .. } => *day,
        }
    }

    fn domain(&self) -> &str {
        match self {
            Self::Dmarc(day) => &day.record.domain,
            Self::Tls { domain, .. } => domain,
        }
    }

    pub(super) fn line(&self, state: ReportState, detail: impl Into<String>) -> ReportLine {
        let (kind, count) = match self {
            Self::Dmarc(day) => (ReportKind::Dmarc, dmarc_count(day)),
            Self::Tls { rows, .. } => {
                let failed = |row: &TlsReportRow| row.failures.iter().map(|f| f.count).sum::<u64>();
                let sum = rows.iter().map(|row| row.successes.saturating_add(failed(row)));
                (ReportKind::Tls, sum.fold(0, u64::saturating_add))
            }
        };
        let (domain, detail) = (self.domain().to_owned(), detail.into());
        ReportLine { kind, day: date(self.day()), domain, count, state, detail }
    }
}

fn dmarc_count(day: &DmarcDay) -> u64 {
    day.rows.values().fold(day.left_out, |sum, count| sum.saturating_add(*count))
}

fn date(day: i64) -> String {
    let midnight = jiff::Timestamp::from_second(day.saturating_mul(86_400)).unwrap_or_default();
    midnight.strftime("%Y-%m-%d").to_string()
}

/// A report that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    content: Content,
    tries: u32,
    next: Timestamp,
    problem: String,
}

/// Everything.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Outbox {
    dmarc: DmarcCollector,
    waiting: Vec<Waiting>,
    /// The last day of TLS sessions of which reports were made.
    tls_done: i64,
    #[serde(skip)]
    changed: bool,
}

impl Outbox {
    pub(super) fn count(&mut self, results: &Results, applied: Applied, now: Timestamp) {
        self.changed |= self.dmarc.count(results, applied, now);
    }

    /// Makes reports of the days that were over at `now`.
    pub(super) fn close_days(&mut self, now: Timestamp) {
        if self.dmarc.has_complete(now) {
            let days = self.dmarc.take_complete(now);
            self.add(days.into_iter().map(Content::Dmarc));
        }
    }

    pub(super) fn tls_done(&self) -> i64 {
        self.tls_done
    }

    /// Takes the reports of TLS sessions up to a day.
    pub(super) fn add_tls(&mut self, last: i64, contents: Vec<Content>) {
        if last > self.tls_done {
            self.tls_done = last;
            self.add(contents.into_iter());
        }
    }

    pub(super) fn add(&mut self, contents: impl Iterator<Item = Content>) {
        let new = |content| Waiting {
            content,
            tries: 0,
            next: Timestamp::default(),
            problem: String::new(),
        };
        self.waiting.extend(contents.map(new));
        let over = self.waiting.len().saturating_sub(MAX_WAITING);
        self.waiting.drain(..over);
        self.changed = true;
    }

    /// What is due, whose place in the list is the number.
    pub(super) fn due(&self, now: Timestamp) -> Vec<Content> {
        let due = self.waiting.iter().filter(|one| one.next <= now);
        due.map(|one| one.content.clone()).collect()
    }

    /// It was sent, or nobody wants it.
    pub(super) fn settle(&mut self, content: &Content) {
        self.waiting.retain(|one| one.content != *content);
        self.changed = true;
    }

    /// It could not be sent. Says whether it is given up.
    pub(super) fn failed(&mut self, content: &Content, problem: &str, now: Timestamp) -> bool {
        self.changed = true;
        let too_old = utc_day(now).saturating_sub(content.day()) > KEEP_DAYS;
        if too_old {
            self.settle(content);
            return true;
        }
        if let Some(one) = self.waiting.iter_mut().find(|one| one.content == *content) {
            let wait = FIRST_WAIT.saturating_mul(1u32.checked_shl(one.tries).unwrap_or(u32::MAX));
            one.tries = one.tries.saturating_add(1).min(16);
            one.next = now + wait.min(MAX_WAIT);
            problem.clone_into(&mut one.problem);
        }
        false
    }

    /// What there is, the oldest first.
    pub(super) fn lines(&self) -> Vec<ReportLine> {
        let waiting = self.waiting.iter();
        let waiting = waiting.map(|one| one.content.line(ReportState::Waiting, &*one.problem));
        let counting = self.dmarc.domains().map(|day| ReportLine {
            kind: ReportKind::Dmarc,
            day: date(day.day),
            domain: day.record.domain.clone(),
            count: dmarc_count(day),
            state: ReportState::Counting,
            detail: String::new(),
        });
        waiting.chain(counting).collect()
    }

    pub(super) fn take_changes(&mut self) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        // Only a value that JSON cannot hold would fail; there is none in it.
        serde_json::to_vec(self).ok()
    }

    pub(super) fn changes_are_lost(&mut self) {
        self.changed = true;
    }
}
