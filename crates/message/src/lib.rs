//! Facts about Internet messages: what a header says, dates, and delivery
//! reports.
//!
//! - [`HeaderScan`]: one cheap pass over a header as it streams in, for
//!   tracking (Message-ID, subject) and loop detection (Received lines).
//! - [`date`]: dates as headers write them (RFC 5322 section 3.3).
//! - [`free_boundary`]: what stands between the parts of a message.
//! - [`report`]: delivery status notifications: written ([`render`]) and
//!   others' read ([`parse`]); read receipts likewise. RFC 3461 to 3464, 6522,
//!   6533, 8098.
//!
//! It does not decide who gets a report, and knows nothing of queues.
//!
//! Invariants: no I/O, no clock, no randomness, no panic on any input; what
//! comes out is bounded however large the input is; nothing that a peer said
//! can add a header line to a report.

mod boundary;
pub mod date;
mod header;
pub mod report;
mod text;
mod urgency;

pub use boundary::free_boundary;
pub use header::{HeaderFacts, HeaderScan, MAX_HEADER, MAX_MESSAGE_ID, MAX_SUBJECT_CHARS};
pub use report::{
    Disposition, DispositionReport, Original, ParsedDisposition, ParsedRecipient, ParsedReport,
    Report, ReportKind, ReportRecipient, Stamp, parse, parse_disposition, render,
    render_disposition,
};
pub use urgency::Urgency;

/// Whether a message has octets above 127 and so needs 8BITMIME on its way.
pub fn is_eight_bit(message: &[u8]) -> bool {
    !message.is_ascii()
}

/// Feeds `data` to everything that reads input from outside.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let whole = HeaderScan::scan(data);
    let (head, tail) = data.split_at(data.len() / 2);
    let mut scan = HeaderScan::new();
    scan.feed(head);
    scan.feed(tail);
    assert_eq!(whole, scan.finish(), "a header reads the same however it is cut");
    let _ = parse(data);
    let _ = parse_disposition(data);
    report::fuzz_render(data);
}
