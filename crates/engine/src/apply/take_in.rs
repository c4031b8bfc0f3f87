//! Taking messages in.

use super::{ActError, Applier, Applying, Outcome};
use crate::act::{BodyRef, TakeIn};
use crate::delivery::{DeliveryData, Envelope, encode};
use crate::rows;
use crate::schedule::{Change, Standing, Waiting};
use concord_base::{DeliveryId, FolderId, MessageId, Timestamp};
use concord_message_log::Location;
use concord_store::{Appended, FlagSet, StoreError, SystemFlags};
use concord_transport::{
    DeliveryState, Destination, Group, PeerAnswer, RoutedRecipient, TraceKind,
};
use rusqlite::params;
use std::collections::{BTreeMap, HashSet};

/// The connector name of deliveries that nobody can take; the core reports them.
pub(super) const UNROUTABLE: (&str, &str) = ("core", "unroutable");

/// What `queue show` says of a message that was put aside when it came.
fn held(why: &str) -> PeerAnswer {
    // RFC 3463 X.7.0: other or undefined security status.
    PeerAnswer { code: 0, status: (4, 7, 0), host: None, text: why.to_owned() }
}

/// Addresses that a list's event names.
const EXPANSION_SHOWN: usize = 5;

impl Applier {
    pub(super) fn take_in(&mut self, t: &TakeIn, body: Location) -> Applying {
        if let Some(before) = self.taken_before(&t.arrival)? {
            if let BodyRef::Large { number, .. } = t.body {
                self.effects.large_dead.push(number);
            }
            return Ok(Outcome::Message(before));
        }
        let message = self.next_message();
        self.remember_key(message, t)?;
        let mut references = 0;
        let mut seen = HashSet::new();
        let mut seq = self.expansions(message, &t.recipients)?;
        for recipient in &t.recipients {
            seq += 1;
            let (to, hold) = match &recipient.destination {
                // A recipient that is reached twice gets it once.
                Destination::Mailbox(mailbox) if seen.contains(mailbox) => continue,
                Destination::Mailbox(mailbox) => {
                    let filing = recipient.filing.as_ref();
                    let filed =
                        self.file(*mailbox, filing, message, t.received, t.body.octets())?;
                    if let Some(detail) = filed {
                        seen.insert(*mailbox);
                        references += 1;
                        self.recipient_event(message, seq, TraceKind::Stored, recipient, &detail)?;
                        continue;
                    }
                    (None, None)
                }
                Destination::Connector { connector, group } => {
                    (Some((connector.as_str(), group.as_str())), t.hold.as_deref())
                }
            };
            self.insert_delivery(message, t, recipient, to.unwrap_or(UNROUTABLE), hold)?;
            references += 1;
            let (kind, detail) = match (hold, to) {
                (Some(why), _) => (TraceKind::Quarantined, why.to_owned()),
                (None, Some((connector, group))) => {
                    (TraceKind::Queued, format!("for {connector}, {group}"))
                }
                (None, None) => (TraceKind::Queued, "the mailbox was removed meanwhile".to_owned()),
            };
            self.recipient_event(message, seq, kind, recipient, &detail)?;
        }
        self.insert_taken_in(message, t, body, references)?;
        Ok(Outcome::Message(message))
    }

    /// What was given and stands for something else, so that a list's mail is
    /// found by the list's address. Gives back how many events that are.
    fn expansions(
        &self,
        message: MessageId,
        recipients: &[RoutedRecipient],
    ) -> Result<i64, rusqlite::Error> {
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let other = |r: &&RoutedRecipient| r.given != r.address && r.given.key() != r.address.key();
        for r in recipients.iter().filter(other) {
            given.entry(r.given.key()).or_default().push(r.address.value().to_owned());
        }
        let mut seq = 0;
        for (address, to) in given {
            seq += 1;
            let shown = to.iter().take(EXPANSION_SHOWN).cloned().collect::<Vec<_>>().join(", ");
            let more = to.len().saturating_sub(EXPANSION_SHOWN);
            let detail = match more {
                0 => format!("to {shown}"),
                more => format!("to {shown} and {more} more"),
            };
            self.event(message, Some(seq), TraceKind::Expanded, Some(&address), &detail)?;
        }
        Ok(seq)
    }

    pub(super) fn next_message(&mut self) -> MessageId {
        let id = MessageId(self.state.next_message);
        self.state.next_message += 1;
        id
    }

    fn insert_taken_in(
        &mut self,
        message: MessageId,
        t: &TakeIn,
        body: Location,
        references: i64,
    ) -> Result<(), ActError> {
        let (place, segment, offset) = Self::place(t.body, body);
        let envelope = Envelope { arrival: t.arrival.clone(), options: t.options.clone() };
        let envelope = encode(&envelope)?;
        let sender = t.sender.0.as_ref();
        self.db
            .prepare_cached(
                "INSERT INTO message
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                message.0 as i64,
                place,
                segment,
                offset,
                t.body.octets() as i64,
                t.body.crc(),
                references,
                t.received.0,
                t.return_path_octets,
                sender.map(ToString::to_string),
                sender.map(concord_address::SmtpAddress::key),
                Some(&t.header_message_id).filter(|id| !id.is_empty()),
                Some(&t.subject).filter(|s| !s.is_empty()),
                envelope,
            ])?;
        if references == 0 {
            self.release(message, 0)?;
        }
        Ok(())
    }

    fn recipient_event(
        &self,
        message: MessageId,
        seq: i64,
        kind: TraceKind,
        recipient: &RoutedRecipient,
        detail: &str,
    ) -> Result<(), rusqlite::Error> {
        self.event(message, Some(seq), kind, Some(&recipient.address.key()), detail)
    }

    fn insert_delivery(
        &mut self,
        message: MessageId,
        t: &TakeIn,
        recipient: &RoutedRecipient,
        (connector, group): (&str, &str),
        hold: Option<&str>,
    ) -> Result<(), ActError> {
        let id = self.state.next_delivery;
        self.state.next_delivery += 1;
        self.effects.queue = true;
        let mut data = DeliveryData::new(recipient);
        let state = match hold {
            Some(why) => {
                data.last_answer = Some(held(why));
                DeliveryState::Quarantined
            }
            None => DeliveryState::Queued,
        };
        self.db
            .prepare_cached("INSERT INTO delivery VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7)")?
            .execute(params![
            id as i64,
            message.0 as i64,
            connector,
            group,
            rows::state_number(state),
            self.now.0,
            encode(&data)?
        ])?;
        let now = Standing {
            state,
            next_attempt: self.now,
            attempts: 0,
            crashes: 0,
            delay_reported: false,
        };
        let waiting = Waiting { message, received: t.received, urgency: t.options.urgency, now };
        let group = Group { connector: connector.to_owned(), group: group.to_owned() };
        let id = DeliveryId(id);
        self.effects.deliveries.push(Change::Added { id, group, waiting });
        Ok(())
    }

    /// Puts a message into a folder as a new item.
    pub(super) fn insert_item(
        &mut self,
        folder: FolderId,
        message: MessageId,
        flags: &FlagSet,
        date: Timestamp,
        octets: u64,
    ) -> Result<Appended, ActError> {
        let modseq = self.touch(folder)?;
        let Some(counters) = self.counters(folder)? else {
            return Err(StoreError::FolderGone(folder).into());
        };
        let uid = counters.uid_next;
        let uid_validity = counters.uid_validity;
        counters.uid_next += 1;
        counters.messages += 1;
        counters.unseen += i64::from(!flags.system.contains(SystemFlags::SEEN));
        counters.octets += octets as i64;
        self.db
            .prepare_cached("INSERT INTO item VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
            .execute(params![
                folder.0 as i64,
                uid,
                message.0 as i64,
                flags.system.0,
                crate::rows::keywords_text(flags),
                modseq as i64,
                date.0,
                octets as i64
            ])?;
        Ok(Appended { uid_validity, uid })
    }

    pub(super) fn append(
        &mut self,
        folder: FolderId,
        flags: &FlagSet,
        date: Timestamp,
        at: BodyRef,
        body: Location,
    ) -> Applying {
        let message = MessageId(self.state.next_message);
        let appended = self.insert_item(folder, message, flags, date, at.octets())?;
        self.state.next_message += 1;
        let (place, segment, offset) = Self::place(at, body);
        self.db
            .prepare_cached(
                "INSERT INTO message
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, 0, NULL, NULL, NULL, NULL, NULL)",
            )?
            .execute(params![
                message.0 as i64,
                place,
                segment,
                offset,
                at.octets() as i64,
                at.crc(),
                self.now.0
            ])?;
        Ok(Outcome::Appended(appended))
    }
}
