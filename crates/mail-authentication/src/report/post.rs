//! Reports as messages.

use super::{DAY, DmarcDay, TlsReport};
use crate::error::AuthenticationError;
use concord_base::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use mail_builder::MessageBuilder;
use mail_builder::headers::HeaderType;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::text::Text;
use mail_builder::mime::{BodyPart, MimePart};
use std::io::Write;

/// Who reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reporter {
    /// The organisation, for people.
    pub organisation: String,
    /// The domain that reports (`Submitter`), which also signs the message.
    pub domain: String,
    /// The address that reports come from, and where questions go.
    pub address: String,
    /// More for people who have questions, an address of a page for example.
    pub contact: Option<String>,
}

/// A report ready to be sent from the null path or the reporter's address. It
/// must be signed by the reporter's domain (RFC 8460 section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMessage {
    /// Where it goes.
    pub to: Vec<String>,
    /// The message, unsigned.
    pub message: Vec<u8>,
    /// Octets of the packed report; `rua` bounds them (RFC 7489 section 6.2).
    pub packed: usize,
}

impl DmarcDay {
    /// The report as a message to addresses that were checked
    /// ([`Checker::report_addresses`](crate::Checker::report_addresses)); those
    /// for which it is too large get none. `None` if that leaves nobody.
    ///
    /// # Errors
    /// Only by a defect.
    pub fn message(
        &self,
        reporter: &Reporter,
        addresses: &[(String, u64)],
        now: Timestamp,
    ) -> Result<Option<ReportMessage>, AuthenticationError> {
        let packed = gzip(self.xml(reporter)?.as_bytes())?;
        let fits = |limit: u64| limit == 0 || packed.len() as u64 <= limit;
        let to: Vec<String> = addresses
            .iter()
            .filter(|(_, limit)| fits(*limit))
            .map(|(address, _)| address.clone())
            .collect();
        if to.is_empty() {
            return Ok(None);
        }
        let domain = &self.record.domain;
        let begin = self.day.saturating_mul(DAY);
        let end = begin.saturating_add(DAY - 1);
        let name = format!("{}!{domain}!{begin}!{end}.xml.gz", reporter.domain);
        let size = packed.len();
        let id = self.report_id(reporter);
        let report =
            MimePart::new(ContentType::new("application/gzip"), BodyPart::Binary(packed.into()))
                .attachment(name);
        let parts = vec![words("DMARC aggregate report", reporter, domain, &id), report];
        let body = MimePart::new(ContentType::new("multipart/mixed"), BodyPart::Multipart(parts));
        let message = head(reporter, domain, &id, &to, now).body(body);
        Ok(Some(ReportMessage { message: written(message)?, to, packed: size }))
    }
}

impl TlsReport {
    /// The report as a message to the addresses of the domain's `_smtp._tls`
    /// record (RFC 8460 section 5.3). It says that it may be sent without TLS:
    /// it may be about TLS that does not work.
    ///
    /// # Errors
    /// Only by a defect.
    pub fn message(
        &self,
        reporter: &Reporter,
        domain: &str,
        to: &[String],
        now: Timestamp,
    ) -> Result<ReportMessage, AuthenticationError> {
        let packed = gzip(self.json()?.as_bytes())?;
        let size = packed.len();
        let (begin, end) = self.range();
        let name = format!("{}!{domain}!{begin}!{end}.json.gz", reporter.domain);
        let report = MimePart::new(
            ContentType::new("application/tlsrpt+gzip"),
            BodyPart::Binary(packed.into()),
        )
        .attachment(name);
        let parts = vec![words("SMTP TLS report", reporter, domain, &self.report_id), report];
        let kind = ContentType::new("multipart/report").attribute("report-type", "tlsrpt");
        let message = head(reporter, domain, &self.report_id, to, now)
            .header("TLS-Report-Domain", Text::new(domain))
            .header("TLS-Report-Submitter", Text::new(reporter.domain.as_str()))
            .header("TLS-Required", Text::new("No"))
            .body(MimePart::new(kind, BodyPart::Multipart(parts)));
        Ok(ReportMessage { message: written(message)?, to: to.to_vec(), packed: size })
    }
}

fn head<'x>(
    reporter: &'x Reporter,
    domain: &str,
    id: &str,
    to: &'x [String],
    now: Timestamp,
) -> MessageBuilder<'x> {
    // Programs look for these words (RFC 7489 section 7.2.1.1), so they are folded,
    // but not encoded.
    let subject =
        format!("Report Domain: {domain} Submitter: {} Report-ID: <{id}>", reporter.domain);
    let subject: String = subject.chars().filter(|c| matches!(c, ' '..='~')).collect();
    let to: Vec<Address<'x>> = to.iter().map(|address| address.as_str().into()).collect();
    MessageBuilder::new()
        .from((reporter.organisation.as_str(), reporter.address.as_str()))
        .header("To", HeaderType::Address(Address::List(to)))
        .date(now.seconds())
        .message_id(id.to_owned())
        .header("Auto-Submitted", Text::new("auto-generated"))
        .header("Subject", Raw::new(subject))
}

fn words<'x>(what: &str, reporter: &Reporter, domain: &str, id: &str) -> MimePart<'x> {
    let text = format!(
        "This is a {what}, made for programs. It says what {} saw of mail of or to\r\n{domain} on one day.\r\n\r\nReport Domain: {domain}\r\nSubmitter: {}\r\nReport-ID: <{id}>\r\n",
        reporter.organisation, reporter.domain,
    );
    MimePart::new(ContentType::new("text/plain"), BodyPart::Text(text.into()))
}

fn written(message: MessageBuilder<'_>) -> Result<Vec<u8>, AuthenticationError> {
    message.write_to_vec().map_err(|e| AuthenticationError::WriteReport(e.to_string()))
}

fn gzip(octets: &[u8]) -> Result<Vec<u8>, AuthenticationError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(octets)
        .and_then(|()| encoder.finish())
        .map_err(|e| AuthenticationError::WriteReport(e.to_string()))
}
