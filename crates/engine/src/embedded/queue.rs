//! The queue towards the dispatcher.

use super::{Bodies, Embedded, other_outcome};
use crate::act::{Act, TakeIn};
use crate::apply::{ActError, Outcome};
use crate::delivery::{Envelope, decode};
use crate::rows;
use crate::schedule::Picked;
use concord_base::{DeliveryId, MessageId, StorageError, Timestamp};
use concord_transport::{
    Ages, Answer, Claim, ClaimLimits, Delivery, DeliveryState, Group, PeerAnswer, Queue,
    QueuedMessage, ReversePath, Submission, TransportError, Urgency,
};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::watch;

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

fn read_delivery(db: &Connection, id: DeliveryId) -> Result<Option<Delivery>, rusqlite::Error> {
    db.prepare_cached(&format!("SELECT {} FROM delivery WHERE id = ?1", rows::DELIVERY_COLUMNS))?
        .query_row([id.0 as i64], |r| Ok(rows::delivery(r)?.1))
        .optional()
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
        hold: submission.hold,
        body,
    })))
}

impl Embedded {
    fn unclaim(&self, ids: &[DeliveryId]) {
        self.schedule().unclaim(ids);
    }

    /// What is claimed, for `json_each`.
    fn claimed_json(&self) -> String {
        let ids: Vec<String> = self.schedule().claimed().map(|id| id.0.to_string()).collect();
        format!("[{}]", ids.join(","))
    }

    /// What list and show say of a delivery whose destination rests.
    pub(super) fn tell_rest(&self, delivery: &mut Delivery) {
        if delivery.state != DeliveryState::Queued {
            return;
        }
        match self.schedule().rests(&delivery.group) {
            Some((Some(until), why)) => {
                delivery.next_attempt = delivery.next_attempt.max(until);
                if delivery.last_answer.is_none() {
                    delivery.last_answer = why.cloned();
                }
            }
            Some((None, _)) if delivery.last_answer.is_none() => {
                delivery.last_answer = Some(parked());
            }
            _ => {}
        }
    }

    /// Reads what was picked. What cannot be read, or cannot go with the
    /// others, is given back.
    fn build_claims(&self, picked: Vec<Picked>) -> Vec<Claim> {
        let mut claims = Vec::with_capacity(picked.len());
        for Picked { message, group, deliveries: ids, suspect, destination } in picked {
            let read = self.readers.with(|db| {
                let found: Result<Vec<_>, _> =
                    ids.iter().filter_map(|id| read_delivery(db, *id).transpose()).collect();
                Ok((read_message(db, message)?, found?))
            });
            let (mut queued, found) = match read {
                Ok((Some(queued), found)) => (queued, found),
                other => {
                    tracing::error!(?other, %message, "a due message cannot be read");
                    self.unclaim(&ids);
                    continue;
                }
            };
            let reports_to = found.first().map(|first| first.reports_to.clone());
            let (mut together, others): (Vec<_>, Vec<_>) =
                found.into_iter().partition(|d| Some(&d.reports_to) == reports_to.as_ref());
            let others: Vec<_> = others.iter().map(|d| d.id).collect();
            self.unclaim(&others);
            if together.is_empty() {
                self.unclaim(&ids);
                continue;
            }
            together.iter_mut().for_each(|delivery| self.tell_rest(delivery));
            queued.deliveries = together;
            claims.push(Claim { message: queued, group, suspect, destination });
        }
        claims
    }
}

/// What stands at mail that waits until somebody asks for it.
fn parked() -> PeerAnswer {
    // RFC 3463 X.4.0: other or undefined network or routing status.
    let text = "waits until the domain's host asks for it (ETRN), or 'concord queue start'";
    PeerAnswer { code: 0, status: (4, 4, 0), host: None, text: text.to_owned() }
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

    async fn taken(&self, connector: &str, key: &str) -> Result<Option<MessageId>, TransportError> {
        Ok(self.readers.with(|db| {
            db.prepare_cached("SELECT message FROM taken WHERE connector = ?1 AND key = ?2")?
                .query_row([connector, key], |r| Ok(MessageId(r.get::<_, i64>(0)? as u64)))
                .optional()
        })?)
    }

    async fn claim(
        &self,
        connector: &str,
        now: Timestamp,
        limits: &ClaimLimits<'_>,
    ) -> Result<Vec<Claim>, TransportError> {
        let picked = self.schedule().claim(connector, now, limits);
        let claims = self.build_claims(picked);
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

    async fn claim_aged(
        &self,
        ages: &(dyn for<'a> Fn(&'a Group, Urgency) -> Ages + Sync),
        limit: usize,
    ) -> Result<Vec<Claim>, TransportError> {
        let picked = self.schedule().claim_aged(ages, limit);
        Ok(self.build_claims(picked))
    }

    fn unreached(&self, group: &Group, now: Timestamp, until: Timestamp, why: PeerAnswer) {
        self.schedule().unreached(group, now, until, why);
    }

    fn reached(&self, group: &Group) {
        self.schedule().reached(group);
    }

    fn wake(&self, connector: &str, which: &dyn Fn(&str) -> bool) -> u64 {
        let waiting = self.schedule().wake(connector, which);
        self.shared.signals.queue_changed();
        waiting
    }

    fn waiting(&self, group: &Group) -> u64 {
        self.schedule().waiting(group)
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

    fn next_due(&self, connector: &str, limits: &ClaimLimits<'_>) -> Option<Timestamp> {
        self.schedule().next_due(connector, limits)
    }

    fn queue_changed(&self) -> watch::Receiver<u64> {
        self.shared.signals.watch_queue()
    }

    async fn waiting_connectors(&self) -> Result<Vec<String>, TransportError> {
        Ok(self.schedule().connectors())
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
