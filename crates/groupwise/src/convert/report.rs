//! Status of GroupWise as reports of the Internet, and back.

use super::identity::SentKey;
use concord_address::TypedAddress;
use concord_base::EnhancedStatus;
use concord_groupwise_api::Moment;
use concord_groupwise_api::model::{Action, Address, ItemKind, Status, StatusEvent};
use concord_message::{Disposition, ParsedReport, ReportKind, ReportRecipient};
use jiff::tz::TimeZone;

/// What a status tells the sender of one of our messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A delivery report on the recipient (RFC 3464).
    Delivery {
        /// Which message and recipient.
        key: SentKey,
        /// What became of it.
        recipient: Box<ReportRecipient>,
    },
    /// A read receipt (RFC 8098).
    Read {
        /// Which message and recipient.
        key: SentKey,
        /// What the reader did.
        disposition: Disposition,
        /// When, in the reader's words.
        when: String,
    },
    /// An answer to a meeting, note or task.
    Answered {
        /// Which message and recipient.
        key: SentKey,
        /// Accepted, declined, completed, delegated.
        action: Action,
    },
}

/// What a status tells, one for each of its events that a sender can be told
/// of. Empty if the item is none of ours. `zone` is that of dates without an
/// offset; an offset is applied once (Q279805).
pub fn told(status: &Status, zone: &TimeZone) -> Vec<Told> {
    let Some(key) = SentKey::parse(&status.of) else { return Vec::new() };
    status.events.iter().filter_map(|event| one(&key, event, zone)).collect()
}

fn one(key: &SentKey, event: &StatusEvent, zone: &TimeZone) -> Option<Told> {
    let delivery = |kind, code| {
        Some(Told::Delivery {
            key: key.clone(),
            recipient: recipient(key, event, kind, code, zone),
        })
    };
    match event.action {
        Action::Delivered => delivery(ReportKind::Delivered, EnhancedStatus::new(2, 1, 5)),
        Action::Transferred => delivery(ReportKind::Relayed, EnhancedStatus::new(2, 0, 0)),
        Action::Undeliverable => delivery(ReportKind::Failed, EnhancedStatus::new(5, 0, 0)),
        Action::Delayed => delivery(ReportKind::Delayed, EnhancedStatus::new(4, 0, 0)),
        Action::Opened | Action::Deleted => Some(Told::Read {
            key: key.clone(),
            disposition: if event.action == Action::Opened {
                Disposition::Displayed
            } else {
                Disposition::Deleted
            },
            when: event.time.map(|at| at.to_string()).unwrap_or_default(),
        }),
        Action::Accepted | Action::Declined | Action::Completed | Action::Delegated => {
            Some(Told::Answered { key: key.clone(), action: event.action })
        }
        // Nobody asked for it and no report has a word for it.
        Action::Forwarded | Action::Replied => None,
    }
}

fn recipient(
    key: &SentKey,
    event: &StatusEvent,
    action: ReportKind,
    status: EnhancedStatus,
    zone: &TimeZone,
) -> Box<ReportRecipient> {
    let at = event.time.and_then(|moment: Moment| moment.instant(zone));
    Box::new(ReportRecipient {
        final_recipient: TypedAddress::from(key.recipient.clone()),
        original: None,
        action,
        status,
        remote_mta: None,
        diagnostic: Some(event.detail.clone()).filter(|detail| !detail.is_empty()),
        last_attempt: at.map(|at| concord_base::Timestamp::from_seconds(at.as_second())),
        will_retry_until: None,
    })
}

/// A delivery report, which came for somebody in GroupWise, as status for the
/// item that it is about. `from` are the GroupWise addresses of the report's
/// recipients, in its order; the item's id is the report's envelope id. Empty
/// if that is missing.
pub fn status_of_report(
    report: &ParsedReport,
    from: &[Option<Address>],
    to: &Address,
    subject: &str,
    at: Moment,
) -> Vec<Status> {
    let Some(of) = report.envelope_id.clone().filter(|id| !id.is_empty()) else {
        return Vec::new();
    };
    let recipients = report.recipients.iter().enumerate();
    recipients
        .map(|(n, recipient)| {
            let action = match recipient.action {
                ReportKind::Failed => Action::Undeliverable,
                ReportKind::Delayed => Action::Delayed,
                ReportKind::Delivered => Action::Delivered,
                ReportKind::Relayed | ReportKind::Expanded => Action::Transferred,
            };
            Status {
                kind: ItemKind::Mail,
                id: String::new(),
                of: of.clone(),
                from: from.get(n).cloned().flatten(),
                from_text: recipient.final_recipient.1.clone(),
                to: vec![to.clone()],
                subject: subject.to_owned(),
                sent: Some(at),
                events: vec![StatusEvent {
                    action,
                    time: Some(at),
                    detail: detail(recipient.status, recipient.diagnostic.as_deref()),
                }],
                body: None,
            }
        })
        .collect()
}

fn detail(status: EnhancedStatus, said: Option<&str>) -> String {
    match said {
        Some(said) if !said.is_empty() => said.to_owned(),
        _ if status.class == 5 => format!("{status} not delivered"),
        _ => String::new(),
    }
}
