//! What is known of a client of the public mail server, before its mail is
//! read: how much it does ([`Limiter`]), whether it comes again when it is
//! asked to ([`Greylist`]), and which lists in the DNS have it ([`Blocklists`]).
//!
//! The rules come from `concord-mail-policy`. Time, names and the place where
//! the greylist is kept come in as parameters; nothing here reads a clock,
//! a socket or a file.
//!
//! Invariants: every table is bounded whatever clients do (`limits`); a full
//! table, a list that does not answer and a damaged file let mail pass, and
//! never hold it up. Sources: RFC 5782 (lists in the DNS), RFC 6647
//! (greylisting), RFC 5321 section 4.5.4.1 (when clients come again).

mod blocklist;
mod greylist;
mod limiter;
pub mod limits;
mod network;

pub use blocklist::{Blocklists, Listing, NoAnswer, Resolve};
pub use greylist::{Damaged, Greylist, Passed, Presented};
pub use limiter::{Exceeded, Limiter, Who};

/// Feeds the parser of the crate; for fuzzing.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let now = concord_base::Timestamp::from_seconds(1_700_000_000);
    if let Ok(greylist) = Greylist::from_octets(data, now) {
        let again = Greylist::from_octets(&greylist.to_octets(), now);
        assert_eq!(again.map(|g| g.len()), Ok(greylist.len()), "it reads back as it was written");
    }
}
