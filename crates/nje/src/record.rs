//! Transmission records: what a block is made of.

use crate::data::{Piece, RecordFormat};
use crate::error::{WireCause, WireError};
use crate::message::Message;
use crate::reader::Reader;
use crate::scb::{self, Compression};
use crate::sign_on::{CONTROL_RCB, Control};
use crate::stream::StreamId;
use bytes::Bytes;

const END_OF_BLOCK: u8 = 0x00;
const REQUEST: u8 = 0x90;
const PERMIT: u8 = 0xa0;
const REFUSE: u8 = 0xb0;
const COMPLETE: u8 = 0xc0;
const READY: u8 = 0xd0;
const SEQUENCE_ERROR: u8 = 0xe0;
const MESSAGE: u8 = 0x9a;

const JOB_HEADER: u8 = 0xc0;
const DATA_SET_HEADER: u8 = 0xe0;
const JOB_TRAILER: u8 = 0xd0;
const DATA_SET_TRAILER: u8 = 0xf0;

/// A record of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The sender asks to send a job on a stream.
    Request(StreamId),
    /// It may.
    Permit(StreamId),
    /// It may not; or, later, the receiver cancels.
    Refuse(StreamId),
    /// The receiver has taken the job over: the sender may delete it.
    Complete(StreamId),
    /// The receiver is ready.
    Ready(StreamId),
    /// A block is missing: the number that was due.
    SequenceError(u8),
    /// Signing on or off.
    Control(Control),
    /// A message or command.
    Message(Message),
    /// A record of a job.
    Job {
        /// Its stream.
        stream: StreamId,
        /// What it is.
        kind: JobRecord,
        /// Its octets, strings decoded.
        octets: Bytes,
    },
}

/// What a record of a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobRecord {
    /// A piece of the job's header (NJH).
    JobHeader,
    /// A piece of a data set's header (DSH).
    DataSetHeader,
    /// A piece of the job's trailer (NJT).
    JobTrailer,
    /// Reserved by IBM; passed over.
    DataSetTrailer,
    /// Data, whole or in pieces.
    Data(RecordFormat, Piece),
    /// The job is over.
    EndOfFile,
    /// The sender gives the job up.
    Abort,
}

impl JobRecord {
    fn parse(srcb: u8) -> Option<Self> {
        match srcb & 0xf0 {
            JOB_HEADER => Some(Self::JobHeader),
            DATA_SET_HEADER => Some(Self::DataSetHeader),
            JOB_TRAILER => Some(Self::JobTrailer),
            DATA_SET_TRAILER => Some(Self::DataSetTrailer),
            _ => Some(Self::Data(RecordFormat::parse(srcb)?, Piece::parse(srcb)?)),
        }
    }

    /// Its subrecord control octet; `end_of_file` is the one of that record, for
    /// which peers have X'80' or X'00'.
    pub const fn srcb(self, end_of_file: u8) -> u8 {
        match self {
            Self::JobHeader => JOB_HEADER,
            Self::DataSetHeader => DATA_SET_HEADER,
            Self::JobTrailer => JOB_TRAILER,
            Self::DataSetTrailer => DATA_SET_TRAILER,
            Self::Data(format, piece) => format.srcb() | piece.srcb(),
            Self::EndOfFile | Self::Abort => end_of_file,
        }
    }
}

/// Reads the records of a block.
#[derive(Debug)]
pub struct RecordReader<'a> {
    reader: Reader<'a>,
    over: bool,
}

impl<'a> RecordReader<'a> {
    /// The records of [`crate::DataBlock::records`].
    pub const fn new(records: &'a [u8]) -> Self {
        Self { reader: Reader::new(records, "a record"), over: false }
    }

    /// Where the next record begins.
    pub const fn at(&self) -> usize {
        self.reader.at()
    }

    /// The next record; `None` at the end of the block. A block that lacks its
    /// X'00' ends where it ends: control records are sent so, and NJELIB's
    /// messages.
    pub fn next_record(&mut self) -> Result<Option<Record>, WireError> {
        if self.over || self.reader.rest().is_empty() {
            return Ok(None);
        }
        let at = self.reader.at();
        let rcb = self.reader.u8()?;
        let record = match rcb {
            END_OF_BLOCK => {
                self.over = true;
                return Ok(None);
            }
            CONTROL_RCB => {
                self.over = true;
                Record::Control(Control::parse(&mut self.reader)?)
            }
            MESSAGE => {
                self.reader.u8()?;
                let text = self.reader.at();
                let decoded = scb::decode(&mut self.reader)?;
                // Strings move octets, so only the record is named.
                let message = Message::parse(&decoded.octets);
                Record::Message(message.map_err(|e| e.cause.at(text))?)
            }
            REQUEST | PERMIT | REFUSE | COMPLETE | READY => {
                let srcb = self.reader.u8()?;
                scb::decode(&mut self.reader)?;
                let stream = StreamId::from_rcb(srcb);
                let stream = stream.ok_or(WireCause::UnknownSrcb(srcb).at(at.saturating_add(1)))?;
                match rcb {
                    REQUEST => Record::Request(stream),
                    PERMIT => Record::Permit(stream),
                    REFUSE => Record::Refuse(stream),
                    COMPLETE => Record::Complete(stream),
                    _ => Record::Ready(stream),
                }
            }
            SEQUENCE_ERROR => {
                let count = self.reader.u8()?;
                self.over = true;
                Record::SequenceError(count & 0x0f)
            }
            _ => {
                let stream = StreamId::from_rcb(rcb).ok_or(WireCause::UnknownRcb(rcb).at(at))?;
                self.job(stream)?
            }
        };
        Ok(Some(record))
    }

    fn job(&mut self, stream: StreamId) -> Result<Record, WireError> {
        let at = self.reader.at();
        let srcb = self.reader.u8()?;
        let decoded = scb::decode(&mut self.reader)?;
        if decoded.aborted {
            let kind = JobRecord::Abort;
            return Ok(Record::Job { stream, kind, octets: Bytes::new() });
        }
        let kind = {
            match JobRecord::parse(srcb) {
                // NJELIB and JES2 end a file with SRCB X'00', FUNET with X'80'.
                None | Some(JobRecord::Data(..)) if decoded.octets.is_empty() => {
                    JobRecord::EndOfFile
                }
                Some(kind) => kind,
                None => return Err(WireCause::UnknownSrcb(srcb).at(at)),
            }
        };
        Ok(Record::Job { stream, kind, octets: decoded.octets.into() })
    }
}

/// How records are written: what differs between peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordStyle {
    /// How strings are written.
    pub compression: Compression,
    /// SRCB of messages: X'80' (RSCS, FUNET) or X'00' (NJELIB).
    pub message_srcb: u8,
    /// SRCB of the record that ends a file: X'80' (FUNET) or X'00'.
    pub end_of_file_srcb: u8,
}

impl Default for RecordStyle {
    fn default() -> Self {
        Self { compression: Compression::Runs, message_srcb: 0x80, end_of_file_srcb: 0x80 }
    }
}

impl Record {
    /// Its octets in a block, without what ends the block.
    pub fn octets(&self, style: RecordStyle) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Request(stream) => out.extend_from_slice(&[REQUEST, stream.rcb(), 0]),
            Self::Permit(stream) => out.extend_from_slice(&[PERMIT, stream.rcb(), 0]),
            Self::Refuse(stream) => out.extend_from_slice(&[REFUSE, stream.rcb(), 0]),
            Self::Complete(stream) => out.extend_from_slice(&[COMPLETE, stream.rcb(), 0]),
            Self::Ready(stream) => out.extend_from_slice(&[READY, stream.rcb(), 0]),
            Self::SequenceError(count) => {
                out.extend_from_slice(&[SEQUENCE_ERROR, count & 0x0f, 0]);
            }
            Self::Control(control) => out = control.octets(),
            Self::Message(message) => {
                out.extend_from_slice(&[MESSAGE, style.message_srcb]);
                scb::encode(&message.octets(), style.compression, &mut out);
            }
            Self::Job { stream, kind, octets } => {
                out.extend_from_slice(&[stream.rcb(), kind.srcb(style.end_of_file_srcb)]);
                if *kind == JobRecord::Abort {
                    scb::encode_abort(&mut out);
                } else {
                    scb::encode(octets, style.compression, &mut out);
                }
            }
        }
        out
    }

    /// Whether nothing but the block's end marks its end.
    pub const fn ends_its_block(&self) -> bool {
        matches!(self, Self::Control(_))
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let mut reader = RecordReader::new(data);
    while let Ok(Some(record)) = reader.next_record() {
        let octets = record.octets(RecordStyle::default());
        let mut again = RecordReader::new(&octets);
        let read = again.next_record();
        // Trailing octets of M and N are kept, so they come back too.
        assert_eq!(read, Ok(Some(record)), "a record comes back");
    }
}
