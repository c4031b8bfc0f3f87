//! Mail as users of IBM VM see it: from records of spool files to types, and back.
//!
//! - [`SpoolFile`]: a file as NJE delivers it; [`SpoolFile::open`] says what it is.
//!   [`outgoing`]: files to be sent.
//! - [`netdata`]: what SENDFILE, NOTE and TRANSMIT send, both ways.
//! - [`note`]: notes of CMS, PROFS and OfficeVision/VM, and answers to them;
//!   [`meeting`]: meetings in notes; [`Undelivered`]: what hosts say about others.
//! - [`bsmtp`]: what mailers send each other; [`punch`]: punched files.
//! - [`HostAddress`], [`Nodes`], [`names`]: who is who; [`in_body`]: addresses in a
//!   note's text.
//! - [`CmsName`], [`FileTypes`], [`attachment`]: files as attachments.
//! - [`convert`]: messages of the Internet as notes with files, and back; reports.
//! - [`write_lines`], [`read_lines`], [`listing`]: lines and records.
//!
//! What is not here: NJE itself, deciding what to do with a message. The
//! packets of OfficeVision (ZIP5, ZIP A, OFSMCNTL) and DISK DUMP have no public
//! description: files of them pass through as they are.
//!
//! Invariants: no I/O, no clock, no panic on any input; time and memory are linear
//! in the input, with the bounds of [`limits`]; a broken file is an error with its
//! place and never half a message; the octets of a binary file are what was sent;
//! what a text says about recipients is never an envelope.
//!
//! Sources: captures of NJE links; a CMS note, NETDATA and listings of 1993, in
//! words; KB articles, each beside its rule; IBM's z/VM CMS Commands and Utilities
//! Reference. What no source confirms is marked "not verified" where it stands.

mod address;
pub mod bsmtp;
pub mod convert;
mod file_name;
mod file_types;
mod fuzzing;
pub mod in_body;
pub mod limits;
mod lines;
pub mod listing;
pub mod meeting;
pub mod names;
pub mod netdata;
mod nodes;
pub mod note;
mod notice;
pub mod outgoing;
mod place;
pub mod punch;
mod records;
mod spool;
mod table_error;

pub use address::{HostAddress, MAX_NAME, ParseHostAddressError};
pub use file_name::CmsName;
pub use file_types::{Attachment, Content, FileTypes, attachment};
#[doc(hidden)]
pub use fuzzing::{fuzz_names, fuzz_netdata, fuzz_notes};
pub use lines::{TextRules, WrittenText, lines, read_lines, write_lines};
pub use listing::CarriageControl;
pub use nodes::{Node, Nodes};
pub use notice::{Detected, Undelivered};
pub use place::Place;
pub use records::Records;
pub use spool::{Arrived, Device, SpoolError, SpoolFile, bare_message};
pub use table_error::TableError;
