//! The days of TLS sessions, as the ledger of outbound sessions keeps them.

use super::outbox::Content;
use concord_base::Timestamp;
use concord_mail_authentication::report::utc_day;
use concord_transport_security::LedgerError;
use concord_transport_security::{days, report};
use std::path::Path;
use std::time::Duration;

/// The ledger's directory below the service's.
pub(super) const LEDGER: &str = "tls-sessions";

/// The ledger writes once a minute: so long after midnight a day is whole.
const WRITTEN_AFTER: Duration = Duration::from_secs(120);

/// The reports of days after `done` that were over at `now`, and the last such
/// day. Blocks.
///
/// # Errors
/// The ledger cannot be read.
pub(super) fn complete(
    ledger: &Path,
    done: i64,
    now: Timestamp,
) -> Result<(i64, Vec<Content>), LedgerError> {
    let today = utc_day(now - WRITTEN_AFTER);
    between(ledger, done.saturating_add(1), today)
}

/// What is counted of days that are not over. Blocks.
///
/// # Errors
/// The ledger cannot be read.
pub(super) fn counting(ledger: &Path, now: Timestamp) -> Result<Vec<Content>, LedgerError> {
    between(ledger, utc_day(now), i64::MAX).map(|(_, contents)| contents)
}

fn between(ledger: &Path, first: i64, end: i64) -> Result<(i64, Vec<Content>), LedgerError> {
    let mut contents = Vec::new();
    let mut last = first.saturating_sub(1);
    for day in days(ledger)?.into_iter().filter(|day| (first..end).contains(day)) {
        for (domain, rows) in report(ledger, day)? {
            contents.push(Content::Tls { day, domain, rows });
        }
        last = day;
    }
    Ok((last, contents))
}
