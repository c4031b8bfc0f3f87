//! The keyword files of the GroupWise API gateway, as types.
//!
//! A GroupWise system of the 4.1 to 7 releases talks to foreign mail systems
//! through its API gateway: directories in which each side puts text files of
//! `Keyword= value;` lines. This crate reads them ([`read`]) and writes them
//! ([`write()`]).
//!
//! - [`model`]: mail, appointments, status, busy searches, directory objects,
//!   as a connector wants them. It knows nothing of the files, so that SOAP
//!   and REST of later releases can give and take the same types.
//! - [`Reading`]: complete, not ready (still being written), or bad with the
//!   reason and the line.
//! - [`Characters`]: what the files' octets mean. [`Moment`]: dates.
//! - [`layout`]: directories and file names. [`limits`]: bounds.
//!
//! What is not here: opening files, waiting for them, deciding what to do with
//! a message, MIME.
//!
//! Invariants: no I/O, no clock, no randomness, no panic on any input; memory
//! is linear in the size of the file, with the bounds of [`limits`]; what
//! [`write()`] writes, [`read`] reads as the same message; an unknown keyword is
//! never a reason to lose a message; a file without `-END-` is never bad; no
//! part of an address comes from its token (`CDBA`).
//!
//! Sources: KB articles Q222506, Q199302, Q222538 (files in full), Q222550
//! (both addressing formats), Q234585, Q244467, Q253349, Q254353 (the gateway);
//! and files that the Exchange connectors are known to write and take.
//!
//! Derived, because Novell's description of the format is lost: the form of
//! status messages and non-delivery reports (the type of their item with
//! `Orig-Msg-Id` and `Status-Report`), the words in `Status-Report`, `Security`
//! and `Status-Request` (the client's own), the meaning of `T50` (a setting),
//! `\\` as the absence of a value. Reading is liberal in all of them.

mod charset;
mod diagnostics;
pub mod layout;
pub mod limits;
pub mod model;
mod moment;
mod outcome;
mod read;
mod syntax;
mod text;
mod vocabulary;
mod write;

pub use charset::{Characters, CodePage, Encoded};
pub use moment::Moment;
pub use outcome::{Defect, Diagnostic, Header, Notice, Reading, Reason, Unfinished};
pub use read::read;
pub use write::{Written, write};

/// Reads `data` in every code page and checks what holds for any input.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    for page in [CodePage::Cp437, CodePage::Cp850, CodePage::Windows1252] {
        let characters = Characters::new(page);
        let Reading::Complete(header) = read(data, characters) else { continue };
        let written = write(&header.message, characters);
        // A field of one octet can cost a block of fixed words around it.
        assert!(written.octets.len() <= 4096 + data.len() * 64, "what is kept is bounded");
        assert!(header.notices.len() <= limits::MAX_NOTICES);
        assert_eq!(written.tidied, 0, "what is read is tidy");
        if written.replaced > 0 {
            continue;
        }
        match read(&written.octets, characters) {
            Reading::Complete(again) => {
                assert_eq!(again.message, header.message, "what is written reads back");
            }
            other => unreachable!("what is written is complete, not {other:?}"),
        }
    }
}

/// The example of the README is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
