//! What happened with TLS, counted by policy and UTC day (RFC 8460).
//!
//! A file for each day, `DAY.json` (days since 1970-01-01): policy domains and
//! their rows, as [`TlsReport::new`] takes them.
//!
//! [`TlsReport::new`]: concord_mail_authentication::report::TlsReport::new

use crate::error::LedgerError;
use crate::limits::{
    MAX_REASON, MAX_REPORT_DAYS, MAX_REPORT_DOMAINS, MAX_REPORT_FAILURES, MAX_REPORT_POLICIES,
};
use crate::sts::StsPolicy;
use crate::tlsa::TlsaRecord;
use concord_base::Timestamp;
use concord_mail_authentication::report::{
    TlsFailure, TlsFailureKind, TlsPolicyKind, TlsReportRow, utc_day,
};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The rows of a day by policy domain.
type Day = BTreeMap<String, Vec<TlsReportRow>>;

/// The policy that a session counts for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    kind: TlsPolicyKind,
    domain: String,
    strings: Vec<String>,
    mx_hosts: Vec<String>,
}

impl Applied {
    /// DANE. The policy domain is the TLSA base domain, which is the host's
    /// name (RFC 8460 section 1.1).
    pub fn tlsa(host: &str, records: &[TlsaRecord]) -> Self {
        let mut strings: Vec<String> = records.iter().map(ToString::to_string).collect();
        strings.sort();
        Self { kind: TlsPolicyKind::Tlsa, domain: host.to_owned(), strings, mx_hosts: Vec::new() }
    }

    /// MTA-STS.
    pub fn sts(domain: &str, policy: &StsPolicy) -> Self {
        Self {
            kind: TlsPolicyKind::Sts,
            domain: domain.to_owned(),
            strings: policy.to_string().lines().map(str::to_owned).collect(),
            mx_hosts: policy.hosts(),
        }
    }

    /// MTA-STS whose policy could not be fetched.
    pub fn unfetched(domain: &str) -> Self {
        let (strings, mx_hosts) = (Vec::new(), Vec::new());
        Self { kind: TlsPolicyKind::Sts, domain: domain.to_owned(), strings, mx_hosts }
    }

    /// Neither.
    pub fn none(domain: &str) -> Self {
        let (strings, mx_hosts) = (Vec::new(), Vec::new());
        Self { kind: TlsPolicyKind::NoPolicyFound, domain: domain.to_owned(), strings, mx_hosts }
    }

    fn is_of(&self, row: &TlsReportRow) -> bool {
        row.policy == self.kind && row.policy_strings == self.strings
    }
}

/// A session that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFailure {
    /// How.
    pub kind: TlsFailureKind,
    /// The address we sent from.
    pub sending_ip: Option<IpAddr>,
    /// The host's name.
    pub mx_host: Option<String>,
    /// Its address.
    pub receiving_ip: Option<IpAddr>,
    /// The error's code.
    pub reason: String,
}

/// Counts sessions. Nothing is durable before [`Ledger::flush`]: a crash loses
/// what was counted since.
#[derive(Debug, Default)]
pub struct Ledger {
    directory: Option<PathBuf>,
    days: Mutex<BTreeMap<i64, Open>>,
}

/// A day that is counted in.
#[derive(Debug, Default)]
struct Open {
    day: Day,
    changed: bool,
}

impl Ledger {
    /// Counts below a directory, which is made. Blocks.
    ///
    /// # Errors
    /// [`LedgerError::Io`]
    pub fn open(directory: PathBuf) -> Result<Self, LedgerError> {
        concord_files::private_directory(&directory)
            .map_err(|cause| LedgerError::Io { file: directory.clone(), cause })?;
        Ok(Self { directory: Some(directory), days: Mutex::default() })
    }

    /// Counts as long as it lives.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// A session went as its policy asks.
    pub fn success(&self, applied: &Applied, now: Timestamp) {
        self.count(applied, now, |row| row.successes = row.successes.saturating_add(1));
    }

    /// A session failed, or would have if the policy were enforced.
    pub fn failure(&self, applied: &Applied, failure: SessionFailure, now: Timestamp) {
        self.count(applied, now, |row| add(&mut row.failures, failure));
    }

    fn count(&self, applied: &Applied, now: Timestamp, count: impl FnOnce(&mut TlsReportRow)) {
        // An address has no domain, and nobody who would get a report.
        if applied.domain.is_empty() {
            return;
        }
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let number = utc_day(now);
        let open = days
            .entry(number)
            .or_insert_with(|| Open { day: self.earlier(number), changed: false });
        if open.day.len() >= MAX_REPORT_DOMAINS && !open.day.contains_key(&applied.domain) {
            return;
        }
        let rows = open.day.entry(applied.domain.clone()).or_default();
        let at = match rows.iter().position(|row| applied.is_of(row)) {
            Some(at) => at,
            None if rows.len() >= MAX_REPORT_POLICIES => return,
            None => {
                rows.push(TlsReportRow {
                    policy: applied.kind,
                    policy_strings: applied.strings.clone(),
                    policy_domain: applied.domain.clone(),
                    mx_hosts: applied.mx_hosts.clone(),
                    successes: 0,
                    failures: Vec::new(),
                });
                rows.len().saturating_sub(1)
            }
        };
        if let Some(row) = rows.get_mut(at) {
            count(row);
            open.changed = true;
        }
    }

    /// What was counted on a day before this process began.
    fn earlier(&self, number: i64) -> Day {
        let Some(directory) = &self.directory else { return Day::new() };
        match report(directory, number) {
            Ok(day) => day,
            Err(error) => {
                tracing::warn!(%error, "the counts of TLS sessions begin anew");
                Day::new()
            }
        }
    }

    /// Writes what has changed, forgets days that are over, and removes those
    /// that are old. Blocks.
    ///
    /// # Errors
    /// [`LedgerError`]; what was not written is tried again.
    pub fn flush(&self, now: Timestamp) -> Result<(), LedgerError> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let today = utc_day(now);
        let changed: Vec<(i64, String)> = {
            let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
            let changed = days.iter().filter(|(_, open)| open.changed);
            changed
                .filter_map(|(number, open)| {
                    Some((*number, serde_json::to_string(&open.day).ok()?))
                })
                .collect()
        };
        for (number, text) in &changed {
            let file = file(directory, *number);
            concord_files::replace(&file, text.as_bytes())
                .map_err(|cause| LedgerError::Io { file, cause })?;
        }
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, text) in &changed {
            if let Some(open) = days.get_mut(number) {
                open.changed = serde_json::to_string(&open.day).is_ok_and(|now| now != *text);
            }
        }
        days.retain(|number, open| open.changed || *number >= today);
        drop(days);
        for number in self::days(directory)? {
            if number < today.saturating_sub(MAX_REPORT_DAYS) {
                let _ = std::fs::remove_file(file(directory, number));
            }
        }
        Ok(())
    }
}

fn add(failures: &mut Vec<TlsFailure>, new: SessionFailure) {
    let reason: String = new.reason.chars().take(MAX_REASON).collect();
    let same = |old: &TlsFailure| {
        old.kind == new.kind
            && old.sending_ip == new.sending_ip
            && old.mx_host == new.mx_host
            && old.receiving_ip == new.receiving_ip
            && old.reason.as_deref() == Some(&*reason)
    };
    let full = failures.len() >= MAX_REPORT_FAILURES;
    let at = failures.iter().position(same);
    let at = at.or_else(|| failures.iter().position(|old| full && old.kind == new.kind));
    match at.and_then(|at| failures.get_mut(at)) {
        Some(old) => old.count = old.count.saturating_add(1),
        None if full => {}
        None => failures.push(TlsFailure {
            kind: new.kind,
            sending_ip: new.sending_ip,
            mx_host: new.mx_host,
            receiving_ip: new.receiving_ip,
            count: 1,
            reason: Some(reason),
        }),
    }
}

fn file(directory: &Path, number: i64) -> PathBuf {
    directory.join(format!("{number}.json"))
}

/// The days of which there are counts, in order. Blocks.
///
/// # Errors
/// [`LedgerError::Io`]
pub fn days(directory: &Path) -> Result<Vec<i64>, LedgerError> {
    let io = |cause| LedgerError::Io { file: directory.to_owned(), cause };
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(io(error)),
    };
    for entry in entries {
        let name = entry.map_err(io)?.file_name();
        let number: Option<i64> =
            name.to_str().and_then(|name| name.strip_suffix(".json")?.parse().ok());
        found.extend(number);
    }
    found.sort_unstable();
    Ok(found)
}

/// What was counted on a UTC day, by policy domain: each value is what
/// `TlsReport::new` makes the domain's report of. A day without counts is
/// empty. The process that counts writes once a minute and when it ends, so a
/// day is whole one minute after its end. Blocks.
///
/// # Errors
/// [`LedgerError`]
pub fn report(
    directory: &Path,
    day: i64,
) -> Result<BTreeMap<String, Vec<TlsReportRow>>, LedgerError> {
    let file = file(directory, day);
    match std::fs::read(&file) {
        Ok(text) => {
            serde_json::from_slice(&text).map_err(|cause| LedgerError::Broken { file, cause })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Day::new()),
        Err(cause) => Err(LedgerError::Io { file, cause }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_mail_authentication::report::{Reporter, TlsReport};
    use std::time::Duration;

    const NOON: Timestamp = Timestamp(1_795_867_200_000);

    fn failure(host: &str) -> SessionFailure {
        SessionFailure {
            kind: TlsFailureKind::CertificateExpired,
            sending_ip: None,
            mx_host: Some(host.to_owned()),
            receiving_ip: Some([192, 0, 2, 1].into()),
            reason: "transport-security.certificate".to_owned(),
        }
    }

    fn policy() -> StsPolicy {
        StsPolicy::parse(b"version: STSv1\nmode: enforce\nmx: *.a.test\nmax_age: 60\n").unwrap()
    }

    #[test]
    fn counts_survive_a_restart_and_make_a_report() {
        let directory = tempfile::tempdir().unwrap();
        let sts = Applied::sts("a.test", &policy());
        let day = utc_day(NOON);
        for _ in 0..2 {
            let ledger = Ledger::open(directory.path().to_owned()).unwrap();
            ledger.success(&sts, NOON);
            ledger.success(&sts, NOON);
            ledger.failure(&sts, failure("mx.a.test"), NOON);
            ledger.success(&Applied::none("b.test"), NOON);
            ledger.flush(NOON).unwrap();
        }
        let rows = report(directory.path(), day).unwrap();
        assert_eq!(rows.keys().collect::<Vec<_>>(), ["a.test", "b.test"]);
        let row = &rows["a.test"][0];
        assert_eq!((row.successes, row.failures.len(), row.failures[0].count), (4, 1, 2));
        let reporter = Reporter {
            organisation: "Example".to_owned(),
            address: "postmaster@example.test".to_owned(),
            contact: None,
            domain: "example.test".to_owned(),
        };
        let text = TlsReport::new(&reporter, "a.test", day, &rows["a.test"]).json().unwrap();
        for expected in [
            "\"policy-type\": \"sts\"",
            "\"version: STSv1\"",
            "\"*.a.test\"",
            "\"total-successful-session-count\": 4",
            "\"result-type\": \"certificate-expired\"",
            "\"failed-session-count\": 2",
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
        assert!(report(directory.path(), day - 1).unwrap().is_empty());
    }

    #[test]
    fn a_new_day_is_a_new_file_and_old_days_go() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(directory.path().to_owned()).unwrap();
        let later = |days: u64| NOON + Duration::from_secs(86_400 * days);
        for days in [0, 1, 12] {
            ledger.success(&Applied::none("a.test"), later(days));
        }
        ledger.flush(later(1)).unwrap();
        ledger.flush(later(12)).unwrap();
        let today = utc_day(NOON);
        assert_eq!(days(directory.path()).unwrap(), [today + 12]);
        std::fs::write(directory.path().join(format!("{today}.json")), "{").unwrap();
        assert!(matches!(report(directory.path(), today), Err(LedgerError::Broken { .. })));
    }

    #[test]
    fn counts_are_bounded() {
        let ledger = Ledger::in_memory();
        let applied = Applied::none("a.test");
        for n in 0..2 * MAX_REPORT_FAILURES {
            ledger.failure(&applied, failure(&format!("mx{n}.a.test")), NOON);
        }
        for n in 0..=MAX_REPORT_DOMAINS {
            ledger.success(&Applied::none(&format!("{n}.test")), NOON);
        }
        let days = ledger.days.lock().unwrap();
        let day = &days[&utc_day(NOON)].day;
        assert_eq!(day.len(), MAX_REPORT_DOMAINS);
        let failures = &day["a.test"][0].failures;
        assert_eq!(failures.len(), MAX_REPORT_FAILURES);
        let sum: u64 = failures.iter().map(|failure| failure.count).sum();
        assert_eq!(sum, 2 * MAX_REPORT_FAILURES as u64);
    }
}
