//! What a connector does with an outbound message.

use bytes::Bytes;
use concord_smtp::{MailCommand, RcptCommand, RemoteAnswer, Reply};

/// What became of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The connector's own words.
    Own(Reply),
    /// A remote host's words; the core names that host in reports.
    Remote(RemoteAnswer),
}

impl Outcome {
    /// The code, whoever said it.
    pub const fn reply(&self) -> &Reply {
        match self {
            Self::Own(reply) => reply,
            Self::Remote(answer) => &answer.reply,
        }
    }

    /// As it goes to the core.
    pub fn to_reply(&self) -> Reply {
        match self {
            Self::Own(reply) => reply.clone(),
            Self::Remote(answer) => answer.to_reply(),
        }
    }
}

/// One LMTP session's way to the foreign system. The order of calls is that
/// of [`concord_smtp_tokio::SmtpHandler`]; all recipients of one message have
/// one destination.
///
/// Bounds its own waits: the core waits 10 minutes for an answer (RFC 5321
/// section 4.5.3.2.6), then counts the session as broken.
#[async_trait::async_trait]
pub trait Deliver: Send {
    /// MAIL
    async fn mail(&mut self, _mail: &MailCommand) -> Outcome {
        Outcome::Own(Reply::new(250, (2, 1, 0), "ok"))
    }

    /// RCPTs that came in one burst; an outcome for each, in order. A 2xx takes
    /// the recipient.
    async fn recipients(&mut self, rcpts: &[RcptCommand]) -> Vec<Outcome>;

    /// The message begins.
    async fn begin(&mut self) -> Result<(), Outcome> {
        Ok(())
    }

    /// A piece of the message, at most 64 KiB. `Err` is the outcome of every
    /// recipient; `reset` follows.
    async fn data(&mut self, piece: Bytes) -> Result<(), Outcome>;

    /// The message is complete: an outcome for each taken recipient, in order.
    /// 2xx when the foreign system answers for it.
    async fn finish(&mut self) -> Vec<Outcome>;

    /// The transaction ends without a message.
    async fn reset(&mut self);

    /// The session is over.
    async fn closed(&mut self) {}
}
