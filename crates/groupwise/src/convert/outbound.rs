//! A message of the Internet as an item of GroupWise.

use super::bounds::{MAX_HEADING, MAX_UID};
use super::meeting::{self, Meeting, Method};
use super::people::People;
use super::{Loss, SentKey, choices, identity, parts};
use concord_address::{Domain, SmtpAddress};
use concord_groupwise_api::model::{
    Address, Attachment, Body, Item, ItemKind, Message as Said, Status, StatusEvent, StatusRequest,
};
use concord_groupwise_api::{Characters, Moment, layout};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use mail_parser::{Message, MessageParser};

/// What the queue knows of one delivery.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// Which message and to whom; it becomes the item's id.
    pub key: SentKey,
    /// The sender's GroupWise address; answers and status go there.
    pub sender: Address,
    /// The recipient's.
    pub recipient: Address,
    /// Whether a report of success was asked for (RFC 3461 NOTIFY=SUCCESS).
    pub notify_success: bool,
}

/// A message as an item, with content that has no names yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    item: Item,
    text: String,
    files: Vec<parts::File>,
    losses: Vec<Loss>,
    /// What the sender answers to the item that `item.answers` names.
    answer: Option<StatusEvent>,
}

/// Content to be stored beside a header, under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The file's name.
    pub name: String,
    /// Its octets.
    pub octets: Vec<u8>,
}

/// Turns a message into an item for one recipient. `domain` is the one that
/// GroupWise people have in Message-IDs. `None` if the octets are no message.
///
/// The recipient stands in `To` or `To-CC` if the header names it there, and in
/// `To-BC` if not, so that nobody learns of blind copies (Q234405).
pub fn outbound(
    message: &[u8],
    envelope: &Envelope,
    people: &dyn People,
    domain: &Domain,
) -> Option<Outbound> {
    let message = MessageParser::new().parse(message)?;
    let mut taken = parts::take_apart(&message);
    let meeting = meeting::read(&message);
    let recipient = &envelope.key.recipient;
    let (to, copies) = (addresses(message.to()), addresses(message.cc()));
    let mut item = Item {
        kind: ItemKind::Mail,
        id: envelope.key.to_string(),
        answers: answers(&message, domain),
        from: Some(envelope.sender.clone()),
        from_text: sender_name(&message, &envelope.sender),
        all_to: heading(&to, people),
        all_copies: heading(&copies, people),
        to_text: parts::people(message.to()),
        copies_text: parts::people(message.cc()),
        subject: message.subject().unwrap_or_default().to_owned(),
        sent: sent(&message),
        priority: choices::priority(&message),
        security: choices::security(&message),
        status_request: StatusRequest {
            delivered: envelope.notify_success,
            opened: wants_receipt(&message),
            everything: false,
        },
        ..Item::default()
    };
    let role = if to.iter().any(|a| a.key() == recipient.key()) {
        &mut item.to
    } else if copies.iter().any(|a| a.key() == recipient.key()) {
        &mut item.copies
    } else {
        &mut item.blind_copies
    };
    role.push(envelope.recipient.clone());
    let mut answer = None;
    if let Some(meeting) = meeting {
        answer = meet(&mut item, &mut taken, &meeting, envelope, domain);
    }
    let parts::Parts { text, files, losses } = taken;
    Some(Outbound { item, text, files, losses, answer })
}

/// Makes the item what its calendar object says. An answer to a meeting that
/// somebody in GroupWise called becomes status, the only form GroupWise has
/// for it; a cancellation becomes mail, since there is none for that.
fn meet(
    item: &mut Item,
    taken: &mut parts::Parts,
    meeting: &Meeting,
    envelope: &Envelope,
    domain: &Domain,
) -> Option<StatusEvent> {
    let mut prefix = "";
    match &meeting.method {
        Method::Reply(event) => {
            let of = identity::item_id(&meeting.uid, domain)?;
            item.answers = of;
            item.kind = ItemKind::Appointment;
            return Some(event.clone());
        }
        Method::Cancel => prefix = "Canceled: ",
        // Days without a time have no counterpart of their own.
        Method::Request if meeting.all_day => {
            let begin = meeting.begin.map(|m| m.local.date().to_string()).unwrap_or_default();
            taken.text.insert_str(0, &format!("All day: {begin}\r\n\r\n"));
        }
        Method::Request => {
            item.kind = ItemKind::Appointment;
            (item.begin, item.end) = (meeting.begin, meeting.end);
            item.location.clone_from(&meeting.location);
            let uid = Some(meeting.uid.clone()).filter(|uid| (1..=MAX_UID).contains(&uid.len()));
            item.id = SentKey { meeting: uid, ..envelope.key.clone() }.to_string();
            // An update arrives as a request of its own (Q232349).
            if meeting.updated {
                prefix = "Updated: ";
            }
        }
    }
    if !item.subject.starts_with(prefix) {
        item.subject.insert_str(0, prefix);
    }
    if meeting.recurs {
        taken.losses.push(Loss::Recurrence);
    }
    taken.files.retain(|file| !file.calendar);
    None
}

impl Outbound {
    /// What could not be carried over.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// The item's id.
    pub fn id(&self) -> &str {
        &self.item.id
    }

    /// Gives the content names, from a `number` that no other message has, and
    /// writes its text in the link's code page. What was lost stands at the
    /// end of the text.
    pub fn place(mut self, number: u32, characters: Characters) -> (Said, Vec<Content>) {
        if let Some(event) = self.answer {
            return (Said::Status(status(self.item, event)), Vec::new());
        }
        let page = characters.page;
        if page.encode(&self.text).replaced > 0 {
            self.losses.push(Loss::Characters);
        }
        let mut text = self.text;
        for (n, loss) in self.losses.iter().enumerate() {
            text.push_str(if n == 0 { "\r\n--\r\n" } else { "" });
            text.push_str(&format!("[{}]\r\n", loss.sentence()));
        }
        let mut content = Vec::with_capacity(self.files.len() + 1);
        if !text.is_empty() {
            let name = layout::body_name(number);
            self.item.body = Some(Body { stored: name.clone(), page });
            content.push(Content { name, octets: page.encode(&text).octets });
        }
        for (index, file) in self.files.into_iter().enumerate() {
            let name = layout::attachment_name(number, u16::try_from(index).unwrap_or(u16::MAX));
            self.item.attachments.push(Attachment {
                stored: name.clone(),
                name: file.name,
                size: u64::try_from(file.octets.len()).ok(),
                modified: None,
                conversion_allowed: false,
            });
            content.push(Content { name, octets: file.octets });
        }
        (Said::Item(self.item), content)
    }
}

fn status(item: Item, event: StatusEvent) -> Status {
    Status {
        kind: item.kind,
        id: item.id,
        of: item.answers,
        from: item.from,
        from_text: item.from_text,
        to: [item.to, item.copies, item.blind_copies].concat(),
        subject: item.subject,
        sent: item.sent,
        events: vec![StatusEvent { time: item.sent, ..event }],
        body: None,
    }
}

fn addresses(addresses: Option<&mail_parser::Address<'_>>) -> Vec<SmtpAddress> {
    let all = addresses.into_iter().flat_map(|a| a.iter());
    all.filter_map(|a| a.address()?.parse().ok()).take(MAX_HEADING).collect()
}

fn heading(addresses: &[SmtpAddress], people: &dyn People) -> Vec<Address> {
    addresses.iter().filter_map(|address| people.groupwise(address)).collect()
}

fn sender_name(message: &Message<'_>, sender: &Address) -> String {
    let first = message.from().and_then(|from| from.first());
    let named = first.and_then(|a| a.name().or_else(|| a.address()));
    named.map_or_else(|| sender.display_name(), str::to_owned)
}

/// The item that this message answers, if it came from GroupWise.
fn answers(message: &Message<'_>, domain: &Domain) -> String {
    let ids = message.in_reply_to().as_text_list().unwrap_or_default().to_vec();
    ids.iter().find_map(|id| identity::item_id(id, domain)).unwrap_or_default()
}

fn wants_receipt(message: &Message<'_>) -> bool {
    !choices::header(message, "Disposition-Notification-To").is_empty()
}

/// The date as the sender's clock showed it, with its offset (Q236459).
fn sent(message: &Message<'_>) -> Option<Moment> {
    let date = message.date().filter(|date| date.is_valid())?;
    let seconds = (i32::from(date.tz_hour) * 60 + i32::from(date.tz_minute)) * 60;
    let seconds = if date.tz_before_gmt { -seconds } else { seconds };
    // Outside of what GroupWise can read, UTC says the same.
    let offset = Offset::from_seconds(seconds).ok().filter(|o| o.seconds().abs() <= 14 * 3600);
    let offset = offset.unwrap_or(Offset::UTC);
    let instant = Timestamp::from_second(date.to_timestamp()).ok()?;
    let local: DateTime = offset.to_datetime(instant);
    Some(Moment { local, offset: Some(offset) })
}
