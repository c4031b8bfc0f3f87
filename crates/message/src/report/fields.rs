//! The machine-readable part: fields of RFC 3464 section 2.

use super::{Report, ReportKind, ReportRecipient};
use crate::date;
use crate::text::{clean, clean_ascii};
use concord_address::TypedAddress;
use std::fmt::Write;

/// Characters of a field's free text: with its name it stays far below the
/// 998 octets of a line, even at four octets a character.
pub(super) const MAX_FREE_TEXT: usize = 220;
/// Octets of an address. Ours are shorter, ORCPT has at most 500 characters
/// (RFC 3461 section 4.2); so only what would not fit a line is cut.
const MAX_ADDRESS: usize = 700;

/// Whether any address needs RFC 6533's `utf-8` form.
pub(super) fn beyond_ascii(report: &Report) -> bool {
    report.recipients.iter().any(|r| {
        !r.final_recipient.value().is_ascii()
            || r.original.as_ref().is_some_and(|original| !original.is_ascii())
    }) || report.sender.as_ref().is_some_and(|sender| !sender.is_ascii())
}

/// All fields. With `utf8` the part is `message/global-delivery-status` and
/// addresses stand as they are; else everything is ASCII.
pub(super) fn delivery_status(report: &Report, utf8: bool) -> String {
    let mut out = String::with_capacity(256 + report.recipients.len().saturating_mul(256));
    let field = |out: &mut String, name: &str, value: &str| {
        if !value.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(out, "{name}: {value}\r\n");
        }
    };
    let free = |text: &str| {
        if utf8 { clean(text, MAX_FREE_TEXT) } else { clean_ascii(text, MAX_FREE_TEXT) }
    };
    if let Some(id) = &report.envelope_id {
        field(&mut out, "Original-Envelope-Id", &free(id));
    }
    field(&mut out, "Reporting-MTA", &format!("dns; {}", host(&report.reporting_mta)));
    if let Some(at) = report.arrival {
        field(&mut out, "Arrival-Date", &date::rfc5322(at));
    }
    for recipient in &report.recipients {
        out.push_str("\r\n");
        if let Some(original) = &recipient.original {
            field(&mut out, "Original-Recipient", &original_recipient(original, utf8));
        }
        field(&mut out, "Final-Recipient", &typed(&recipient.final_recipient, utf8));
        field(&mut out, "Action", recipient.action.as_str());
        field(&mut out, "Status", &recipient.status.to_string());
        if let Some(remote) = &recipient.remote_mta {
            field(&mut out, "Remote-MTA", &format!("dns; {}", host(remote)));
        }
        if let Some(said) = &recipient.diagnostic {
            field(&mut out, "Diagnostic-Code", &diagnostic(recipient, &free(said)));
        }
        if let Some(at) = recipient.last_attempt {
            field(&mut out, "Last-Attempt-Date", &date::rfc5322(at));
        }
        if let Some(id) = &report.queue_id {
            field(&mut out, "Final-Log-ID", &free(id));
        }
        if let (ReportKind::Delayed, Some(at)) = (recipient.action, recipient.will_retry_until) {
            field(&mut out, "Will-Retry-Until", &date::rfc5322(at));
        }
    }
    out
}

/// Only what spoke SMTP has an SMTP answer; ours are not (RFC 3464 section 2.3.6).
fn diagnostic(recipient: &ReportRecipient, said: &str) -> String {
    let kind = if recipient.remote_mta.is_some() { "smtp" } else { "x-concord" };
    if said.is_empty() { String::new() } else { format!("{kind}; {said}") }
}

/// The name in `name [address]`.
fn host(text: &str) -> String {
    let name = clean_ascii(text, MAX_FREE_TEXT);
    match name.split(' ').next() {
        Some(first) if !first.is_empty() => first.to_owned(),
        _ => "unknown".to_owned(),
    }
}

/// An address with its RFC 3464 type in front.
fn typed(address: &TypedAddress, utf8: bool) -> String {
    let value = clean(address.value(), usize::MAX);
    match address.kind().as_str() {
        "SMTP" if value.is_ascii() => format!("rfc822; {value}"),
        "SMTP" => format!("utf-8; {}", utf8_address(&value, utf8)),
        // Types that IANA does not know begin with x-.
        kind => {
            format!("x-{}; {}", kind.to_ascii_lowercase(), utf8_address(&value, utf8))
        }
    }
}

/// ORCPT, `type;address`.
fn original_recipient(text: &str, utf8: bool) -> String {
    let text = clean(text, MAX_ADDRESS);
    let (kind, value) = text.split_once(';').unwrap_or(("rfc822", &text));
    let kind = clean_ascii(kind.trim(), 40);
    let value = value.trim();
    if value.is_empty() {
        return String::new();
    }
    let kind = if value.is_ascii() { kind.as_str() } else { "utf-8" };
    format!("{kind}; {}", utf8_address(value, utf8))
}

/// RFC 6533 section 3: as it is, or in ASCII with `\x{20AC}` for what is not.
fn utf8_address(value: &str, utf8: bool) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if out.len() > MAX_ADDRESS {
            break;
        }
        if c.is_ascii() || utf8 {
            out.push(c);
        } else {
            let _ = write!(out, "\\x{{{:X}}}", u32::from(c));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_their_types() {
        let at = |text: &str, utf8| typed(&text.parse().unwrap(), utf8);
        assert_eq!(at("bob@example.test", false), "rfc822; bob@example.test");
        assert_eq!(at("jürgen@example.test", true), "utf-8; jürgen@example.test");
        assert_eq!(at("jürgen@example.test", false), "utf-8; j\\x{FC}rgen@example.test");
        assert_eq!(at("NOTES:Jane Doe/Acme", false), "x-notes; Jane Doe/Acme");
        assert_eq!(original_recipient("rfc822;a@b\r\nBcc: x", false), "rfc822; a@b Bcc: x");
        assert_eq!(host("mx.example.org [192.0.2.1]"), "mx.example.org");
        assert_eq!(host("\r\n"), "unknown");
    }
}
