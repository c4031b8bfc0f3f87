//! An item of GroupWise as a message of the Internet.

use super::bounds::MAX_HEADING;
use super::people::{self, People};
use super::{Loss, choices, identity, meeting};
use concord_address::{Domain, SmtpAddress};
use concord_groupwise_api::Moment;
use concord_groupwise_api::model::{Address, Item, ItemKind};
use concord_message::free_boundary;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Written;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;

/// What of an item lay beside its header.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// The octets of its body; `None` if the header names one that is not
    /// there.
    pub body: Option<Vec<u8>>,
    /// The octets of its attachments, in their order; likewise.
    pub attachments: Vec<Option<Vec<u8>>>,
}

/// What a conversion has to know of the link.
pub struct Arrived<'a> {
    /// The directory.
    pub people: &'a dyn People,
    /// The domain of Message-IDs and encapsulated addresses.
    pub domain: &'a Domain,
    /// The zone of dates without an offset.
    pub zone: &'a TimeZone,
    /// When the item was found, for one that does not say when it was sent.
    /// The header file's own time, so that it is the same at a second try.
    pub found: Timestamp,
}

/// An item as a message for the core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// RFC 5322 octets.
    pub message: Vec<u8>,
    /// The reverse-path; `None` is the null path, for an item whose sender
    /// cannot be named.
    pub sender: Option<SmtpAddress>,
    /// Whom the core has to serve, each once, with the GroupWise address of
    /// those that have no Internet address.
    pub recipients: Vec<SmtpAddress>,
    /// The item's id, for ENVID (RFC 3461): reports bring it back.
    pub envelope_id: String,
    /// Whether reports of success are wanted (NOTIFY=SUCCESS).
    pub notify_success: bool,
    /// What could not be carried over.
    pub losses: Vec<Loss>,
}

/// Turns an item into a message. The same item always gives the same octets.
pub fn inbound(item: &Item, gathered: &Gathered, arrived: &Arrived<'_>) -> Inbound {
    let mut losses = Vec::new();
    if item.body.is_some() && gathered.body.is_none()
        || item.attachments.len() > gathered.attachments.iter().flatten().count()
    {
        losses.push(Loss::Missing);
    }
    if choices::is_approximate(item.security) {
        losses.push(Loss::Security);
    }
    let text = text(item, gathered, &losses);
    let mut builder = head(item, arrived);
    let parts = files(item, gathered);
    let boundary = boundary(item, &text);
    let mut body = MimePart::new("text/plain", text);
    if let Some(calendar) = request(item, arrived) {
        let kind = ContentType::new("multipart/alternative")
            .attribute("boundary", format!("{boundary}_a"));
        let about = ContentType::new("text/calendar")
            .attribute("method", "REQUEST")
            .attribute("charset", "utf-8");
        body = MimePart::new(kind, vec![body, MimePart::new(about, calendar)]);
    }
    builder = builder.body(if parts.is_empty() {
        body
    } else {
        let kind =
            ContentType::new("multipart/mixed").attribute("boundary", format!("{boundary}_m"));
        let mut all = vec![body];
        all.extend(parts);
        MimePart::new(kind, all)
    });
    let mut recipients: Vec<SmtpAddress> = Vec::new();
    for address in item.recipients() {
        if let Some(smtp) = people::internet(arrived.people, address, arrived.domain)
            && !recipients.iter().any(|known| known.key() == smtp.key())
        {
            recipients.push(smtp);
        }
    }
    Inbound {
        // Writing to memory does not fail.
        message: builder.write_to_vec().unwrap_or_default(),
        sender: sender(item, arrived),
        recipients,
        envelope_id: item.id.clone(),
        notify_success: item.status_request.delivered || item.status_request.everything,
        losses,
    }
}

/// The calendar object of an appointment that says when it is.
fn request(item: &Item, arrived: &Arrived<'_>) -> Option<String> {
    if item.kind != ItemKind::Appointment {
        return None;
    }
    let at = |moment: Option<Moment>| moment?.instant(arrived.zone);
    let (begin, end) = (at(item.begin)?, at(item.end).or_else(|| at(item.begin))?);
    let attendees: Vec<SmtpAddress> = item
        .all_to
        .iter()
        .chain(item.recipients())
        .filter_map(|one| people::internet(arrived.people, one, arrived.domain))
        .collect();
    Some(meeting::request_calendar(&meeting::Request {
        uid: &identity::message_id(&item.id, arrived.domain),
        organizer: sender(item, arrived).as_ref(),
        attendees: &attendees,
        begin,
        end,
        stamp: at(item.sent).unwrap_or(arrived.found),
        summary: &item.subject,
        location: &item.location,
    }))
}

fn sender(item: &Item, arrived: &Arrived<'_>) -> Option<SmtpAddress> {
    people::internet(arrived.people, item.from.as_ref()?, arrived.domain)
}

fn head<'a>(item: &Item, arrived: &Arrived<'_>) -> MessageBuilder<'a> {
    let id = identity::message_id(&item.id, arrived.domain);
    let at = item.sent.and_then(|m| m.instant(arrived.zone)).unwrap_or(arrived.found);
    let mut builder = MessageBuilder::new()
        .message_id(id)
        .date(Date::new(at.as_second()))
        .subject(item.subject.clone());
    let address = sender(item, arrived);
    if let Some(address) = &address {
        let name = match item.from_text.as_str() {
            "" => item.from.as_ref().map(Address::display_name).unwrap_or_default(),
            text => text.to_owned(),
        };
        builder = builder.from(written(&name, address));
    }
    let heading = |all: &[Address], own: &[Address]| -> Vec<Written<'static>> {
        let shown = if all.is_empty() { own } else { all };
        let shown = shown.iter().take(MAX_HEADING);
        shown
            .filter_map(|one| {
                let smtp = people::internet(arrived.people, one, arrived.domain)?;
                Some(written(&one.display_name(), &smtp))
            })
            .collect()
    };
    let (to, copies) = (heading(&item.all_to, &item.to), heading(&item.all_copies, &item.copies));
    if !to.is_empty() {
        builder = builder.to(Written::new_list(to));
    }
    if !copies.is_empty() {
        builder = builder.cc(Written::new_list(copies));
    }
    if let Some(importance) = choices::importance(item.priority) {
        builder = builder.header("Importance", Raw::new(importance));
    }
    if let Some(sensitivity) = choices::sensitivity(item.security) {
        builder = builder.header("Sensitivity", Raw::new(sensitivity));
    }
    if let Some(address) = address.filter(|_| item.status_request.opened) {
        builder = builder.header("Disposition-Notification-To", written("", &address));
    }
    builder
}

fn written(name: &str, address: &SmtpAddress) -> Written<'static> {
    let name = Some(name.to_owned()).filter(|name| !name.is_empty());
    Written::new_address(name, address.to_string())
}

/// The body, behind what an item of another kind says of itself, and before
/// what was lost.
fn text(item: &Item, gathered: &Gathered, losses: &[Loss]) -> String {
    let mut text = String::new();
    for (label, value) in particulars(item) {
        text.push_str(&format!("{label}: {value}\r\n"));
    }
    if !text.is_empty() {
        text.push_str("\r\n");
    }
    if let (Some(body), Some(octets)) = (&item.body, &gathered.body) {
        text.push_str(&body.page.decode(octets).replace("\r\n", "\n").replace('\n', "\r\n"));
    }
    for (n, loss) in losses.iter().enumerate() {
        text.push_str(if n == 0 { "\r\n--\r\n" } else { "" });
        text.push_str(&format!("[{}]\r\n", loss.sentence()));
    }
    text
}

fn particulars(item: &Item) -> Vec<(&'static str, String)> {
    if item.kind == ItemKind::Mail {
        return Vec::new();
    }
    let time = |moment: Option<Moment>| {
        moment.map(|m| m.local.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
    };
    let mut lines = vec![
        ("From", time(item.begin)),
        ("Until", time(item.end)),
        ("Place", item.location.clone()),
    ];
    if let Some(call) = &item.phone {
        lines.push(("Caller", call.caller.clone()));
        lines.push(("Company", call.company.clone()));
        lines.push(("Telephone", call.telephone.clone()));
        lines.push(("Action", call.action.clone()));
    }
    lines.retain(|(_, value)| !value.is_empty());
    lines
}

fn files(item: &Item, gathered: &Gathered) -> Vec<MimePart<'static>> {
    let pairs = item.attachments.iter().zip(&gathered.attachments);
    pairs
        .filter_map(|(attachment, octets)| {
            let name =
                if attachment.name.is_empty() { &attachment.stored } else { &attachment.name };
            let octets = octets.clone()?;
            Some(MimePart::new("application/octet-stream", octets).attachment(name.clone()))
        })
        .collect()
}

/// Files are base64 and cannot contain it; the text is looked at.
fn boundary(item: &Item, text: &str) -> String {
    let hex: String = item.id.bytes().take(16).map(|octet| format!("{octet:02x}")).collect();
    free_boundary(&format!("=_gw_{hex}"), [text.as_bytes()])
}
