//! What a plan is made of: entries on either side.
//!
//! Attributes have the names and the form that the mapping tables know
//! ([`concord_mapping::Attributes`]): `proxyaddresses` holds `TYPE:value`, the
//! type of a primary address in capitals; `mailnickname` is an object's name,
//! `displayname` what address books show, `targetaddress` where mail for a
//! contact goes.

use concord_base::ObjectId;
use concord_mapping::Attributes;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a foreign system calls an entry for as long as the entry exists: a
/// document's id, an object's distinguished name. Compared exactly.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ForeignKey(pub String);

impl fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What an entry stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// Somebody.
    #[default]
    Person,
    /// A list; its members stay in the system that it is of.
    Group,
    /// A room or a device.
    Resource,
}

/// Whether an entry may be taken to other systems, as its own system says
/// (Notes: "Foreign directory sync allowed").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Consent {
    /// It says yes, or the system has no such field.
    #[default]
    Given,
    /// It says no.
    Refused,
    /// The system has the field, but it is blank or absent: no (Q184623).
    Unstated,
}

/// An entry of the foreign directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForeignEntry {
    /// See [`ForeignKey`].
    pub key: ForeignKey,
    /// What it stands for.
    #[serde(default)]
    pub kind: EntryKind,
    /// Whether it may be taken.
    #[serde(default)]
    pub consent: Consent,
    /// Whether it bears the mark of an export of this organisation.
    #[serde(default)]
    pub exported_by_us: bool,
    /// Its attributes.
    pub attributes: Attributes,
}

impl ForeignEntry {
    /// A person that may be taken.
    pub fn person(key: &str, attributes: Attributes) -> Self {
        Self {
            key: ForeignKey(key.to_owned()),
            kind: EntryKind::Person,
            consent: Consent::Given,
            exported_by_us: false,
            attributes,
        }
    }
}

/// What absence from a listing means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListingKind {
    /// The entry is gone.
    Full,
    /// The entry is as it was (Q300458).
    Updates,
}

/// Entries of the foreign directory, with what is known about the listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// What absence means.
    pub kind: ListingKind,
    /// Whether the end was seen. Nobody is deleted by a listing without its end.
    pub complete: bool,
    /// How many entries the foreign system announced, if it did.
    #[serde(default)]
    pub announced: Option<u64>,
    /// In any order.
    pub entries: Vec<ForeignEntry>,
    /// Entries that are said to be gone.
    #[serde(default)]
    pub gone: Vec<ForeignKey>,
}

impl Listing {
    /// A whole directory.
    pub fn full(entries: Vec<ForeignEntry>) -> Self {
        Self { kind: ListingKind::Full, complete: true, announced: None, entries, gone: vec![] }
    }
}

/// A recipient of this directory that a connector brought here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedEntry {
    /// The object.
    pub id: ObjectId,
    /// Whose it is: the connector's name.
    pub connector: String,
    /// The foreign entry that it stands for.
    pub key: ForeignKey,
    /// As they are now.
    pub attributes: Attributes,
}

/// What a recipient of this directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientKind {
    /// With a mailbox here.
    Mailbox,
    /// A distribution list.
    List,
    /// Somebody elsewhere.
    Contact,
    /// A room or a device with a mailbox here.
    Resource,
    /// A folder that takes mail.
    PublicFolder,
}

/// A recipient of this directory that may be exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The object.
    pub id: ObjectId,
    /// What it is.
    pub kind: RecipientKind,
    /// Where it lies; none is the top.
    pub container: Option<ObjectId>,
    /// Whether it is hidden from address books.
    pub hidden: bool,
    /// Exported where the container's trust is as high or higher.
    pub trust: u8,
    /// The connector that brought it here, if one did.
    pub origin: Option<String>,
    /// Its attributes.
    pub attributes: Attributes,
}

/// An entry of the foreign directory in the places that exports go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresentEntry {
    /// See [`ForeignKey`].
    pub key: ForeignKey,
    /// The recipient that it stands for, where the foreign system can keep that.
    #[serde(default)]
    pub mark: Option<ObjectId>,
    /// As they are now.
    pub attributes: Attributes,
}

/// What the foreign system has of our exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// Whether the end of the listing was seen.
    pub complete: bool,
    /// How many entries the foreign system announced, if it did.
    #[serde(default)]
    pub announced: Option<u64>,
    /// In any order.
    pub entries: Vec<PresentEntry>,
}

/// The first value of an attribute, empty if there is none.
pub(crate) fn first<'a>(attributes: &'a Attributes, name: &str) -> &'a str {
    attributes.get(name).and_then(|values| values.first()).map_or("", String::as_str)
}
