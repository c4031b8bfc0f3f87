//! Milters.

mod connection;
mod content;
mod edits;
mod kept;
mod macros;
mod member;

pub(crate) use kept::Kept;
pub(crate) use member::{Asked, Member, Said};
