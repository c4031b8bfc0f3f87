//! Envelopes, and whole transactions.

use super::body::{BodyMode, ChunkSource};
use super::error::{ClientError, Phase};
use super::session::SmtpClient;
use concord_smtp::{MailCommand, RcptCommand, Reply, Xforward};
use tokio::io::{AsyncRead, AsyncWrite};

/// Answers to MAIL and RCPTs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// To MAIL.
    pub mail: Reply,
    /// To each RCPT in order; if MAIL was refused, that refusal.
    pub rcpts: Vec<Reply>,
}

impl Envelope {
    /// How many recipients were taken.
    pub fn accepted(&self) -> usize {
        self.rcpts.iter().filter(|r| r.is_ok()).count()
    }
}

/// What became of a whole transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The last word for each recipient, in the order of the RCPTs.
    pub rcpts: Vec<Reply>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> SmtpClient<S> {
    /// Sends XFORWARD (if given and offered), MAIL and RCPTs; in one write if
    /// the peer offers PIPELINING. Parameters that the peer does not offer are
    /// dropped. After a 421 (but in LMTP) the session is over, and what was not
    /// answered has that reply too. A peer that refuses XFORWARD would judge the
    /// transaction by another client: that is an error, and ends the session.
    ///
    /// With `rcpts` empty only MAIL is sent; more recipients may follow with
    /// [`recipients`](Self::recipients).
    pub async fn envelope(
        &mut self,
        xforward: Option<&Xforward>,
        mail: &MailCommand,
        rcpts: &[RcptCommand],
    ) -> Result<Envelope, ClientError> {
        self.accepted = 0;
        let mut mail = mail.clone();
        mail.restrict(&self.capabilities.extensions);
        let pipelining = self.capabilities.extensions.pipelining;
        let forward = xforward.filter(|_| self.capabilities.extensions.xforward);
        if let Some(forward) = forward {
            self.queue(&forward.to_string());
        }
        if forward.is_some() && !pipelining {
            self.flush(Phase::Envelope).await?;
            self.read_forwarded().await?;
        }
        self.queue(&mail.to_string());
        if pipelining {
            self.queue_recipients(rcpts);
        }
        self.flush(Phase::Envelope).await?;
        if forward.is_some() && pipelining {
            self.read_forwarded().await?;
        }
        let mail = self.read_reply(Phase::Envelope, self.timeouts.mail).await?;
        if self.closes(&mail) {
            let rcpts = vec![mail.clone(); rcpts.len()];
            return Ok(Envelope { mail, rcpts });
        }
        let mut replies = if pipelining {
            self.read_recipients(rcpts.len()).await?
        } else if mail.is_ok() {
            self.recipients(rcpts).await?
        } else {
            Vec::new()
        };
        if !mail.is_ok() {
            self.accepted = 0;
            replies = vec![mail.clone(); rcpts.len()];
        }
        Ok(Envelope { mail, rcpts: replies })
    }

    /// Sends further RCPTs of an open transaction.
    pub async fn recipients(&mut self, rcpts: &[RcptCommand]) -> Result<Vec<Reply>, ClientError> {
        if self.capabilities.extensions.pipelining {
            self.queue_recipients(rcpts);
            self.flush(Phase::Envelope).await?;
            return self.read_recipients(rcpts.len()).await;
        }
        let mut replies = Vec::with_capacity(rcpts.len());
        for rcpt in rcpts {
            self.queue_recipients(std::slice::from_ref(rcpt));
            self.flush(Phase::Envelope).await?;
            replies.append(&mut self.read_recipients(1).await?);
        }
        Ok(replies)
    }

    fn queue_recipients(&mut self, rcpts: &[RcptCommand]) {
        for rcpt in rcpts {
            let mut rcpt = rcpt.clone();
            rcpt.restrict(&self.capabilities.extensions);
            self.queue(&rcpt.to_string());
        }
    }

    async fn read_recipients(&mut self, count: usize) -> Result<Vec<Reply>, ClientError> {
        let mut replies = Vec::with_capacity(count);
        for _ in 0..count {
            let reply = self.read_reply(Phase::Envelope, self.timeouts.rcpt).await?;
            if reply.is_ok() {
                self.accepted = self.accepted.saturating_add(1);
            }
            if self.closes(&reply) {
                replies.resize(count, reply);
                break;
            }
            replies.push(reply);
        }
        Ok(replies)
    }

    /// After 421 the peer closes, and no further replies come. In LMTP it may
    /// be a remote host's word about one recipient.
    const fn closes(&self, reply: &Reply) -> bool {
        reply.code == 421 && !self.lmtp
    }

    async fn read_forwarded(&mut self) -> Result<(), ClientError> {
        let reply = self.read_reply(Phase::Envelope, self.timeouts.command).await?;
        if reply.is_ok() {
            return Ok(());
        }
        Err(ClientError::Refused { phase: Phase::Envelope, reply })
    }

    /// A whole transaction. The last word for each recipient is the refusal of
    /// MAIL, of its RCPT, or the answer to the message. Where nothing was
    /// accepted, the message is not read; the transaction is reset.
    pub async fn deliver(
        &mut self,
        xforward: Option<&Xforward>,
        mail: &MailCommand,
        rcpts: &[RcptCommand],
        source: &mut dyn ChunkSource,
    ) -> Result<Delivered, ClientError> {
        let envelope = self.envelope(xforward, mail, rcpts).await?;
        if envelope.accepted() == 0 {
            let closing = envelope.rcpts.iter().any(|r| self.closes(r));
            if envelope.mail.is_ok() && !closing {
                self.reset().await?;
            }
            return Ok(Delivered { rcpts: envelope.rcpts });
        }
        let last = match self.begin_body(BodyMode::Auto).await? {
            Some(refusal) => vec![refusal; envelope.accepted()],
            None => self.send_all(source).await?,
        };
        let mut last = last.into_iter();
        let mut rcpts = envelope.rcpts;
        for reply in rcpts.iter_mut().filter(|r| r.is_ok()) {
            if let Some(word) = last.next() {
                *reply = word;
            }
        }
        Ok(Delivered { rcpts })
    }

    async fn send_all(&mut self, source: &mut dyn ChunkSource) -> Result<Vec<Reply>, ClientError> {
        while let Some(chunk) =
            source.next().await.map_err(|e| ClientError::Source(e.to_string()))?
        {
            self.body(chunk).await?;
        }
        let mut replies = self.finish_body().await?;
        // SMTP has one answer for all.
        if let (false, Some(one)) = (self.lmtp, replies.first().cloned()) {
            replies.resize(self.accepted, one);
        }
        Ok(replies)
    }
}
