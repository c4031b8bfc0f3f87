//! One milter's part in the session of one client.

use super::connection::{Clock, Connection};
use super::content::{content, refusal, refused};
use super::kept::Kept;
use super::macros;
use crate::facts::{ClientFacts, CurrentMessage, Envelope};
use crate::fault::FilterFault;
use crate::spec::{Place, Times};
use crate::verdict::{Action, Opinion};
use concord_milter::{Answer, MilterError, Peer, Sent, Stage};
use concord_smtp::Reply;
use std::time::Duration;
use tokio::time::Instant;

/// What a milter says of a step.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    /// Go on.
    Continue,
    /// It has nothing more to say of the session or message.
    Done,
    /// Refuse.
    Refuse(Reply),
    /// Drop the message.
    Discard,
}

/// Whether the milter still wants to be asked.
#[derive(Debug, Clone, Default)]
enum Standing {
    #[default]
    Asked,
    /// Not about this message any more.
    MessageDone,
    /// Not about this session any more.
    SessionDone,
    /// The session is refused.
    SessionRefused(Reply),
    /// The message will be dropped.
    Discards,
}

/// A milter's state for one client.
#[derive(Default)]
pub(crate) struct Member {
    connection: Option<Connection>,
    standing: Standing,
    /// HELO was told on this connection.
    greeted: bool,
    /// Time over this message so far.
    spent: Duration,
    /// It failed before a message, so the message hears of it.
    failed: Option<FilterFault>,
}

/// Where a milter is and how long it may take.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub place: &'a Place,
    pub times: Times,
    pub kept: &'a Kept,
}

impl Member {
    /// Time over this message so far.
    pub const fn spent(&self) -> Duration {
        self.spent
    }

    /// The client said HELO or EHLO.
    pub async fn helo(&mut self, asked: Asked<'_>, facts: &ClientFacts) -> Said {
        self.spent = Duration::ZERO;
        self.greeted = false;
        let said = self.timed(asked, Step::Helo(facts)).await;
        said.unwrap_or_else(|fault| {
            // A message that never comes needs no refusal.
            self.failed = Some(fault);
            Said::Continue
        })
    }

    /// The client said MAIL.
    pub async fn mail(
        &mut self,
        asked: Asked<'_>,
        facts: &ClientFacts,
        envelope: &Envelope,
        parameters: &[String],
    ) -> Result<Said, FilterFault> {
        self.spent = Duration::ZERO;
        if let Some(fault) = self.failed.take() {
            return Err(fault);
        }
        if matches!(self.standing, Standing::MessageDone | Standing::Discards) {
            self.standing = Standing::Asked;
        }
        self.timed(asked, Step::Mail(facts, envelope, parameters)).await
    }

    /// The client said RCPT.
    pub async fn rcpt(
        &mut self,
        asked: Asked<'_>,
        path: &str,
        parameters: &[String],
    ) -> Result<Said, FilterFault> {
        self.timed(asked, Step::Rcpt(path, parameters)).await
    }

    async fn timed(&mut self, asked: Asked<'_>, step: Step<'_>) -> Result<Said, FilterFault> {
        match &self.standing {
            Standing::Asked => {}
            Standing::SessionRefused(reply) => return Ok(Said::Refuse(reply.clone())),
            Standing::Discards => return Ok(Said::Discard),
            Standing::MessageDone | Standing::SessionDone => return Ok(Said::Done),
        }
        let begun = Instant::now();
        let clock = self.clock(asked);
        let said = self.step(asked, step, clock).await;
        self.spent = self.spent.saturating_add(begun.elapsed());
        if said.is_err() {
            self.drop_connection();
        }
        said
    }

    fn clock(&self, asked: Asked<'_>) -> Clock {
        let left = asked.times.total.saturating_sub(self.spent);
        Clock { answer: asked.times.answer, end: Instant::now() + left }
    }

    fn drop_connection(&mut self) {
        self.connection = None;
        self.greeted = false;
    }

    /// A step before the content. A connection that was kept from an earlier
    /// client and turns out to be dead is replaced once; nothing of the message
    /// has been heard by the filter then.
    async fn step(
        &mut self,
        asked: Asked<'_>,
        step: Step<'_>,
        clock: Clock,
    ) -> Result<Said, FilterFault> {
        match self.try_step(asked, step, clock, true).await {
            Err(FilterFault::Broken { .. })
                if step.may_begin_anew() && self.connection.as_ref().is_some_and(|c| c.untried) =>
            {
                self.drop_connection();
                self.try_step(asked, step, clock, false).await
            }
            said => said,
        }
    }

    async fn try_step(
        &mut self,
        asked: Asked<'_>,
        step: Step<'_>,
        clock: Clock,
        kept: bool,
    ) -> Result<Said, FilterFault> {
        if let Some(facts) = step.facts() {
            let said = self.greet(asked, facts, clock, kept).await?;
            if !matches!(said, Said::Continue) || matches!(step, Step::Helo(_)) {
                return Ok(said);
            }
        }
        match step {
            Step::Helo(_) => Ok(Said::Continue),
            Step::Mail(_, envelope, parameters) => {
                self.message_step("mail", clock, Stage::Mail, &macros::of_sender(envelope), |c| {
                    let path = format!("<{}>", envelope.sender);
                    c.client.mail(&path, parameters, &mut c.out)
                })
                .await
            }
            Step::Rcpt(path, parameters) => {
                let pairs = macros::of_recipient(path);
                self.message_step("rcpt", clock, Stage::Rcpt, &pairs, |c| {
                    c.client.rcpt(&format!("<{path}>"), parameters, &mut c.out)
                })
                .await
            }
        }
    }

    /// Connects, and tells of the client and its HELO, as far as that has not
    /// been done.
    async fn greet(
        &mut self,
        asked: Asked<'_>,
        facts: &ClientFacts,
        clock: Clock,
        kept: bool,
    ) -> Result<Said, FilterFault> {
        if self.connection.is_none() {
            self.greeted = false;
            let connection = match kept.then(|| asked.kept.take()).flatten() {
                Some(connection) => connection,
                None => Connection::open(asked.place, asked.times, clock).await?,
            };
            self.connection = Some(connection);
            let said = self
                .session_step("connect", clock, Stage::Connect, &macros::of_client(facts), |c| {
                    let name = facts.name.clone();
                    let address = facts.ip.map_or("unknown".to_owned(), |ip| format!("[{ip}]"));
                    let peer = facts.ip.map_or(Peer::Unknown, |ip| Peer::Ip(ip, facts.port));
                    c.client.connect(&name.unwrap_or(address), peer, &mut c.out)
                })
                .await?;
            if !matches!(said, Said::Continue) {
                return Ok(said);
            }
        }
        if self.greeted || facts.helo.is_empty() {
            return Ok(Said::Continue);
        }
        let said = self
            .session_step("helo", clock, Stage::Helo, &macros::of_tls(facts), |c| {
                c.client.abort(&mut c.out)?;
                c.client.helo(&facts.helo, &mut c.out)
            })
            .await?;
        self.greeted = true;
        Ok(said)
    }

    async fn session_step(
        &mut self,
        stage: &'static str,
        clock: Clock,
        macros_of: Stage,
        pairs: &macros::Pairs,
        send: impl FnOnce(&mut Connection) -> Result<Sent, MilterError>,
    ) -> Result<Said, FilterFault> {
        let answer = self.ask(stage, clock, macros_of, pairs, send).await?;
        Ok(match answer {
            Answer::Continue | Answer::Skip | Answer::ConnectionFailed => Said::Continue,
            // A session cannot be dropped without its messages; Sendmail takes
            // it for acceptance, too.
            Answer::Accept | Answer::Discard => {
                self.standing = Standing::SessionDone;
                Said::Done
            }
            other => {
                let reply = refusal(&other);
                self.standing = Standing::SessionRefused(reply.clone());
                Said::Refuse(reply)
            }
        })
    }

    async fn message_step(
        &mut self,
        stage: &'static str,
        clock: Clock,
        macros_of: Stage,
        pairs: &macros::Pairs,
        send: impl FnOnce(&mut Connection) -> Result<Sent, MilterError>,
    ) -> Result<Said, FilterFault> {
        let answer = self.ask(stage, clock, macros_of, pairs, send).await?;
        Ok(match answer {
            Answer::Continue | Answer::Skip | Answer::ConnectionFailed => Said::Continue,
            Answer::Accept => {
                self.standing = Standing::MessageDone;
                Said::Done
            }
            Answer::Discard => {
                self.standing = Standing::Discards;
                Said::Discard
            }
            other => {
                let reply = refusal(&other);
                if matches!(other, Answer::Shutdown) {
                    self.standing = Standing::SessionRefused(reply.clone());
                }
                Said::Refuse(reply)
            }
        })
    }

    async fn ask(
        &mut self,
        stage: &'static str,
        clock: Clock,
        macros_of: Stage,
        pairs: &macros::Pairs,
        send: impl FnOnce(&mut Connection) -> Result<Sent, MilterError>,
    ) -> Result<Answer, FilterFault> {
        let Some(connection) = &mut self.connection else {
            return Err(FilterFault::GaveUp { stage });
        };
        if matches!(macros_of, Stage::Mail) {
            let aborted = connection.client.abort(&mut connection.out);
            aborted.map_err(|cause| FilterFault::Protocol { stage, cause })?;
        }
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let macros = connection.client.macros(macros_of, &pairs, &mut connection.out);
        macros.map_err(|cause| FilterFault::Protocol { stage, cause })?;
        let sent = send(connection);
        connection.ask(stage, sent, clock, &mut Vec::new()).await
    }

    /// The content, and the milter's opinion of the message.
    pub async fn message(
        &mut self,
        asked: Asked<'_>,
        current: &CurrentMessage<'_>,
    ) -> Result<Opinion, FilterFault> {
        match &self.standing {
            Standing::Asked => {}
            Standing::Discards => return Ok(Opinion::new(Action::Discard, "discard")),
            Standing::SessionRefused(reply) => return Ok(refused(reply.clone())),
            Standing::MessageDone | Standing::SessionDone => {
                return Ok(Opinion::new(Action::Accept, "accepted before the content"));
            }
        }
        let begun = Instant::now();
        let clock = self.clock(asked);
        let Some(connection) = &mut self.connection else {
            return Err(FilterFault::GaveUp { stage: "data" });
        };
        let opinion = content(connection, current, clock).await;
        self.spent = self.spent.saturating_add(begun.elapsed());
        if opinion.is_err() {
            self.drop_connection();
        }
        self.standing = Standing::MessageDone;
        opinion
    }

    /// The message is over without its content. Octets go out with the next
    /// step, so nothing waits for the milter here.
    pub fn abort(&mut self) {
        if let Some(connection) = &mut self.connection
            && connection.client.abort(&mut connection.out).is_err()
        {
            self.drop_connection();
        }
        if matches!(self.standing, Standing::MessageDone | Standing::Discards) {
            self.standing = Standing::Asked;
        }
    }

    /// The session is over; the connection is kept if it can be.
    pub async fn end(&mut self, asked: Asked<'_>) {
        self.spent = Duration::ZERO;
        let Some(mut connection) = self.connection.take() else { return };
        let clock = self.clock(asked);
        if connection.client.abort(&mut connection.out).is_err() {
            return;
        }
        let keeps = connection.client.quit_new_connection(&mut connection.out).is_ok();
        if !keeps {
            connection.client.quit(&mut connection.out);
        }
        let told = connection.flush("quit", clock).await.is_ok();
        if keeps && told {
            asked.kept.put(connection);
        }
    }
}

/// A step before the content.
#[derive(Clone, Copy)]
enum Step<'a> {
    Helo(&'a ClientFacts),
    Mail(&'a ClientFacts, &'a Envelope, &'a [String]),
    Rcpt(&'a str, &'a [String]),
}

impl<'a> Step<'a> {
    const fn facts(self) -> Option<&'a ClientFacts> {
        match self {
            Self::Helo(facts) | Self::Mail(facts, ..) => Some(facts),
            Self::Rcpt(..) => None,
        }
    }

    const fn may_begin_anew(self) -> bool {
        self.facts().is_some()
    }
}
