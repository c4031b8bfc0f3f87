//! The message of a client's transaction: BDAT or DATA.

use super::error::{ClientError, Phase};
use super::gather::Gather;
use super::session::{SmtpClient, finished};
use bytes::{Bytes, BytesMut};
use concord_smtp::{DotStuffer, Reply};
use std::io;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// What is gathered before it is written: a message up to this goes out as one
/// `BDAT n LAST` in one system call.
const BLOCK: usize = 64 * 1024;

/// Chunks whose answers are outstanding. Their answers must fit into the
/// socket's buffer, or both sides wait for each other.
const MAX_OUTSTANDING: usize = 8;

/// How the message goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BodyMode {
    /// BDAT if the peer offers CHUNKING, else DATA.
    Auto,
    /// DATA
    Data,
}

/// Where a message comes from, piece by piece. Pieces are at most 64 KiB.
#[async_trait::async_trait]
pub trait ChunkSource: Send {
    /// The next piece; `None` at the end.
    async fn next(&mut self) -> io::Result<Option<Bytes>>;
}

#[async_trait::async_trait]
impl ChunkSource for Option<Bytes> {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        Ok(self.take())
    }
}

/// A message that is being sent.
#[derive(Debug)]
pub(super) enum Body {
    Bdat { pending: Gather, outstanding: usize, refusal: Option<Reply> },
    Data { stuffer: DotStuffer },
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> SmtpClient<S> {
    /// Begins the message of an envelope with at least one taken recipient.
    /// `Some` is the refusal of DATA; the transaction is over then.
    pub async fn begin_body(&mut self, mode: BodyMode) -> Result<Option<Reply>, ClientError> {
        if self.capabilities.extensions.chunking && mode == BodyMode::Auto {
            let pending = Gather::default();
            self.sending = Some(Body::Bdat { pending, outstanding: 0, refusal: None });
            return Ok(None);
        }
        self.queue("DATA");
        self.flush(Phase::Body).await?;
        let reply = self.read_reply(Phase::Body, self.timeouts.data_start).await?;
        if reply.code != 354 {
            // A 2xx to DATA is no answer; the peer is confused.
            if !reply.is_temporary() && !reply.is_permanent() {
                return Err(ClientError::Refused { phase: Phase::Body, reply });
            }
            return Ok(Some(reply));
        }
        self.sending = Some(Body::Data { stuffer: DotStuffer::new() });
        Ok(None)
    }

    /// Sends a piece of the message. Once the peer refused a chunk, pieces are
    /// dropped; [`finish_body`](Self::finish_body) tells.
    pub async fn body(&mut self, piece: Bytes) -> Result<(), ClientError> {
        match &mut self.sending {
            None => Err(ClientError::Misuse("a body without begin_body")),
            Some(Body::Bdat { refusal: Some(_), .. }) => Ok(()),
            Some(Body::Bdat { pending, .. }) => {
                pending.push(piece);
                if pending.len() < BLOCK { Ok(()) } else { self.write_chunk(false).await }
            }
            Some(Body::Data { stuffer }) => {
                stuffer.write(&piece, &mut self.output);
                if self.output.len() < BLOCK { Ok(()) } else { self.flush(Phase::Body).await }
            }
        }
    }

    /// Ends the message. One reply in SMTP; in LMTP one for each taken
    /// recipient, in order.
    pub async fn finish_body(&mut self) -> Result<Vec<Reply>, ClientError> {
        let replies = if self.lmtp { self.accepted } else { 1 };
        let refused = match &mut self.sending {
            None => return Err(ClientError::Misuse("finish_body without begin_body")),
            Some(Body::Bdat { refusal, .. }) => refusal.take(),
            Some(Body::Data { .. }) => None,
        };
        if let Some(refusal) = refused {
            return self.give_up(refusal, replies).await;
        }
        if let Some(Body::Data { stuffer }) = &mut self.sending {
            stuffer.finish(&mut self.output);
            self.flush(Phase::Body).await?;
        } else {
            self.write_chunk(true).await?;
            // Answers to chunks before the last one.
            while let Some(Body::Bdat { outstanding: 1.., .. }) = &self.sending {
                self.chunk_answer().await?;
            }
            if let Some(Body::Bdat { refusal: Some(refusal), .. }) = &self.sending {
                let refusal = refusal.clone();
                // The last chunk is refused too, once: the transaction failed.
                self.read_reply(Phase::Final, self.timeouts.data_end).await?;
                return self.give_up(refusal, replies).await;
            }
        }
        self.sending = None;
        let mut words = Vec::with_capacity(replies);
        for _ in 0..replies {
            words.push(self.read_reply(Phase::Final, self.timeouts.data_end).await?);
        }
        self.output = shrunk(std::mem::take(&mut self.output));
        Ok(words)
    }

    /// Forgets a message that is being sent, once its chunks are answered.
    pub(super) async fn abandon_body(&mut self) -> Result<(), ClientError> {
        while let Some(Body::Bdat { outstanding: 1.., .. }) = &self.sending {
            self.chunk_answer().await?;
        }
        match self.sending.take() {
            Some(Body::Data { .. }) => {
                Err(ClientError::Misuse("a message by DATA cannot be dropped"))
            }
            _ => Ok(()),
        }
    }

    async fn give_up(&mut self, refusal: Reply, count: usize) -> Result<Vec<Reply>, ClientError> {
        let accepted = self.accepted;
        self.reset().await?;
        self.accepted = accepted;
        Ok(vec![refusal; count])
    }

    async fn write_chunk(&mut self, last: bool) -> Result<(), ClientError> {
        let Some(Body::Bdat { pending, outstanding, .. }) = &mut self.sending else {
            return Err(ClientError::Misuse("a chunk without begin_body"));
        };
        let flag = if last { " LAST" } else { "" };
        pending.push_front(Bytes::from(format!("BDAT {}{flag}\r\n", pending.len())));
        let stream = &mut self.stream;
        let writing = async {
            stream.write_all_buf(pending).await?;
            stream.flush().await
        };
        let written = timeout(self.timeouts.data_block, writing).await;
        if !last {
            *outstanding = outstanding.saturating_add(1);
        }
        let full = *outstanding >= MAX_OUTSTANDING;
        if let Err(broken) = finished(Phase::Body, written) {
            // A peer that refuses may close at once; its words explain more.
            return match self.read_reply(Phase::Body, self.timeouts.data_block).await {
                Ok(reply) if !reply.is_ok() => {
                    Err(ClientError::Refused { phase: Phase::Body, reply })
                }
                _ => Err(broken),
            };
        }
        if full { self.chunk_answer().await } else { Ok(()) }
    }

    async fn chunk_answer(&mut self) -> Result<(), ClientError> {
        let reply = self.read_reply(Phase::Body, self.timeouts.data_block).await?;
        if let Some(Body::Bdat { outstanding, refusal, .. }) = &mut self.sending {
            *outstanding = outstanding.saturating_sub(1);
            if !reply.is_ok() && refusal.is_none() {
                *refusal = Some(reply);
            }
        }
        Ok(())
    }
}

/// A session in a pool does not keep the buffer of its last message.
fn shrunk(buffer: BytesMut) -> BytesMut {
    const KEEP: usize = 4096;
    if buffer.is_empty() && buffer.capacity() > KEEP { BytesMut::new() } else { buffer }
}
