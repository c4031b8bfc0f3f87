//! The queue and stories towards administrators.

use super::queue::read_message;
use super::{Embedded, other_outcome};
use crate::act::Act;
use crate::apply::{ActError, Outcome};
use crate::delivery::{Envelope, decode};
use crate::rows;
use concord_address::TypedAddress;
use concord_base::{MessageId, QueueId, Timestamp};
use concord_transport::{
    Administer, Delivery, QueueAct, QueueFilter, QueueSummary, QueuedMessage, Story, TraceEvent,
    TraceKind, TraceQuery, TransportError,
};
use rusqlite::{Connection, OptionalExtension, params};

/// Events of one story that are shown; a list's message can have as many as
/// the list has members.
const MAX_EVENTS: i64 = 10_000;

fn read_deliveries(db: &Connection, message: MessageId) -> Result<Vec<Delivery>, rusqlite::Error> {
    db.prepare_cached(&format!(
        "SELECT {} FROM delivery WHERE message = ?1 ORDER BY id",
        rows::DELIVERY_COLUMNS
    ))?
    .query_map([message.0 as i64], |r| Ok(rows::delivery(r)?.1))?
    .collect()
}

fn matches(filter: &QueueFilter, queued: &QueuedMessage) -> bool {
    let same = |a: &str, b: &Option<String>| b.as_ref().is_none_or(|b| a.eq_ignore_ascii_case(b));
    let sender = queued.sender.0.as_ref().map(ToString::to_string).unwrap_or_default();
    same(&sender, &filter.sender)
        && queued.deliveries.iter().any(|d| {
            filter.state.is_none_or(|s| s == d.state)
                && same(&d.group.connector, &filter.connector)
                && same(&d.group.group, &filter.group)
                && filter.recipient.as_ref().is_none_or(|r| key_of(r) == d.address.key())
        })
}

/// The comparison key of an address as typed.
fn key_of(text: &str) -> String {
    text.parse::<TypedAddress>().map_or_else(|_| text.to_lowercase(), |a| a.key())
}

fn read_story(db: &Connection, message: MessageId) -> Result<Option<Story>, rusqlite::Error> {
    let found = db
        .prepare_cached(
            "SELECT header_id, sender, subject, octets, received, envelope FROM message WHERE id = ?1",
        )?
        .query_row([message.0 as i64], |r| {
            let envelope = r.get_ref(5)?.as_blob_or_null()?.map(decode::<Envelope>).transpose()?;
            Ok((
                Story {
                    message,
                    queue_id: QueueId(message).to_string(),
                    header_message_id: r.get::<_, Option<String>>(0)?.unwrap_or_default(),
                    sender: r.get::<_, Option<String>>(1)?.unwrap_or_default(),
                    subject: r.get::<_, Option<String>>(2)?.unwrap_or_default(),
                    envelope_id: envelope.as_ref().and_then(|e| e.options.envelope_id.clone()),
                    octets: r.get::<_, i64>(3)? as u64,
                    received: Timestamp(r.get(4)?),
                    events: Vec::new(),
                },
                envelope,
            ))
        })
        .optional()?;
    let Some((mut story, Some(envelope))) = found else { return Ok(None) };
    story.events.push(received_event(&story, &envelope));
    let events = db
        .prepare_cached(
            "SELECT at, kind, recipient, detail FROM event WHERE message = ?1 ORDER BY seq LIMIT ?2",
        )?
        .query_map(params![message.0 as i64, MAX_EVENTS], |r| {
            let kind = usize::try_from(r.get::<_, i64>(1)?).unwrap_or(usize::MAX);
            Ok(TraceEvent {
                at: Timestamp(r.get(0)?),
                kind: TraceKind::ALL.get(kind).copied().unwrap_or(TraceKind::Received),
                recipient: r.get(2)?,
                detail: r.get(3)?,
            })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    story.events.extend(events);
    Ok(Some(story))
}

/// How it came is with the envelope already; it needs no row of its own.
fn received_event(story: &Story, envelope: &Envelope) -> TraceEvent {
    let a = &envelope.arrival;
    let mut detail = format!("by {}", a.connector);
    for (label, value) in [
        (" from ", &a.client),
        (", which said it is ", &a.helo),
        (", with ", &a.protocol),
        (", as ", &a.login),
    ] {
        if let Some(value) = value {
            detail.push_str(label);
            detail.push_str(value);
        }
    }
    TraceEvent { at: story.received, kind: TraceKind::Received, recipient: None, detail }
}

#[async_trait::async_trait]
impl Administer for Embedded {
    async fn list_queue(&self, filter: &QueueFilter) -> Result<Vec<QueuedMessage>, TransportError> {
        let limit =
            if filter.limit == 0 { QueueFilter::MAX } else { filter.limit.min(QueueFilter::MAX) };
        let after = filter.after.map_or(0, |m| m.0 as i64);
        Ok(self.readers.with(|db| {
            let transaction = db.unchecked_transaction()?;
            let mut ids = transaction.prepare_cached(
                "SELECT DISTINCT message FROM delivery WHERE message > ?1 ORDER BY message",
            )?;
            let mut found = Vec::new();
            let mut messages = ids.query([after])?;
            while let Some(row) = messages.next()? {
                let message = MessageId(row.get::<_, i64>(0)? as u64);
                let Some(mut queued) = read_message(&transaction, message)? else { continue };
                queued.deliveries = read_deliveries(&transaction, message)?;
                queued.deliveries.iter_mut().for_each(|delivery| self.tell_rest(delivery));
                if matches(filter, &queued) {
                    found.push(queued);
                }
                if found.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                    break;
                }
            }
            Ok(found)
        })?)
    }

    async fn show_queued(&self, message: MessageId) -> Result<QueuedMessage, TransportError> {
        let found = self.readers.with(|db| {
            let Some(mut queued) = read_message(db, message)? else { return Ok(None) };
            queued.deliveries = read_deliveries(db, message)?;
            queued.deliveries.iter_mut().for_each(|delivery| self.tell_rest(delivery));
            Ok((!queued.deliveries.is_empty()).then_some(queued))
        })?;
        found.ok_or(TransportError::NotQueued(QueueId(message)))
    }

    async fn act_on_queued(&self, message: MessageId, act: QueueAct) -> Result<(), TransportError> {
        match self.act_one(Act::Administer { message, act }).await? {
            Ok(_) => Ok(()),
            Err(ActError::Transport(error)) => Err(error),
            Err(ActError::Storage(error)) => Err(error.into()),
            Err(_) => Err(other_outcome().into()),
        }
    }

    async fn summary(&self) -> Result<QueueSummary, TransportError> {
        Ok(self.schedule().summary())
    }

    async fn trace(&self, query: &TraceQuery, limit: usize) -> Result<Vec<Story>, TransportError> {
        let limit_rows = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(self.readers.with(|db| {
            let id = |r: &rusqlite::Row<'_>| Ok(MessageId(r.get::<_, i64>(0)? as u64));
            let messages: Vec<MessageId> = match query {
                TraceQuery::Message(message) => vec![*message],
                TraceQuery::HeaderMessageId(header) => db
                    .prepare_cached(
                        "SELECT id FROM message WHERE header_id = ?1 ORDER BY id DESC LIMIT ?2",
                    )?
                    .query_map(params![header, limit_rows], id)?
                    .collect::<Result<_, _>>()?,
                TraceQuery::Address(address) => {
                    let key = key_of(address);
                    let sender = key.strip_prefix("SMTP:").unwrap_or(&key);
                    db.prepare_cached(
                        // No index by recipient: each delivery would pay for what
                        // is asked seldom, and newest first is soon found.
                        "SELECT id FROM message WHERE sender_key = ?1
                         UNION SELECT * FROM (SELECT DISTINCT message FROM event
                            WHERE recipient = ?2 ORDER BY message DESC LIMIT ?3)
                         ORDER BY 1 DESC LIMIT ?3",
                    )?
                    .query_map(params![sender, key, limit_rows], id)?
                    .collect::<Result<_, _>>()?
                }
            };
            let mut stories = Vec::new();
            for message in messages {
                stories.extend(read_story(db, message)?);
            }
            Ok(stories)
        })?)
    }

    async fn forget_stories(&self, before: Timestamp) -> Result<u64, TransportError> {
        let mut forgotten = 0;
        loop {
            match self.act_one(Act::ForgetStories { before }).await? {
                Ok(Outcome::Count(0)) => return Ok(forgotten),
                Ok(Outcome::Count(some)) => forgotten += some,
                Err(ActError::Storage(error)) => return Err(error.into()),
                _ => return Err(other_outcome().into()),
            }
        }
    }
}
