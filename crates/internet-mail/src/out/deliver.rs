//! One LMTP session of the core, and where its messages go.

use super::OutService;
use super::content::Content;
use super::error::OutError;
use super::pool::Lease;
use super::route::Destination;
use bytes::Bytes;
use concord_connector::{Deliver, Outcome};
use concord_smtp::{MailCommand, RcptCommand, RemoteAnswer, Reply};
use concord_smtp_tokio::{BodyMode, ClientError, Envelope};
use metrics::counter;
use std::sync::Arc;

/// A transaction at a time, each with a connection of its destination.
pub(crate) struct Outbound {
    service: Arc<OutService>,
    mail: MailCommand,
    lease: Option<Lease>,
    /// MAIL was taken by the remote host.
    opened: bool,
    /// Recipients that it took.
    accepted: usize,
    content: Content,
}

impl Outbound {
    pub(crate) fn new(service: Arc<OutService>) -> Self {
        Self {
            service,
            mail: MailCommand::default(),
            lease: None,
            opened: false,
            accepted: 0,
            content: Content::default(),
        }
    }

    /// The remote host's words about something.
    fn remote(&mut self, reply: Reply) -> Outcome {
        match self.lease.as_mut().and_then(Lease::connection) {
            Some(connection) => Outcome::Remote(RemoteAnswer {
                host: connection.host.clone(),
                dsn: connection.client.capabilities().extensions.dsn,
                reply,
            }),
            None => Outcome::Own(reply),
        }
    }

    /// The session with the remote host is lost.
    fn lost(&mut self, cause: ClientError) -> Outcome {
        let host = self.host();
        self.lease = None;
        self.opened = false;
        let error = OutError::Session { host, cause };
        tracing::info!(%error, "outbound session lost");
        error.outcome()
    }

    fn host(&mut self) -> String {
        let connection = self.lease.as_mut().and_then(Lease::connection);
        connection.map(|c| c.host.clone()).unwrap_or_default()
    }

    async fn try_recipients(&mut self, rcpts: &[RcptCommand]) -> Result<Vec<Outcome>, Outcome> {
        if !self.opened {
            let first = rcpts.first();
            let smart = self.service.config.smart_host.is_some();
            let destination = first.and_then(|r| Destination::of(r, smart));
            let destination = destination.ok_or_else(no_domain)?;
            return self.open(&destination, rcpts).await;
        }
        let able = self.able(rcpts);
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

    /// Which recipients the remote host can be told: international ones only
    /// if it takes them (RFC 6531 section 3.2).
    fn able(&mut self, rcpts: &[RcptCommand]) -> Vec<Option<RcptCommand>> {
        let utf8 = self
            .lease
            .as_mut()
            .and_then(Lease::connection)
            .is_some_and(|c| c.client.capabilities().extensions.smtputf8);
        let sender = self.mail.from.0.as_ref().is_none_or(|a| a.is_ascii());
        let fits = |r: &RcptCommand| {
            utf8 || (sender && r.to.address().is_none_or(|address| address.is_ascii()))
        };
        rcpts.iter().map(|r| fits(r).then(|| r.clone())).collect()
    }

    /// Puts replies back to the recipients that they are of.
    fn merge(&mut self, able: Vec<Option<RcptCommand>>, replies: Vec<Reply>) -> Vec<Outcome> {
        let host = self.host();
        let mut replies = replies.into_iter();
        let mut outcomes = Vec::with_capacity(able.len());
        for rcpt in able {
            let outcome = match rcpt.and_then(|_| replies.next()) {
                Some(reply) => self.remote(reply),
                None => OutError::SmtpUtf8(host.clone()).outcome(),
            };
            if outcome.reply().is_ok() {
                self.accepted = self.accepted.saturating_add(1);
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn open(
        &mut self,
        destination: &Destination,
        rcpts: &[RcptCommand],
    ) -> Result<Vec<Outcome>, Outcome> {
        let service = Arc::clone(&self.service);
        self.lease = None;
        self.lease = Some(service.lease(destination).await.map_err(|e| e.outcome())?);
        let mut able = self.able(rcpts);
        if able.iter().all(Option::is_none) {
            let outcomes = self.merge(able, Vec::new());
            self.give_back();
            return Ok(outcomes);
        }
        let envelope = match self.envelope(&able).await {
            Ok(envelope) => envelope,
            // A connection that was idle may have been closed meanwhile.
            Err(cause) => {
                let Some(lease) = self.lease.as_mut().filter(|lease| lease.used_before) else {
                    return Err(self.lost(cause));
                };
                if let Err(error) = service.renew(lease, destination).await {
                    self.lease = None;
                    return Err(error.outcome());
                }
                able = self.able(rcpts);
                self.envelope(&able).await.map_err(|cause| self.lost(cause))?
            }
        };
        self.opened = envelope.mail.is_ok();
        let closing =
            envelope.mail.code == 421 || envelope.rcpts.iter().any(|reply| reply.code == 421);
        let outcomes = self.merge(able, envelope.rcpts);
        if closing {
            // Recipients that it took before are answered when the message comes.
            self.lease = None;
            self.opened = false;
        } else if !self.opened {
            self.give_back();
        }
        Ok(outcomes)
    }

    async fn envelope(&mut self, able: &[Option<RcptCommand>]) -> Result<Envelope, ClientError> {
        let mail = self.mail.clone();
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
            return Err(ClientError::Refused { phase: concord_smtp_tokio::Phase::Envelope, reply });
        }
        Ok(envelope)
    }

    fn give_back(&mut self) {
        self.opened = false;
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    /// RFC 6152 section 3 and RFC 6531 section 3.2: what a host does not take
    /// is not sent to it.
    fn check_content(&mut self) -> Result<(), OutError> {
        let host = self.host();
        let Some(connection) = self.lease.as_mut().and_then(Lease::connection) else {
            return Ok(());
        };
        let offered = connection.client.capabilities().extensions;
        if self.content.eight_bit_header && !offered.smtputf8 && self.mail.smtputf8 {
            return Err(OutError::SmtpUtf8(host));
        }
        if self.content.eight_bit && !offered.eight_bit_mime {
            return Err(OutError::EightBit(host));
        }
        Ok(())
    }

    async fn try_finish(&mut self) -> Result<Vec<Outcome>, Outcome> {
        let Some(connection) = self.lease.as_mut().and_then(Lease::connection) else {
            return Err(gone());
        };
        connection.messages = connection.messages.saturating_add(1);
        match connection.client.finish_body().await {
            Ok(replies) => {
                let missing = || Reply::new(451, (4, 3, 0), "no answer");
                let reply = replies.into_iter().next().unwrap_or_else(missing);
                let closing = reply.code == 421;
                let outcome = self.remote(reply);
                if closing {
                    self.lease = None;
                    self.opened = false;
                } else {
                    self.give_back();
                }
                Ok(vec![outcome; self.accepted])
            }
            Err(cause) => Err(self.lost(cause)),
        }
    }
}

fn no_domain() -> Outcome {
    Outcome::Own(Reply::new(550, (5, 1, 3), "the recipient has no domain"))
}

fn gone() -> Outcome {
    Outcome::Own(Reply::new(451, (4, 4, 2), "the remote host closed the connection"))
}

fn count(outcome: &Outcome) {
    let result = match outcome.reply().code {
        200..300 => "delivered",
        400..500 => "deferred",
        _ => "failed",
    };
    counter!("concord_outbound_recipients_total", "result" => result).increment(1);
}

#[async_trait::async_trait]
impl Deliver for Outbound {
    /// The remote host is asked with the first RCPTs, for they say where it is.
    async fn mail(&mut self, mail: &MailCommand) -> Outcome {
        self.mail = mail.clone();
        self.accepted = 0;
        self.content = Content::default();
        Outcome::Own(Reply::new(250, (2, 1, 0), "ok"))
    }

    async fn recipients(&mut self, rcpts: &[RcptCommand]) -> Vec<Outcome> {
        #[cfg(debug_assertions)]
        super::fault::abort_over(rcpts);
        let outcomes = match self.try_recipients(rcpts).await {
            Ok(outcomes) => outcomes,
            Err(outcome) => vec![outcome; rcpts.len()],
        };
        for (rcpt, outcome) in rcpts.iter().zip(&outcomes) {
            if !outcome.reply().is_ok() {
                count(outcome);
                tracing::info!(to = %rcpt.to, answer = %outcome.reply(), "recipient not taken");
            }
        }
        outcomes
    }

    async fn begin(&mut self) -> Result<(), Outcome> {
        let Some(connection) = self.lease.as_mut().and_then(Lease::connection) else {
            return Err(gone());
        };
        match connection.client.begin_body(BodyMode::Auto).await {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => Err(self.remote(refusal)),
            Err(cause) => Err(self.lost(cause)),
        }
    }

    async fn data(&mut self, piece: Bytes) -> Result<(), Outcome> {
        self.content.feed(&piece);
        if let Err(error) = self.check_content() {
            // Half a message is taken back by closing the connection.
            self.lease = None;
            self.opened = false;
            return Err(error.outcome());
        }
        let sent = match self.lease.as_mut().and_then(Lease::connection) {
            Some(connection) => connection.client.body(piece).await,
            None => Err(ClientError::Misuse("no connection")),
        };
        sent.map_err(|cause| self.lost(cause))
    }

    async fn finish(&mut self) -> Vec<Outcome> {
        let outcomes = match self.try_finish().await {
            Ok(outcomes) => outcomes,
            Err(outcome) => vec![outcome; self.accepted],
        };
        for outcome in &outcomes {
            count(outcome);
        }
        if let Some(outcome) = outcomes.first() {
            tracing::info!(recipients = outcomes.len(), answer = %outcome.reply(), "message sent");
        }
        outcomes
    }

    async fn reset(&mut self) {
        let opened = std::mem::take(&mut self.opened);
        let Some(connection) = self.lease.as_mut().and_then(Lease::connection) else { return };
        let fit = !opened || connection.client.reset().await.is_ok_and(|r| r.is_ok());
        if fit {
            self.give_back();
        } else {
            self.lease = None;
        }
    }

    async fn closed(&mut self) {
        self.reset().await;
    }
}
