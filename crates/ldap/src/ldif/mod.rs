//! The directory as LDIF (RFC 2849): reading and writing the text, and carrying a
//! file out over LDAP.
//!
//! Text and plans are pure; only [`Import`] speaks to a server. Values from files
//! (`attribute:< file:...`) are not read: an LDIF file may come from somewhere else,
//! and who imports it may read more than who wrote it.

mod check;
mod export;
mod foresee;
mod import;
mod known;
mod plan;
mod read;
mod write;

pub use export::{Kinds, export};
pub use import::{Done, Import};
pub use read::{MAX_LDIF, read};
pub use write::write;

/// An attribute with its values, or those of one modification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// As it was written, options among it.
    pub name: String,
    /// Octets; texts are UTF-8.
    pub values: Vec<Vec<u8>>,
}

/// An entry as it is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub dn: String,
    /// A text that stands before it as a comment.
    pub comment: Option<String>,
    /// What it has, in the order in which it is written.
    pub attributes: Vec<Attribute>,
}

/// How one modification changes an attribute (RFC 4511 section 4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The values come to those that are there.
    Add,
    /// The values go; all of them if none is named.
    Delete,
    /// The values stand in the place of those that are there.
    Replace,
}

/// What a record asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An entry as it is to be, whether it is there or not.
    Content(Vec<Attribute>),
    /// `changetype: add`
    Add(Vec<Attribute>),
    /// `changetype: delete`
    Delete,
    /// `changetype: modify`
    Modify(Vec<(How, Attribute)>),
    /// `changetype: modrdn` or `moddn`
    Rename {
        /// The new name.
        new_rdn: String,
        /// Whether the old name goes.
        delete_old: bool,
        /// The entry below which it is to stand, if it moves.
        new_superior: Option<String>,
    },
}

/// A record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line of its `dn:`.
    pub line: u64,
    /// The entry that it is about.
    pub dn: String,
    /// What it asks for.
    pub change: Change,
}

/// A place in a file that is not LDIF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line.
    pub line: u64,
    /// What is wrong there.
    pub cause: String,
}

/// See [`crate::fuzz`]: arbitrary octets are read, and what was read as content
/// reads the same after it was written.
pub(crate) fn fuzz(data: &[u8]) {
    let (records, _) = read(data);
    let content = records.into_iter().filter_map(|record| match record.change {
        Change::Content(attributes) => Some(Entry { dn: record.dn, comment: None, attributes }),
        _ => None,
    });
    let entries: Vec<Entry> = content.collect();
    let (again, mistakes) = read(write(&entries).as_bytes());
    assert!(mistakes.is_empty(), "what is written can be read");
    let again: Vec<Entry> = again
        .into_iter()
        .filter_map(|record| match record.change {
            Change::Content(attributes) => Some(Entry { dn: record.dn, comment: None, attributes }),
            _ => None,
        })
        .collect();
    assert_eq!(again, entries, "what is written reads the same");
}
