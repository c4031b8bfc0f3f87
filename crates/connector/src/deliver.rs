//! What a connector does with an outbound message.

use crate::ApiError;
use bytes::Bytes;
use concord_base::Fault as _;
use concord_smtp::{MailCommand, RcptCommand, RemoteAnswer, Reply, Xforward};

/// What became of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The connector's own words. A 4xx with one of the states X.4.0, X.4.1,
    /// X.4.3, X.4.4, X.3.5 or X.7.5 (RFC 3463) says that the destination of the message
    /// cannot be reached at all: the core then tries nothing of the same group
    /// until its next attempt.
    Own(Reply),
    /// A remote host's words; the core names that host in reports.
    Remote(RemoteAnswer),
}

impl Outcome {
    /// Words of the connector's own.
    pub fn own(code: u16, status: (u8, u16, u16), text: impl Into<String>) -> Self {
        Self::Own(Reply::new(code, status, text.into()))
    }

    /// The core's API does not say who a recipient is; it does so later.
    pub fn of_api(error: &ApiError) -> Self {
        tracing::warn!(code = error.code(), %error, "the directory cannot be asked");
        Self::own(451, (4, 3, 2), "the directory cannot be asked now")
    }

    /// For counting: `delivered`, `deferred` or `failed`.
    pub const fn result(&self) -> &'static str {
        match self.reply().code / 100 {
            2 => "delivered",
            4 => "deferred",
            _ => "failed",
        }
    }

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
    /// A session begins. `Err`, a 421, is said instead of the greeting: a
    /// connector that cannot reach its system says so here, and the core sends
    /// its mail another way or waits.
    async fn connected(&mut self) -> Result<(), Reply> {
        Ok(())
    }

    /// Whose message comes next: `ident` is the core's queue id, by which reports
    /// on it find it again ([`crate::CoreApi::message`]).
    async fn forwarded(&mut self, _attributes: &Xforward) {}

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
