//! One attempt: a message to a connector for the recipients of one group.

use super::Ended;
use super::sessions::{Session, Sessions};
use super::settle::{Verdict, settle};
use crate::submission::Submission as Shared;
use bytes::Bytes;
use concord_address::{Domain, encapsulate};
use concord_base::{Fault as _, MessageId, Retry};
use concord_smtp::{BodyType, MailCommand, RcptCommand, RemoteAnswer, Reply, Return};
use concord_smtp_tokio::{ChunkSource, ClientError, Delivered};
use concord_store::{MAX_READ, Store};
use concord_transport::{Claim, Delivery, PeerAnswer, QueuedMessage, ReturnContent};
use std::sync::Arc;

/// Octets handed over at a time (see [`ChunkSource`]).
const PIECE: usize = 64 << 10;

pub(super) struct Attempt {
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
}

#[async_trait::async_trait]
impl ChunkSource for FromStore {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
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
        ..MailCommand::new(message.sender.0.clone())
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
    match reply.code / 100 {
        2 if dsn => Verdict::Delivered(answer),
        2 => Verdict::Relayed(answer),
        5 => Verdict::Failed(answer),
        _ => Verdict::Deferred(answer),
    }
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
        let group = self.claim.group.clone();
        let (verdicts, unreachable) = self.deliver().await;
        settle(&self.shared, &self.connector, &self.claim, verdicts).await;
        Ended { group, unreachable }
    }

    async fn deliver(&self) -> (Vec<Verdict>, bool) {
        let count = self.claim.message.deliveries.len();
        let all = |verdict: Verdict| vec![verdict; count];
        let first = match self.sessions.take().await {
            Ok(taken) => taken,
            // Nothing of the message was in anybody's hands.
            Err(error) => return (all(Verdict::Released(own_words(&error))), true),
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
        };
        let Delivered { rcpts: replies } =
            session.deliver(None, &mail_command(message), &named, &mut source).await?;
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
