//! A client session: connection, hello, single commands.

use super::body::Body;
use super::error::{ClientError, Phase};
use super::timeouts::ClientTimeouts;
use crate::tap::{Tap, Way};
use bytes::{BufMut, Bytes, BytesMut};
use concord_smtp::{Capabilities, Reply, ReplyParser};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Room for the answers of one burst; longer ones grow it.
const INPUT: usize = 2048;

/// How to say hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HelloVerb {
    /// SMTP; falls back to HELO where the peer refuses EHLO.
    Ehlo,
    /// SMTP without extensions.
    Helo,
    /// LMTP
    Lhlo,
}

/// A client session over a stream. After any [`ClientError`] it is to be
/// dropped; replies that refuse leave it usable.
///
/// The order of calls: [`connect`](Self::connect), [`hello`](Self::hello), then
/// any number of transactions: either [`deliver`](Self::deliver), or
/// [`envelope`](Self::envelope), [`begin_body`](Self::begin_body),
/// [`body`](Self::body)..., [`finish_body`](Self::finish_body).
#[derive(Debug)]
pub struct SmtpClient<S> {
    pub(super) stream: S,
    pub(super) input: BytesMut,
    pub(super) output: BytesMut,
    parser: ReplyParser,
    pub(super) timeouts: ClientTimeouts,
    pub(super) capabilities: Capabilities,
    pub(super) lmtp: bool,
    pub(super) accepted: usize,
    pub(super) sending: Option<Body>,
    tap: Option<Arc<dyn Tap>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> SmtpClient<S> {
    /// Waits for the greeting on a fresh connection, which is given back too.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if it is not 220.
    pub async fn connect(
        stream: S,
        timeouts: ClientTimeouts,
    ) -> Result<(Self, Reply), ClientError> {
        Self::connect_tapped(stream, timeouts, None).await
    }

    /// The same, with somebody who may look at the conversation.
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    pub async fn connect_tapped(
        stream: S,
        timeouts: ClientTimeouts,
        tap: Option<Arc<dyn Tap>>,
    ) -> Result<(Self, Reply), ClientError> {
        let mut client = Self::resume(stream, timeouts).tapped(tap);
        let wait = client.timeouts.greeting;
        let greeting = client.read_reply(Phase::Greeting, wait).await?;
        if greeting.code != 220 {
            return Err(ClientError::Refused { phase: Phase::Greeting, reply: greeting });
        }
        Ok((client, greeting))
    }

    /// A session on a stream whose greeting is behind it: after the handshake
    /// that followed [`starttls`](Self::starttls). Say hello again.
    pub fn resume(stream: S, timeouts: ClientTimeouts) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            output: BytesMut::new(),
            parser: ReplyParser::default(),
            timeouts,
            capabilities: Capabilities::default(),
            lmtp: false,
            accepted: 0,
            sending: None,
            tap: None,
        }
    }

    /// The session with somebody who may look at its conversation.
    #[must_use]
    pub fn tapped(self, tap: Option<Arc<dyn Tap>>) -> Self {
        Self { tap, ..self }
    }

    /// Who may look at the conversation.
    pub fn tap(&self) -> Option<Arc<dyn Tap>> {
        self.tap.clone()
    }

    fn show(&self, way: Way, octets: &[u8]) {
        if let Some(tap) = self.tap.as_ref().filter(|tap| tap.is_open()) {
            tap.pass(way, Bytes::copy_from_slice(octets));
        }
    }

    /// Says hello and reads what the peer offers.
    pub async fn hello(&mut self, verb: HelloVerb, name: &str) -> Result<(), ClientError> {
        self.lmtp = verb == HelloVerb::Lhlo;
        let word = match verb {
            HelloVerb::Ehlo => "EHLO",
            HelloVerb::Helo => "HELO",
            HelloVerb::Lhlo => "LHLO",
        };
        let mut reply = self.command(&format!("{word} {name}"), Phase::Hello).await?;
        self.capabilities = Capabilities::from_reply(&reply);
        let refused = reply.is_permanent() && reply.code != 554;
        if refused && verb == HelloVerb::Ehlo {
            reply = self.command(&format!("HELO {name}"), Phase::Hello).await?;
        }
        if verb == HelloVerb::Helo || (refused && verb == HelloVerb::Ehlo) {
            self.capabilities = Capabilities::from_reply(&Reply::plain(250, reply.text.clone()));
            self.capabilities.extensions = Default::default();
        }
        if reply.is_ok() {
            return Ok(());
        }
        Err(ClientError::Refused { phase: Phase::Hello, reply })
    }

    /// What the peer offers.
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Says STARTTLS; if this is `Ok`, take the stream with
    /// [`into_stream`](Self::into_stream), do the handshake, and
    /// [`resume`](Self::resume) over it.
    ///
    /// # Errors
    /// [`ClientError::Refused`] leaves the session usable in the clear.
    pub async fn starttls(&mut self) -> Result<(), ClientError> {
        let reply = self.command("STARTTLS", Phase::StartTls).await?;
        if reply.code != 220 {
            return Err(ClientError::Refused { phase: Phase::StartTls, reply });
        }
        if self.input.is_empty() { Ok(()) } else { Err(ClientError::TlsInjection) }
    }

    /// The stream; what was received and not yet read is lost.
    pub fn into_stream(self) -> S {
        self.stream
    }

    /// The stream.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// Sends one command line (without CRLF) and waits for its reply.
    pub async fn command(&mut self, line: &str, phase: Phase) -> Result<Reply, ClientError> {
        let wait = self.timeouts.command;
        self.queue(line);
        self.flush(phase).await?;
        self.read_reply(phase, wait).await
    }

    /// RSET: ends the transaction. A message that is under way by BDAT is
    /// dropped by it; one by DATA can only be dropped with the connection.
    pub async fn reset(&mut self) -> Result<Reply, ClientError> {
        self.abandon_body().await?;
        self.accepted = 0;
        self.command("RSET", Phase::Closing).await
    }

    /// NOOP: whether the peer is still there.
    pub async fn noop(&mut self) -> Result<Reply, ClientError> {
        self.command("NOOP", Phase::Closing).await
    }

    /// QUIT, waiting at most `patience` for the answer, and closes.
    pub async fn quit(mut self, patience: Duration) {
        let goodbye = async {
            self.command("QUIT", Phase::Closing).await?;
            let _ = self.stream.shutdown().await;
            Ok::<_, ClientError>(())
        };
        // The session is over either way.
        let _ = timeout(patience, goodbye).await;
    }

    pub(super) fn queue(&mut self, line: &str) {
        self.output.put_slice(line.as_bytes());
        self.output.put_slice(b"\r\n");
    }

    pub(super) async fn flush(&mut self, phase: Phase) -> Result<(), ClientError> {
        if phase != Phase::Body {
            self.show(Way::Sent, &self.output);
        }
        let Self { stream, output, timeouts, .. } = self;
        let writing = async {
            stream.write_all_buf(output).await?;
            stream.flush().await
        };
        finished(phase, timeout(timeouts.data_block, writing).await)
    }

    pub(super) async fn read_reply(
        &mut self,
        phase: Phase,
        wait: Duration,
    ) -> Result<Reply, ClientError> {
        if let Some(reply) = self.buffered_reply(phase)? {
            return Ok(reply);
        }
        let reading = async {
            loop {
                self.input.reserve(INPUT);
                match self.stream.read_buf(&mut self.input).await {
                    Ok(0) => return Err(ClientError::Closed(phase)),
                    Ok(_) => {}
                    Err(e) => return Err(ClientError::Io { phase, cause: e.to_string() }),
                }
                if let Some(reply) = self.buffered_reply(phase)? {
                    return Ok(reply);
                }
            }
        };
        timeout(wait, reading).await.unwrap_or(Err(ClientError::TimedOut(phase)))
    }

    fn buffered_reply(&mut self, phase: Phase) -> Result<Option<Reply>, ClientError> {
        let reply = self.parser.next(&mut self.input);
        if let (Ok(Some(reply)), Some(_)) = (&reply, &self.tap) {
            self.show(Way::Received, format!("{reply}\r\n").as_bytes());
        }
        reply.map_err(|cause| ClientError::Protocol { phase, cause })
    }
}

pub(super) fn finished(
    phase: Phase,
    result: Result<std::io::Result<()>, tokio::time::error::Elapsed>,
) -> Result<(), ClientError> {
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(ClientError::Io { phase, cause: e.to_string() }),
        Err(_) => Err(ClientError::TimedOut(phase)),
    }
}
