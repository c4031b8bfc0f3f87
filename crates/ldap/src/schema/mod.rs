//! What entries are made of: attributes, object classes, and the subschema
//! entry that tells clients of both (RFC 4512 section 4.2).
//!
//! Standard attributes and classes have the numbers of RFC 4519, RFC 4512, RFC
//! 4524, RFC 2798 and RFC 4530, and four that Active Directory made usual have
//! Microsoft's. Our own stand below [`ARC`], which belongs to nobody else: it is
//! a UUID as ITU-T X.667 writes it.

mod attribute;
mod class;
mod subschema;

pub(crate) use attribute::{ATTRIBUTES, Attr, Usage};
pub(crate) use class::Class;
pub(crate) use subschema::{MATCHING_RULES, lines};

/// `2.25` and the UUID 6f0e8a52-3c1d-4b7f-9a64-2d5c81e7b390 as a number;
/// attributes stand below its 1, classes below its 2.
pub(crate) const ARC: &str = "2.25.147619805175984295548713505839917806480";
