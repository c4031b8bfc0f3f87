//! One server session: commands in order, replies in order.

use super::handler::{ConnectionInfo, SmtpHandler};
use super::profile::{Mode, ServerProfile};
use super::transport::{Transport, deadline};
use crate::stream::MaybeTls;
use concord_smtp::limits::{MAX_AUTH_LINE, MAX_COMMAND_LINE};
use concord_smtp::{
    Command, CommandError, Extensions, Framed, RcptCommand, Reply, State, Verb, frame_line,
    skip_line,
};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Replies that wait are written at the latest when they are this many octets.
const OUTPUT_MARK: usize = 16 * 1024;
/// Octets of one overlong line that are read and dropped; who sends more is
/// cut off.
const MAX_SKIPPED: usize = 1024 * 1024;

/// How a session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// QUIT
    Quit,
    /// The client closed the connection.
    Closed,
    /// The connection broke; the system's words.
    Broken(String),
    /// The client was too slow.
    TimedOut,
    /// The server refused the connection or cut it off with 421 or 5xx.
    Refused,
    /// The TLS handshake failed; the library's words.
    Tls(String),
    /// The service stops.
    Shutdown,
}

/// Serves one session to its end. For implicit TLS, hand over a stream whose
/// handshake is done; `tls` is for STARTTLS.
///
/// When `shutdown` is cancelled, the running transaction is finished, then the
/// client gets 421.
pub async fn serve<S>(
    stream: MaybeTls<S>,
    connection: ConnectionInfo,
    profile: Arc<ServerProfile>,
    tls: Option<TlsAcceptor>,
    handler: &mut dyn SmtpHandler,
    shutdown: CancellationToken,
) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let io = Transport::new(stream, profile.timeouts.data, handler.tap());
    let mut session = Session::new(io, profile, tls, handler, shutdown);
    let ended = match session.run(&connection).await {
        Ok(()) => Ended::Quit,
        Err(ended) => ended,
    };
    session.end_transaction().await;
    session.handler.closed(&ended).await;
    if matches!(ended, Ended::TimedOut) {
        session.say(&Reply::new(421, (4, 4, 2), "timeout, closing"));
    }
    session.io.close().await;
    ended
}

pub(super) struct Session<'h, S> {
    pub(super) io: Transport<S>,
    pub(super) profile: Arc<ServerProfile>,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) handler: &'h mut dyn SmtpHandler,
    pub(super) shutdown: CancellationToken,
    pub(super) state: State,
    pub(super) offered: Extensions,
    pub(super) authenticated: bool,
    pub(super) smtputf8: bool,
    pub(super) errors: u32,
    pub(super) auth_failures: u32,
    pub(super) messages: u32,
    /// Recipients that were taken.
    pub(super) accepted: usize,
    /// RCPTs of the burst that the handler has not seen.
    pub(super) burst: Vec<RcptCommand>,
    /// A message that comes by BDAT.
    pub(super) chunks: Option<super::data::Incoming>,
}

impl<'h, S: AsyncRead + AsyncWrite + Unpin + Send> Session<'h, S> {
    fn new(
        io: Transport<S>,
        profile: Arc<ServerProfile>,
        tls: Option<TlsAcceptor>,
        handler: &'h mut dyn SmtpHandler,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            io,
            profile,
            tls,
            handler,
            shutdown,
            state: State::Start,
            offered: Extensions::default(),
            authenticated: false,
            smtputf8: false,
            errors: 0,
            auth_failures: 0,
            messages: 0,
            accepted: 0,
            burst: Vec::new(),
            chunks: None,
        }
    }

    async fn run(&mut self, connection: &ConnectionInfo) -> Result<(), Ended> {
        if let Some(info) = self.io.tls_info() {
            self.handler.tls_started(&info).await;
        }
        if let Err(refusal) = self.handler.connected(connection).await {
            return self.cut_off(&refusal);
        }
        self.await_silence().await?;
        let greeting = format!("{} {}", self.profile.hostname, self.profile.banner);
        self.say(&Reply::plain(220, greeting));
        let mut until = deadline(self.profile.timeouts.command);
        loop {
            let Some(command) = self.next_command().await? else {
                self.settle(until).await?;
                continue;
            };
            if !self.carry_out(command).await? {
                return Ok(());
            }
            if self.io.output.len() > OUTPUT_MARK {
                self.io.flush().await?;
            }
            until = deadline(self.profile.timeouts.command);
        }
    }

    /// RFC 5321 section 4.3.1: a client waits for the greeting.
    async fn await_silence(&mut self) -> Result<(), Ended> {
        let Some(delay) = self.profile.greeting_delay else { return Ok(()) };
        match self.io.read_command(deadline(delay)).await {
            Err(Ended::TimedOut) => Ok(()),
            Err(other) => Err(other),
            Ok(()) => self.cut_off(&Reply::new(554, (5, 5, 1), "you talk before the greeting")),
        }
    }

    /// A command of the buffer; `None` if there is no whole line in it. Lines
    /// that are none are answered here.
    async fn next_command(&mut self) -> Result<Option<Command>, Ended> {
        loop {
            let limit = match self.io.input.get(..5) {
                Some(word) if word.eq_ignore_ascii_case(b"AUTH ") => MAX_AUTH_LINE,
                _ => MAX_COMMAND_LINE,
            };
            let (parsed, used) = match frame_line(&self.io.input, limit) {
                Framed::Line { line, used } => (Command::parse(line), used),
                Framed::Bare { used } => {
                    self.io.consume(used);
                    let words = "bare CR or LF in command; lines end in CRLF";
                    self.refuse(Reply::new(500, (5, 5, 2), words)).await?;
                    continue;
                }
                Framed::TooLong => {
                    self.skip_long_line().await?;
                    continue;
                }
                Framed::Partial => return Ok(None),
            };
            self.io.consume(used);
            match parsed {
                Ok(command) => return Ok(Some(command)),
                Err(error) => self.refuse(error.reply()).await?,
            }
        }
    }

    async fn skip_long_line(&mut self) -> Result<(), Ended> {
        self.refuse(Reply::new(500, (5, 5, 6), "line too long")).await?;
        let until = deadline(self.profile.timeouts.command);
        let mut skipped = 0usize;
        loop {
            let (octets, ended) = skip_line(&self.io.input);
            self.io.consume(octets);
            skipped = skipped.saturating_add(octets);
            if ended {
                return Ok(());
            }
            if skipped > MAX_SKIPPED {
                return self.cut_off(&Reply::new(421, (4, 7, 0), "line too long, closing"));
            }
            self.io.read_command(until).await?;
        }
    }

    /// Nothing more to parse: answer what is open, then wait.
    async fn settle(&mut self, until: Instant) -> Result<(), Ended> {
        self.settle_burst().await?;
        if self.state.in_transaction() {
            self.io.flush().await?;
            return self.io.read_command(until).await;
        }
        if self.shutdown.is_cancelled() {
            return self.stop();
        }
        self.io.flush().await?;
        let shutdown = self.shutdown.clone();
        tokio::select! {
            biased;
            read = self.io.read_command(until) => read,
            () = shutdown.cancelled() => self.stop(),
        }
    }

    pub(super) fn stop(&mut self) -> Result<(), Ended> {
        self.say(&Reply::new(421, (4, 3, 2), "service stops, closing"));
        Err(Ended::Shutdown)
    }

    /// Gives the RCPTs of the burst to the handler.
    async fn settle_burst(&mut self) -> Result<(), Ended> {
        if self.burst.is_empty() {
            return Ok(());
        }
        let burst = std::mem::take(&mut self.burst);
        let mut replies = self.handler.rcpts(&burst).await.into_iter();
        for _ in &burst {
            let reply = replies
                .next()
                .unwrap_or_else(|| Reply::new(451, (4, 3, 0), "no answer for this recipient"));
            if reply.is_ok() {
                self.accepted = self.accepted.saturating_add(1);
                self.state = State::Recipients;
            }
            self.say(&reply);
            self.count_error(&reply)?;
        }
        self.burst = burst;
        self.burst.clear();
        Ok(())
    }

    /// Whether the session goes on.
    async fn carry_out(&mut self, command: Command) -> Result<bool, Ended> {
        let verb = command.verb();
        if verb != Verb::Rcpt {
            self.settle_burst().await?;
        }
        if let Command::Bdat(chunk) = command {
            return self.bdat(chunk).await.map(|()| true);
        }
        if let Some(refusal) = self.state.verdict(verb).refusal() {
            return self.refuse(refusal).await.map(|()| true);
        }
        match command {
            Command::Ehlo(name) => self.hello(name, Verb::Ehlo).await?,
            Command::Helo(name) => self.hello(name, Verb::Helo).await?,
            Command::Lhlo(name) => self.hello(name, Verb::Lhlo).await?,
            Command::Mail(mail) => self.mail(&mail).await?,
            Command::Rcpt(rcpt) => self.rcpt(*rcpt).await?,
            Command::Data => self.data().await?,
            Command::Rset => {
                self.end_transaction().await;
                self.say(&Reply::new(250, (2, 0, 0), "ok"));
            }
            Command::Noop => self.say(&Reply::new(250, (2, 0, 0), "ok")),
            Command::Quit => {
                self.end_transaction().await;
                self.say(&Reply::new(221, (2, 0, 0), "bye"));
                return Ok(false);
            }
            Command::Vrfy(name) => {
                let reply = self.handler.verify(&name).await;
                self.refuse(reply).await?;
            }
            Command::Expn(_) => {
                self.refuse(Reply::new(502, (5, 5, 1), "EXPN is not offered")).await?;
            }
            Command::Help => self.say(&Reply::new(214, (2, 0, 0), "see RFC 5321")),
            Command::StartTls => self.starttls().await?,
            Command::Auth(auth) => self.auth(auth).await?,
            Command::Xforward(attributes) => {
                let reply = if self.offered.xforward {
                    self.handler.xforward(&attributes).await
                } else {
                    CommandError::UnknownVerb.reply()
                };
                self.refuse(reply).await?;
            }
            Command::Etrn(etrn) => {
                let reply = if self.offered.etrn {
                    self.handler.etrn(&etrn).await
                } else {
                    CommandError::UnknownVerb.reply()
                };
                self.refuse(reply).await?;
            }
            // Handled above.
            Command::Bdat(_) => {}
        }
        Ok(true)
    }

    /// Ends an open transaction, if there is one, without a message.
    pub(super) async fn end_transaction(&mut self) {
        if self.state.in_transaction() {
            // After a failed chunk the handler has been told.
            if self.state != State::Failed {
                self.handler.reset().await;
            }
            self.state = State::Ready;
        }
        self.accepted = 0;
        self.chunks = None;
        self.burst.clear();
    }

    pub(super) fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.io.output);
    }

    /// Says a reply after those of the burst; if it refuses for good, it counts.
    pub(super) async fn refuse(&mut self, reply: Reply) -> Result<(), Ended> {
        self.settle_burst().await?;
        self.say(&reply);
        self.count_error(&reply)
    }

    fn count_error(&mut self, reply: &Reply) -> Result<(), Ended> {
        // A handler's 421 is about the session; in LMTP it may be what a remote
        // host said about a recipient.
        if reply.code == 421 && self.profile.mode != Mode::Lmtp {
            return Err(Ended::Refused);
        }
        if reply.is_permanent() {
            self.errors = self.errors.saturating_add(1);
            if self.errors >= self.profile.max_errors {
                return self.cut_off(&Reply::new(421, (4, 7, 0), "too many errors, closing"));
            }
        }
        Ok(())
    }

    /// Says a last word.
    pub(super) fn cut_off<T>(&mut self, reply: &Reply) -> Result<T, Ended> {
        self.say(reply);
        Err(Ended::Refused)
    }
}
