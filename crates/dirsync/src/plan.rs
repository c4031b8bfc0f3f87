//! What a run changes, and what it leaves as it is and why.

use crate::entry::ForeignKey;
use crate::guard::Withheld;
use concord_base::ObjectId;
use concord_mapping::{Attribute, Attributes, Notice};
use serde::{Deserialize, Serialize};

/// Which side is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// This directory, after the foreign one.
    Import,
    /// The foreign directory, after this one.
    Export,
}

/// Whom something is about. At least one of key and id is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// What people call it.
    pub name: String,
    /// In the foreign directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ForeignKey>,
    /// In this directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ObjectId>,
}

/// A change of one attribute. `before` and `after` differ, if only in case
/// (Q193535); no value is an attribute that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub attribute: Attribute,
    /// What is there.
    pub before: Vec<String>,
    /// What will be there.
    pub after: Vec<String>,
}

/// An entry to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which.
    pub subject: Subject,
    /// What is written. Other attributes stay as they are.
    pub changes: Vec<Change>,
}

impl Entry {
    /// Does the changes to the attributes of an entry.
    pub fn apply(&self, attributes: &mut Attributes) {
        for change in &self.changes {
            change.attribute.put(attributes, &change.after);
        }
    }
}

/// Why an entry does not take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
pub enum Reason {
    /// Its own system says that it may not be taken (Q184623).
    NotAllowed,
    /// Its own system does not say that it may be taken, which means no.
    NotStated,
    /// It came out of this directory (Q241213).
    OwnExport,
    /// It lacks what it cannot do without (Q199171). What was synchronised
    /// before stays.
    Missing {
        /// What it lacks.
        attribute: Attribute,
    },
    /// A filter excludes it.
    Filtered {
        /// The filter's name.
        filter: String,
    },
    /// Entries of this kind are not asked for.
    Kind,
    /// The listing has another entry with the same key.
    Twice,
    /// It is hidden from address books.
    Hidden,
    /// It lies in no export container.
    Container,
    /// Its trust is higher than its container's.
    Trust {
        /// The recipient's.
        trust: u8,
        /// The container's.
        container: u8,
    },
    /// Another connector brought it here, and is not relayed (Q192911).
    NotRelayed {
        /// Which connector.
        origin: String,
    },
    /// Its address lies in a place that is not ours to write to (Q235497).
    ElsewhereOwned {
        /// Which place.
        place: String,
    },
    /// The listing of the foreign side ended before it.
    Unlisted,
    /// It is in the directory no more.
    Gone,
}

/// An entry that does not take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Which.
    pub subject: Subject,
    /// Why.
    pub reason: Reason,
}

/// An entry to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Which.
    pub subject: Subject,
    /// Why.
    pub reason: Reason,
}

/// Why an entry could not be planned. What is there of it stays (Q274786).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "failure", rename_all = "kebab-case")]
pub enum Failure {
    /// The rules give no address that can be read.
    BadAddress {
        /// What they gave.
        given: String,
        /// Why it is none.
        cause: String,
    },
    /// The rules give an attribute that cannot be written, and without which the
    /// entry cannot be.
    Refused {
        /// Which.
        attribute: Attribute,
    },
    /// Neither its name nor a thousand like it are free.
    NoFreeName {
        /// What was looked for.
        name: String,
    },
    /// Another entry is already exported under the same identity.
    SameIdentity {
        /// The other recipient.
        other: ObjectId,
    },
}

/// An entry that could not be planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Which.
    pub subject: Subject,
    /// Why.
    pub failure: Failure,
}

/// An entry whose address is held by another object already (Q238992, Q238447).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collision {
    /// Which.
    pub subject: Subject,
    /// The address.
    pub address: String,
    /// The object that holds it; for another entry of the same listing, that one.
    pub holder: Subject,
    /// Whether the holder could be adopted: a contact that nobody's
    /// synchronisation made.
    pub adoptable: bool,
    /// Whether an earlier run told of it already.
    pub known: bool,
}

/// What happened to a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remark {
    /// On its way through the rules.
    Mapped(Notice),
    /// The rules give a further address that cannot be read; the others are
    /// written.
    AddressLeftOut {
        /// Which.
        attribute: Attribute,
        /// What they gave.
        given: String,
        /// Why it is none.
        cause: String,
    },
}

/// Something that happened to a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noticed {
    /// Whose.
    pub subject: Subject,
    /// What.
    pub remark: Remark,
}

/// Deletions that are not made, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithheldDeletions {
    /// Why.
    pub why: Withheld,
    /// Which.
    pub deletions: Vec<Deletion>,
}

/// What a run changes. Every list is in the order of the keys, whatever the order
/// of the listing.
///
/// Deletions are carried out first, then adoptions and modifications in one
/// commit (two entries may swap an address), then additions. An entry that fails
/// is reported, and does not stop the others (Q179057).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which side is changed.
    pub direction: Direction,
    /// For which connector.
    pub connector: String,
    /// New entries.
    pub additions: Vec<Entry>,
    /// Entries that somebody made by hand, and that become the connector's.
    pub adoptions: Vec<Entry>,
    /// Entries that differ.
    pub modifications: Vec<Entry>,
    /// Entries that go.
    pub deletions: Vec<Deletion>,
    /// Entries that would go if the listing were believed.
    pub withheld: Option<WithheldDeletions>,
    /// Entries that are as they should be.
    pub unchanged: u64,
    /// Entries that do not take part.
    pub skipped: Vec<Skipped>,
    /// Entries whose address is taken.
    pub collisions: Vec<Collision>,
    /// Entries that could not be planned.
    pub failed: Vec<Failed>,
    /// What happened to values.
    pub notices: Vec<Noticed>,
    /// Entries in foreign places that are not ours, not looked at (Q235497).
    pub elsewhere: u64,
    /// Whether the foreign side has nothing of what it had: it was replaced
    /// (Q174697).
    pub replaced: bool,
}

impl Plan {
    pub(crate) fn new(direction: Direction, connector: &str) -> Self {
        Self {
            direction,
            connector: connector.to_owned(),
            additions: Vec::new(),
            adoptions: Vec::new(),
            modifications: Vec::new(),
            deletions: Vec::new(),
            withheld: None,
            unchanged: 0,
            skipped: Vec::new(),
            collisions: Vec::new(),
            failed: Vec::new(),
            notices: Vec::new(),
            elsewhere: 0,
            replaced: false,
        }
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.additions.is_empty()
            && self.adoptions.is_empty()
            && self.modifications.is_empty()
            && self.deletions.is_empty()
    }
}

/// How attributes have to change so that they have the values wanted. Nothing
/// else is compared (Q250450).
pub(crate) fn changes(now: &Attributes, wanted: &[(Attribute, Vec<String>)]) -> Vec<Change> {
    wanted
        .iter()
        .map(|(attribute, after)| Change {
            attribute: attribute.clone(),
            before: attribute.of(now),
            after: after.clone(),
        })
        .filter(|change| change.before != change.after)
        .collect()
}
