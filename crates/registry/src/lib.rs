//! The registry: what is installed on this machine, and who owns what of it.
//!
//! [`Registry`] is the whole as one value: the machine's [`Identity`], the
//! releases that are here, the components with their versions, and every
//! [`Resource`] (path, service, listener, directory object, address generator,
//! schema version) with the components that own it. [`Database`] keeps it in
//! `setup/registry.db`.
//!
//! Invariants: a change is one transaction, synced; the state before each
//! change is kept ([`Database::history`]), and a copy of the newest stands
//! beside the database for the day on which it is damaged; identity is stored
//! here and nowhere else, everything else is compared with it; a resource that
//! two components own stays until both are gone; what is stored passes
//! [`Registry::check`].
//!
//! It does not: observe or change the machine (that is Setup), or know what
//! components exist.
//!
//! Answers: Q242762, Q196305 (state without an owner), Q255073, Q299676
//! (identity stored five times), Q175284 (an edit that breaks the registry).

mod check;
mod database;
mod error;
mod model;
mod resource;

pub use check::Mistake;
pub use database::{Database, Revision};
pub use error::RegistryError;
pub use model::{
    Component, Identity, Installation, Manager, Origin, Owned, Place, Registry, Release, Schemas,
};
pub use resource::{Class, Resource, Seed, TreeFile};
