//! The octets: buffers, time-outs, TLS and compression below the protocol.

use crate::config::{IDLE_BUFFER, ImapConfig, WRITE_CHUNK};
use crate::error::End;
use bytes::{Buf as _, BytesMut};
use concord_entrance::Io;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Octets asked from the socket at once.
const READ_CHUNK: usize = 8 * 1024;
/// Octets that one piece of compressed input may become before they are
/// looked at; so a small piece cannot swell memory.
const INFLATE_CHUNK: usize = 64 * 1024;

/// RFC 4978: one deflate stream each way.
struct Deflate {
    inflate: Decompress,
    deflate: Compress,
    /// Compressed octets that were read and not yet inflated.
    raw: BytesMut,
    /// Deflated octets on their way out.
    packed: Vec<u8>,
}

/// A client's connection.
pub(crate) struct Connection {
    io: Box<dyn Io>,
    /// Read and not yet used.
    pub(crate) input: BytesMut,
    /// Written and not yet sent.
    pub(crate) out: Vec<u8>,
    deflate: Option<Box<Deflate>>,
    write_timeout: Duration,
}

impl Connection {
    pub(crate) fn new(io: Box<dyn Io>, config: &ImapConfig) -> Self {
        Self {
            io,
            input: BytesMut::new(),
            out: Vec::new(),
            deflate: None,
            write_timeout: config.write_timeout,
        }
    }

    /// Adds to the answer.
    pub(crate) fn push(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }

    /// Sends when enough has gathered; waits for a slow reader.
    pub(crate) async fn flush_if_full(&mut self) -> Result<(), End> {
        if self.out.len() >= WRITE_CHUNK { self.flush().await } else { Ok(()) }
    }

    /// Sends everything.
    pub(crate) async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        if let Some(deflate) = &mut self.deflate {
            deflate.pack(&self.out)?;
        }
        let octets = self.deflate.as_ref().map_or(&self.out, |d| &d.packed);
        for piece in octets.chunks(WRITE_CHUNK) {
            timeout(self.write_timeout, self.io.write_all(piece))
                .await
                .map_err(|_| End::Stuck)??;
        }
        timeout(self.write_timeout, self.io.flush()).await.map_err(|_| End::Stuck)??;
        self.out.clear();
        if self.out.capacity() > 4 * WRITE_CHUNK {
            self.out = Vec::new();
        }
        Ok(())
    }

    /// Gives large buffers back; to be called when the session has nothing to do.
    pub(crate) fn rest(&mut self) {
        if self.input.is_empty() && self.input.capacity() > IDLE_BUFFER {
            self.input = BytesMut::new();
        }
        if self.out.is_empty() && self.out.capacity() > IDLE_BUFFER {
            self.out = Vec::new();
        }
        if let Some(deflate) = &mut self.deflate {
            deflate.packed = Vec::new();
        }
    }

    /// Reads more into `input`. May be dropped at any time without loss.
    pub(crate) async fn fill(&mut self) -> Result<(), End> {
        loop {
            if let Some(deflate) = &mut self.deflate {
                let got = deflate.unpack(&mut self.input)?;
                if got > 0 {
                    return Ok(());
                }
            }
            let target = match &mut self.deflate {
                Some(deflate) => &mut deflate.raw,
                None => &mut self.input,
            };
            target.reserve(READ_CHUNK);
            if self.io.read_buf(target).await? == 0 {
                return Err(End::Closed);
            }
            if self.deflate.is_none() {
                return Ok(());
            }
        }
    }

    /// What was sent before TLS is forgotten with this, so that nobody can put
    /// commands into the protected session (CVE-2011-0411 and its kin).
    pub(crate) fn take_io(&mut self) -> Box<dyn Io> {
        self.input.clear();
        std::mem::replace(&mut self.io, Box::new(tokio::io::empty()))
    }

    pub(crate) fn set_io(&mut self, io: Box<dyn Io>) {
        self.io = io;
    }

    pub(crate) fn is_compressed(&self) -> bool {
        self.deflate.is_some()
    }

    /// From here on both ways are compressed.
    pub(crate) fn start_deflate(&mut self) {
        self.deflate = Some(Box::new(Deflate {
            inflate: Decompress::new(false),
            deflate: Compress::new(Compression::fast(), false),
            raw: self.input.split(),
            packed: Vec::new(),
        }));
    }

    /// Ends the connection politely.
    pub(crate) async fn close(&mut self) {
        let _ = timeout(self.write_timeout, self.io.shutdown()).await;
    }
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> End {
    End::Io(io::Error::new(io::ErrorKind::InvalidData, error))
}

impl Deflate {
    fn pack(&mut self, octets: &[u8]) -> Result<(), End> {
        self.packed.clear();
        let mut rest = octets;
        loop {
            self.packed.reserve(READ_CHUNK);
            let before = self.deflate.total_in();
            self.deflate
                .compress_vec(rest, &mut self.packed, FlushCompress::Sync)
                .map_err(broken)?;
            let used = usize::try_from(self.deflate.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(used..).unwrap_or_default();
            // room left over means that the flush is complete
            if rest.is_empty() && self.packed.len() < self.packed.capacity() {
                return Ok(());
            }
        }
    }

    /// Inflates one piece of what was read; gives back how many octets came.
    fn unpack(&mut self, into: &mut BytesMut) -> Result<usize, End> {
        if self.raw.is_empty() {
            return Ok(0);
        }
        let mut piece = Vec::with_capacity(INFLATE_CHUNK);
        let before = self.inflate.total_in();
        let status = self
            .inflate
            .decompress_vec(&self.raw, &mut piece, FlushDecompress::Sync)
            .map_err(broken)?;
        let used = usize::try_from(self.inflate.total_in() - before).unwrap_or(usize::MAX);
        self.raw.advance(used.min(self.raw.len()));
        if piece.is_empty() && (status == Status::StreamEnd || used == 0) {
            return Err(End::Closed);
        }
        into.extend_from_slice(&piece);
        Ok(piece.len())
    }
}
