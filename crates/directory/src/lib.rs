//! The directory: organisation, site, server, mail domains, and recipients
//! with their proxy addresses.
//!
//! This crate has the nouns ([`Object`]), the rules that hold for them
//! ([`Object::check`]), the trait that engines implement ([`Directory`]), and
//! over it the routing table of the connectors ([`Routes`]), recipient
//! resolution ([`resolve`]), the rules of access ([`Access`]), turns at changing
//! objects ([`Writer`]) and generated addresses ([`Stamp`], [`RuleChange`]). It does
//! no I/O.
//!
//! Invariants: ids are given once and never change; a proxy address belongs to
//! one object of the organisation; names are unique within their kind without
//! regard to case.

mod access;
mod attributes;
mod check;
mod details;
mod error;
mod object;
mod policy;
mod reference;
mod resolve;
mod restamp;
mod restrict;
mod routes;
mod stamp;
mod traits;
mod tree;
mod writer;

pub use access::{Access, Audience, SELF_WRITABLE, Subject, Who};
pub use attributes::{ATTRIBUTES, AttributeType, Attributes, MAX_VALUES, attribute_type};
pub use details::{
    Connector, Contact, Credentials, DistributionList, Generator, Mailbox, PublicFolder, ReportTo,
    Resource, ResourceKind, Right, Role, Scope, ScramVerifier,
};
pub use error::DirectoryError;
pub use object::{Details, Kind, NewObject, Object, Proxy};
pub use policy::{Forward, MAX_RESTRICTIONS, NEVER_EXPORTED, Origin, Policy, USUAL_TRUST};
pub use reference::Reference;
pub use resolve::{
    MAX_FORWARDS, MAX_LIST_DEPTH, MAX_LIST_RECIPIENTS, Reached, Resolution, expand, resolve,
};
pub use restamp::{Restamp, RuleChange};
pub use restrict::{Refusal, Sender, accepts, is_among};
pub use routes::{Candidate, Decision, INTERNET_MAIL, Outcome, Route, Routes, Situation};
pub use stamp::{Stamp, StampedProxies};
pub use traits::{Changes, Directory, DirectoryAct, MAX_CHANGES, Removed};
pub use tree::{MAX_CONTAINER_DEPTH, Tree, escape_rdn};
pub use writer::{AddTurn, ObjectTurn, WholeTurn, Writer};
