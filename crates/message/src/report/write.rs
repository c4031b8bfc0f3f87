//! A report as a message (RFC 6522).

use super::returned::{quoted_printable, returned};
use super::{Report, Stamp, fields, words};
use crate::text::{clean, clean_ascii};
use crate::{date, free_boundary};
use concord_address::SmtpAddress;
use mail_builder::headers::{Header, text::Text};

/// Characters of the original's subject in ours.
const MAX_SUBJECT: usize = 200;

/// One part: its content type, its transfer encoding and its octets.
pub(super) struct Part {
    pub(super) content_type: &'static str,
    pub(super) encoding: &'static str,
    pub(super) octets: Vec<u8>,
}

/// Writes a report: RFC 5322 octets with CRLF line ends, lines within 998
/// octets. The sender of the report is the caller's to set: the null path.
///
/// It has octets above 127 only if the original goes back whole and has, or
/// with [`Report::smtputf8`]; [`crate::is_eight_bit`] tells.
pub fn render(report: &Report, stamp: &Stamp<'_>) -> Vec<u8> {
    let utf8 = report.smtputf8 && fields::beyond_ascii(report);
    let original = returned(&report.original, report.smtputf8);
    let shortened = original.as_ref().is_some_and(|part| part.shortened);
    let mut parts = vec![human_part(report, shortened), status_part(report, utf8)];
    parts.extend(original.map(|part| Part {
        content_type: part.content_type,
        encoding: part.encoding,
        octets: part.octets,
    }));
    let boundary = boundary(stamp.boundary, &parts);
    let room: usize = parts.iter().map(|part| part.octets.len() + 160).sum();
    let mut out = Vec::with_capacity(room + 1024);
    header(&mut out, report, stamp, &boundary, parts.iter().any(|part| part.encoding == "8bit"));
    for part in &parts {
        line(&mut out, &["--", &boundary]);
        line(&mut out, &["Content-Type: ", part.content_type]);
        line(&mut out, &["Content-Transfer-Encoding: ", part.encoding]);
        line(&mut out, &[]);
        out.extend_from_slice(&part.octets);
        if !part.octets.is_empty() && !part.octets.ends_with(b"\r\n") {
            line(&mut out, &[]);
        }
        line(&mut out, &[]);
    }
    line(&mut out, &["--", &boundary, "--"]);
    out
}

fn human_part(report: &Report, shortened: bool) -> Part {
    let text = words::human(report, shortened);
    if text.is_ascii() {
        return Part {
            content_type: "text/plain; charset=us-ascii",
            encoding: "7bit",
            octets: text.into_bytes(),
        };
    }
    Part {
        content_type: "text/plain; charset=utf-8",
        encoding: "quoted-printable",
        octets: quoted_printable(text.as_bytes()),
    }
}

fn status_part(report: &Report, utf8: bool) -> Part {
    let octets = fields::delivery_status(report, utf8).into_bytes();
    let content_type =
        if utf8 { "message/global-delivery-status" } else { "message/delivery-status" };
    let encoding = if octets.is_ascii() { "7bit" } else { "8bit" };
    Part { content_type, encoding, octets }
}

fn header(out: &mut Vec<u8>, report: &Report, stamp: &Stamp<'_>, boundary: &str, eight_bit: bool) {
    line(out, &["Date: ", &date::rfc5322(stamp.date)]);
    line(out, &["From: Mail Delivery System <", &stamp.from.to_string(), ">"]);
    match &report.sender {
        Some(sender) => line(out, &["To: ", &mailbox(sender)]),
        None => line(out, &["To: undisclosed-recipients:;"]),
    }
    let about = clean(&report.subject, MAX_SUBJECT);
    let subject = match about.as_str() {
        "" => words::subject(report.kind).to_owned(),
        about => format!("{}: {about}", words::subject(report.kind)),
    };
    out.extend_from_slice(b"Subject: ");
    Text::new(subject).write_header(out, "Subject: ".len());
    line(out, &["Message-ID: <", &identifier(stamp.message_id), ">"]);
    let original = identifier(&report.message_id);
    if !original.is_empty() {
        line(out, &["References: <", &original, ">"]);
    }
    line(out, &["Auto-Submitted: auto-replied"]);
    line(out, &["MIME-Version: 1.0"]);
    line(out, &["Content-Type: multipart/report; report-type=delivery-status;"]);
    line(out, &["\tboundary=\"", boundary, "\""]);
    if eight_bit {
        line(out, &["Content-Transfer-Encoding: 8bit"]);
    }
    line(out, &[]);
    // Read by programs that do not know MIME.
    line(out, &["This is a delivery report in MIME format (RFC 3464)."]);
    line(out, &[]);
}

/// In brackets, so that no local part is taken for something else.
pub(super) fn mailbox(address: &SmtpAddress) -> String {
    format!("<{address}>")
}

/// What stands between the brackets of a Message-ID, without what would end it.
pub(super) fn identifier(text: &str) -> String {
    let mut id = clean_ascii(text, crate::MAX_MESSAGE_ID);
    id.retain(|c| c.is_ascii_graphic() && c != '<' && c != '>');
    id
}

pub(super) fn line(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// A boundary that stands in none of the parts.
pub(super) fn boundary(wanted: &str, parts: &[Part]) -> String {
    free_boundary(wanted, parts.iter().map(|part| part.octets.as_slice()))
}
