//! Recipients as a table (CSV, RFC 4180): what `concord directory import` and
//! `export` read and write.
//!
//! The form is the original's (Q146304): the first line names the columns; the
//! first column is `Obj-Class`, `Mode` says what a line does (Update if it is
//! missing), `Directory Name` whom. An empty cell leaves things as they are,
//! `~DEL` takes a value away. Several values of a cell are parted by `%`, which
//! is written `\%` within one (and a backslash `\\`); `~del<VALUE>` takes one of them away (Q184536).
//!
//! Pure: text to lines and back, a line and an object to a patch. Names of
//! columns may be written in any case. Every mistake of a line is told at once,
//! and a line with mistakes changes nothing (Q176741).

mod cell;
mod change;
mod columns;
mod read;
mod write;

pub use change::{Planned, plan};
pub use read::{Line, LineError, Mode, read};
pub use write::write;

/// Octets of a table that is read; a hundred thousand recipients with addresses.
pub const MAX_TABLE: u64 = 256 << 20;
