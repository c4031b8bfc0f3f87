//! Received reports, as something that can be printed.

use super::{TlsReport, unpack};
use crate::error::ReportError;
use serde::Serialize;
use std::net::IpAddr;

/// A received report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum ReceivedReport {
    /// DMARC aggregate.
    Dmarc(DmarcSummary),
    /// SMTP TLS.
    Tls(TlsSummary),
}

/// A DMARC report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DmarcSummary {
    /// Who reports.
    pub organisation: String,
    /// Whom to ask.
    pub email: String,
    /// Its number.
    pub id: String,
    /// Seconds since the epoch.
    pub begin: u64,
    /// Seconds since the epoch.
    pub end: u64,
    /// The domain that it is about.
    pub domain: String,
    /// The policy that was seen: `none`, `quarantine`, `reject`, or empty.
    pub policy: &'static str,
    /// All messages.
    pub messages: u64,
    /// Those that passed DMARC.
    pub passed: u64,
    /// The rows.
    pub rows: Vec<DmarcSummaryRow>,
}

/// One row of a DMARC report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DmarcSummaryRow {
    /// Who sent.
    pub ip: Option<IpAddr>,
    /// How many messages.
    pub count: u64,
    /// What was done: `none`, `quarantine`, `reject`, `pass` or empty.
    pub disposition: &'static str,
    /// Aligned DKIM passed.
    pub dkim: bool,
    /// Aligned SPF passed.
    pub spf: bool,
    /// The author's domain.
    pub header_from: String,
    /// The domain of the reverse-path.
    pub envelope_from: String,
    /// Domain, selector and result of signatures.
    pub signatures: Vec<(String, String, &'static str)>,
    /// Domain and result of SPF.
    pub senders: Vec<(String, &'static str)>,
}

/// An SMTP TLS report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TlsSummary {
    /// Seconds since the epoch, 0 if unknown.
    pub begin: i64,
    /// Seconds since the epoch, 0 if unknown.
    pub end: i64,
    /// Sessions that went well.
    pub successes: u64,
    /// Sessions that did not.
    pub failures: u64,
    /// The report itself.
    pub report: TlsReport,
}

/// Reads a report: a message that has it attached, or a file, `.xml`, `.json`,
/// `.gz` or `.zip`. Bounded in the octets that it reads and unpacks.
///
/// # Errors
/// It is too large, damaged, or none; see [`ReportError`].
pub fn read_report(octets: &[u8]) -> Result<ReceivedReport, ReportError> {
    let mut error = ReportError::NotFound;
    for text in unpack::candidates(octets)? {
        let read = match text.trim_ascii_start().first() {
            Some(b'{') => tls(&text),
            _ => dmarc(&text),
        };
        match read {
            Ok(report) => return Ok(report),
            Err(e) => error = e,
        }
    }
    Err(error)
}

fn tls(text: &[u8]) -> Result<ReceivedReport, ReportError> {
    let report: TlsReport =
        serde_json::from_slice(text).map_err(|e| ReportError::Json(e.to_string()))?;
    let (begin, end) = report.range();
    let sum = |of: fn(&super::TlsReportPolicy) -> u64| {
        report.policies.iter().map(of).fold(0u64, u64::saturating_add)
    };
    Ok(ReceivedReport::Tls(TlsSummary {
        begin,
        end,
        successes: sum(|policy| policy.summary.total_successful_session_count),
        failures: sum(|policy| policy.summary.total_failure_session_count),
        report,
    }))
}

fn dmarc(text: &[u8]) -> Result<ReceivedReport, ReportError> {
    let report = mail_auth::report::Report::parse_xml(text).map_err(ReportError::Xml)?;
    let rows: Vec<DmarcSummaryRow> = report.record.iter().map(row).collect();
    let count = |of: fn(&DmarcSummaryRow) -> bool| {
        rows.iter().filter(|row| of(row)).fold(0u64, |sum, row| sum.saturating_add(row.count))
    };
    let about = &report.report_metadata;
    Ok(ReceivedReport::Dmarc(DmarcSummary {
        organisation: about.org_name.clone(),
        email: about.email.clone(),
        id: about.report_id.clone(),
        begin: about.date_range.begin,
        end: about.date_range.end,
        domain: report.policy_published.domain.clone(),
        policy: match report.policy_published.p {
            mail_auth::report::Disposition::None => "none",
            mail_auth::report::Disposition::Quarantine => "quarantine",
            mail_auth::report::Disposition::Reject => "reject",
            mail_auth::report::Disposition::Unspecified => "",
        },
        messages: count(|_| true),
        passed: count(|row| row.dkim || row.spf),
        rows,
    }))
}

fn row(record: &mail_auth::report::Record) -> DmarcSummaryRow {
    use mail_auth::report::{ActionDisposition, DmarcResult};
    let evaluated = &record.row.policy_evaluated;
    DmarcSummaryRow {
        ip: record.row.source_ip,
        count: u64::from(record.row.count),
        disposition: match evaluated.disposition {
            ActionDisposition::None => "none",
            ActionDisposition::Pass => "pass",
            ActionDisposition::Quarantine => "quarantine",
            ActionDisposition::Reject => "reject",
            ActionDisposition::Unspecified => "",
        },
        dkim: evaluated.dkim == DmarcResult::Pass,
        spf: evaluated.spf == DmarcResult::Pass,
        header_from: record.identifiers.header_from.clone(),
        envelope_from: record.identifiers.envelope_from.clone(),
        signatures: record
            .auth_results
            .dkim
            .iter()
            .map(|dkim| (dkim.domain.clone(), dkim.selector.clone(), dkim_word(dkim.result)))
            .collect(),
        senders: record
            .auth_results
            .spf
            .iter()
            .map(|spf| (spf.domain.clone(), spf_word(spf.result)))
            .collect(),
    }
}

fn dkim_word(result: mail_auth::report::DkimResult) -> &'static str {
    use mail_auth::report::DkimResult as Theirs;
    match result {
        Theirs::None => "none",
        Theirs::Pass => "pass",
        Theirs::Fail => "fail",
        Theirs::Policy => "policy",
        Theirs::Neutral => "neutral",
        Theirs::TempError => "temperror",
        Theirs::PermError => "permerror",
    }
}

fn spf_word(result: mail_auth::report::SpfResult) -> &'static str {
    use mail_auth::report::SpfResult as Theirs;
    match result {
        Theirs::None => "none",
        Theirs::Neutral => "neutral",
        Theirs::Pass => "pass",
        Theirs::Fail => "fail",
        Theirs::SoftFail => "softfail",
        Theirs::TempError => "temperror",
        Theirs::PermError => "permerror",
    }
}
