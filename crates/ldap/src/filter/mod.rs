//! Search filters (RFC 4511 section 4.5.1.7), with three truth values.

mod candidates;
mod compile;
mod evaluate;

pub(crate) use compile::compile;
pub(crate) use evaluate::Evaluation;

use crate::schema::Attr;
use crate::text::Rule;

/// Filters in filters. Address books send three or four levels.
pub(crate) const MAX_DEPTH: usize = 32;
/// Conditions of one filter; each is held against every candidate.
pub(crate) const MAX_CONDITIONS: usize = 1_000;

/// A filter, ready to be held against entries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Equal(Attr, String),
    /// A DN-valued attribute names the entry of this id; none is nobody's.
    Linked(Attr, Option<u64>),
    /// The entry of this slot, by its DN or UUID.
    Is(Option<crate::catalogue::Slot>),
    Parts(Attr, Parts),
    AtLeast(Attr, Order),
    AtMost(Attr, Order),
    Present(Attr),
    Sounds(Attr, String),
    /// caseExact instead of the attribute's own rule.
    Exact(Attr, Rule, String),
    /// Any attribute of texts has the value, or a name of the DN has.
    Anywhere {
        prepared: String,
        attr: Option<Attr>,
        in_dn: bool,
        in_values: bool,
    },
    /// An object class, as the names of it that entries have.
    Class(&'static str),
    False,
    Undefined,
}

/// Parts of a value, prepared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parts {
    pub initial: Option<String>,
    pub any: Vec<String>,
    pub last: Option<String>,
}

/// What a value is held against for order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    Number(i128),
    Text(String),
    /// Milliseconds since 1970.
    Time(i64),
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod text;
