//! The directory: organisation, site, server, mail domains, and recipients
//! with their proxy addresses.
//!
//! This crate has the nouns ([`Object`]), the rules that hold for them
//! ([`Object::check`]), the trait that engines implement ([`Directory`]), and
//! over it the routing table of the connectors ([`Routes`]) and recipient
//! resolution ([`resolve`]). It does no I/O.
//!
//! Invariants: ids are given once and never change; a proxy address belongs to
//! one object of the organisation; names are unique within their kind without
//! regard to case.

mod check;
mod error;
mod object;
mod resolve;
mod routes;
mod traits;

pub use error::DirectoryError;
pub use object::{
    Connector, Contact, Credentials, Details, DistributionList, Generator, Kind, Mailbox,
    NewObject, Object, Proxy, ScramVerifier,
};
pub use resolve::{MAX_LIST_DEPTH, MAX_LIST_RECIPIENTS, Resolution, expand, resolve};
pub use routes::{INTERNET_MAIL, Route, Routes};
pub use traits::{Directory, DirectoryAct};
