//! What decides about a session: the trait that services implement.

use crate::tap::Tap;
use bytes::Bytes;
use concord_smtp::{EtrnCommand, MailCommand, RcptCommand, Reply, Xforward};
use std::net::SocketAddr;
use std::sync::Arc;

use super::Ended;

/// Who is on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Over TCP.
    Ip(SocketAddr),
    /// Over a Unix socket.
    Unix,
}

/// The TLS of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.3`
    pub version: String,
    /// `TLS13_AES_256_GCM_SHA384`
    pub cipher: String,
}

/// A connection at its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The other side.
    pub peer: Peer,
    /// Our side of a TCP connection.
    pub local: Option<SocketAddr>,
}

/// What the client called itself, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelloInfo {
    /// The name as the client gave it.
    pub name: String,
    /// Whether it was EHLO or LHLO, not HELO.
    pub extended: bool,
}

/// What one step of a SASL exchange leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthStep {
    /// Send this challenge (decoded) and wait for a response.
    Challenge(Vec<u8>),
    /// Authenticated; the reply is 235.
    Done(Reply),
    /// Refused; the reply is 4xx or 5xx. Counts as an error of the session.
    Refused(Reply),
}

/// The answer to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataReply {
    /// One reply; in LMTP it is said for each recipient.
    One(Reply),
    /// LMTP: one for each recipient whose RCPT got a 2xx, in that order.
    /// Missing ones are said to be `451 4.3.0`.
    Each(Vec<Reply>),
}

/// Decides about one session and takes its messages.
///
/// The driver calls in the protocol's order and never two at a time: `mail`,
/// then `rcpt`s, then `begin_data`, `data`..., `end_data`; `reset` ends a
/// transaction at any point in between, and is not called after `end_data`.
/// The driver has checked syntax, sequence, limits of the profile and offered
/// extensions before. A reply that is not 2xx refuses; 421 ends the session
/// (but in LMTP, where it may be a remote host's). No method needs to
/// bound its own time unless it waits for somebody else.
#[async_trait::async_trait]
pub trait SmtpHandler: Send {
    /// Who looks at the conversation, if anybody may.
    fn tap(&self) -> Option<Arc<dyn Tap>> {
        None
    }

    /// A client connected (before the greeting). `Err` is said instead of the
    /// greeting, and the connection closed.
    async fn connected(&mut self, _connection: &ConnectionInfo) -> Result<(), Reply> {
        Ok(())
    }

    /// EHLO, HELO or LHLO; comes again after STARTTLS.
    async fn hello(&mut self, _hello: &HelloInfo) -> Result<(), Reply> {
        Ok(())
    }

    /// TLS is up; with implicit TLS before `connected`. What was known of the client before (hello) is void.
    async fn tls_started(&mut self, _tls: &TlsInfo) {}

    /// XFORWARD; only if the profile offers it. A client may split attributes
    /// over several commands ([`Xforward::merge`]); they hold for the next
    /// transaction and end with it (Postfix's XFORWARD_README), so forget them
    /// in `end_data` and `reset`, but for a reset before MAIL.
    async fn xforward(&mut self, _attributes: &Xforward) -> Reply {
        Reply::new(250, (2, 0, 0), "ok")
    }

    /// One step of AUTH: at first `response` is the decoded initial response
    /// if there was one. The mechanism is one of the profile's.
    async fn auth(&mut self, _mechanism: &str, _response: Option<&[u8]>, _first: bool) -> AuthStep {
        AuthStep::Refused(Reply::new(454, (4, 7, 0), "no authentication here"))
    }

    /// The client gave an AUTH exchange up (`*`), or broke it.
    async fn auth_cancelled(&mut self) {}

    /// MAIL
    async fn mail(&mut self, mail: &MailCommand) -> Reply;

    /// RCPT
    async fn rcpt(&mut self, rcpt: &RcptCommand) -> Reply;

    /// All RCPTs that came in one burst, at least one; a reply for each, in
    /// order. For handlers that ask somebody else and want to ask once.
    async fn rcpts(&mut self, rcpts: &[RcptCommand]) -> Vec<Reply> {
        let mut replies = Vec::with_capacity(rcpts.len());
        for rcpt in rcpts {
            replies.push(self.rcpt(rcpt).await);
        }
        replies
    }

    /// DATA or the first BDAT. `Err` refuses the message before its octets.
    async fn begin_data(&mut self) -> Result<(), Reply> {
        Ok(())
    }

    /// Octets of the message, without dots, at most 64 KiB at a time. `Err`
    /// refuses the message: the rest of it is read and dropped, the reply is
    /// said at its end, `reset` follows.
    async fn data(&mut self, chunk: Bytes) -> Result<(), Reply>;

    /// The message is complete. When this returns a 2xx, the message is
    /// answered for.
    async fn end_data(&mut self) -> DataReply;

    /// The transaction ends without a message: RSET, hello, a refused message,
    /// or the end of the connection.
    async fn reset(&mut self);

    /// VRFY
    async fn verify(&mut self, _name: &str) -> Reply {
        Reply::new(252, (2, 1, 5), "cannot verify; send a message and see")
    }

    /// ETRN; asked only where it is offered (RFC 1985).
    async fn etrn(&mut self, _etrn: &EtrnCommand) -> Reply {
        Reply::new(502, (5, 5, 1), "ETRN is not offered")
    }

    /// The session is over; called once, whatever the reason.
    async fn closed(&mut self, _how: &Ended) {}
}
