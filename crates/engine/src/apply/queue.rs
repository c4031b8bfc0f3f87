//! Deliveries.

use super::take_in::UNROUTABLE;
use super::{ActError, Applier, Applying, Outcome};
use crate::delivery::{DeliveryData, decode, encode};
use crate::rows;
use crate::schedule::{Change, Standing};
use concord_base::{DeliveryId, MailboxId, MessageId, QueueId, Timestamp};
use concord_transport::{
    Answer, AnswerOutcome, DeliveryState, Filing, Group, PeerAnswer, QUARANTINE_AFTER, QueueAct,
    TraceKind, TransportError,
};
use rusqlite::{OptionalExtension, params};

struct Row {
    message: MessageId,
    data: DeliveryData,
    state: DeliveryState,
    next_attempt: Timestamp,
    crashes: u32,
}

/// The peer's words for the story.
fn words(answer: Option<&PeerAnswer>) -> String {
    let Some(answer) = answer else { return String::new() };
    let status = answer.enhanced_status();
    match &answer.host {
        Some(host) => format!("{host} said: {} {status} {}", answer.code, answer.text),
        None => format!("{} {status} {}", answer.code, answer.text),
    }
}

impl Applier {
    fn delivery_row(&self, id: DeliveryId) -> Result<Option<Row>, rusqlite::Error> {
        self.db
            .prepare_cached(
                "SELECT message, data, state, next_attempt, crashes FROM delivery WHERE id = ?1",
            )?
            .query_row([id.0 as i64], |r| {
                Ok(Row {
                    message: MessageId(r.get::<_, i64>(0)? as u64),
                    data: decode(r.get_ref(1)?.as_blob()?)?,
                    state: rows::state(r.get(2)?),
                    next_attempt: Timestamp(r.get(3)?),
                    crashes: r.get(4)?,
                })
            })
            .optional()
    }

    fn write_delivery(&mut self, id: DeliveryId, row: &Row) -> Result<(), ActError> {
        self.write_wanted(id, row, false)
    }

    /// `wanted`: somebody wants it to be tried now.
    fn write_wanted(&mut self, id: DeliveryId, row: &Row, wanted: bool) -> Result<(), ActError> {
        let now = Standing {
            state: row.state,
            next_attempt: row.next_attempt,
            attempts: row.data.attempts,
            crashes: row.crashes,
            delay_reported: row.data.delay_reported,
        };
        self.effects.deliveries.push(Change::Changed { id, now, wanted });
        self.db
            .prepare_cached(
                "UPDATE delivery SET state = ?2, next_attempt = ?3, crashes = ?4, in_flight = 0,
                 data = ?5 WHERE id = ?1",
            )?
            .execute(params![
                id.0 as i64,
                rows::state_number(row.state),
                row.next_attempt.0,
                row.crashes,
                encode(&row.data)?
            ])?;
        Ok(())
    }

    fn end_delivery(&mut self, id: DeliveryId, message: MessageId) -> Result<(), ActError> {
        self.remove_delivery(id)?;
        self.release(message, 1)?;
        Ok(())
    }

    pub(super) fn answers(&mut self, answers: &[Answer]) -> Applying {
        self.effects.queue = true;
        for answer in answers {
            // It may be gone: an administrator deleted it meanwhile.
            if let Some(row) = self.delivery_row(answer.delivery)? {
                self.answer(answer, row)?;
            }
        }
        Ok(Outcome::Done)
    }

    fn answer(&mut self, answer: &Answer, mut row: Row) -> Result<(), ActError> {
        let id = answer.delivery;
        let recipient = row.data.address.key();
        let said = words(answer.answer.as_ref());
        let ended = match answer.outcome {
            AnswerOutcome::Delivered => Some(TraceKind::Delivered),
            AnswerOutcome::Relayed => Some(TraceKind::Relayed),
            AnswerOutcome::Failed => Some(TraceKind::Failed),
            AnswerOutcome::Expired => Some(TraceKind::Expired),
            _ => None,
        };
        if let Some(kind) = ended {
            self.event(row.message, None, kind, Some(&recipient), &said)?;
            self.reported(answer, row.message, &recipient)?;
            return self.end_delivery(id, row.message);
        }
        match answer.outcome {
            AnswerOutcome::Stored { mailbox, ref filing } => {
                return self.stored(id, &row, mailbox, filing.as_ref());
            }
            AnswerOutcome::Deferred { next_attempt, delay_reported } => {
                self.event(row.message, None, TraceKind::Deferred, Some(&recipient), &said)?;
                self.reported(answer, row.message, &recipient)?;
                row.data.attempts += 1;
                row.data.last_answer.clone_from(&answer.answer);
                row.data.delay_reported |= delay_reported;
                row.next_attempt = next_attempt;
                // An answer is evidence that nothing died of it.
                row.crashes = 0;
            }
            AnswerOutcome::Delayed => {
                if answer.reported_to.is_some() {
                    self.event(row.message, None, TraceKind::Deferred, Some(&recipient), &said)?;
                    self.reported(answer, row.message, &recipient)?;
                }
                row.data.delay_reported = true;
            }
            AnswerOutcome::Crashed { next_attempt } => {
                row.data.attempts += 1;
                row.next_attempt = next_attempt;
                if answer.answer.is_some() {
                    row.data.last_answer.clone_from(&answer.answer);
                }
                self.count_crash(&mut row, &recipient, &said)?;
            }
            _ => {}
        }
        self.write_delivery(id, &row)
    }

    /// The delivery becomes an item; the message keeps its reference. A mailbox
    /// that is gone leaves the delivery to the core, which reports it.
    fn stored(
        &mut self,
        id: DeliveryId,
        row: &Row,
        mailbox: MailboxId,
        filing: Option<&Filing>,
    ) -> Result<(), ActError> {
        let recipient = row.data.address.key();
        let (received, octets) = self
            .db
            .prepare_cached("SELECT received, octets FROM message WHERE id = ?1")?
            .query_row([row.message.0 as i64], |r| {
                Ok((Timestamp(r.get(0)?), r.get::<_, i64>(1)? as u64))
            })?;
        let Some(detail) = self.file(mailbox, filing, row.message, received, octets)? else {
            self.write_delivery(id, row)?;
            let (connector, group) = UNROUTABLE;
            let to = Group { connector: connector.to_owned(), group: group.to_owned() };
            return Ok(self.move_delivery(id, &to)?);
        };
        self.event(row.message, None, TraceKind::Stored, Some(&recipient), &detail)?;
        self.remove_delivery(id)?;
        Ok(())
    }

    fn remove_delivery(&mut self, id: DeliveryId) -> Result<(), rusqlite::Error> {
        self.effects.deliveries.push(Change::Removed(id));
        self.db.prepare_cached("DELETE FROM delivery WHERE id = ?1")?.execute([id.0 as i64])?;
        Ok(())
    }

    fn move_delivery(&mut self, id: DeliveryId, to: &Group) -> Result<(), rusqlite::Error> {
        self.effects.deliveries.push(Change::Moved { id, group: to.clone() });
        self.db
            .prepare_cached("UPDATE delivery SET connector = ?2, grp = ?3 WHERE id = ?1")?
            .execute(params![id.0 as i64, to.connector, to.group])?;
        Ok(())
    }

    fn reported(
        &self,
        answer: &Answer,
        message: MessageId,
        recipient: &str,
    ) -> Result<(), rusqlite::Error> {
        let Some(to) = &answer.reported_to else { return Ok(()) };
        self.event(message, None, TraceKind::Reported, Some(recipient), &format!("to {to}"))
    }

    fn count_crash(&self, row: &mut Row, recipient: &str, said: &str) -> Result<(), ActError> {
        row.crashes += 1;
        let detail =
            format!("a service died over it, time {} of {QUARANTINE_AFTER}; {said}", row.crashes);
        self.event(row.message, None, TraceKind::Crashed, Some(recipient), &detail)?;
        if row.crashes >= QUARANTINE_AFTER && row.state == DeliveryState::Queued {
            row.state = DeliveryState::Quarantined;
            let detail = "see 'concord queue show'; 'concord queue release' tries it again";
            self.event(row.message, None, TraceKind::Quarantined, Some(recipient), detail)?;
        }
        Ok(())
    }

    pub(super) fn claimed(&mut self, deliveries: &[DeliveryId]) -> Applying {
        for id in deliveries {
            self.db
                .prepare_cached("UPDATE delivery SET in_flight = 1 WHERE id = ?1")?
                .execute([id.0 as i64])?;
        }
        Ok(Outcome::Done)
    }

    /// What is in flight, held or gone stays as it is.
    pub(super) fn reroute(&mut self, routes: &[(DeliveryId, Group)]) -> Applying {
        let mut moved = 0;
        for (id, to) in routes {
            let from = self
                .db
                .prepare_cached(
                    "SELECT connector FROM delivery WHERE id = ?1 AND state = 0 AND in_flight = 0",
                )?
                .query_row([id.0 as i64], |r| r.get::<_, String>(0))
                .optional()?;
            let Some(from) = from.filter(|from| *from != to.connector) else { continue };
            let Some(mut row) = self.delivery_row(*id)? else { continue };
            row.next_attempt = self.now;
            // The evidence was against another connector.
            row.crashes = 0;
            self.write_delivery(*id, &row)?;
            self.move_delivery(*id, to)?;
            let detail = format!("from {from} to {}, {}", to.connector, to.group);
            let recipient = row.data.address.key();
            self.event(row.message, None, TraceKind::Rerouted, Some(&recipient), &detail)?;
            moved += 1;
        }
        self.effects.queue |= moved > 0;
        Ok(Outcome::Count(moved))
    }

    pub(super) fn core_started(&mut self, retry_at: Timestamp) -> Applying {
        let claimed: Vec<DeliveryId> = self
            .db
            .prepare_cached("SELECT id FROM delivery WHERE in_flight = 1")?
            .query_map([], |r| Ok(DeliveryId(r.get::<_, i64>(0)? as u64)))?
            .collect::<Result<_, _>>()?;
        for id in &claimed {
            let Some(mut row) = self.delivery_row(*id)? else { continue };
            let recipient = row.data.address.key();
            row.next_attempt = retry_at;
            self.count_crash(&mut row, &recipient, "the core ended while it was being delivered")?;
            self.write_delivery(*id, &row)?;
        }
        self.effects.queue |= !claimed.is_empty();
        Ok(Outcome::Count(claimed.len() as u64))
    }

    pub(super) fn queue_act(&mut self, message: MessageId, act: QueueAct) -> Applying {
        let waiting: Vec<DeliveryId> = self
            .db
            .prepare_cached("SELECT id FROM delivery WHERE message = ?1 ORDER BY id")?
            .query_map([message.0 as i64], |r| Ok(DeliveryId(r.get::<_, i64>(0)? as u64)))?
            .collect::<Result<_, _>>()?;
        if waiting.is_empty() {
            return Err(TransportError::NotQueued(QueueId(message)).into());
        }
        for id in waiting {
            let Some(mut row) = self.delivery_row(id)? else { continue };
            let recipient = row.data.address.key();
            let kind = match act {
                QueueAct::Retry => TraceKind::Retried,
                QueueAct::Hold => TraceKind::Held,
                QueueAct::Release => TraceKind::Released,
                QueueAct::Delete => TraceKind::Removed,
            };
            self.event(message, None, kind, Some(&recipient), "by an administrator")?;
            match act {
                QueueAct::Delete => {
                    self.end_delivery(id, message)?;
                    continue;
                }
                QueueAct::Hold => row.state = DeliveryState::Held,
                QueueAct::Release => {
                    row.state = DeliveryState::Queued;
                    row.crashes = 0;
                    row.next_attempt = self.now;
                }
                QueueAct::Retry => {
                    row.data.attempts = 0;
                    row.next_attempt = self.now;
                }
            }
            self.write_wanted(id, &row, act != QueueAct::Hold)?;
        }
        self.effects.queue = true;
        Ok(Outcome::Done)
    }
}
