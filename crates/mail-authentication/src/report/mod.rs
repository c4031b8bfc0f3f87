//! Reports: DMARC aggregate (RFC 7489 section 7.2) and SMTP TLS (RFC 8460),
//! written and read.

mod collect;
mod dmarc_xml;
mod post;
mod read;
#[cfg(test)]
mod tests;
mod tls;
mod tls_record;
mod unpack;

pub use collect::{DmarcCollector, DmarcDay, DmarcRow};
pub use post::{ReportMessage, Reporter};
pub use read::{DmarcSummary, DmarcSummaryRow, ReceivedReport, TlsSummary, read_report};
pub use tls::{
    TlsFailure, TlsFailureKind, TlsPolicyKind, TlsReport, TlsReportFailure, TlsReportPolicy,
    TlsReportRow,
};

pub(crate) use tls_record::tls_report_addresses;

/// Seconds of a UTC day; reports are for whole days.
const DAY: i64 = 86_400;

/// The UTC day of a moment: days since 1970-01-01.
pub fn utc_day(now: concord_base::Timestamp) -> i64 {
    now.seconds().div_euclid(DAY)
}
