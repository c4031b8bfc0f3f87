//! Opening a transaction at a remote host, and at the next one if the first
//! cannot have it.

use super::answer;
use super::connect::Tries;
use super::deliver::Outbound;
use super::error::OutError;
use super::plan::Plan;
use super::pool::Lease;
use concord_connector::Outcome;
use concord_smtp::{RcptCommand, Reply};
use concord_smtp_tokio::{ClientError, Envelope, Phase};
use std::sync::Arc;
use tokio::time::Instant;

/// What becomes of an envelope.
enum Opened {
    /// The host has spoken over each recipient.
    Spoken(Vec<Outcome>),
    /// It could not have the message; another one may.
    Next(Outcome),
    /// It can have none.
    Broken(Outcome),
}

impl Outbound {
    /// Opens the transaction at the first of the plan's hosts that does not fail
    /// before it has spoken over the recipients (Q182821).
    pub(super) async fn open(
        &mut self,
        plan: &Plan,
        rcpts: &[RcptCommand],
    ) -> Result<Vec<Outcome>, Outcome> {
        let service = Arc::clone(&self.service);
        let now = Instant::now();
        let until = now.checked_add(service.config.reach_time).unwrap_or(now);
        let mut tries = Tries { failed: Vec::new(), until };
        self.lease = None;
        self.lease = Some(service.lease(plan, &tries).await.map_err(|e| e.outcome())?);
        loop {
            let (failure, broken) = match self.try_envelope(plan, &tries, rcpts).await {
                Opened::Spoken(outcomes) => return Ok(outcomes),
                Opened::Next(failure) => (failure, false),
                Opened::Broken(failure) => (failure, true),
            };
            // The place at the destination is kept for its next host.
            let Some(mut lease) = self.lease.take() else { return Err(failure) };
            if let Some(connection) = lease.connection() {
                if broken {
                    service.failing.note(connection.address);
                }
                tries.failed.push(connection.address);
            }
            if Instant::now() >= tries.until
                || service.renew(&mut lease, plan, &tries).await.is_err()
            {
                return Err(failure);
            }
            tracing::info!(destination = %plan.destination, "another host is tried");
            self.lease = Some(lease);
        }
    }

    async fn try_envelope(&mut self, plan: &Plan, tries: &Tries, rcpts: &[RcptCommand]) -> Opened {
        let service = Arc::clone(&self.service);
        let mut able = self.able(plan, rcpts);
        if able.iter().all(Option::is_none) {
            let outcomes = self.merge(able, Vec::new());
            self.give_back();
            return Opened::Spoken(outcomes);
        }
        let envelope = match self.envelope(&able).await {
            Ok(envelope) => envelope,
            // A connection that was idle may have been closed meanwhile.
            Err(cause) => {
                let Some(lease) = self.lease.as_mut().filter(|lease| lease.used_before) else {
                    return Opened::Broken(self.broken(cause));
                };
                if let Err(error) = service.renew(lease, plan, tries).await {
                    self.lease = None;
                    return Opened::Next(error.outcome());
                }
                able = self.able(plan, rcpts);
                match self.envelope(&able).await {
                    Ok(envelope) => envelope,
                    Err(cause) => return Opened::Broken(self.broken(cause)),
                }
            }
        };
        self.judge(able, envelope)
    }

    /// What the host's answers to an envelope mean.
    fn judge(&mut self, able: Vec<Option<RcptCommand>>, envelope: Envelope) -> Opened {
        let mail = envelope.mail;
        self.learn(&mail);
        if mail.code == 421 {
            return Opened::Broken(self.remote(mail));
        }
        if mail.is_temporary() {
            return Opened::Next(self.remote(mail));
        }
        self.opened = mail.is_ok();
        let closing = envelope.rcpts.iter().find(|reply| reply.code == 421).cloned();
        if let Some(reply) = &closing {
            self.learn(reply);
            if !envelope.rcpts.iter().any(Reply::is_ok) {
                self.opened = false;
                let reply = reply.clone();
                return Opened::Broken(self.remote(reply));
            }
        }
        let outcomes = self.merge(able, envelope.rcpts);
        if closing.is_some() {
            // Recipients that it took before are answered when the message comes.
            self.lease = None;
            self.opened = false;
        } else if !self.opened {
            self.give_back();
        }
        Opened::Spoken(outcomes)
    }

    /// The session broke before the host had spoken; the place stays.
    fn broken(&mut self, cause: ClientError) -> Outcome {
        let error = OutError::Session { host: self.host(), cause };
        if let Some(lease) = &self.lease
            && error.is_complaint()
        {
            lease.complained();
        }
        tracing::info!(%error, "outbound session lost");
        error.outcome()
    }

    /// Further recipients of a transaction that is open.
    pub(super) async fn further(
        &mut self,
        plan: &Plan,
        rcpts: &[RcptCommand],
    ) -> Result<Vec<Outcome>, Outcome> {
        let able = self.able(plan, rcpts);
        let sent: Vec<RcptCommand> = able.iter().flatten().cloned().collect();
        let replies = match self.lease.as_mut().and_then(Lease::connection) {
            Some(connection) => connection.client.recipients(&sent).await,
            None => Err(ClientError::Misuse("no connection")),
        };
        match replies {
            Ok(replies) => Ok(self.merge(able, replies)),
            Err(cause) => Err(self.lost(cause)),
        }
    }

    /// Which recipients the remote host can be told, as it is told them:
    /// international ones only if it takes them (RFC 6531 section 3.2).
    fn able(&mut self, plan: &Plan, rcpts: &[RcptCommand]) -> Vec<Option<RcptCommand>> {
        let utf8 = self
            .lease
            .as_mut()
            .and_then(Lease::connection)
            .is_some_and(|c| c.client.capabilities().extensions.smtputf8);
        let sender = self.told.from.0.as_ref().is_none_or(|a| a.is_ascii());
        let fits = |r: &RcptCommand| {
            utf8 || (sender && r.to.address().is_none_or(|address| address.is_ascii()))
        };
        let told = |r: &RcptCommand| match r.to.address() {
            Some(address) => {
                let to = concord_smtp::ForwardPath::Mailbox(plan.recipient(address));
                RcptCommand { to, ..r.clone() }
            }
            None => r.clone(),
        };
        rcpts.iter().map(|r| fits(r).then(|| told(r))).collect()
    }

    /// Puts replies back to the recipients that they are of.
    fn merge(&mut self, able: Vec<Option<RcptCommand>>, replies: Vec<Reply>) -> Vec<Outcome> {
        let host = self.host();
        let mut replies = replies.into_iter();
        let mut outcomes = Vec::with_capacity(able.len());
        for rcpt in able {
            let outcome = match rcpt.and_then(|_| replies.next()) {
                Some(reply) => self.remote(answer::of_recipient(reply, self.accepted)),
                None => OutError::SmtpUtf8(host.clone()).outcome(),
            };
            if outcome.reply().is_ok() {
                self.accepted = self.accepted.saturating_add(1);
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn envelope(&mut self, able: &[Option<RcptCommand>]) -> Result<Envelope, ClientError> {
        let mail = self.told.clone();
        let Some(lease) = &mut self.lease else { return Err(ClientError::Misuse("no lease")) };
        let fresh = !lease.used_before;
        let Some(connection) = lease.connection() else {
            return Err(ClientError::Misuse("no connection"));
        };
        let sent: Vec<RcptCommand> = able.iter().flatten().cloned().collect();
        let envelope = connection.client.envelope(None, &mail, &sent).await?;
        // An old connection that says 421 has served its time; a new one may not.
        if envelope.mail.code == 421 && !fresh {
            let reply = envelope.mail;
            return Err(ClientError::Refused { phase: Phase::Envelope, reply });
        }
        Ok(envelope)
    }

    /// Takes from an answer how much the destination likes to get.
    pub(super) fn learn(&self, reply: &Reply) {
        let Some(lease) = &self.lease else { return };
        if answer::is_complaint(reply) {
            lease.complained();
        }
    }
}
