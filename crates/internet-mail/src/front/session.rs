//! One client's session: each transaction goes through to the core.

use super::received::{Trace, protocol};
use super::{FrontService, Kind};
use bytes::Bytes;
use concord_connector::{CoreSession, SubmitError};
use concord_message::HeaderScan;
use concord_smtp::{ForwardPath, MailCommand, RcptCommand, Reply, Xforward};
use concord_smtp_tokio::{
    AuthStep, BodyMode, ClientError, ConnectionInfo, DataReply, Ended, Envelope, HelloInfo,
    SmtpHandler, TlsInfo,
};
use metrics::{counter, histogram};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A client and its way to the core.
pub(crate) struct Front {
    pub(super) service: Arc<FrontService>,
    kind: Kind,
    pub(super) client: SocketAddr,
    hello: Option<HelloInfo>,
    tls: Option<TlsInfo>,
    /// The core's session: during a transaction, and from AUTH on.
    pub(super) core: Option<CoreSession>,
    pub(super) authenticated: bool,
    /// The core waits for a SASL response: its session is of use for nothing else.
    pub(super) authenticating: bool,
    mail: Option<MailCommand>,
    /// MAIL went to the core and was taken.
    opened: bool,
    recipients: Vec<ForwardPath>,
    /// While the header passes.
    scan: Option<HeaderScan>,
    /// Octets of the message, and when it began.
    octets: usize,
    began: Instant,
    /// The client's name, being looked up.
    name: Option<JoinHandle<Option<String>>>,
}

impl Front {
    pub(crate) fn new(service: Arc<FrontService>, kind: Kind, client: SocketAddr) -> Self {
        Self {
            service,
            kind,
            client,
            hello: None,
            tls: None,
            core: None,
            authenticated: false,
            authenticating: false,
            mail: None,
            opened: false,
            recipients: Vec::new(),
            scan: None,
            octets: 0,
            began: Instant::now(),
            name: None,
        }
    }

    fn protocol(&self) -> &'static str {
        let extended = self.hello.as_ref().is_some_and(|h| h.extended);
        let utf8 = self.mail.as_ref().is_some_and(|m| m.smtputf8);
        protocol(extended, utf8, self.tls.is_some(), self.authenticated)
    }

    fn helo(&self) -> &str {
        self.hello.as_ref().map_or("unknown", |h| h.name.as_str())
    }

    /// What the core is told of the client.
    pub(super) fn forward(&self) -> Xforward {
        Xforward {
            addr: Some(self.client.ip().to_string()),
            port: Some(self.client.port()),
            proto: Some(self.protocol().to_owned()),
            helo: Some(self.helo().to_owned()),
            source: Some("REMOTE".to_owned()),
            ..Xforward::default()
        }
    }

    /// Gives the core's session back, unless it is this client's own. In the
    /// middle of AUTH it is dropped: the next client's first command would be
    /// taken as a SASL response.
    pub(super) fn release(&mut self) {
        self.opened = false;
        if self.authenticating {
            self.forget_login();
        }
        if !self.authenticated
            && let Some(core) = self.core.take()
        {
            self.service.core.put(core);
        }
    }

    /// Ends a login, or an attempt at one, with the core's session that holds it.
    pub(super) fn forget_login(&mut self) {
        self.core = None;
        self.opened = false;
        self.authenticated = false;
        self.authenticating = false;
    }

    /// The core's session is of no further use.
    fn lost(&mut self, error: &SubmitError) -> Reply {
        tracing::warn!(client = %self.client, %error, "the core did not take the message");
        self.core = None;
        self.opened = false;
        match error {
            SubmitError::Unreachable { .. } => {
                Reply::new(421, (4, 3, 2), "the mail store is not available, try again later")
            }
            // An authenticated client's login went with that session.
            SubmitError::Session(_) if self.authenticated => {
                Reply::new(421, (4, 3, 2), "the mail store was restarted, log in again")
            }
            other => other.reply(),
        }
    }

    /// The replies to a burst, of the core.
    async fn ask(&mut self, rcpts: &[RcptCommand]) -> Result<Vec<Reply>, SubmitError> {
        if let (true, Some(core)) = (self.opened, &mut self.core) {
            return Ok(core.recipients(rcpts).await?);
        }
        let envelope = self.open(rcpts).await?;
        self.opened = envelope.mail.is_ok();
        if !self.opened {
            self.release();
        }
        Ok(envelope.rcpts)
    }

    /// Opens the transaction at the core. A session that was idle may have been
    /// closed by a core that was restarted; then a fresh one is tried, once.
    async fn open(&mut self, rcpts: &[RcptCommand]) -> Result<Envelope, SubmitError> {
        let forward = self.forward();
        let mail = self.mail.clone().unwrap_or_default();
        if self.authenticated {
            let core = self.core.as_mut().ok_or(ClientError::Misuse("the login is lost"))?;
            return Ok(core.envelope(Some(&forward), &mail, rcpts).await?);
        }
        let (mut core, idle) = self.service.core.get().await?;
        let first = core.envelope(Some(&forward), &mail, rcpts).await;
        let envelope = match first {
            Ok(envelope) if !(idle && envelope.mail.code == 421) => envelope,
            Err(error) if !idle => return Err(error.into()),
            _ => {
                core = self.service.core.fresh().await?;
                core.envelope(Some(&forward), &mail, rcpts).await?
            }
        };
        self.core = Some(core);
        Ok(envelope)
    }

    async fn trace_line(&mut self) -> String {
        let name = match &mut self.name {
            Some(lookup) if lookup.is_finished() => lookup.await.ok().flatten(),
            _ => None,
        };
        let recipient = match self.recipients.as_slice() {
            [one] => Some(one.to_string()),
            _ => None,
        };
        let trace = Trace {
            helo: self.helo(),
            name: name.as_deref(),
            client: self.client.ip(),
            hostname: &self.service.config.hostname,
            protocol: self.protocol(),
            tls: self.tls.as_ref(),
            recipient: recipient.as_deref(),
            at: self.service.clock.now(),
        };
        trace.line()
    }

    /// RFC 5321 section 6.3, once the header has passed.
    fn check_hops(&mut self) -> Result<(), Reply> {
        let Some(scan) = self.scan.take() else { return Ok(()) };
        if scan.finish().received <= self.service.config.max_hops {
            return Ok(());
        }
        counter!("concord_smtp_messages_total", "result" => "loop").increment(1);
        Err(Reply::new(554, (5, 4, 6), "too many hops: the message is looping"))
    }

    async fn send(&mut self, piece: Bytes) -> Result<(), Reply> {
        let Some(core) = &mut self.core else {
            return Err(Reply::new(451, (4, 3, 2), "the mail store is not available"));
        };
        match core.body(piece).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.lost(&error.into())),
        }
    }

    async fn finish(&mut self) -> Reply {
        if let Err(refusal) = self.check_hops() {
            self.drop_transaction().await;
            return refusal;
        }
        let Some(core) = &mut self.core else {
            return Reply::new(451, (4, 3, 2), "the mail store is not available");
        };
        match core.finish_body().await {
            Ok(replies) => {
                self.release();
                let missing = || Reply::new(451, (4, 3, 0), "no answer from the mail store");
                replies.into_iter().next().unwrap_or_else(missing)
            }
            Err(error) => self.lost(&error.into()),
        }
    }

    async fn drop_transaction(&mut self) {
        if !std::mem::take(&mut self.opened) {
            return;
        }
        let Some(core) = &mut self.core else { return };
        match core.reset().await {
            Ok(_) => self.release(),
            Err(error) => {
                self.lost(&error.into());
            }
        }
    }

    fn count(&self, reply: &Reply) {
        let result = match reply.code {
            200..300 => "accepted",
            400..500 => "deferred",
            _ => "refused",
        };
        counter!("concord_smtp_messages_total", "result" => result).increment(1);
        histogram!("concord_smtp_message_seconds").record(self.began.elapsed().as_secs_f64());
        let from = self.mail.as_ref().map(|m| m.from.to_string());
        tracing::info!(
            client = %self.client, helo = self.helo(), from = from.as_deref().unwrap_or_default(),
            recipients = self.recipients.len(), octets = self.octets, %reply, "message",
        );
    }
}

#[async_trait::async_trait]
impl SmtpHandler for Front {
    async fn connected(&mut self, _connection: &ConnectionInfo) -> Result<(), Reply> {
        if self.service.config.reverse_dns {
            let (dns, ip) = (self.service.dns.clone(), self.client.ip());
            self.name = Some(tokio::spawn(async move { dns.name_of(ip).await }));
        }
        Ok(())
    }

    async fn hello(&mut self, hello: &HelloInfo) -> Result<(), Reply> {
        self.hello = Some(hello.clone());
        Ok(())
    }

    /// RFC 3207 section 4.2: what was said before counts no more, nor does a login.
    async fn tls_started(&mut self, tls: &TlsInfo) {
        self.forget_login();
        self.tls = Some(tls.clone());
        self.hello = None;
        self.mail = None;
    }

    async fn auth(&mut self, mechanism: &str, response: Option<&[u8]>, first: bool) -> AuthStep {
        self.relay_auth(mechanism, response, first).await
    }

    async fn auth_cancelled(&mut self) {
        self.forget_login();
    }

    /// The core is asked with the first RCPT, so that both go in one write.
    async fn mail(&mut self, mail: &MailCommand) -> Reply {
        let mut mail = mail.clone();
        // RFC 4954 section 5: what a client says there is believed of nobody.
        mail.auth = None;
        self.mail = Some(mail);
        self.recipients.clear();
        Reply::new(250, (2, 1, 0), "ok")
    }

    async fn rcpt(&mut self, rcpt: &RcptCommand) -> Reply {
        let replies = self.rcpts(std::slice::from_ref(rcpt)).await;
        let missing = || Reply::new(451, (4, 3, 0), "no answer from the mail store");
        replies.into_iter().next().unwrap_or_else(missing)
    }

    async fn rcpts(&mut self, rcpts: &[RcptCommand]) -> Vec<Reply> {
        let replies = match self.ask(rcpts).await {
            Ok(replies) => replies,
            Err(error) => vec![self.lost(&error); rcpts.len()],
        };
        for (rcpt, reply) in rcpts.iter().zip(&replies) {
            if reply.is_ok() {
                self.recipients.push(rcpt.to.clone());
            } else {
                counter!("concord_smtp_recipients_refused_total").increment(1);
                tracing::info!(client = %self.client, to = %rcpt.to, %reply, "recipient refused");
            }
        }
        replies
    }

    async fn begin_data(&mut self) -> Result<(), Reply> {
        self.began = Instant::now();
        self.octets = 0;
        self.scan = Some(HeaderScan::new());
        let Some(core) = &mut self.core else {
            return Err(Reply::new(451, (4, 3, 2), "the mail store is not available"));
        };
        match core.begin_body(BodyMode::Auto).await {
            Ok(None) => {
                let line = self.trace_line().await;
                self.send(Bytes::from(line)).await
            }
            Ok(Some(refusal)) => Err(refusal),
            Err(error) => Err(self.lost(&error.into())),
        }
    }

    async fn data(&mut self, chunk: Bytes) -> Result<(), Reply> {
        self.octets = self.octets.saturating_add(chunk.len());
        if self.scan.as_mut().is_some_and(|scan| scan.feed(&chunk)) {
            self.check_hops()?;
        }
        self.send(chunk).await
    }

    async fn end_data(&mut self) -> DataReply {
        let reply = self.finish().await;
        self.count(&reply);
        self.mail = None;
        DataReply::One(reply)
    }

    async fn reset(&mut self) {
        self.drop_transaction().await;
        self.mail = None;
        self.scan = None;
        self.recipients.clear();
    }

    async fn closed(&mut self, _how: &Ended) {
        self.release();
        if let Some(lookup) = self.name.take() {
            lookup.abort();
        }
        tracing::trace!(kind = ?self.kind, client = %self.client, "closed");
    }
}
