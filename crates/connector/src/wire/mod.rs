//! The shapes of the API that the core offers to connectors. Unknown keys of
//! requests are errors; times are RFC 3339 in UTC; addresses are typed
//! (`GWISE:DOM.PO.jane`).

mod facts;
mod synchronise;
mod work;

pub use facts::{
    AddressAnswer, AddressAnswers, AddressQuery, MAX_ADDRESSES, MAX_STATE, Notice, OwnObject,
    RecipientFacts, SentMessage,
};
pub use synchronise::{
    ChangeAct, ChangeResult, ChangeResults, ForeignUpdates, ListingEnd, ListingPart,
    MAX_CHANGES_IN_PAGE, MAX_ENTRIES, MAX_ENTRIES_IN_PART, MAX_ENTRY, MAX_PART, PresentEnd,
    PresentPart, SyncChange, SyncStep, UpdatesDone,
};
pub use work::{
    MAX_ORDER, MAX_WAIT, Order, Probe, Synchronise, Work, WorkAnswer, WorkDone, WorkItem,
};
