//! Reports that come for people in GroupWise, as status.

use crate::book::GWISE;
use crate::convert::{item_id, status_of_report};
use concord_address::{Domain, SmtpAddress};
use concord_groupwise_api::Moment;
use concord_groupwise_api::model::{Action, Address, ItemKind, Status, StatusEvent};
use concord_message::{Disposition, parse, parse_disposition};
use mail_parser::MessageParser;

/// What a report is about, read but not yet addressed.
pub(super) enum Report {
    Delivery(concord_message::ParsedReport),
    Read { of: String, action: Action, reader: String },
}

/// The report in a message; `None` if it is none, or not about an item of
/// GroupWise. Then it is mail like any other.
pub(super) fn read(message: &[u8], domain: &Domain) -> Option<Report> {
    if let Some(mut report) = parse(message) {
        // An id of more than 100 characters is no ENVID; the Message-ID says
        // the same (RFC 3461 section 4.4, Q244467).
        let known = report.original_message_id.as_deref().and_then(|id| item_id(id, domain));
        let known = known.or_else(|| referred(message, domain));
        report.envelope_id = known.or(report.envelope_id.filter(|id| !id.is_empty()));
        return report.envelope_id.is_some().then_some(Report::Delivery(report));
    }
    let receipt = parse_disposition(message)?;
    let action = match receipt.disposition? {
        Disposition::Displayed => Action::Opened,
        Disposition::Deleted => Action::Deleted,
    };
    let of = receipt.message_id.as_deref().and_then(|id| item_id(id, domain))?;
    Some(Report::Read { of, action, reader: receipt.reader.1 })
}

fn referred(message: &[u8], domain: &Domain) -> Option<String> {
    let message = MessageParser::new().parse(message)?;
    let headers = [message.in_reply_to(), message.references()];
    let ids =
        headers.into_iter().flat_map(|value| value.as_text_list().unwrap_or_default().to_vec());
    ids.filter_map(|id| item_id(&id, domain)).next()
}

/// Somebody in a report.
#[derive(Debug, Clone)]
pub(super) enum Who {
    Internet(SmtpAddress),
    GroupWise(Box<Address>),
    Unknown,
}

fn who((kind, address): &(String, String)) -> Who {
    if kind.eq_ignore_ascii_case(GWISE) {
        return Who::GroupWise(Box::new(Address::from_dotted(address)));
    }
    address.parse().map_or(Who::Unknown, Who::Internet)
}

impl Report {
    /// Those it reports on.
    pub(super) fn about(&self) -> Vec<Who> {
        match self {
            Self::Delivery(report) => report
                .recipients
                .iter()
                .map(|recipient| {
                    let original = recipient.original_recipient.as_ref();
                    let last = &recipient.final_recipient;
                    match who(original.unwrap_or(last)) {
                        Who::Unknown => who(last),
                        known => known,
                    }
                })
                .collect(),
            Self::Read { reader, .. } => {
                vec![reader.parse().map_or(Who::Unknown, Who::Internet)]
            }
        }
    }

    /// As status; `from` are the GroupWise addresses of [`about`](Self::about).
    pub(super) fn status(
        &self,
        from: &[Option<Address>],
        to: &Address,
        subject: &str,
        at: Moment,
    ) -> Vec<Status> {
        match self {
            Self::Delivery(report) => status_of_report(report, from, to, subject, at),
            Self::Read { of, action, reader } => vec![Status {
                kind: ItemKind::Mail,
                id: String::new(),
                of: of.clone(),
                from: from.first().cloned().flatten(),
                from_text: reader.clone(),
                to: vec![to.clone()],
                subject: subject.to_owned(),
                sent: Some(at),
                events: vec![StatusEvent {
                    action: *action,
                    time: Some(at),
                    detail: String::new(),
                }],
                body: None,
            }],
        }
    }
}
