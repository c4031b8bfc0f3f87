//! One client's session: each transaction goes through to the core.

use super::held::Held;
use super::received::{Trace, protocol};
use super::strangers::Known;
use super::{FrontService, Kind};
use crate::watch::Side;
use bytes::Bytes;
use concord_connector::{CoreSession, SubmitError};
use concord_mail_filter::FilterSession;
use concord_mail_policy::Event;
use concord_message::HeaderScan;
use concord_smtp::{EtrnCommand, ForwardPath, MailCommand, RcptCommand, Reply, Xforward};
use concord_smtp_tokio::{
    AuthStep, BodyMode, ClientError, ConnectionInfo, DataReply, Ended, Envelope, HelloInfo, Phase,
    SmtpHandler, Tap, TlsInfo,
};
use metrics::{counter, histogram};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Characters of a reason that fit into an attribute of XFORWARD, each as three
/// octets.
const MAX_HOLD: usize = 80;

/// Octets that are handed to the core at a time.
const PIECE: usize = 64 * 1024;

/// A client and its way to the core.
pub(crate) struct Front {
    pub(super) service: Arc<FrontService>,
    pub(super) kind: Kind,
    pub(super) client: SocketAddr,
    /// Our address that it connected to.
    local: Option<IpAddr>,
    hello: Option<HelloInfo>,
    pub(super) tls: Option<TlsInfo>,
    /// The core's session: during a transaction, and from AUTH on.
    pub(super) core: Option<CoreSession>,
    pub(super) authenticated: bool,
    /// The core waits for a SASL response: its session is of use for nothing else.
    pub(super) authenticating: bool,
    pub(super) mail: Option<MailCommand>,
    /// MAIL went to the core and was taken.
    opened: bool,
    recipients: Vec<ForwardPath>,
    /// While the header passes.
    scan: Option<HeaderScan>,
    /// Octets of the message, and when it began.
    octets: usize,
    began: Instant,
    /// What was found in the message, for the log.
    pub(super) findings: String,
    /// Why the message is to be put aside.
    pub(super) hold: Option<String>,
    /// The content filters' part in this session, if there are some.
    pub(super) filters: Option<FilterSession>,
    /// The content filters cannot be used, and why; no mail passes.
    pub(super) filters_broken: bool,
    /// The message, if it is looked into before the core gets it.
    held: Option<Held>,
    /// What is known of the client.
    pub(super) known: Known,
    /// Recipients that core and filters took.
    pub(super) accepted: Vec<RcptCommand>,
    tap: Arc<dyn Tap>,
    /// The client's name, being looked up.
    name: Option<JoinHandle<Option<String>>>,
}

impl Front {
    pub(crate) fn new(service: Arc<FrontService>, kind: Kind, client: SocketAddr) -> Self {
        let tap = service.hub.conversation(Side::In, client.to_string(), None);
        Self {
            tap,
            hold: None,
            findings: String::new(),
            filters: None,
            filters_broken: false,
            held: None,
            known: Known::default(),
            accepted: Vec::new(),
            service,
            kind,
            client,
            local: None,
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

    pub(super) fn helo(&self) -> &str {
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
            destaddr: self.local.map(|local| local.to_string()),
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
        self.known.user = None;
    }

    /// The core's session is of no further use.
    pub(super) fn lost(&mut self, error: &SubmitError) -> Reply {
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
    pub(super) async fn ask(&mut self, rcpts: &[RcptCommand]) -> Result<Vec<Reply>, SubmitError> {
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
        trace.line() + &self.marks()
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

    /// Tells the core what it must know before the octets.
    async fn tell_hold(&mut self) -> Result<(), Reply> {
        let (Some(hold), Some(core)) = (self.hold.take(), &mut self.core) else { return Ok(()) };
        let why: String = hold.chars().filter(|c| !c.is_control()).take(MAX_HOLD).collect();
        let line = Xforward { hold: Some(why), ..Xforward::default() }.to_string();
        match core.command(&line, Phase::Envelope).await {
            Ok(reply) if reply.is_ok() => Ok(()),
            Ok(reply) => Err(reply),
            Err(error) => Err(self.lost(&error.into())),
        }
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

    /// Looks into the message, and hands over what comes of it.
    async fn hand_over(&mut self, held: Held) -> Result<(), Reply> {
        let (message, _memory) = held.finish();
        let trace = self.trace_line().await;
        let examined = self.examine(message, &trace).await?;
        if let Some(envelope) = examined.envelope {
            self.change_envelope(envelope).await?;
        }
        self.hold = examined.hold;
        self.begin_body().await?;
        let mut rest = examined.message;
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(PIECE));
            self.send(piece).await?;
        }
        Ok(())
    }

    /// Opens the message at the core.
    async fn begin_body(&mut self) -> Result<(), Reply> {
        self.tell_hold().await?;
        let Some(core) = &mut self.core else {
            return Err(Reply::new(451, (4, 3, 2), "the mail store is not available"));
        };
        match core.begin_body(BodyMode::Auto).await {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => Err(refusal),
            Err(error) => Err(self.lost(&error.into())),
        }
    }

    async fn finish(&mut self) -> Reply {
        let mut handed = self.check_hops();
        if let (Ok(()), Some(held)) = (&handed, self.held.take()) {
            handed = self.hand_over(held).await;
        }
        if let Err(refusal) = handed {
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

    pub(super) async fn drop_transaction(&mut self) {
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
            recipients = self.recipients.len(), octets = self.octets, %reply,
            found = self.findings, "message",
        );
    }
}

#[async_trait::async_trait]
impl SmtpHandler for Front {
    fn tap(&self) -> Option<Arc<dyn Tap>> {
        Some(Arc::clone(&self.tap))
    }

    async fn connected(&mut self, connection: &ConnectionInfo) -> Result<(), Reply> {
        self.local = connection.local.map(|local| local.ip().to_canonical());
        self.greet()?;
        self.limit(Event::Connections)?;
        if self.service.config.reverse_dns {
            let (dns, ip) = (self.service.dns.clone(), self.client.ip());
            self.name = Some(tokio::spawn(async move { dns.name_of(ip).await }));
        }
        Ok(())
    }

    async fn hello(&mut self, hello: &HelloInfo) -> Result<(), Reply> {
        self.hello = Some(hello.clone());
        self.tell_filters_hello().await
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
        self.accepted.clear();
        let mut admitted = self.admit_sender().await;
        if admitted.is_ok() {
            admitted = self.tell_filters_sender().await;
        }
        if let Err(refusal) = admitted {
            self.mail = None;
            return refusal;
        }
        Reply::new(250, (2, 1, 0), "ok")
    }

    async fn rcpt(&mut self, rcpt: &RcptCommand) -> Reply {
        let replies = self.rcpts(std::slice::from_ref(rcpt)).await;
        let missing = || Reply::new(451, (4, 3, 0), "no answer from the mail store");
        replies.into_iter().next().unwrap_or_else(missing)
    }

    async fn rcpts(&mut self, rcpts: &[RcptCommand]) -> Vec<Reply> {
        if self.filters.is_some() && rcpts.len() > 1 {
            // Filters hear of each, and the core of those that they let pass.
            let mut replies = Vec::with_capacity(rcpts.len());
            for rcpt in rcpts {
                replies.extend(self.rcpts(std::slice::from_ref(rcpt)).await);
            }
            return replies;
        }
        let mut refused = self.admit_recipients(rcpts).await;
        if let ([rcpt], [None]) = (rcpts, refused.as_slice()) {
            refused = vec![self.tell_filters_recipient(rcpt).await];
        }
        let told = self.filters.is_some() && refused.iter().all(Option::is_none);
        let asked: Vec<RcptCommand> = rcpts
            .iter()
            .zip(&refused)
            .filter(|(_, refusal)| refusal.is_none())
            .map(|(rcpt, _)| rcpt.clone())
            .collect();
        let answered = match asked.is_empty() {
            true => Vec::new(),
            false => match self.ask(&asked).await {
                Ok(replies) => replies,
                Err(error) => vec![self.lost(&error); asked.len()],
            },
        };
        let missing = || Reply::new(451, (4, 3, 0), "no answer from the mail store");
        let mut answered = answered.into_iter();
        let replies: Vec<Reply> = refused
            .into_iter()
            .map(|refusal| refusal.or_else(|| answered.next()).unwrap_or_else(missing))
            .collect();
        if replies.iter().any(|reply| !reply.is_ok()) && !self.authenticated {
            self.tarpit().await;
        }
        for (rcpt, reply) in rcpts.iter().zip(&replies) {
            if reply.is_ok() {
                self.recipients.push(rcpt.to.clone());
                self.accepted.push(rcpt.clone());
            } else {
                if told {
                    self.withdraw_from_filters();
                }
                counter!("concord_smtp_recipients_refused_total").increment(1);
                tracing::info!(client = %self.client, to = %rcpt.to, %reply, "recipient refused");
            }
        }
        replies
    }

    async fn begin_data(&mut self) -> Result<(), Reply> {
        self.began = Instant::now();
        self.octets = 0;
        self.findings.clear();
        self.scan = Some(HeaderScan::new());
        self.greylist_reports()?;
        if self.must_examine() {
            self.held = Some(self.service.examiner.memory.begin());
            return Ok(());
        }
        self.begin_body().await?;
        let line = self.trace_line().await;
        self.send(Bytes::from(line)).await
    }

    async fn data(&mut self, chunk: Bytes) -> Result<(), Reply> {
        self.octets = self.octets.saturating_add(chunk.len());
        if self.scan.as_mut().is_some_and(|scan| scan.feed(&chunk)) {
            self.check_hops()?;
        }
        if let Some(held) = &mut self.held {
            return held.push(&chunk).await;
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
        self.held = None;
        self.accepted.clear();
        if let Some(filters) = &mut self.filters {
            filters.abort();
        }
        self.drop_transaction().await;
        self.mail = None;
        self.scan = None;
        self.recipients.clear();
    }

    async fn etrn(&mut self, etrn: &EtrnCommand) -> Reply {
        self.ask_for_mail(etrn).await
    }

    async fn closed(&mut self, _how: &Ended) {
        self.release();
        if let Some(filters) = self.filters.take() {
            filters.end().await;
        }
        if let Some(lookup) = self.name.take() {
            lookup.abort();
        }
        tracing::trace!(kind = ?self.kind, client = %self.client, "closed");
    }
}
