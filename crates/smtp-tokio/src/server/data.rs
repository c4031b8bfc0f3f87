//! Messages of a server session: DATA and BDAT.

use super::handler::DataReply;
use super::session::{Ended, Session};
use super::transport::deadline;
use bytes::{Bytes, BytesMut};
use concord_smtp::{BareNewlines, Chunk, ChunkCount, DataDecoder, Reply, State};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

/// What the handler gets at most at once.
const PIECE: usize = 64 * 1024;
// Decoding at most doubles: half of it goes in at once.
/// Beyond the size limit a message is read on, so that the client sees the
/// reply, up to twice the limit and this; then the client is cut off.
const OVERRUN: u64 = 1024 * 1024;

/// A message on its way in.
#[derive(Debug)]
pub(super) struct Incoming {
    decoder: DataDecoder,
    out: BytesMut,
    octets: u64,
    until: Instant,
    /// Said at the end; nothing more goes to the handler.
    refusal: Option<Reply>,
}

pub(super) fn too_big(limit: u64) -> Reply {
    Reply::new(552, (5, 3, 4), format!("message too big; the limit is {limit} octets"))
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<'_, S> {
    pub(super) async fn data(&mut self) -> Result<(), Ended> {
        if let Err(refusal) = self.handler.begin_data().await {
            self.end_transaction().await;
            return self.refuse(refusal).await;
        }
        self.say(&Reply::plain(354, "send the message, end with CRLF.CRLF"));
        let decoder = DataDecoder::new(self.profile.bare_newlines, self.profile.max_line);
        let mut message = self.incoming(decoder);
        loop {
            if !self.io.input.is_empty() {
                let room = self.io.input.len().min(PIECE / 2);
                let piece = self.io.input.get(..room).unwrap_or_default();
                let fed = message.decoder.feed(piece, &mut message.out);
                self.io.consume(fed.used);
                self.take_decoded(&mut message).await?;
                if fed.ended {
                    break;
                }
                if !self.io.input.is_empty() {
                    continue;
                }
            }
            self.io.flush().await?;
            let wait = deadline(self.profile.timeouts.data).min(message.until);
            self.io.read_data(wait).await?;
        }
        self.finish(message).await
    }

    fn incoming(&self, decoder: DataDecoder) -> Incoming {
        let until = deadline(self.profile.timeouts.message);
        Incoming { decoder, out: BytesMut::new(), octets: 0, until, refusal: None }
    }

    /// Hands on what the decoder brought out.
    async fn take_decoded(&mut self, message: &mut Incoming) -> Result<(), Ended> {
        if let (None, Some(fault)) = (&message.refusal, message.decoder.fault()) {
            message.refusal = Some(fault.reply());
        }
        let piece = message.out.split().freeze();
        self.take(message, piece).await
    }

    async fn take(&mut self, message: &mut Incoming, piece: Bytes) -> Result<(), Ended> {
        let octets = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        message.octets = message.octets.saturating_add(octets);
        let limit = self.profile.size_limit;
        if message.octets > limit.saturating_mul(2).saturating_add(OVERRUN) {
            return self.cut_off(&too_big(limit));
        }
        if message.octets > limit && message.refusal.is_none() {
            message.refusal = Some(too_big(limit));
        }
        if message.refusal.is_none()
            && !piece.is_empty()
            && let Err(refusal) = self.handler.data(piece).await
        {
            message.refusal = Some(refusal);
        }
        Ok(())
    }

    /// The message is read to its end: answer it.
    async fn finish(&mut self, message: Incoming) -> Result<(), Ended> {
        let recipients = self.accepted;
        self.messages = self.messages.saturating_add(1);
        if let Some(refusal) = message.refusal {
            self.end_transaction().await;
            return self.answer(DataReply::One(refusal), recipients).await;
        }
        let answer = self.handler.end_data().await;
        self.state = State::Ready;
        self.accepted = 0;
        self.answer(answer, recipients).await
    }

    async fn answer(&mut self, answer: DataReply, recipients: usize) -> Result<(), Ended> {
        if self.profile.mode != super::Mode::Lmtp {
            let reply = match answer {
                DataReply::One(reply) => reply,
                DataReply::Each(replies) => replies
                    .into_iter()
                    .next()
                    .unwrap_or_else(|| Reply::new(451, (4, 3, 0), "no answer")),
            };
            if reply.is_ok() {
                self.errors = 0;
            }
            return self.refuse(reply).await;
        }
        let missing = Reply::new(451, (4, 3, 0), "no answer for this recipient");
        let mut replies = match answer {
            DataReply::One(reply) => vec![reply; recipients],
            DataReply::Each(replies) => replies,
        };
        replies.resize(recipients, missing);
        for reply in replies {
            self.refuse(reply).await?;
        }
        Ok(())
    }

    pub(super) async fn bdat(&mut self, chunk: Chunk) -> Result<(), Ended> {
        let verdict = self.state.verdict(concord_smtp::Verb::Bdat).refusal();
        if let Some(refusal) = verdict {
            return self.refuse_chunk(chunk, refusal).await;
        }
        let mut message = match self.chunks.take() {
            Some(message) => message,
            None => {
                if let Err(refusal) = self.handler.begin_data().await {
                    return self.refuse_message(chunk, refusal).await;
                }
                let profile = &self.profile;
                self.incoming(DataDecoder::for_chunks(profile.bare_newlines, profile.max_line))
            }
        };
        self.state = State::Chunks;
        self.read_chunk(chunk, &mut message).await?;
        if chunk.last {
            message.decoder.finish_chunks(&mut message.out);
            self.take_decoded(&mut message).await?;
            return self.finish(message).await;
        }
        if let Some(refusal) = message.refusal {
            self.fail().await;
            return self.refuse(refusal).await;
        }
        self.chunks = Some(message);
        let words = format!("{} octets received", chunk.size);
        self.say(&Reply::new(250, (2, 0, 0), words));
        Ok(())
    }

    async fn read_chunk(&mut self, chunk: Chunk, message: &mut Incoming) -> Result<(), Ended> {
        let mut count = ChunkCount::new(chunk);
        let raw = self.profile.bare_newlines == BareNewlines::Pass;
        let room = if raw { PIECE } else { PIECE / 2 };
        loop {
            let now = count.take(self.io.input.len().min(room));
            if now > 0 {
                let piece = self.io.input.split_to(now);
                if raw {
                    self.take(message, piece.freeze()).await?;
                } else {
                    message.decoder.feed(&piece, &mut message.out);
                    drop(piece);
                    self.take_decoded(message).await?;
                }
            }
            if count.left() == 0 {
                return Ok(());
            }
            if self.io.input.is_empty() {
                self.io.flush().await?;
                let wait = deadline(self.profile.timeouts.data).min(message.until);
                self.io.read_data(wait).await?;
            }
        }
    }

    /// The message cannot go on: RFC 3030 section 2 wants RSET now.
    async fn fail(&mut self) {
        self.handler.reset().await;
        self.chunks = None;
        self.accepted = 0;
        self.state = State::Failed;
    }

    /// The message may not begin. In LMTP the last chunk is answered for each
    /// recipient (RFC 2033 section 4.2), an earlier one once.
    async fn refuse_message(&mut self, chunk: Chunk, refusal: Reply) -> Result<(), Ended> {
        if !chunk.last {
            self.fail().await;
            return self.refuse_chunk(chunk, refusal).await;
        }
        let recipients = self.accepted;
        self.end_transaction().await;
        self.drop_chunk(chunk).await?;
        self.answer(DataReply::One(refusal), recipients).await
    }

    async fn refuse_chunk(&mut self, chunk: Chunk, refusal: Reply) -> Result<(), Ended> {
        self.drop_chunk(chunk).await?;
        self.refuse(refusal).await
    }

    /// The octets of a refused chunk come all the same, and are dropped.
    async fn drop_chunk(&mut self, chunk: Chunk) -> Result<(), Ended> {
        if chunk.size > self.profile.size_limit.saturating_add(OVERRUN) {
            return self.cut_off(&too_big(self.profile.size_limit));
        }
        let mut count = ChunkCount::new(chunk);
        let until = deadline(self.profile.timeouts.message);
        loop {
            let now = count.take(self.io.input.len());
            self.io.consume(now);
            if count.left() == 0 {
                return Ok(());
            }
            self.io.flush().await?;
            let wait = deadline(self.profile.timeouts.data).min(until);
            self.io.read_data(wait).await?;
        }
    }
}
