//! Which DNS records our mail domains need, and how the world differs from them.
//!
//! [`wanted`] is pure: from [`Facts`] (host name, addresses, domains, keys) it
//! computes every [`Record`], with what it is for and how much it matters. A
//! record prints as a line of a zone file (RFC 1035 section 5).
//! [`check`] asks a [`World`] for each of them and gives back a [`Finding`] for
//! each: as it should be, missing, wrong, or to be looked at, with what is
//! wrong and the exact record to set. [`blocklists`], [`reach`] and
//! [`clock_offset`] ask the rest of what keeps mail from arriving: whether our
//! addresses are on block lists, whether port 25 of other hosts can be
//! reached, and whether the clock is right.
//!
//! It does not: change a zone, or decide what an exit code is.
//!
//! Invariants: nothing is asked that follows from facts alone; a name server
//! that does not answer is told apart from a record that is not there; every
//! wait is bounded. Sources: RFC 5321 section 5.1, 7208, 6376, 7489, 8461,
//! 8460, 7672, 6186, 8314, 5782, 4330; Q247063, Q256914, Q285090.

mod blocklist;
mod check;
mod clock;
mod error;
mod facts;
mod reach;
mod record;
mod wanted;
mod world;

pub use blocklist::{Listed, Listing, blocklists};
pub use check::{Finding, Severity, State, check, verdict};
pub use clock::clock_offset;
pub use error::DnsCheckError;
pub use facts::{ClientService, DkimKey, Facts, Outbound, is_public};
pub use reach::reach;
pub use record::{Data, Kind, Record};
pub use wanted::{Need, Purpose, Wanted, wanted};
pub use world::{Answer, World};
