//! One attempt: a message to a connector for the recipients of one group.

use super::Ended;
use super::places::AttemptId;
use super::sessions::{Session, Sessions};
use super::settle::{Verdict, settle};
use crate::submission::Submission as Shared;
use bytes::Bytes;
use concord_address::{Domain, encapsulate};
use concord_base::{Fault as _, MessageId, QueueId, Retry};
use concord_directory::INTERNET_MAIL;
use concord_smtp::{BodyType, MailCommand, RcptCommand, RemoteAnswer, Reply, Return, Xforward};
use concord_smtp_tokio::{ChunkSource, ClientError, Delivered};
use concord_store::{MAX_READ, Store};
use concord_transport::{
    Claim, Delivery, Group, PeerAnswer, Queue, QueuedMessage, ReturnContent, TlsWish,
};
use std::sync::Arc;

/// Octets handed over at a time (see [`ChunkSource`]).
const PIECE: usize = 64 << 10;

pub(super) struct Attempt {
    pub id: AttemptId,
    pub shared: Arc<Shared>,
    pub sessions: Arc<Sessions>,
    pub connector: String,
    pub claim: Claim,
}

/// The message from the store, without its `Return-Path:` line.
struct FromStore {
    store: Arc<dyn Store>,
    message: MessageId,
    at: u64,
    octets: u64,
    /// Read and not yet handed over.
    read: Bytes,
    /// Whose destination has taken recipients once the message is wanted.
    to: Option<(Arc<dyn Queue>, Group)>,
}

#[async_trait::async_trait]
impl ChunkSource for FromStore {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        if let Some((queue, group)) = self.to.take() {
            // A large message is no reason for others to wait.
            queue.reached(&group);
        }
        if self.read.is_empty() {
            if self.at >= self.octets {
                return Ok(None);
            }
            let end = self.octets.min(self.at.saturating_add(MAX_READ));
            let read = self.store.read(self.message, self.at..end).await;
            self.read = read.map_err(|e| std::io::Error::other(e.to_string()))?;
            if self.read.is_empty() {
                return Err(std::io::Error::other("the stored message is shorter than its size"));
            }
            self.at = self.at.saturating_add(self.read.len() as u64);
        }
        Ok(Some(self.read.split_to(self.read.len().min(PIECE))))
    }
}

fn mail_command(message: &QueuedMessage) -> MailCommand {
    let options = &message.options;
    MailCommand {
        size: Some(message.octets.saturating_sub(u64::from(message.return_path_octets))),
        body: options.eight_bit.then_some(BodyType::EightBit),
        smtputf8: options.smtputf8,
        ret: options.return_content.map(|content| match content {
            ReturnContent::Full => Return::Full,
            ReturnContent::Headers => Return::Headers,
        }),
        envid: options.envelope_id.clone(),
        tls: options.tls.map(|wish| match wish {
            TlsWish::Require => concord_smtp::TlsWish::Require,
            TlsWish::Optional => concord_smtp::TlsWish::Optional,
        }),
        // Deliveries of one claim agree in it.
        ..MailCommand::new(match message.deliveries.first() {
            Some(delivery) => delivery.reverse_path(&message.sender).0.clone(),
            None => message.sender.0.clone(),
        })
    }
}

/// `None` if LMTP cannot name the recipient. `host` is this server's name, at
/// which foreign addresses are put inside Internet ones.
fn rcpt_command(delivery: &Delivery, host: &Domain) -> Option<RcptCommand> {
    let notify = delivery.notify;
    let address = encapsulate(&delivery.address, host)?;
    Some(RcptCommand {
        notify: (notify != concord_transport::Notify::default()).then_some(concord_smtp::Notify {
            success: notify.success,
            failure: notify.failure,
            delay: notify.delay,
        }),
        orcpt: delivery.original.clone(),
        ..RcptCommand::new(address)
    })
}

/// Whether the sender named somebody else, who has it passed on to this one.
/// A list's owner, who gets the reports in his place, is ours.
fn passed_on(delivery: &Delivery) -> bool {
    delivery.reports_to.is_none() && delivery.given.key() != delivery.address.key()
}

/// What a reply of the connector means for a delivery.
fn verdict(reply: &Reply) -> Verdict {
    let remote = RemoteAnswer::from_reply(reply);
    let (host, words, dsn) = match remote {
        Some(remote) => (Some(remote.host), remote.reply.text.into_owned(), remote.dsn),
        None => (None, reply.text.clone().into_owned(), true),
    };
    let status = reply.status_or_generic();
    let answer = PeerAnswer {
        code: reply.code,
        status: (status.class, status.subject, status.detail),
        host,
        text: words.replace('\n', " "),
    };
    let own = answer.host.is_none();
    match reply.code / 100 {
        4 if own && of_destination(answer.status) => Verdict::Unreached(answer),
        2 if dsn => Verdict::Delivered(answer),
        2 => Verdict::Relayed(answer),
        5 => Verdict::Failed(answer),
        _ => Verdict::Deferred(answer),
    }
}

/// Whether a connector's own words say that a destination as a whole cannot be
/// reached (see [`concord_connector::Outcome::Own`]).
const fn of_destination((class, subject, detail): (u8, u16, u16)) -> bool {
    // RFC 3463 X.4.0 other network trouble, X.4.1 no answer from host, X.4.3 directory server failure, X.4.4
    // unable to route, X.3.5 system incorrectly configured, X.7.5 cryptographic failure
    class == 4 && matches!((subject, detail), (4, 0 | 1 | 3 | 4) | (3, 5) | (7, 5))
}

fn own_words(error: &ClientError) -> PeerAnswer {
    let status = error.enhanced_status();
    PeerAnswer {
        code: 451,
        status: (status.class, status.subject, status.detail),
        host: None,
        text: error.to_string(),
    }
}

/// Whether the session broke as it does when the process behind it dies.
fn is_break(error: &ClientError) -> bool {
    matches!(error, ClientError::Io { .. } | ClientError::Closed(_))
}

impl Attempt {
    pub async fn run(self) -> Ended {
        let (verdicts, unreachable) = self.deliver().await;
        settle(&self.shared, &self.connector, &self.claim, verdicts).await;
        if unreachable {
            // Only now can its deliveries go another way: they were claimed.
            self.shared.routing.look_again();
        }
        Ended { id: self.id, unreachable }
    }

    async fn deliver(&self) -> (Vec<Verdict>, bool) {
        let count = self.claim.message.deliveries.len();
        let all = |verdict: Verdict| vec![verdict; count];
        let first = match self.sessions.take().await {
            Ok(taken) => {
                self.shared.routing.reached(&self.connector, true);
                taken
            }
            // Nothing of the message was in anybody's hands.
            Err(error) => {
                self.shared.routing.reached(&self.connector, false);
                return (all(Verdict::Released(own_words(&error))), true);
            }
        };
        match self.transact(first).await {
            Ok(verdicts) => (verdicts, false),
            Err(error) => (all(self.blame(&error)), false),
        }
    }

    fn blame(&self, error: &ClientError) -> Verdict {
        if is_break(error) {
            self.sessions.forget_idle();
            // attempts during which the connector's session broke
            metrics::counter!("delivery_sessions_broken_total").increment(1);
            return Verdict::Crashed(own_words(error));
        }
        match error.retry() {
            Retry::Permanent => Verdict::Failed(PeerAnswer { code: 554, ..own_words(error) }),
            _ => Verdict::Deferred(own_words(error)),
        }
    }

    /// Whose the message is, as XFORWARD says it. `LOCAL`: ours, so that the way
    /// out signs it; `REMOTE`: it came from outside, and its sender named nobody
    /// of these recipients, so that his address is rewritten; else nothing: a
    /// host that may relay had it brought to them.
    async fn source(&self) -> Option<String> {
        let message = &self.claim.message;
        let arrival = &message.arrival;
        let from_outside = arrival.connector == INTERNET_MAIL
            || self.shared.routing.routes().await.is_ok_and(|routes| {
                routes.component(&arrival.connector).is_some_and(|c| c == INTERNET_MAIL)
            });
        if arrival.login.is_some() || !from_outside {
            return Some("LOCAL".to_owned());
        }
        message.deliveries.iter().any(passed_on).then(|| "REMOTE".to_owned())
    }

    /// One transaction. Recipients that LMTP cannot name fail by themselves.
    async fn transact(&self, mut session: Session) -> Result<Vec<Verdict>, ClientError> {
        let message = &self.claim.message;
        let hostname = &self.shared.config.hostname;
        let host = hostname.parse().unwrap_or_else(|_| Domain::Name("localhost".to_owned()));
        let rcpts: Vec<Option<RcptCommand>> =
            message.deliveries.iter().map(|delivery| rcpt_command(delivery, &host)).collect();
        let named: Vec<RcptCommand> = rcpts.iter().flatten().cloned().collect();
        let mut source = FromStore {
            store: Arc::clone(&self.shared.store),
            message: message.message,
            at: u64::from(message.return_path_octets),
            octets: message.octets,
            read: Bytes::new(),
            to: Some((Arc::clone(&self.shared.queue), self.claim.group.clone())),
        };
        let forward = Xforward {
            ident: Some(QueueId(message.message).to_string()),
            source: self.source().await,
            ..Xforward::default()
        };
        let Delivered { rcpts: replies } =
            session.deliver(Some(&forward), &mail_command(message), &named, &mut source).await?;
        self.sessions.give_back(session);
        let mut replies = replies.into_iter();
        let no_route = Reply::new(550, (5, 1, 3), "the address is too long for LMTP");
        Ok(rcpts
            .iter()
            .map(|rcpt| match rcpt {
                Some(_) => replies.next().as_ref().map_or_else(
                    || verdict(&Reply::new(451, (4, 3, 0), "the connector gave no answer")),
                    verdict,
                ),
                None => verdict(&no_route),
            })
            .collect())
    }
}
