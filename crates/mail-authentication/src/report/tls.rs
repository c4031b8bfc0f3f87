//! The JSON of an SMTP TLS report (RFC 8460 section 4).

use super::{DAY, Reporter};
use crate::error::AuthenticationError;
use serde::{Deserialize, Deserializer, Serialize};
use std::net::IpAddr;

/// How a domain's TLS policy was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsPolicyKind {
    /// DANE.
    Tlsa,
    /// MTA-STS.
    Sts,
    /// Neither.
    NoPolicyFound,
}

/// What went wrong with TLS (RFC 8460 section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFailureKind {
    /// The host does not offer STARTTLS.
    StarttlsNotSupported,
    /// The certificate is of another name.
    CertificateHostMismatch,
    /// The certificate has expired.
    CertificateExpired,
    /// The certificate is not trusted.
    CertificateNotTrusted,
    /// Something else.
    ValidationFailure,
    /// TLSA records that cannot be used.
    TlsaInvalid,
    /// TLSA records whose DNSSEC is wrong.
    DnssecInvalid,
    /// DANE is demanded and the domain has no DNSSEC.
    DaneRequired,
    /// The policy of MTA-STS could not be fetched.
    StsPolicyFetchError,
    /// The policy of MTA-STS cannot be understood.
    StsPolicyInvalid,
    /// The web server of MTA-STS has a wrong certificate.
    StsWebpkiInvalid,
    /// Another word, of a report that was received.
    #[serde(other)]
    Other,
}

/// What happened with one policy of a domain on one day: whoever keeps count of
/// outgoing sessions gives this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsReportRow {
    /// How the policy was published.
    pub policy: TlsPolicyKind,
    /// The policy's lines, or the TLSA records in presentation form.
    pub policy_strings: Vec<String>,
    /// The domain whose policy it is.
    pub policy_domain: String,
    /// The host patterns of an MTA-STS policy.
    pub mx_hosts: Vec<String>,
    /// Sessions that went well.
    pub successes: u64,
    /// What went wrong.
    pub failures: Vec<TlsFailure>,
}

/// Sessions that failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFailure {
    /// How.
    pub kind: TlsFailureKind,
    /// The address we sent from.
    pub sending_ip: Option<IpAddr>,
    /// The host we sent to.
    pub mx_host: Option<String>,
    /// Its address.
    pub receiving_ip: Option<IpAddr>,
    /// How many sessions.
    pub count: u64,
    /// The words of the program that failed.
    pub reason: Option<String>,
}

/// A report, as it is written and read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TlsReport {
    /// Who reports.
    #[serde(default)]
    pub organization_name: String,
    /// The day.
    pub date_range: DateRange,
    /// Where questions go.
    #[serde(default)]
    pub contact_info: String,
    /// Tells the report from others.
    pub report_id: String,
    /// What happened, by policy.
    #[serde(default)]
    pub policies: Vec<TlsReportPolicy>,
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DateRange {
    /// RFC 3339.
    pub start_datetime: String,
    /// RFC 3339.
    pub end_datetime: String,
}

/// One policy of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TlsReportPolicy {
    /// The policy.
    pub policy: PolicyText,
    /// How many sessions.
    pub summary: Summary,
    /// What went wrong.
    #[serde(default)]
    pub failure_details: Vec<TlsReportFailure>,
}

/// A policy in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyText {
    /// Its kind.
    pub policy_type: TlsPolicyKind,
    /// Its lines.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub policy_string: Vec<String>,
    /// Its domain.
    pub policy_domain: String,
    /// Its host patterns.
    #[serde(default, deserialize_with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub mx_host: Vec<String>,
}

/// Numbers of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// That went well.
    #[serde(default)]
    pub total_successful_session_count: u64,
    /// That did not.
    #[serde(default)]
    pub total_failure_session_count: u64,
}

/// A failure in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TlsReportFailure {
    /// What went wrong.
    pub result_type: TlsFailureKind,
    /// The sender's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending_mta_ip: Option<String>,
    /// The receiver's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_mx_hostname: Option<String>,
    /// The receiver's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiving_ip: Option<String>,
    /// How many sessions.
    #[serde(default)]
    pub failed_session_count: u64,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_information: Option<String>,
    /// The words of the program that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason_code: Option<String>,
}

impl TlsReport {
    /// The report on a domain and a UTC day (days since 1970-01-01). Its number
    /// is the same whenever it is made again.
    pub fn new(reporter: &Reporter, domain: &str, day: i64, rows: &[TlsReportRow]) -> Self {
        let begin = day.saturating_mul(DAY);
        let moment = |at: i64| jiff::Timestamp::from_second(at).unwrap_or_default().to_string();
        Self {
            organization_name: reporter.organisation.clone(),
            date_range: DateRange {
                start_datetime: moment(begin),
                end_datetime: moment(begin.saturating_add(DAY - 1)),
            },
            contact_info: reporter.address.clone(),
            report_id: format!("tls.{domain}.{day}@{}", reporter.domain),
            policies: rows.iter().map(policy).collect(),
        }
    }

    /// The report's text.
    ///
    /// # Errors
    /// Only by a defect.
    pub fn json(&self) -> Result<String, AuthenticationError> {
        serde_json::to_string_pretty(self)
            .map_err(|e| AuthenticationError::WriteReport(e.to_string()))
    }

    /// Begin and end, in seconds since the epoch; 0 for what cannot be read.
    pub fn range(&self) -> (i64, i64) {
        let seconds = |text: &str| text.parse::<jiff::Timestamp>().map_or(0, |at| at.as_second());
        (seconds(&self.date_range.start_datetime), seconds(&self.date_range.end_datetime))
    }
}

fn policy(row: &TlsReportRow) -> TlsReportPolicy {
    let failed = row.failures.iter().fold(0u64, |sum, failure| sum.saturating_add(failure.count));
    TlsReportPolicy {
        policy: PolicyText {
            policy_type: row.policy,
            policy_string: row.policy_strings.clone(),
            policy_domain: row.policy_domain.clone(),
            mx_host: row.mx_hosts.clone(),
        },
        summary: Summary {
            total_successful_session_count: row.successes,
            total_failure_session_count: failed,
        },
        failure_details: row.failures.iter().map(failure).collect(),
    }
}

fn failure(failure: &TlsFailure) -> TlsReportFailure {
    TlsReportFailure {
        result_type: match failure.kind {
            TlsFailureKind::Other => TlsFailureKind::ValidationFailure,
            kind => kind,
        },
        sending_mta_ip: failure.sending_ip.map(|ip| ip.to_string()),
        receiving_mx_hostname: failure.mx_host.clone(),
        receiving_ip: failure.receiving_ip.map(|ip| ip.to_string()),
        failed_session_count: failure.count,
        additional_information: None,
        failure_reason_code: failure.reason.clone(),
    }
}

/// RFC 8460 says array and shows a string; senders do both, or null.
fn one_or_many<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        Many(Vec<String>),
        One(String),
        None(()),
    }
    Ok(match OneOrMany::deserialize(from)? {
        OneOrMany::Many(many) => many,
        OneOrMany::One(one) => vec![one],
        OneOrMany::None(()) => Vec::new(),
    })
}
