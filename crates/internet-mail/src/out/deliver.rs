//! One LMTP session of the core, and where its messages go.

use super::OutService;
use super::content::Content;
use super::error::OutError;
use super::passage::{Source, Stage};
use super::plan::Plan;
use super::pool::Lease;
use bytes::Bytes;
use concord_address::Domain;
use concord_connector::{Deliver, Outcome};
use concord_smtp::{MailCommand, RcptCommand, RemoteAnswer, Reply, TlsWish, Xforward};
use concord_smtp_tokio::{BodyMode, ClientError};
use metrics::counter;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// For a message that was held to reach the remote host; its answer has its own
/// time. The core waits for both ([`concord_connector::core_timeouts`]).
const SEND_HELD: Duration = Duration::from_secs(20 * 60);

/// A transaction at a time, each with a connection of its destination.
pub(crate) struct Outbound {
    pub(super) service: Arc<OutService>,
    pub(super) mail: MailCommand,
    pub(super) lease: Option<Lease>,
    /// MAIL was taken by the remote host.
    pub(super) opened: bool,
    /// Recipients that it took.
    pub(super) accepted: usize,
    /// How the transaction's mail goes out; known with its first recipient.
    plan: Option<Arc<Plan>>,
    content: Content,
    /// Whose the message is.
    source: Source,
    /// MAIL as the remote host is told it.
    pub(super) told: MailCommand,
    /// Where the message is on its way.
    pub(super) stage: Stage,
}

impl Outbound {
    pub(crate) fn new(service: Arc<OutService>) -> Self {
        Self {
            service,
            mail: MailCommand::default(),
            lease: None,
            opened: false,
            accepted: 0,
            plan: None,
            content: Content::default(),
            source: Source::default(),
            told: MailCommand::default(),
            stage: Stage::default(),
        }
    }

    /// The remote host's words about something.
    pub(super) fn remote(&mut self, reply: Reply) -> Outcome {
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
    pub(super) fn lost(&mut self, cause: ClientError) -> Outcome {
        let host = self.host();
        let error = OutError::Session { host, cause };
        if let Some(lease) = self.lease.take()
            && error.is_complaint()
        {
            lease.complained();
        }
        self.opened = false;
        tracing::info!(%error, "outbound session lost");
        error.outcome()
    }

    pub(super) fn host(&mut self) -> String {
        let connection = self.lease.as_mut().and_then(Lease::connection);
        connection.map(|c| c.host.clone()).unwrap_or_default()
    }

    /// The plan of this transaction.
    fn plan(&mut self, domain: &Domain) -> Arc<Plan> {
        let plan = self
            .plan
            .take()
            .unwrap_or_else(|| Arc::new(Plan { wish: self.mail.tls, ..self.service.plan(domain) }));
        self.plan = Some(Arc::clone(&plan));
        plan
    }

    async fn try_recipients(&mut self, rcpts: &[RcptCommand]) -> Result<Vec<Outcome>, Outcome> {
        let domain = rcpts.first().and_then(|rcpt| rcpt.to.address()).map(|to| to.domain().clone());
        let plan = self.plan(&domain.ok_or_else(no_domain)?);
        if let (Some(limit), Some(octets)) = (plan.size_limit, self.mail.size)
            && octets > limit
        {
            // The policy has changed since the core looked (Q257264).
            let domain = plan.domain.to_string();
            return Err(OutError::TooLarge { domain, limit, octets }.outcome());
        }
        if !self.opened {
            self.told = self.tell(&plan).await.map_err(|error| error.outcome())?;
        }
        let room = plan.recipients.saturating_sub(self.accepted);
        let (now, later) = rcpts.split_at(room.min(rcpts.len()));
        let mut outcomes = match (now.is_empty(), self.opened) {
            (true, _) => Vec::new(),
            (false, false) => self.open(&plan, now).await?,
            (false, true) => self.further(&plan, now).await?,
        };
        let rest =
            OutError::TooManyRecipients { domain: plan.domain.to_string(), limit: plan.recipients };
        outcomes.extend(later.iter().map(|_| rest.outcome()));
        Ok(outcomes)
    }

    /// MAIL as the remote host is told it.
    async fn tell(&self, plan: &Plan) -> Result<MailCommand, OutError> {
        let mut told = self.mail.clone();
        // Between our own services only; a host may offer XFORWARD too.
        told.tls = told.tls.filter(|wish| *wish != TlsWish::Optional);
        if let Some(sender) = told.from.0.take() {
            let sender = self.service.told_sender(sender, self.source, plan.is_ours).await?;
            told.from.0 = Some(sender);
        }
        Ok(told)
    }

    pub(super) fn give_back(&mut self) {
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

    /// Has the remote host ready for the message.
    pub(super) async fn begin_remote(&mut self) -> Result<(), Outcome> {
        let Some(connection) = self.lease.as_mut().and_then(Lease::connection) else {
            return Err(gone());
        };
        match connection.client.begin_body(BodyMode::Auto).await {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => Err(self.remote(refusal)),
            Err(cause) => Err(self.lost(cause)),
        }
    }

    /// Sends a piece of the message.
    pub(super) async fn send(&mut self, piece: Bytes) -> Result<(), Outcome> {
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

    /// What is left to send, and the host's answer.
    async fn complete(&mut self) -> Result<Vec<Outcome>, Outcome> {
        let sending = timeout(SEND_HELD, self.let_go()).await;
        if let Err(outcome) = sending.unwrap_or_else(|_| Err(too_slow())) {
            self.reset().await;
            return Err(outcome);
        }
        self.try_finish().await
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
                self.learn(&reply);
                if let Some(lease) = self.lease.as_ref().filter(|_| reply.is_ok()) {
                    lease.took();
                }
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

fn too_slow() -> Outcome {
    Outcome::Own(Reply::new(451, (4, 4, 1), "the remote host takes the message too slowly"))
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
    async fn forwarded(&mut self, attributes: &Xforward) {
        self.source = Source::of(attributes);
    }

    /// The remote host is asked with the first RCPTs, for they say where it is.
    async fn mail(&mut self, mail: &MailCommand) -> Outcome {
        self.mail = mail.clone();
        self.accepted = 0;
        self.plan = None;
        self.content = Content::default();
        self.stage = Stage::default();
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
        if self.lease.is_none() {
            return Err(gone());
        }
        self.stage = self.service.stage(self.source);
        match self.stage {
            Stage::Through => self.begin_remote().await,
            _ => Ok(()),
        }
    }

    async fn data(&mut self, piece: Bytes) -> Result<(), Outcome> {
        self.pass(piece).await
    }

    async fn finish(&mut self) -> Vec<Outcome> {
        let outcomes = match self.complete().await {
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
        self.stage = Stage::default();
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
