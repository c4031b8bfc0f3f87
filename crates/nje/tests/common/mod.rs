//! Recorded connections, and what is in them.

#![allow(dead_code)] // each test uses some of it

use bytes::Bytes;
use concord_nje::{
    Block, CapturePiece, Direction, FrameReader, Record, RecordReader, Ttc, Unit, read_capture,
};

pub const CAPTURES: &[&str] = &[
    "buffer-200",
    "buffer-32768",
    "funet-opens-again",
    "funet-to-funet",
    "njelib-first-try",
    "njelib-second-try",
    "njelib-to-funet",
    "open-in-two-segments",
    "probes-files",
    "probes-line-nak",
    "probes-second-open",
    "probes-second-open-refused",
    "probes-sequence",
    "probes-wait-a-bit",
    "probes-wrong-sign-on",
    "receiver-cancels",
    "refused-link-active",
    "refused-no-such-link",
    "refused-request",
    "refused-wrong-node",
];

pub fn capture(name: &str) -> Vec<CapturePiece> {
    let path = format!("{}/tests/data/{name}.nje", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    read_capture(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// One end of a connection, read piece by piece.
pub struct End {
    pub ttc: Option<Ttc>,
    held: Vec<u8>,
    frames: FrameReader,
}

/// What an end said.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Ttc(Ttc),
    KeepAlive,
    /// A short sequence.
    Line(Block),
    /// A block, its octets, and its records.
    Block {
        block: Block,
        octets: Bytes,
        records: Vec<Record>,
        fast_open: bool,
    },
}

impl End {
    pub fn new() -> Self {
        Self { ttc: None, held: Vec::new(), frames: FrameReader::new(33) }
    }

    pub fn feed(&mut self, octets: &[u8]) -> Vec<Said> {
        let mut said = Vec::new();
        if self.ttc.is_none() {
            self.held.extend_from_slice(octets);
            let Some((ttc, rest)) = self.held.split_first_chunk::<33>() else { return said };
            let ttc = Ttc::parse(ttc).unwrap();
            self.ttc = Some(ttc);
            said.push(Said::Ttc(ttc));
            let rest = rest.to_vec();
            self.frames.feed(&rest);
        } else {
            self.frames.feed(octets);
        }
        while let Some(unit) = self.frames.next_unit().unwrap() {
            said.push(match unit {
                Unit::KeepAlive => Said::KeepAlive,
                Unit::Block { octets, fast_open, .. } => match Block::parse(&octets).unwrap() {
                    Block::Data(data) => {
                        let mut reader = RecordReader::new(&data.records);
                        let mut records = Vec::new();
                        while let Some(record) = reader.next_record().unwrap() {
                            records.push(record);
                        }
                        Said::Block { block: Block::Data(data), octets, records, fast_open }
                    }
                    line => Said::Line(line),
                },
            });
        }
        said
    }
}

/// All that both ends said, in the order in which it was.
pub fn conversation(pieces: &[CapturePiece]) -> Vec<(Direction, Said)> {
    let (mut opener, mut listener) = (End::new(), End::new());
    let mut all = Vec::new();
    for piece in pieces {
        let end = match piece.direction {
            Direction::FromOpener => &mut opener,
            Direction::FromListener => &mut listener,
        };
        all.extend(end.feed(&piece.octets).into_iter().map(|said| (piece.direction, said)));
    }
    all
}

/// The octets of one end.
pub fn octets_of(pieces: &[CapturePiece], direction: Direction) -> Vec<u8> {
    pieces.iter().filter(|p| p.direction == direction).flat_map(|p| p.octets.clone()).collect()
}
