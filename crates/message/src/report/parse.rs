//! Others' reports, read.

use super::ReportKind;
use concord_base::{EnhancedStatus, Timestamp};
use mail_parser::{DateTime, MessageParser, MimeHeaders};

/// Recipients read from one report; ours never have as many.
const MAX_RECIPIENTS: usize = 10_000;
/// Characters of one field's value that are kept.
const MAX_VALUE: usize = 1_000;

/// One recipient in somebody's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedRecipient {
    /// `Final-Recipient`: address type in lower case, and address.
    pub final_recipient: (String, String),
    /// `Original-Recipient`.
    pub original_recipient: Option<(String, String)>,
    /// `Action`.
    pub action: ReportKind,
    /// `Status`.
    pub status: EnhancedStatus,
    /// `Remote-MTA` without its type.
    pub remote_mta: Option<String>,
    /// `Diagnostic-Code` without its type.
    pub diagnostic: Option<String>,
    /// `Last-Attempt-Date`.
    pub last_attempt: Option<Timestamp>,
    /// `Will-Retry-Until`.
    pub will_retry_until: Option<Timestamp>,
}

/// Somebody's report.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ParsedReport {
    /// `Reporting-MTA` without its type.
    pub reporting_mta: Option<String>,
    /// `Original-Envelope-Id`.
    pub envelope_id: Option<String>,
    /// `Arrival-Date`.
    pub arrival: Option<Timestamp>,
    /// On whom; at least one.
    pub recipients: Vec<ParsedRecipient>,
    /// Message-ID of the original, if the report brings its header back.
    pub original_message_id: Option<String>,
}

/// Reads a report. `None` if the message is none: it has no delivery status
/// part with a recipient in it.
pub fn parse(message: &[u8]) -> Option<ParsedReport> {
    let message = MessageParser::new().parse(message)?;
    let is = |part: &mail_parser::MessagePart<'_>, kind: &str, names: &[&str]| {
        part.content_type().is_some_and(|ctype| {
            ctype.ctype().eq_ignore_ascii_case(kind)
                && ctype
                    .subtype()
                    .is_some_and(|sub| names.iter().any(|name| sub.eq_ignore_ascii_case(name)))
        })
    };
    let status = message
        .parts
        .iter()
        .find(|part| is(part, "message", &["delivery-status", "global-delivery-status"]))?;
    let mut report = read_fields(status.contents())?;
    report.original_message_id = message
        .parts
        .iter()
        .find_map(|part| match part.message() {
            Some(inner) => Some(inner.raw_message()),
            None if is(part, "text", &["rfc822-headers"])
                || is(part, "message", &["global-headers"]) =>
            {
                Some(part.contents())
            }
            None => None,
        })
        .map(|original| crate::HeaderScan::scan(original).message_id)
        .filter(|id| !id.is_empty());
    Some(report)
}

fn read_fields(octets: &[u8]) -> Option<ParsedReport> {
    let text = String::from_utf8_lossy(octets);
    let mut groups = groups(&text).into_iter();
    let mut report = ParsedReport::default();
    let mut first = groups.next()?;
    // Some systems put an empty line where the message's own fields should be,
    // others leave those out.
    if find(&first, "final-recipient").is_none() {
        report.reporting_mta = find(&first, "reporting-mta").map(|v| typed(&v).1);
        report.envelope_id = find(&first, "original-envelope-id");
        report.arrival = find(&first, "arrival-date").and_then(|v| date(&v));
        first = Vec::new();
    }
    let recipients = std::iter::once(first).chain(groups);
    report.recipients = recipients.filter_map(|g| recipient(&g)).take(MAX_RECIPIENTS).collect();
    (!report.recipients.is_empty()).then_some(report)
}

pub(super) type Fields = Vec<(String, String)>;

/// Groups of fields between empty lines, unfolded.
pub(super) fn groups(text: &str) -> Vec<Fields> {
    let mut groups = Vec::new();
    let mut fields: Fields = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            if !fields.is_empty() {
                groups.push(std::mem::take(&mut fields));
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut().filter(|(_, v)| v.len() < MAX_VALUE) {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        if groups.len() > MAX_RECIPIENTS {
            break;
        }
    }
    if !fields.is_empty() {
        groups.push(fields);
    }
    groups
}

pub(super) fn find(fields: &[(String, String)], name: &str) -> Option<String> {
    let (_, value) = fields.iter().find(|(n, _)| n == name)?;
    Some(crate::text::clean(value, MAX_VALUE))
}

fn recipient(fields: &Fields) -> Option<ParsedRecipient> {
    let final_recipient = find(fields, "final-recipient").map(|v| typed(&v))?;
    let action = find(fields, "action")?;
    let action = ReportKind::from_word(first_word(&action))?;
    let status = find(fields, "status").and_then(|v| status(&v)).unwrap_or(match action {
        ReportKind::Failed => EnhancedStatus::new(5, 0, 0),
        ReportKind::Delayed => EnhancedStatus::new(4, 0, 0),
        _ => EnhancedStatus::new(2, 0, 0),
    });
    Some(ParsedRecipient {
        final_recipient,
        original_recipient: find(fields, "original-recipient").map(|v| typed(&v)),
        action,
        status,
        remote_mta: find(fields, "remote-mta").map(|v| typed(&v).1),
        diagnostic: find(fields, "diagnostic-code").map(|v| typed(&v).1),
        last_attempt: find(fields, "last-attempt-date").and_then(|v| date(&v)),
        will_retry_until: find(fields, "will-retry-until").and_then(|v| date(&v)),
    })
}

/// `type; value`; without a type it is taken as `rfc822`.
pub(super) fn typed(text: &str) -> (String, String) {
    match text.split_once(';') {
        Some((kind, value)) => (kind.trim().to_ascii_lowercase(), value.trim().to_owned()),
        None => ("rfc822".to_owned(), text.trim().to_owned()),
    }
}

/// Comments follow in the field.
pub(super) fn first_word(text: &str) -> &str {
    text.split([' ', '(', '\t']).next().unwrap_or_default()
}

fn status(text: &str) -> Option<EnhancedStatus> {
    let mut numbers = first_word(text).split('.');
    let class: u8 = numbers.next()?.parse().ok().filter(|c| matches!(c, 2 | 4 | 5))?;
    let subject: u16 = numbers.next()?.parse().ok()?;
    let detail: u16 = numbers.next()?.parse().ok()?;
    Some(EnhancedStatus::new(class, subject, detail))
}

fn date(text: &str) -> Option<Timestamp> {
    let date = DateTime::parse_rfc822(text)?;
    date.is_valid().then(|| Timestamp::from_seconds(date.to_timestamp()))
}
