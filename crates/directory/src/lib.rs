//! The directory: organisation, site, server, mail domains, and recipients
//! with their proxy addresses.
//!
//! This crate has the nouns ([`Object`]), the rules that hold for them
//! ([`Object::check`]), the trait that engines implement ([`Directory`]) and
//! recipient resolution over it ([`resolve`]). It does no I/O.
//!
//! Invariants: ids are given once and never change; a proxy address belongs to
//! one object of the organisation; names are unique within their kind without
//! regard to case.

mod error;
mod object;
mod resolve;
mod traits;

pub use error::DirectoryError;
pub use object::{
    Contact, Credentials, Details, DistributionList, Kind, Mailbox, NewObject, Object, Proxy,
    ScramVerifier,
};
pub use resolve::{MAX_LIST_DEPTH, MAX_LIST_RECIPIENTS, Resolution, expand, resolve};
pub use traits::{Directory, DirectoryAct};
