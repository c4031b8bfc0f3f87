//! Delivery status notifications: RFC 3461 (who wants which), RFC 3464 (the
//! fields), RFC 6522 (the container), RFC 6533 (addresses beyond ASCII).
//!
//! [`render_disposition`] and [`parse_disposition`] are for read receipts (RFC
//! 8098).
//!
//! The caller decides that there is to be a report and to whom; this module
//! writes it. A report is sent with the null reverse-path.

mod disposition;
mod fields;
mod parse;
mod returned;
mod words;
mod write;

pub use disposition::{
    Disposition, DispositionReport, ParsedDisposition, parse_disposition, render_disposition,
};
pub use parse::{ParsedRecipient, ParsedReport, parse};
pub use write::render;

use concord_address::{SmtpAddress, TypedAddress};
use concord_base::{EnhancedStatus, Timestamp};

/// What a report says of a recipient (RFC 3464 section 2.3.3 `Action`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportKind {
    /// It could not be delivered and will not be tried again.
    Failed,
    /// It could not be delivered yet; it is tried again.
    Delayed,
    /// It was delivered.
    Delivered,
    /// It was given to a system that does not report success.
    Relayed,
    /// It was delivered to a list whose members are not reported on.
    Expanded,
}

impl ReportKind {
    /// The word in the `Action` field.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }

    /// From the word in the `Action` field; case does not matter.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Failed, Self::Delayed, Self::Delivered, Self::Relayed, Self::Expanded]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(word))
    }
}

/// One recipient of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRecipient {
    /// The recipient as the reporting host knew it.
    pub final_recipient: TypedAddress,
    /// RFC 3461 ORCPT, as `type;address`, decoded.
    pub original: Option<String>,
    /// What became of it.
    pub action: ReportKind,
    /// Why.
    pub status: EnhancedStatus,
    /// The host that answered, `mx.example.org` or `mx.example.org
    /// [192.0.2.1]`; `None` if nobody else decided.
    pub remote_mta: Option<String>,
    /// What was said, reply code first if there was one (`550 5.1.1 no such
    /// user`). From the remote host if [`remote_mta`](Self::remote_mta) is
    /// set, else Concord's own words. Any text is safe here.
    pub diagnostic: Option<String>,
    /// When it was last tried.
    pub last_attempt: Option<Timestamp>,
    /// When the last try will be, for a delay.
    pub will_retry_until: Option<Timestamp>,
}

/// What of the original goes back with the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Original {
    /// Nothing: it could not be read.
    None,
    /// Its header, RFC 5322 octets; whatever follows its empty line is left
    /// out, so the beginning of the message does as well.
    Header(Vec<u8>),
    /// The whole message. Only its header goes if the message is larger than
    /// a report should be (1 MiB), or cannot be carried within one.
    Message(Vec<u8>),
}

/// A report on one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it is about above all; gives subject and first words.
    pub kind: ReportKind,
    /// The name of the host that reports.
    pub reporting_mta: String,
    /// When the message came there.
    pub arrival: Option<Timestamp>,
    /// Its queue id there, by which the administrator finds it.
    pub queue_id: Option<String>,
    /// RFC 3461 ENVID, decoded.
    pub envelope_id: Option<String>,
    /// The sender of the message, who gets the report.
    pub sender: Option<SmtpAddress>,
    /// The original's Message-ID without brackets, or empty.
    pub message_id: String,
    /// The original's subject, or empty.
    pub subject: String,
    /// On whom; at least one.
    pub recipients: Vec<ReportRecipient>,
    /// What goes back.
    pub original: Original,
    /// Whether the original came with SMTPUTF8: then its report may have
    /// addresses and headers beyond ASCII (RFC 6533).
    pub smtputf8: bool,
}

/// What makes a report this one and no other; given by the caller, so that
/// the same report is written the same every time.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'a> {
    /// The report's own Message-ID, without brackets.
    pub message_id: &'a str,
    /// When it is written.
    pub date: Timestamp,
    /// Who it is from: the postmaster of the reporting host.
    pub from: &'a SmtpAddress,
    /// What its parts are divided by. Another is made from it if the original
    /// contains it.
    pub boundary: &'a str,
}

/// Renders a report whose free texts are `data`, and checks its shape.
pub(crate) fn fuzz_render(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let Ok(address) = "alice@example.test".parse::<SmtpAddress>() else { return };
    let flag = |bit: u8| data.first().is_some_and(|first| first & bit != 0);
    let report = Report {
        kind: if flag(1) { ReportKind::Failed } else { ReportKind::Delayed },
        reporting_mta: text.clone(),
        arrival: None,
        queue_id: Some(text.clone()),
        envelope_id: Some(text.clone()),
        sender: Some(address.clone()),
        message_id: text.clone(),
        subject: text.clone(),
        recipients: vec![ReportRecipient {
            final_recipient: address.clone().into(),
            original: Some(text.clone()),
            action: ReportKind::Failed,
            status: EnhancedStatus::new(5, 1, 1),
            remote_mta: Some(text.clone()),
            diagnostic: Some(text.clone()),
            last_attempt: None,
            will_retry_until: None,
        }],
        original: if flag(2) {
            Original::Message(data.to_vec())
        } else {
            Original::Header(data.to_vec())
        },
        smtputf8: flag(4),
    };
    let stamp = Stamp { message_id: &text, date: Timestamp(0), from: &address, boundary: &text };
    let written = render(&report, &stamp);
    for line in written.split(|c| *c == b'\n') {
        assert!(line.len() <= returned::MAX_LINE + 1, "a line of {} octets", line.len());
    }
    let read = parse(&written);
    assert!(read.is_some_and(|r| r.recipients.len() == 1), "a report reads back");
}
