//! Directory synchronisation: what a run would change, as a plan.
//!
//! - [`Import`]: the foreign directory's [`Listing`], rules, filters, policy and
//!   what the connector made here before, become a [`Plan`] for this directory.
//! - [`Export`]: this directory's [`Recipient`]s and what the foreign side has of
//!   them, become a [`Plan`] for the foreign directory.
//! - [`Guard`]: what keeps a run from deleting everybody.
//! - [`dump`]: listings as text.
//!
//! Rules that hold for every plan: only what the connector made is touched. Only
//! attributes that a rule writes are compared, exactly. An entry that cannot be
//! planned stays as it is, and the others go on. A listing without its end
//! deletes nobody. The order of the input does not matter. A plan that was
//! carried out leaves nothing to plan, but for entries whose address was taken.
//!
//! Pure: no I/O, no clock, no panic on any input. Entries are given in this
//! crate's own types; binding them to a directory is the caller's.

mod candidate;
mod claims;
pub mod dump;
mod entry;
mod export;
mod guard;
mod import;
mod matching;
mod places;
mod plan;
mod show;
mod surroundings;
mod wanted;

#[cfg(test)]
mod tests;

pub use entry::{
    Consent, EntryKind, ForeignEntry, ForeignKey, Listing, ListingKind, OwnedEntry, Present,
    PresentEntry, Recipient, RecipientKind,
};
pub use export::{Export, ExportContainer, ExportPolicy, Ownership, Relay, Scope};
pub use guard::{Approval, DEFAULT_MINIMUM, DEFAULT_SHARE, Guard, Withheld};
pub use import::{Adoption, Import, ImportPolicy, Resources};
pub use places::Places;
pub use plan::{
    Change, Collision, Deletion, Direction, Entry, Failed, Failure, Noticed, Plan, Reason, Remark,
    Skipped, Subject, WithheldDeletions,
};
pub use surroundings::{Holder, Surroundings};

/// Feeds arbitrary octets to everything here that reads by hand what came from
/// outside: dumps of listings.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(listing) = dump::read(&text) {
        let again = dump::read(&dump::write(&listing));
        assert_eq!(again.as_ref(), Ok(&listing), "a listing reads back as it was written");
    }
}
