//! One end of a recorded connection, played to a live peer.

use crate::node::Connection;
use concord_nje::limits::TTC_LENGTH;
use concord_nje::{
    Block, CapturePiece, Direction, FrameReader, Record, RecordReader, Unit, WireError,
};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Octets read at once.
const READ: usize = 16 * 1024;

/// Why a recording could not be played.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The connection broke.
    #[error("cannot go on with the replay: {0}")]
    Io(#[from] std::io::Error),
    /// The peer said less than it had in the recording, for too long.
    #[error(
        "cannot go on with the replay: the peer said {said} things where the recording has {recorded}"
    )]
    Silent {
        /// Control records and blocks that came.
        said: usize,
        /// Those in the recording.
        recorded: usize,
    },
    /// The peer or the recording cannot be read.
    #[error("cannot go on with the replay: {0}")]
    Wire(#[from] WireError),
}

/// Plays one end of a recorded connection: each piece is sent when the peer has
/// said as much as it had said before that piece in the recording. Counted are
/// control records and blocks, so a peer that pads or compresses otherwise does
/// not matter; blocks with messages or with nothing are not, since those come when
/// they like.
#[derive(Debug)]
pub struct Replay {
    pieces: Vec<CapturePiece>,
    end: Direction,
    patience: Duration,
}

/// Counts what an end says.
#[derive(Default)]
struct Counter {
    ttc: usize,
    frames: FrameReader,
    said: usize,
}

impl Counter {
    fn feed(&mut self, octets: &[u8]) -> Result<(), WireError> {
        let missing = TTC_LENGTH.saturating_sub(self.ttc).min(octets.len());
        if missing > 0 {
            self.ttc = self.ttc.saturating_add(missing);
            self.said = usize::from(self.ttc == TTC_LENGTH);
        }
        self.frames.feed(octets.get(missing..).unwrap_or_default());
        while let Some(unit) = self.frames.next_unit()? {
            if let Unit::Block { octets, .. } = unit
                && counts(&Block::parse(&octets)?)?
            {
                self.said = self.said.saturating_add(1);
            }
        }
        Ok(())
    }
}

fn counts(block: &Block) -> Result<bool, WireError> {
    let Block::Data(block) = block else { return Ok(true) };
    let first = RecordReader::new(&block.records).next_record()?;
    Ok(!matches!(first, None | Some(Record::Message(_))))
}

impl Replay {
    /// A replay of one end, which waits for the peer at most `patience` each time.
    pub const fn new(pieces: Vec<CapturePiece>, end: Direction, patience: Duration) -> Self {
        Self { pieces, end, patience }
    }

    /// Plays; gives what the peer said.
    pub async fn run(self, connection: &mut Connection) -> Result<Vec<u8>, ReplayError> {
        let (mut recorded, mut live) = (Counter::default(), Counter::default());
        let mut heard = Vec::new();
        for piece in &self.pieces {
            if piece.direction == self.end {
                connection.write_all(&piece.octets).await?;
                connection.flush().await?;
                continue;
            }
            recorded.feed(&piece.octets)?;
            let mut octets = vec![0; READ];
            while live.said < recorded.said {
                let read = tokio::time::timeout(self.patience, connection.read(&mut octets)).await;
                let read = match read {
                    Ok(read) => read?,
                    Err(_) => 0,
                };
                if read == 0 {
                    let (said, recorded) = (live.said, recorded.said);
                    return Err(ReplayError::Silent { said, recorded });
                }
                let octets = octets.get(..read).unwrap_or_default();
                heard.extend_from_slice(octets);
                live.feed(octets)?;
            }
        }
        Ok(heard)
    }
}
