//! The octets: buffers and time-outs below the protocol.

use crate::config::WRITE_CHUNK;
use crate::frame::{self, Broken};
use bytes::BytesMut;
use concord_entrance::Io;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::time::timeout;

/// Octets asked from the socket at once; most requests have some hundred.
const READ_CHUNK: usize = 4 * 1024;

/// Why a session ends.
#[derive(Debug)]
pub(crate) enum End {
    /// The client closed the connection, or it failed.
    Closed,
    /// The client did not read its answers in time.
    Stuck,
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        tracing::debug!(%error, "the connection failed");
        Self::Closed
    }
}

/// What comes from a client.
pub(crate) struct Input {
    io: ReadHalf<Box<dyn Io>>,
    buffer: BytesMut,
}

/// What goes to a client.
pub(crate) struct Output {
    io: WriteHalf<Box<dyn Io>>,
    pub answer: crate::ber::Writer,
    write_timeout: Duration,
}

/// Both sides of a connection.
pub(crate) fn split(io: Box<dyn Io>, write_timeout: Duration) -> (Input, Output) {
    let (read, write) = tokio::io::split(io);
    let input = Input { io: read, buffer: BytesMut::new() };
    (input, Output { io: write, answer: crate::ber::Writer::default(), write_timeout })
}

/// Puts the two together again. What was sent before is forgotten with this, so
/// that nobody can put requests into a protected session.
pub(crate) fn join(input: Input, output: Output) -> Box<dyn Io> {
    input.io.unsplit(output.io)
}

impl Input {
    /// The next whole message that has arrived.
    pub fn take(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Broken> {
        let Some(length) = frame::length(&self.buffer, limit)? else { return Ok(None) };
        if self.buffer.len() < length {
            return Ok(None);
        }
        let message = self.buffer.split_to(length).to_vec();
        if self.buffer.is_empty() && self.buffer.capacity() > WRITE_CHUNK {
            self.buffer = BytesMut::new();
        }
        Ok(Some(message))
    }

    /// Reads more. May be dropped at any time without loss.
    pub async fn fill(&mut self) -> Result<(), End> {
        self.buffer.reserve(READ_CHUNK);
        match self.io.read_buf(&mut self.buffer).await? {
            0 => Err(End::Closed),
            _ => Ok(()),
        }
    }
}

impl Output {
    /// Sends when enough has gathered; waits for a slow reader.
    pub async fn flush_if_full(&mut self) -> Result<(), End> {
        if self.answer.out.len() >= WRITE_CHUNK { self.flush().await } else { Ok(()) }
    }

    /// Sends everything.
    pub async fn flush(&mut self) -> Result<(), End> {
        if self.answer.out.is_empty() {
            return Ok(());
        }
        for piece in self.answer.out.chunks(WRITE_CHUNK) {
            timeout(self.write_timeout, self.io.write_all(piece))
                .await
                .map_err(|_| End::Stuck)??;
        }
        timeout(self.write_timeout, self.io.flush()).await.map_err(|_| End::Stuck)??;
        self.answer.out.clear();
        if self.answer.out.capacity() > 2 * WRITE_CHUNK {
            self.answer.out = Vec::new();
        }
        Ok(())
    }

    /// Ends the connection politely.
    pub async fn close(&mut self) {
        let _ = timeout(self.write_timeout, self.io.shutdown()).await;
    }
}
