//! The queue towards the dispatcher.

use super::{Bodies, Embedded, other_outcome};
use crate::act::{Act, TakeIn};
use crate::apply::{ActError, Outcome};
use crate::delivery::{Envelope, decode};
use crate::rows;
use concord_base::{DeliveryId, MessageId, StorageError, Timestamp};
use concord_transport::{
    Answer, Claim, Delivery, Group, Queue, QueuedMessage, ReversePath, SUSPECT_AFTER, Submission,
    TransportError,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, HashSet};
use std::sync::PoisonError;
use tokio::sync::watch;

/// Due deliveries looked at in one call; the rest comes with the next.
const LOOK_AT: i64 = 1_000;
/// Recipients in one transaction (RFC 5321 section 4.5.3.1.8).
const MAX_RECIPIENTS: usize = 100;

pub(super) fn read_message(
    db: &Connection,
    message: MessageId,
) -> Result<Option<QueuedMessage>, rusqlite::Error> {
    db.prepare_cached(
        "SELECT received, envelope, sender, header_id, subject, octets, return_path_octets
         FROM message WHERE id = ?1",
    )?
    .query_row([message.0 as i64], |r| {
        let envelope: Envelope = match r.get_ref(1)?.as_blob_or_null()? {
            Some(octets) => decode(octets)?,
            None => Envelope::default(),
        };
        let sender: Option<String> = r.get(2)?;
        Ok(QueuedMessage {
            message,
            received: Timestamp(r.get(0)?),
            arrival: envelope.arrival,
            options: envelope.options,
            sender: ReversePath(sender.and_then(|s| s.parse().ok())),
            header_message_id: r.get::<_, Option<String>>(3)?.unwrap_or_default(),
            subject: r.get::<_, Option<String>>(4)?.unwrap_or_default(),
            octets: r.get::<_, i64>(5)? as u64,
            return_path_octets: r.get(6)?,
            deliveries: Vec::new(),
        })
    })
    .optional()
}

/// Due deliveries of a connector, oldest first, none of `busy` groups.
fn read_due(
    db: &Connection,
    connector: &str,
    now: Timestamp,
    busy: &[&str],
    claimed: &str,
    crashes_below: i64,
) -> Result<Vec<(MessageId, Delivery)>, rusqlite::Error> {
    let busy = serde_json_array(busy);
    db.prepare_cached(&format!(
        "SELECT {} FROM delivery WHERE connector = ?1 AND state = 0 AND next_attempt <= ?2
         AND grp NOT IN (SELECT value FROM json_each(?3))
         AND id NOT IN (SELECT value FROM json_each(?5)) AND crashes < ?6
         ORDER BY next_attempt, id LIMIT ?4",
        rows::DELIVERY_COLUMNS
    ))?
    .query_map(params![connector, now.0, busy, LOOK_AT, claimed, crashes_below], rows::delivery)?
    .collect()
}

/// A JSON array of strings, for `json_each`.
fn serde_json_array(texts: &[&str]) -> String {
    let quoted = texts.iter().map(|t| {
        let escaped: String = t
            .chars()
            .flat_map(|c| match c {
                '"' => vec!['\\', '"'],
                '\\' => vec!['\\', '\\'],
                c if c.is_control() => vec![' '],
                c => vec![c],
            })
            .collect();
        format!("\"{escaped}\"")
    });
    format!("[{}]", quoted.collect::<Vec<_>>().join(","))
}

fn take_in_act(submission: Submission, bodies: &mut Bodies) -> Result<Act, StorageError> {
    let body = bodies.add(submission.body)?;
    Ok(Act::TakeIn(Box::new(TakeIn {
        arrival: submission.arrival,
        received: submission.received,
        sender: submission.sender,
        options: submission.options,
        recipients: submission.recipients,
        header_message_id: submission.header_message_id,
        subject: submission.subject,
        return_path_octets: submission.return_path_octets,
        body,
    })))
}

/// What is claimed is kept here until answered.
impl Embedded {
    fn claimed(&self) -> std::sync::MutexGuard<'_, HashSet<DeliveryId>> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unclaim(&self, ids: &[DeliveryId]) {
        let mut claimed = self.claimed();
        for id in ids {
            claimed.remove(id);
        }
    }

    /// What is claimed, for `json_each`.
    fn claimed_json(&self) -> String {
        let ids: Vec<String> = self.claimed().iter().map(|id| id.0.to_string()).collect();
        format!("[{}]", ids.join(","))
    }

    fn build_claims(
        &self,
        due: Vec<(MessageId, Delivery)>,
        limit: usize,
    ) -> Result<Vec<Claim>, StorageError> {
        let mut chosen: BTreeMap<usize, (MessageId, Vec<Delivery>)> = BTreeMap::new();
        let mut place_of: std::collections::HashMap<Group, usize> = Default::default();
        let mut claimed = self.claimed();
        for (message, delivery) in due {
            if claimed.contains(&delivery.id) {
                continue;
            }
            let places = place_of.len();
            match place_of.get(&delivery.group) {
                None if places < limit => {
                    place_of.insert(delivery.group.clone(), places);
                    claimed.insert(delivery.id);
                    chosen.insert(places, (message, vec![delivery]));
                }
                None => {}
                Some(place) => {
                    if let Some((of, deliveries)) = chosen.get_mut(place)
                        && *of == message
                        && delivery.crashes < SUSPECT_AFTER
                        && deliveries.len() < MAX_RECIPIENTS
                        && deliveries.iter().all(|d| d.crashes < SUSPECT_AFTER)
                    {
                        claimed.insert(delivery.id);
                        deliveries.push(delivery);
                    }
                }
            }
        }
        drop(claimed);
        let mut claims = Vec::with_capacity(chosen.len());
        for (message, deliveries) in chosen.into_values() {
            let Some(group) = deliveries.first().map(|d| d.group.clone()) else { continue };
            let found = self.readers.with(|db| read_message(db, message));
            let Ok(Some(mut queued)) = found else {
                let ids: Vec<DeliveryId> = deliveries.iter().map(|d| d.id).collect();
                self.unclaim(&ids);
                tracing::error!(?found, %message, "a due message cannot be read");
                continue;
            };
            let suspect = deliveries.iter().any(|d| d.crashes >= SUSPECT_AFTER);
            queued.deliveries = deliveries;
            claims.push(Claim { message: queued, group, suspect });
        }
        Ok(claims)
    }
}

#[async_trait::async_trait]
impl Queue for Embedded {
    async fn take_in(&self, submission: Submission) -> Result<MessageId, TransportError> {
        if submission.recipients.is_empty() {
            return Err(TransportError::NoRecipients);
        }
        self.check_room(submission.body.octets)?;
        let mut bodies = Bodies::default();
        let act = take_in_act(submission, &mut bodies)?;
        match self.act(vec![act], bodies).await?.pop() {
            Some(Ok(Outcome::Message(message))) => Ok(message),
            Some(Err(ActError::Storage(error))) => Err(error.into()),
            Some(Err(ActError::Transport(error))) => Err(error),
            _ => Err(other_outcome().into()),
        }
    }

    async fn claim(
        &self,
        connector: &str,
        now: Timestamp,
        busy: &HashSet<Group>,
        limit: usize,
        suspects: bool,
    ) -> Result<Vec<Claim>, TransportError> {
        let busy: Vec<&str> =
            busy.iter().filter(|g| g.connector == connector).map(|g| g.group.as_str()).collect();
        let claimed = self.claimed_json();
        let most = if suspects { i64::MAX } else { i64::from(SUSPECT_AFTER) };
        let due = self.readers.with(|db| read_due(db, connector, now, &busy, &claimed, most))?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let claims = self.build_claims(due, limit)?;
        let ids: Vec<DeliveryId> =
            claims.iter().flat_map(|c| c.message.deliveries.iter().map(|d| d.id)).collect();
        if !ids.is_empty() {
            // Nobody waits for it: it only has to be there if the core dies.
            if let Err(error) = self.send(vec![Act::Claimed(ids.clone())], Bodies::default(), None)
            {
                self.unclaim(&ids);
                return Err(error.into());
            }
        }
        Ok(claims)
    }

    async fn answer(
        &self,
        answers: Vec<Answer>,
        reports: Vec<Submission>,
    ) -> Result<(), TransportError> {
        let ids: Vec<DeliveryId> = answers.iter().map(|a| a.delivery).collect();
        let mut bodies = Bodies::default();
        let mut acts = vec![Act::Answers(answers)];
        for report in reports {
            acts.push(take_in_act(report, &mut bodies)?);
        }
        let done = self.act(acts, bodies).await;
        // Only what is answered is free again: what could not be written down
        // would else be delivered a second time.
        let done = done?;
        self.unclaim(&ids);
        match done.into_iter().find_map(Result::err) {
            Some(ActError::Storage(error)) => Err(error.into()),
            Some(ActError::Transport(error)) => Err(error),
            Some(_) => Err(other_outcome().into()),
            None => Ok(()),
        }
    }

    async fn next_due(&self, connector: &str) -> Result<Option<Timestamp>, TransportError> {
        let claimed = self.claimed_json();
        Ok(self.readers.with(|db| {
            db.prepare_cached(
                "SELECT min(next_attempt) FROM delivery WHERE connector = ?1 AND state = 0
                 AND id NOT IN (SELECT value FROM json_each(?2))",
            )?
            .query_row([connector, &claimed], |r| Ok(r.get::<_, Option<i64>>(0)?.map(Timestamp)))
        })?)
    }

    fn queue_changed(&self) -> watch::Receiver<u64> {
        self.shared.signals.watch_queue()
    }

    async fn waiting_connectors(&self) -> Result<Vec<String>, TransportError> {
        Ok(self.readers.with(|db| {
            db.prepare_cached("SELECT DISTINCT connector FROM delivery")?
                .query_map([], |r| r.get(0))?
                .collect()
        })?)
    }

    async fn unclaimed(
        &self,
        connector: &str,
        after: DeliveryId,
        limit: usize,
    ) -> Result<Vec<Delivery>, TransportError> {
        let (claimed, limit) = (self.claimed_json(), i64::try_from(limit).unwrap_or(i64::MAX));
        Ok(self.readers.with(|db| {
            db.prepare_cached(&format!(
                "SELECT {} FROM delivery WHERE connector = ?1 AND state = 0 AND id > ?2
                 AND id NOT IN (SELECT value FROM json_each(?3)) ORDER BY id LIMIT ?4",
                rows::DELIVERY_COLUMNS
            ))?
            .query_map(params![connector, after.0 as i64, claimed, limit], rows::delivery)?
            .map(|row| row.map(|(_, delivery)| delivery))
            .collect()
        })?)
    }

    async fn reroute(&self, routes: Vec<(DeliveryId, Group)>) -> Result<u64, TransportError> {
        match self.act_one(Act::Reroute(routes)).await? {
            Ok(Outcome::Count(moved)) => Ok(moved),
            Err(ActError::Storage(error)) => Err(error.into()),
            _ => Err(other_outcome().into()),
        }
    }
}
