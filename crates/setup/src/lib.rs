//! Setup: install, add, remove, update, roll back, recover and diagnose, all on
//! one engine.
//!
//! What is installed is a value, the [registry](concord_registry::Registry): components,
//! releases, and every resource with its owners. What a component is made of is
//! declared once, in [`manifest`] (or in the `connector.toml` of a package). A verb
//! ([`verb`]) makes the registry that is wanted out of the one that is there;
//! what lies between the two and the machine becomes a [`Plan`]: each resource is
//! observed ([`resource`]), and made, changed or taken away by steps ([`Step`]), each of
//! which has its inverse beside it. The engine ([`Session`]) writes the plan into
//! the [`journal`], every step's intent before it and its end behind it, synced.
//!
//! Invariants: nothing is changed without the lock and the journal; a run that
//! is cut off between any two instructions is undone (before its commit) or
//! finished (behind it) by the next verb of any kind, unasked; so the machine is
//! in the old state or the new one; a second run of the same verb changes
//! nothing; what could be missed (data, keys, configuration, what nobody knows)
//! is moved into quarantine, not deleted, unless its deletion was asked for by
//! name; what cannot be read is never taken for missing.
//!
//! The [`doctor`] observes the same resources and says what differs, why it
//! matters and which steps mend it. The [`backup`] copies a running server;
//! [`recover`] puts any part of it back.
//!
//! It does not: parse the command line, ask questions, print (the executable
//! does), check signatures (that is `concord-bundle`), or run services (the
//! controller does).
//!
//! Every effect goes through [`host::Host`], so that tests can cut a run off before
//! and behind each one (`tests/cuts`).
//!
//! Answers: Q242762, Q242250, Q188632, Q196171, and the table in
//! `docs/kb/index.toml`.

pub mod backup;
mod converge;
pub mod doctor;
mod engine;
mod error;
pub mod hash;
pub mod host;
pub mod journal;
mod layout;
mod lock;
pub mod manifest;
pub mod package;
mod plan;
pub mod preflight;
pub mod probe;
pub mod record;
pub mod recover;
pub mod resource;
mod step;
pub mod survey;
pub mod verb;
pub use engine::{News, Recovered, Session, Watch, is_exchanging, settle};
pub use error::{Result, SetupError};
pub use layout::{CONNECTORS, CURRENT, Layout, RELEASES, SERVICES, SETUP};
pub use lock::{Holder, Lock};
pub use plan::{Change, Plan};
pub use step::{Before, Control, Step, When};
pub use verb::remove_all::stamp;
