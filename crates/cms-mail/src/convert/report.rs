//! What hosts report as reports of the Internet, and the way back.

use crate::netdata::{Acknowledgement, Outcome};
use crate::note::{Note, Person};
use crate::{Detected, HostAddress, Undelivered};
use concord_address::TypedAddress;
use concord_base::EnhancedStatus;
use concord_message::{Disposition, ParsedReport, ReportKind, ReportRecipient};

/// What a host told the sender of one of our messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A delivery report on the recipient (RFC 3464).
    Delivery(Box<ReportRecipient>),
    /// A read receipt (RFC 8098). Users of CMS take a file out of their reader by
    /// reading it.
    Read {
        /// Who read it.
        recipient: HostAddress,
        /// What they did.
        disposition: Disposition,
    },
}

impl Told {
    /// What a sentence of OfficeVision tells. Both sentences mean the same
    /// (Q188819).
    pub fn undelivered(said: &Undelivered) -> Option<Self> {
        let typed = said.recipient.typed()?;
        let status = EnhancedStatus::new(5, 1, 1);
        Some(delivery(typed, ReportKind::Failed, status, said.to_string()))
    }

    /// What an acknowledgement tells; none if it does not say whose it is.
    pub fn acknowledged(said: &Acknowledgement) -> Option<Self> {
        let recipient = said.from.clone()?;
        let disposition = match &said.outcome {
            Outcome::Received => Disposition::Displayed,
            Outcome::Deleted => Disposition::Deleted,
            // It is there, whatever else the words mean.
            Outcome::Other(words) => {
                let status = EnhancedStatus::new(2, 1, 5);
                let typed = recipient.typed()?;
                return Some(delivery(typed, ReportKind::Delivered, status, words.clone()));
            }
        };
        Some(Self::Read { recipient, disposition })
    }
}

fn delivery(
    final_recipient: TypedAddress,
    action: ReportKind,
    status: EnhancedStatus,
    said: String,
) -> Told {
    Told::Delivery(Box::new(ReportRecipient {
        final_recipient,
        original: None,
        action,
        status,
        remote_mta: None,
        diagnostic: Some(said).filter(|said| !said.is_empty()),
        last_attempt: None,
        will_retry_until: None,
    }))
}

/// A delivery report for a user of a host as a note: the host's own sentence for
/// recipients that have a host address, a line for others, and what was said.
/// `hosts` are the host addresses of the report's recipients, in its order; `when`
/// is the original's date and time as the note had it.
pub fn undelivered_note(
    report: &ParsedReport,
    hosts: &[Option<HostAddress>],
    from: &HostAddress,
    to: &HostAddress,
    subject: &str,
    when: &str,
) -> Note {
    let mut text = Vec::new();
    for (number, recipient) in report.recipients.iter().enumerate() {
        let whom = recipient.final_recipient.1.as_str();
        let host = hosts.get(number).and_then(Option::as_ref);
        text.push(match (recipient.action, host) {
            (ReportKind::Failed, Some(host)) => Undelivered {
                recipient: host.clone(),
                note: when.to_owned(),
                detected: Detected::ByOwnNode,
            }
            .to_string(),
            (ReportKind::Failed, None) => format!("{whom}: {when} not received."),
            (ReportKind::Delayed, _) => {
                format!("{whom}: {when} not received yet; it is tried again.")
            }
            _ => format!("{whom}: {when} received."),
        });
        let said = recipient.diagnostic.as_deref().unwrap_or_default();
        text.push(format!("  {} {said}", recipient.status).trim_end().to_owned());
    }
    Note {
        from: Some(Person::host(from.clone())),
        to: vec![Person::host(to.clone())],
        subject: subject.to_owned(),
        text,
        ..Note::default()
    }
}
