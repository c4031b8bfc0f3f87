//! Network Job Entry (NJE) over TCP/IP, the protocol between VM (RSCS), MVS (JES2,
//! JES3), VSE (POWER) and BITNET nodes: octets to types and back, and the state
//! machine of a link.
//!
//! ```text
//! job: header (NJH), data set headers (DSH) and records, trailer (NJT), end
//! record  = RCB SRCB strings X'00'              Record, JobRecord
//! block   = DLE STX BCB FCS FCS record... X'00' Block
//! TTR     = 4 octets, block                     Unit
//! TTB     = 8 octets, TTR..., end TTR           FrameReader, write_ttb
//! TTC     = 33 octets: OPEN, ACK, NAK           Ttc
//! TCP, port 175
//! ```
//!
//! - [`Link`] is the machine: the caller connects, moves octets, says what time it
//!   is, and gets [`Event`]s. Its tables are printed below.
//! - [`JobHeader`], [`DataSetHeader`] and [`JobTrailer`] are walked over by the
//!   lengths of their sections; sections that are not known stay as they are.
//!   Fields have their manuals' names: [`job`], [`data_set`], [`trailer`].
//! - [`VmFile`] is a spool file as VM knows it: it makes and reads those headers.
//! - [`DataRecord`] is a card or line, with its carriage control if it has one.
//! - [`Message`] is a message or command between users and nodes.
//! - [`Partner`] says how peers differ.
//! - [`CapturePiece`] writes down what went over a connection, to play it again;
//!   [`Tracer`] makes lines for people of it, [`recorded_jobs`] the jobs in it.
//!
//! What is not here: sockets, time, spool files, and what is in the records (text
//! in EBCDIC, NETDATA, notes, BSMTP).
//!
//! # Who has a job
//!
//! A job that came is [`Event::Whole`]; the partner keeps it until
//! [`Link::acknowledge`], which the caller calls when the job is durable. A job
//! that went is the partner's at [`Event::Confirmed`] and not before;
//! [`Event::Closed`] names those that are not confirmed. If the connection breaks
//! between the end of a job and its acknowledgement, the partner sends it again:
//! [`JobKey`] tells a receiver that it has it.
//!
//! # Invariants
//!
//! No I/O, no clock, no panic on any input. Nothing grows without a named bound
//! ([`limits`]): the reader holds one TTB and what was fed last, the events those
//! of one block, the output [`limits::MAX_PENDING`] octets and a few requests. A
//! partner that breaks the protocol loses its link, and nothing else.
//!
//! # Sources
//!
//! "NJE Formats and Protocols" of IBM (SA32-0988, called HASA600 here), Microsoft
//! articles by their Q-numbers, and experiments with FUNET-NJE and NJELIB. What no
//! peer at hand could show is marked unverified where it stands: real RSCS and JES2
//! systems, K records, cancelling.
#![doc = ""]
#![doc = include_str!("link/tables.md")]

mod block;
mod boundaries;
mod capture;
mod data;
mod error;
mod frame;
mod header;
mod key;
pub mod limits;
mod link;
mod message;
mod reader;
mod record;
mod recorded;
mod scb;
mod settings;
mod sign_on;
mod stream;
mod text;
mod trace;
mod ttc;
mod vm_file;

pub use block::{BLOCK_OVERHEAD, Bcb, Block, DataBlock, Fcs, Sequence, SequenceCheck};
pub use boundaries::Boundaries;
pub use capture::{
    CaptureError, CaptureLine, CapturePiece, Direction, read_capture, read_capture_lines,
};
pub use data::{DataJoiner, DataRecord, Piece, RecordFormat};
pub use error::{WireCause, WireError};
pub use frame::{FrameReader, Unit, ttb_length, write_ttb};
pub use header::{
    DataSet, DataSetHeader, Field, Header, HeaderKind, Job, JobHeader, JobTrailer, Section,
    TodClock, Trailer, Value, data_set, job, section, trailer,
};
pub use key::JobKey;
pub use link::{
    CloseReason, Event, JobItem, LINK, Link, LinkAction, LinkInput, LinkRow, LinkState, Opening,
    RECEIVE, ReceiveAction, ReceiveInput, ReceiveState, SEND, SendAction, SendInput, SendState,
    UseError, refuse,
};
pub use message::{COMMAND, HAS_SENDER, Message, OUT_IS_USER, TEXT_ONLY, user_at};
pub use record::{JobRecord, Record, RecordReader, RecordStyle};
pub use recorded::{RecordedJob, recorded_jobs};
pub use scb::Compression;
pub use settings::{Concurrence, FirstBlock, JobLimit, LinkSettings, Partner, Timers};
pub use sign_on::{Control, PathRecord, SignOn};
pub use stream::{StreamId, StreamKind};
pub use text::{Name, Text, TextError, decode, encode, from_ebcdic, to_ebcdic};
pub use trace::Tracer;
pub use ttc::{NakReason, Ttc, TtcKind};
pub use vm_file::{Device, VmFile};

/// The example in the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Feeds every parser of the crate; for fuzzing.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    frame::fuzz(data);
    record::fuzz(data);
    scb::fuzz(data);
    data::fuzz(data);
    header::fuzz(data);
    capture::fuzz(data);
    link::fuzz(data);
    trace::fuzz(data);
}

/// Feeds one block, or one header, to what decodes it; for fuzzing.
#[doc(hidden)]
pub fn fuzz_blocks(data: &[u8]) {
    record::fuzz(data);
    header::fuzz(data);
    link::fuzz_block(data);
}
