//! `concord report show`

use crate::commands::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_mail_authentication::limits::MAX_REPORT_COMPRESSED;
use concord_mail_authentication::report::{
    DmarcSummary, DmarcSummaryRow, ReceivedReport, TlsSummary, read_report,
};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Show a report that somebody sent us
///
/// Reads DMARC aggregate reports (XML) and SMTP TLS reports (JSON), packed by
/// gzip or zip or not, or a whole message that has one attached.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The report, or the message that brought it
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let report = read_report(&octets(&self.file)?)?;
        match report {
            report if context.json => print::json(&report),
            ReceivedReport::Dmarc(report) => dmarc(&report),
            ReceivedReport::Tls(report) => tls(&report),
        }
        Ok(())
    }
}

fn octets(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    // One more than is taken, so that what is larger is refused and not cut.
    let most = u64::try_from(MAX_REPORT_COMPRESSED).unwrap_or(u64::MAX).saturating_add(1);
    File::open(file).and_then(|from| from.take(most).read_to_end(&mut octets)).map_err(|error| {
        let message = format!("cannot read {}: {error}; check the path", file.display());
        Failure::new("report.unreadable", message)
    })?;
    Ok(octets)
}

/// Seconds since the epoch; some senders have none.
fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

fn span(begin: i64, end: i64) -> String {
    format!("{} to {}", show::time(&moment(begin)), show::time(&moment(end)))
}

fn dmarc(report: &DmarcSummary) {
    let seconds = |at: u64| i64::try_from(at).unwrap_or(0);
    print::line(format!(
        "DMARC report of {} <{}>",
        show::said(&report.organisation),
        show::said(&report.email)
    ));
    show::facts(&[
        ("Domain", show::said(&report.domain)),
        ("Policy", report.policy.to_owned()),
        ("Time", span(seconds(report.begin), seconds(report.end))),
        ("Report", show::said(&report.id)),
        ("Messages", format!("{}, of which {} passed", report.messages, report.passed)),
    ]);
    print::line("");
    let heading = ["SOURCE", "COUNT", "DONE", "DKIM", "SPF", "FROM", "DETAIL"];
    show::table(&heading, report.rows.iter().map(dmarc_row).collect(), "it has no rows");
}

fn dmarc_row(row: &DmarcSummaryRow) -> Vec<String> {
    let passed = |yes: bool| if yes { "pass" } else { "fail" }.to_owned();
    let signatures = row.signatures.iter();
    let signatures = signatures.map(|(domain, _, result)| format!("dkim={result} {domain}"));
    let senders = row.senders.iter().map(|(domain, result)| format!("spf={result} {domain}"));
    let detail: Vec<String> = signatures.chain(senders).collect();
    vec![
        row.ip.map_or_else(|| "?".to_owned(), |ip| ip.to_string()),
        row.count.to_string(),
        row.disposition.to_owned(),
        passed(row.dkim),
        passed(row.spf),
        show::said(&row.header_from),
        show::said(&detail.join(", ")),
    ]
}

fn tls(summary: &TlsSummary) {
    let report = &summary.report;
    print::line(format!(
        "TLS report of {} <{}>",
        show::said(&report.organization_name),
        show::said(&report.contact_info)
    ));
    show::facts(&[
        ("Time", span(summary.begin, summary.end)),
        ("Report", show::said(&report.report_id)),
        ("Sessions", format!("{} good, {} failed", summary.successes, summary.failures)),
    ]);
    print::line("");
    let mut rows = Vec::new();
    for policy in &report.policies {
        let kind = word(&policy.policy.policy_type);
        let domain = show::said(&policy.policy.policy_domain);
        let good = policy.summary.total_successful_session_count;
        rows.push(vec![domain.clone(), kind.clone(), good.to_string(), "good".to_owned()]);
        for failure in &policy.failure_details {
            let mut what = word(&failure.result_type);
            let host = failure.receiving_mx_hostname.iter().chain(&failure.receiving_ip);
            for more in host.chain(&failure.failure_reason_code) {
                what.push_str(", ");
                what.push_str(more);
            }
            let count = failure.failed_session_count.to_string();
            rows.push(vec![domain.clone(), kind.clone(), count, show::said(&what)]);
        }
    }
    show::table(&["DOMAIN", "POLICY", "COUNT", "RESULT"], rows, "it has no policies");
}

/// The standard's word for it.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or("other").to_owned()
}
