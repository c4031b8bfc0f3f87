//! The message log: append-only segment files that make acts and message
//! bodies durable with one shared `fdatasync`.
//!
//! What a record means is the caller's; this crate knows `meta` (opaque
//! octets, small) and `body` (message octets, read back by location). It gives:
//! batches written and synced at once ([`Log::append`]), replay with damage
//! named and passed ([`scan`]), reading by location ([`Reader`]), and large
//! bodies in files of their own ([`LargeBodies`]), so that they stream.
//!
//! Invariants: a record is acknowledged only after its octets and the file's
//! existence are synced; sequence numbers grow by one; nothing that was written
//! is changed, only whole segments are removed. A torn tail is cut off, and
//! kept beside as evidence. A failed sync poisons the log: after it nobody
//! knows what is on disk, so the process must start anew and replay.
//!
//! Format, version 1, little endian. Segment: a block (4 KiB) of header, then writes,
//! each at the start of a block, with records at multiples of 8; zeros up to the
//! next block, and at the end of the file as room for the next writes. Record: 40 octets of header (magic, CRC-32C of the rest
//! of the header, sequence, meta octets, body octets, CRC-32C of meta, CRC-32C
//! of body, its place in its write), meta, body, zeros up to the next multiple
//! of 8.

mod format;
mod large;
mod log;
mod reader;
mod scan;

pub use format::{BLOCK, Location, MAX_BODY_OCTETS, MAX_META_OCTETS, Position};
pub use large::{LargeBodies, LargeBody, LargeWriter};
pub use log::{Entry, Log, LogOptions, Opened, Placed, segment_path};
pub use reader::Reader;
pub use scan::{Damage, Record, ScanSummary, log_id, scan, segments};

/// Runs the parsers of this crate over arbitrary octets; for the fuzzer.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    scan::fuzz(data);
}
