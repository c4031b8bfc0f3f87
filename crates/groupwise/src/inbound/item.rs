//! An item of GroupWise as a message for the core.

use super::Worked;
use super::submit::Letter;
use crate::book::Known;
use crate::convert::{Arrived, Gathered, People as _, inbound};
use crate::gateway::{Content, GatewayError, Listed};
use crate::hops;
use crate::link::{Link, notify};
use bytes::Bytes;
use concord_address::{SmtpAddress, TypedAddress, decapsulate};
use concord_connector::{ApiError, Submitted, on_one_line};
use concord_groupwise_api::model::{Action, Address, Item, Message, Status, StatusEvent};
use concord_message::{date, is_eight_bit};
use concord_smtp::{BodyType, MailCommand, RcptCommand, Reply};
use jiff::Timestamp;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

/// RFC 3461 section 4.4: characters of an ENVID.
const MAX_ENVELOPE_ID: usize = 100;
/// How long content may be missing that a header names: the gateway writes it
/// first, but a file server may show it later.
const CONTENT_LATE: Duration = Duration::from_secs(30);

/// What an item brings along.
struct Parcel {
    gathered: Gathered,
    paths: Vec<PathBuf>,
    missing: bool,
    too_large: bool,
}

/// An item as a message.
struct Made {
    letter: Letter,
    /// Its recipients, as GroupWise knows them, in the letter's order.
    named: Vec<Address>,
    /// Recipients who are nobody.
    nobody: Vec<Address>,
}

/// Files that a header names.
pub(super) fn content_of(message: &Message) -> Vec<String> {
    match message {
        Message::Item(item) => {
            let body = item.body.iter().map(|body| body.stored.clone());
            body.chain(item.attachments.iter().map(|file| file.stored.clone())).collect()
        }
        Message::Status(status) => status.body.iter().map(|body| body.stored.clone()).collect(),
        _ => Vec::new(),
    }
}

impl Link {
    /// Brings an item to the core. The header stays; the paths of what belongs
    /// to it are given back if it is done.
    pub(super) async fn bring(&self, file: &Listed, item: Item) -> Worked {
        let octets = match self.weigh(&item).await {
            Ok(octets) => octets,
            Err(error) => return Worked::Later(error.to_string()),
        };
        let _room = self.memory.room(octets).await;
        let parcel = match self.gather(&item).await {
            Ok(parcel) => parcel,
            Err(error) => return Worked::Later(error.to_string()),
        };
        let age = self.age(file);
        if parcel.missing && age < CONTENT_LATE {
            return Worked::Later("content that the header names is not there yet".to_owned());
        }
        if parcel.too_large {
            let reply = Reply::new(552, (5, 3, 4), "the item is larger than messages may be here");
            return self.refused(&item, &all(&item, &reply), parcel.paths).await;
        }
        let Some(hops) = hops_of(&item) else {
            let reply = Reply::new(554, (5, 4, 6), "an item of ours came back: it is looping");
            return self.refused(&item, &all(&item, &reply), parcel.paths).await;
        };
        crate::fault::abort_over(&item.subject);
        match self.letter(file, &item, &parcel.gathered, hops).await {
            Err(error) => Worked::Later(error.to_string()),
            Ok(made) => self.sent(&item, made, parcel.paths).await,
        }
    }

    async fn sent(&self, item: &Item, made: Made, paths: Vec<PathBuf>) -> Worked {
        let Made { letter, named, nobody } = made;
        let unknown = Reply::new(550, (5, 1, 1), "nobody here has this address");
        let mut refused: Vec<(Address, Reply)> =
            nobody.into_iter().map(|address| (address, unknown.clone())).collect();
        if letter.rcpts.is_empty() {
            return self.refused(item, &refused, paths).await;
        }
        let replies = match self.submit(letter).await {
            Submitted::Later(why) => return Worked::Later(why),
            Submitted::Broken(why) => return Worked::Broken(why),
            Submitted::Taken { replies, .. } | Submitted::Refused(replies) => replies,
        };
        refused.extend(named.into_iter().zip(replies).filter(|(_, reply)| !reply.is_ok()));
        self.refused(item, &refused, paths).await
    }

    /// Tells the item's sender who does not get it.
    async fn refused(
        &self,
        item: &Item,
        refused: &[(Address, Reply)],
        paths: Vec<PathBuf>,
    ) -> Worked {
        for (n, (address, reply)) in refused.iter().enumerate() {
            let Some(sender) = &item.from else { break };
            let id = format!("concord-refusal/{n}/{}", item.id);
            let status = undelivered(item, id.clone(), address, sender, reply, self.moment());
            // A report of this process or an earlier one may lie there already.
            if let Err(error) = self.publish(id, Message::Status(status)).await {
                return Worked::Later(error.to_string());
            }
        }
        if item.from.is_none() && !refused.is_empty() {
            let text = format!(
                "an item from GroupWise has no sender who could be told that it was refused: id \
                 '{}', subject '{}'",
                item.id, item.subject
            );
            self.notice("groupwise.refused-without-sender", &text).await;
        }
        if let Some((address, reply)) = refused.first() {
            tracing::info!(
                audience = "operator", id = item.id, recipient = %address, reply = on_one_line(reply),
                count = refused.len(), "recipients of an item were refused; its sender is told"
            );
        }
        Worked::Done { paths, outcome: if refused.is_empty() { "taken" } else { "refused" } }
    }

    /// Octets of what an item brings along.
    async fn weigh(&self, item: &Item) -> Result<u64, GatewayError> {
        let body = item.body.iter().map(|body| body.stored.clone());
        let names: Vec<String> =
            body.chain(item.attachments.iter().map(|file| file.stored.clone())).collect();
        let page = self.settings.characters.page;
        self.gateway
            .blocking(move |gateway| {
                let mut octets: u64 = 0;
                for name in &names {
                    let found = gateway.find(name, page)?;
                    let size = found.and_then(|path| path.metadata().ok()).map_or(0, |m| m.len());
                    octets = octets.saturating_add(size);
                }
                Ok(octets)
            })
            .await
    }

    /// The files of an item, within the bound of messages.
    async fn gather(&self, item: &Item) -> Result<Parcel, GatewayError> {
        let (body, files) = (item.body.clone(), item.attachments.clone());
        let (page, most) = (self.settings.characters.page, self.message_size);
        self.gateway
            .blocking(move |gateway| {
                let mut parcel = Parcel {
                    gathered: Gathered::default(),
                    paths: Vec::new(),
                    missing: false,
                    too_large: false,
                };
                let mut left = most;
                let mut take = |name: &str| {
                    Ok::<_, GatewayError>(match gateway.content(name, page, left)? {
                        Content::Here(octets, path) => {
                            left = left.saturating_sub(octets.len().try_into().unwrap_or(u64::MAX));
                            parcel.paths.push(path);
                            Some(octets)
                        }
                        Content::Missing => {
                            parcel.missing = true;
                            None
                        }
                        Content::TooLarge => {
                            parcel.too_large = true;
                            None
                        }
                    })
                };
                if let Some(body) = &body {
                    parcel.gathered.body = take(&body.stored)?;
                }
                let mut attachments = Vec::with_capacity(files.len());
                for file in &files {
                    attachments.push(take(&file.stored)?);
                }
                parcel.gathered.attachments = attachments;
                Ok(parcel)
            })
            .await
    }

    /// The message, and the GroupWise addresses of its recipients, in order.
    async fn letter(
        &self,
        file: &Listed,
        item: &Item,
        gathered: &Gathered,
        hops: u32,
    ) -> Result<Made, ApiError> {
        let everybody: Vec<&Address> = item
            .from
            .iter()
            .chain(item.recipients())
            .chain(&item.all_to)
            .chain(&item.all_copies)
            .collect();
        let known = self.book.on_the_internet(&everybody).await?;
        let found = file.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let arrived = Arrived {
            people: &known,
            domain: &self.host,
            zone: &self.settings.zone,
            found: Timestamp::from_second(found.as_secs().try_into().unwrap_or(0))
                .unwrap_or(Timestamp::UNIX_EPOCH),
        };
        let (item, nobody) = self.without_nobodies(item, &known);
        let made = inbound(&item, gathered, &arrived);
        let mut octets = self.trace(&item, hops);
        octets.extend_from_slice(&made.message);
        let utf8 = !made.recipients.iter().chain(&made.sender).all(SmtpAddress::is_ascii);
        let mail = MailCommand {
            size: u64::try_from(octets.len()).ok(),
            body: is_eight_bit(&octets).then_some(BodyType::EightBit),
            smtputf8: utf8,
            envid: Some(made.envelope_id).filter(|id| is_envelope_id(id)),
            ..MailCommand::new(made.sender)
        };
        let rcpts = made.recipients.iter().map(|address| RcptCommand {
            notify: Some(notify(made.notify_success)),
            ..RcptCommand::new(address.clone())
        });
        let letter = Letter {
            mail,
            rcpts: rcpts.collect(),
            octets: Bytes::from(octets),
            ident: item.id.clone(),
        };
        let named = made.recipients.iter().map(|address| whose(address, &item, &known)).collect();
        Ok(Made { letter, named, nobody })
    }

    /// The item without those of its recipients who would be people of this
    /// organisation and are not in its directory. The core would carry their
    /// addresses back to GroupWise, which would send them here again.
    fn without_nobodies(&self, item: &Item, known: &Known) -> (Item, Vec<Address>) {
        let is_nobody = |one: &Address| {
            one.domain.eq_ignore_ascii_case(&self.settings.foreign_domain)
                && known.internet(one).is_none()
                && !one.object.contains('@')
                && !one.foreign.contains('@')
        };
        let nobody = item.recipients().filter(|one| is_nobody(one)).cloned().collect();
        let mut item = item.clone();
        for list in [&mut item.to, &mut item.copies, &mut item.blind_copies] {
            list.retain(|one| !is_nobody(one));
        }
        (item, nobody)
    }

    /// The trace line of this hop, behind one for each that went before GroupWise.
    fn trace(&self, item: &Item, hops: u32) -> Vec<u8> {
        let from = item.from.as_ref().map(ToString::to_string).unwrap_or_default();
        let plain: String = from
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '?' })
            .collect();
        let domain = item.from.as_ref().map_or("groupwise", |from| from.domain.as_str());
        let domain: String =
            domain.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let domain = if domain.is_empty() { "groupwise" } else { &domain };
        let date = date::rfc5322(self.clock.now());
        let mut lines = format!(
            "Received: from {domain} ({plain})\r\n\tby {} (Concord {}) with GROUPWISE;\r\n\t{date}\r\n",
            self.host, self.name
        );
        for hop in (1..=hops).rev() {
            lines.push_str(&format!(
                "Received: by {} (hop {hop} before GroupWise);\r\n\t{date}\r\n",
                self.host
            ));
        }
        lines.into_bytes()
    }

    pub(crate) fn age(&self, file: &Listed) -> Duration {
        let since = file.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let since = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        self.clock.now().since(concord_base::Timestamp(since))
    }
}

/// The GroupWise address of a recipient of the message.
fn whose(address: &SmtpAddress, item: &Item, known: &Known) -> Address {
    let is_it = |one: &&Address| {
        known.internet(one).is_some_and(|smtp| smtp.key() == address.key())
            || one.object.trim_matches('"').eq_ignore_ascii_case(&address.to_string())
    };
    let inside = || decapsulate(address).as_ref().and_then(crate::book::groupwise_of);
    let found = item.recipients().find(is_it).cloned().or_else(inside);
    found.unwrap_or_else(|| Address { object: address.to_string(), ..Address::default() })
}

fn all(item: &Item, reply: &Reply) -> Vec<(Address, Reply)> {
    item.recipients().map(|address| (address.clone(), reply.clone())).collect()
}

/// How often an item has passed before; `None` if it must not pass again: it has
/// an id of ours and has lost the count.
fn hops_of(item: &Item) -> Option<u32> {
    match hops::before(item.from.as_ref()) {
        Some(hops) => Some(hops.saturating_add(1)),
        None if crate::convert::SentKey::parse(&item.id).is_some() => None,
        None => Some(0),
    }
}

fn is_envelope_id(id: &str) -> bool {
    // xtext makes three characters of what it must hide.
    (1..=MAX_ENVELOPE_ID).contains(&id.len())
        && id.bytes().all(|octet| octet.is_ascii_graphic() || octet == b' ')
}

fn undelivered(
    item: &Item,
    id: String,
    from: &Address,
    to: &Address,
    reply: &Reply,
    at: concord_groupwise_api::Moment,
) -> Status {
    Status {
        kind: item.kind,
        id,
        of: item.id.clone(),
        from: Some(from.clone()),
        from_text: from.to_string(),
        to: vec![to.clone()],
        subject: item.subject.clone(),
        sent: Some(at),
        events: vec![StatusEvent {
            action: Action::Undeliverable,
            time: Some(at),
            detail: on_one_line(reply),
        }],
        body: None,
    }
}

/// The typed form of an address in reports: where in GroupWise it is.
pub(super) fn reported(address: &SmtpAddress) -> TypedAddress {
    decapsulate(address).unwrap_or_else(|| TypedAddress::from(address.clone()))
}
