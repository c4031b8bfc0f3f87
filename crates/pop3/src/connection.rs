//! The octets: buffers and time-outs below the protocol.

use crate::config::{Pop3Config, WRITE_CHUNK};
use bytes::BytesMut;
use concord_entrance::Io;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Octets asked from the socket at once; commands are short.
const READ_CHUNK: usize = 2 * 1024;

/// Why a session ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The client closed the connection, or it failed.
    Closed,
    /// QUIT was answered.
    Quit,
    /// The client did not read its answers in time.
    Stuck,
    /// We end it, and say so.
    Farewell(&'static str),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        tracing::debug!(%error, "the connection failed");
        Self::Closed
    }
}

/// A client's connection.
pub(crate) struct Connection {
    io: Box<dyn Io>,
    input: BytesMut,
    pub(crate) out: Vec<u8>,
    write_timeout: Duration,
}

impl Connection {
    pub(crate) fn new(io: Box<dyn Io>, config: &Pop3Config) -> Self {
        let write_timeout = config.write_timeout;
        Self { io, input: BytesMut::new(), out: Vec::new(), write_timeout }
    }

    /// Adds a line to the answer.
    pub(crate) fn line(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    /// Sends when enough has gathered; waits for a slow reader.
    pub(crate) async fn flush_if_full(&mut self) -> Result<(), End> {
        if self.out.len() >= WRITE_CHUNK { self.flush().await } else { Ok(()) }
    }

    /// Sends everything.
    pub(crate) async fn flush(&mut self) -> Result<(), End> {
        for piece in self.out.chunks(WRITE_CHUNK) {
            timeout(self.write_timeout, self.io.write_all(piece))
                .await
                .map_err(|_| End::Stuck)??;
        }
        if !self.out.is_empty() {
            timeout(self.write_timeout, self.io.flush()).await.map_err(|_| End::Stuck)??;
        }
        self.out.clear();
        if self.out.capacity() > WRITE_CHUNK {
            self.out = Vec::new();
        }
        Ok(())
    }

    /// Whether the client has sent something that was not looked at.
    pub(crate) fn has_input(&self) -> bool {
        !self.input.is_empty()
    }

    /// Reads more. May be dropped at any time without loss.
    pub(crate) async fn fill(&mut self) -> Result<(), End> {
        self.input.reserve(READ_CHUNK);
        match self.io.read_buf(&mut self.input).await? {
            0 => Err(End::Closed),
            _ => Ok(()),
        }
    }

    /// One line without its line end; `None` if it is longer than `limit`,
    /// its rest has been skipped then.
    pub(crate) async fn read_line(&mut self, limit: usize) -> Result<Option<Vec<u8>>, End> {
        let mut fits = true;
        loop {
            if let Some(at) = memchr::memchr(b'\n', &self.input) {
                let line = self.input.split_to(at + 1);
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                return Ok((fits && line.len() <= limit).then(|| line.to_vec()));
            }
            if self.input.len() > limit {
                fits = false;
                self.input.clear();
            }
            self.flush().await?;
            self.fill().await?;
        }
    }

    /// What was sent before TLS is forgotten with this, so that nobody can put
    /// commands into the protected session.
    pub(crate) fn take_io(&mut self) -> Box<dyn Io> {
        self.input.clear();
        std::mem::replace(&mut self.io, Box::new(tokio::io::empty()))
    }

    pub(crate) fn set_io(&mut self, io: Box<dyn Io>) {
        self.io = io;
    }

    /// Ends the connection politely.
    pub(crate) async fn close(&mut self) {
        let _ = timeout(self.write_timeout, self.io.shutdown()).await;
    }
}
