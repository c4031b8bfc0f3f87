//! Octets to fields, without regard for what they mean.
//!
//! The rules, as far as anybody wrote them down or files show them:
//! `Keyword= value;` with the keyword in any case and any number of blanks
//! behind `=`; the value may begin or go on in the next line (Q244467); a
//! backslash in front of `\`, `,` and `;` takes their meaning away; `#` at the
//! left margin begins a comment (Q222506); a block is a run of `Name= value;`
//! that ends with one more `;` or with the next keyword at the left margin;
//! `,` parts elements of a list; `-NAME-` is a word without a value, and
//! `-CONVERSION-ALLOWED-,` is how some gateways write one (Q234585).
//!
//! What is ambiguous is refused: a value that runs into what looks like the
//! next keyword may be a missing `;` or a text that was made to look so.

mod frame;
mod scan;

pub(crate) use frame::{Framed, frame};
pub(crate) use scan::{is_object, scan};

use crate::vocabulary::{Keyword, Sub};

/// A value as it stands, escapes resolved, undecoded. A line feed marks where
/// it was continued in another line.
pub(crate) type Octets = Vec<u8>;

/// A word and what followed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub keyword: Keyword,
    pub line: u32,
    pub value: FieldValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FieldValue {
    Flag,
    Text(Octets),
    List(Vec<Element>),
}

/// An element of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Element {
    /// A dotted address.
    Plain(Octets),
    Block(Vec<SubField>),
}

/// A word inside a block and what followed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubField {
    pub sub: Sub,
    pub line: u32,
    pub value: SubValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SubValue {
    Flag,
    Text(Octets),
    List(Vec<Vec<SubField>>),
}

/// A keyword that nobody knows, with what followed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub line: u32,
    pub keyword: Octets,
    /// Whether it stood inside a block.
    pub inside: bool,
}

/// All fields of a file.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub fields: Vec<Field>,
    pub comments: Vec<Octets>,
    pub unknown: Vec<Unknown>,
    /// How many more were unknown than are kept.
    pub unknown_left_out: usize,
}
