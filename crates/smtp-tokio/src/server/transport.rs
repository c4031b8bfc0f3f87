//! The octets of a session: one buffer in, one out, every wait bounded.

use super::session::Ended;
use crate::stream::MaybeTls;
use crate::tap::{Tap, Way};
use bytes::{Buf, Bytes, BytesMut};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

/// Room for one burst: envelope and a small message by BDAT.
const COMMAND_READ: usize = 4096;
/// Room for a piece of a message.
const DATA_READ: usize = 64 * 1024;
/// What a session that waits keeps.
const IDLE_BUFFER: usize = 2048;
/// After so long without a command a session gives its buffers back. Shorter,
/// and busy sessions would allocate again for each message.
const IDLE_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Transport<S> {
    /// `None` only while a handshake runs.
    stream: Option<MaybeTls<S>>,
    pub(super) input: BytesMut,
    pub(super) output: BytesMut,
    write_timeout: Duration,
    tap: Option<Arc<dyn Tap>>,
}

/// A deadline that never comes is too far for the timer's arithmetic to break.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

pub(super) fn deadline(after: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(after.min(FAR)).unwrap_or(now)
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport<S> {
    pub(super) fn new(
        stream: MaybeTls<S>,
        write_timeout: Duration,
        tap: Option<Arc<dyn Tap>>,
    ) -> Self {
        let (input, output) = (BytesMut::new(), BytesMut::new());
        Self { stream: Some(stream), input, output, write_timeout, tap }
    }

    fn show(&self, way: Way, octets: &[u8]) {
        if let Some(tap) = self.tap.as_ref().filter(|tap| tap.is_open()) {
            tap.pass(way, Bytes::copy_from_slice(octets));
        }
    }

    pub(super) fn tls_info(&self) -> Option<super::TlsInfo> {
        self.stream.as_ref().and_then(MaybeTls::tls_info)
    }

    pub(super) const fn is_tls(&self) -> bool {
        matches!(self.stream, Some(MaybeTls::Tls(_)))
    }

    /// Writes what was said so far.
    pub(super) async fn flush(&mut self) -> Result<(), Ended> {
        if self.output.is_empty() {
            return Ok(());
        }
        self.show(Way::Sent, &self.output);
        let Some(stream) = &mut self.stream else { return Err(Ended::Closed) };
        let output = &mut self.output;
        let writing = async {
            stream.write_all_buf(output).await?;
            stream.flush().await
        };
        match timeout(self.write_timeout, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(e)) => Err(Ended::Broken(e.to_string())),
            Err(_) => Err(Ended::TimedOut),
        }
    }

    /// Waits for the next octets of commands.
    pub(super) async fn read_command(&mut self, until: Instant) -> Result<(), Ended> {
        let before = self.input.len();
        let read = self.await_command(until).await;
        self.show(Way::Received, self.input.get(before..).unwrap_or_default());
        read
    }

    async fn await_command(&mut self, until: Instant) -> Result<(), Ended> {
        if self.input.is_empty() && self.input.capacity().max(self.output.capacity()) > IDLE_BUFFER
        {
            self.input.reserve(COMMAND_READ);
            let soon = deadline(IDLE_AFTER).min(until);
            match self.read(soon).await {
                Err(Ended::TimedOut) if soon < until => {
                    self.input = BytesMut::with_capacity(IDLE_BUFFER);
                    self.output = BytesMut::new();
                    return self.read(until).await;
                }
                other => return other,
            }
        }
        self.input.reserve(COMMAND_READ);
        self.read(until).await
    }

    /// Waits for the next octets of a message.
    pub(super) async fn read_data(&mut self, until: Instant) -> Result<(), Ended> {
        self.input.reserve(DATA_READ);
        self.read(until).await
    }

    async fn read(&mut self, until: Instant) -> Result<(), Ended> {
        let Some(stream) = &mut self.stream else { return Err(Ended::Closed) };
        match timeout_at(until, stream.read_buf(&mut self.input)).await {
            Ok(Ok(0)) => Err(Ended::Closed),
            Ok(Ok(_)) => Ok(()),
            Ok(Err(e)) => Err(Ended::Broken(e.to_string())),
            Err(_) => Err(Ended::TimedOut),
        }
    }

    /// The handshake of STARTTLS. What was received in the clear is dropped:
    /// it must not be taken for something that came under TLS.
    pub(super) async fn start_tls(
        &mut self,
        acceptor: &TlsAcceptor,
        patience: Duration,
    ) -> Result<(), Ended> {
        self.input.clear();
        let Some(MaybeTls::Plain(stream)) = self.stream.take() else { return Err(Ended::Closed) };
        match timeout(patience, acceptor.accept(stream)).await {
            Ok(Ok(tls)) => {
                self.stream = Some(MaybeTls::Tls(Box::new(tls.into())));
                Ok(())
            }
            Ok(Err(e)) => Err(Ended::Tls(e.to_string())),
            Err(_) => Err(Ended::TimedOut),
        }
    }

    pub(super) fn consume(&mut self, octets: usize) {
        self.input.advance(octets.min(self.input.len()));
    }

    /// Says the last words and closes.
    pub(super) async fn close(&mut self) {
        let _ = self.flush().await;
        if let Some(mut stream) = self.stream.take() {
            let _ = timeout(self.write_timeout, stream.shutdown()).await;
        }
    }
}
