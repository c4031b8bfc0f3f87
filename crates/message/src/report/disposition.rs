//! Message disposition notifications: read receipts (RFC 8098).

use super::Stamp;
use super::fields::MAX_FREE_TEXT;
use super::parse::{find, first_word, groups, typed};
use super::write::{Part, boundary, identifier, line, mailbox};
use crate::date;
use crate::text::{clean, clean_ascii};
use concord_address::SmtpAddress;
use mail_builder::headers::{Header, text::Text};
use mail_parser::{MessageParser, MimeHeaders};

/// What a reader did with a message (RFC 8098 section 3.2.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// It was opened; nobody says that it was read.
    Displayed,
    /// It was deleted, opened or not.
    Deleted,
}

/// A notification of what one reader did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DispositionReport {
    /// What the reader did.
    pub disposition: Disposition,
    /// The reader.
    pub reader: SmtpAddress,
    /// RFC 3461 ORCPT, as `type;address`, decoded.
    pub original_recipient: Option<String>,
    /// Who asked for it and gets it.
    pub to: SmtpAddress,
    /// The message's Message-ID without brackets, or empty.
    pub message_id: String,
    /// The message's subject, or empty.
    pub subject: String,
    /// The system that tells: `host; product`.
    pub reporting_agent: String,
    /// When the reader did it, in words of the reader's system; empty if it
    /// did not say.
    pub when: String,
}

/// Somebody's notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedDisposition {
    /// What the reader did; `None` for what has no meaning here (processed,
    /// dispatched, denied).
    pub disposition: Option<Disposition>,
    /// `Final-Recipient`: address type in lower case, and address.
    pub reader: (String, String),
    /// `Original-Recipient`.
    pub original_recipient: Option<(String, String)>,
    /// `Original-Message-ID` without brackets.
    pub message_id: Option<String>,
}

/// Writes a notification: RFC 5322 octets with CRLF line ends, ASCII. Its
/// sender is the null path (RFC 8098 section 3).
pub fn render_disposition(report: &DispositionReport, stamp: &Stamp<'_>) -> Vec<u8> {
    let parts = [
        Part {
            content_type: "text/plain; charset=us-ascii",
            encoding: "7bit",
            octets: human(report).into_bytes(),
        },
        Part {
            content_type: "message/disposition-notification",
            encoding: "7bit",
            octets: machine(report).into_bytes(),
        },
    ];
    let boundary = boundary(stamp.boundary, &parts);
    let mut out = Vec::with_capacity(2048);
    header(&mut out, report, stamp, &boundary);
    for part in &parts {
        line(&mut out, &["--", &boundary]);
        line(&mut out, &["Content-Type: ", part.content_type]);
        line(&mut out, &["Content-Transfer-Encoding: ", part.encoding]);
        line(&mut out, &[]);
        out.extend_from_slice(&part.octets);
        line(&mut out, &[]);
    }
    line(&mut out, &["--", &boundary, "--"]);
    out
}

fn header(out: &mut Vec<u8>, report: &DispositionReport, stamp: &Stamp<'_>, boundary: &str) {
    let (word, about) = (subject_word(report.disposition), clean(&report.subject, 200));
    line(out, &["Date: ", &date::rfc5322(stamp.date)]);
    line(out, &["From: ", &mailbox(stamp.from)]);
    line(out, &["To: ", &mailbox(&report.to)]);
    out.extend_from_slice(b"Subject: ");
    Text::new(format!("{word}: {about}")).write_header(&mut *out, "Subject: ".len());
    line(out, &["Message-ID: <", &identifier(stamp.message_id), ">"]);
    let original = identifier(&report.message_id);
    if !original.is_empty() {
        line(out, &["References: <", &original, ">"]);
    }
    line(out, &["Auto-Submitted: auto-replied"]);
    line(out, &["MIME-Version: 1.0"]);
    line(out, &["Content-Type: multipart/report; report-type=disposition-notification;"]);
    line(out, &["\tboundary=\"", boundary, "\""]);
    line(out, &[]);
}

const fn subject_word(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Displayed => "Read",
        Disposition::Deleted => "Deleted",
    }
}

fn human(report: &DispositionReport) -> String {
    let what = match report.disposition {
        Disposition::Displayed => "opened. That does not mean that it was read or understood",
        Disposition::Deleted => "deleted",
    };
    let when = match clean_ascii(&report.when, MAX_FREE_TEXT).as_str() {
        "" => String::new(),
        when => format!(" on {when}"),
    };
    let reader = clean_ascii(&report.reader.to_string(), MAX_FREE_TEXT);
    format!("Your message to {reader}\r\nwas{when} {what}.\r\n")
}

fn machine(report: &DispositionReport) -> String {
    let free = |text: &str| clean_ascii(text, MAX_FREE_TEXT);
    let mut fields = Vec::new();
    let agent = free(&report.reporting_agent);
    fields.extend((!agent.is_empty()).then(|| format!("Reporting-UA: {agent}")));
    if let Some(original) = &report.original_recipient {
        let (kind, value) = typed(&free(original));
        fields.push(format!("Original-Recipient: {kind}; {value}"));
    }
    fields.push(format!("Final-Recipient: rfc822; {}", free(&report.reader.to_string())));
    let id = identifier(&report.message_id);
    fields.extend((!id.is_empty()).then(|| format!("Original-Message-ID: <{id}>")));
    let word = match report.disposition {
        Disposition::Displayed => "displayed",
        Disposition::Deleted => "deleted",
    };
    fields.push(format!("Disposition: manual-action/MDN-sent-automatically; {word}"));
    fields.push(String::new());
    fields.join("\r\n")
}

/// Reads a notification. `None` if the message is none.
pub fn parse_disposition(message: &[u8]) -> Option<ParsedDisposition> {
    let message = MessageParser::new().parse(message)?;
    let part = message.parts.iter().find(|part| {
        part.content_type().is_some_and(|kind| {
            kind.ctype().eq_ignore_ascii_case("message")
                && kind.subtype().is_some_and(|sub| {
                    sub.eq_ignore_ascii_case("disposition-notification")
                        || sub.eq_ignore_ascii_case("global-disposition-notification")
                })
        })
    })?;
    let text = String::from_utf8_lossy(part.contents()).into_owned();
    // Some programs part the fields by empty lines.
    let fields: Vec<(String, String)> = groups(&text).into_iter().flatten().collect();
    let words = find(&fields, "disposition")?;
    let kind = words.split_once(';').map_or("", |(_, kind)| kind.trim());
    let kind = first_word(kind).split('/').next().unwrap_or_default().to_ascii_lowercase();
    Some(ParsedDisposition {
        disposition: match kind.as_str() {
            "displayed" | "read" => Some(Disposition::Displayed),
            "deleted" => Some(Disposition::Deleted),
            _ => None,
        },
        reader: find(&fields, "final-recipient").map(|v| typed(&v))?,
        original_recipient: find(&fields, "original-recipient").map(|v| typed(&v)),
        message_id: find(&fields, "original-message-id")
            .map(|id| id.trim_matches(['<', '>', ' ']).to_owned())
            .filter(|id| !id.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::Timestamp;
    use proptest::prelude::*;

    fn report(subject: &str) -> DispositionReport {
        DispositionReport {
            disposition: Disposition::Displayed,
            reader: "bob@gw.example".parse().unwrap(),
            original_recipient: Some("rfc822;bob@gw.example".into()),
            to: "ann@example.org".parse().unwrap(),
            message_id: "1@example.org".into(),
            subject: subject.into(),
            reporting_agent: "gw.example; Concord".into(),
            when: "1/2/1999 3:04 +1".into(),
        }
    }

    fn written(report: &DispositionReport) -> Vec<u8> {
        let from = "postmaster@example.org".parse().unwrap();
        let stamp = Stamp {
            message_id: "r1@example.org",
            date: Timestamp::from_seconds(0),
            from: &from,
            boundary: "b",
        };
        render_disposition(report, &stamp)
    }

    #[test]
    fn a_read_receipt_reads_back() {
        let octets = written(&report("Mittagessen für zwei"));
        assert!(octets.is_ascii());
        let read = parse_disposition(&octets).unwrap();
        assert_eq!(read.disposition, Some(Disposition::Displayed));
        assert_eq!(read.reader, ("rfc822".into(), "bob@gw.example".into()));
        assert_eq!(read.message_id.as_deref(), Some("1@example.org"));
        assert_eq!(super::super::parse(&octets), None, "it is no delivery report");
    }

    #[test]
    fn what_is_no_receipt_is_none() {
        assert_eq!(parse_disposition(b"Subject: x\r\n\r\nhello\r\n"), None);
    }

    proptest! {
        #[test]
        fn a_subject_cannot_add_a_line(subject in "[\\x00-\\x7f]{0,80}") {
            let octets = written(&report(&subject));
            let text = String::from_utf8_lossy(&octets).into_owned();
            let head = text.split("\r\n\r\n").next().unwrap_or_default();
            let allowed = ["Date:", "From:", "To:", "Subject:", "Message-ID:", "References:",
                "Auto-Submitted:", "MIME-Version:", "Content-Type:", "\t", " "];
            for line in head.split("\r\n") {
                prop_assert!(allowed.iter().any(|a| line.starts_with(a)), "{}", line);
            }
            prop_assert!(parse_disposition(&octets).is_some());
        }

        #[test]
        fn never_panics(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_disposition(&octets);
        }
    }
}
