//! Directory synchronisation, as a connector speaks it.
//!
//! A run begins with [`super::Work::Synchronise`]. From then on the core says
//! step by step what comes next ([`SyncStep`], `GET
//! /v1/connectors/{name}/sync/{run}?wait=SECONDS`), and the connector answers:
//!
//! | step | answer |
//! |---|---|
//! | `list` | [`ListingPart`]s to `.../listing`, then [`ListingEnd`] to `.../listing/end` |
//! | `present` | [`PresentPart`]s to `.../present`, then [`PresentEnd`] to `.../present/end` |
//! | `apply` | [`ChangeResults`] to `.../results` |
//! | `wait` | nothing; ask again |
//! | `done` | [`super::WorkDone`] |
//!
//! Every request is a sign of life; a connector that gives none for two minutes
//! has lost the run. A part may be sent again: parts have numbers.

use concord_base::ObjectId;
use concord_dirsync::{ForeignEntry, ForeignKey, ListingKind, PresentEntry};
use concord_mapping::Attributes;
use serde::{Deserialize, Serialize};

/// Entries of one part.
pub const MAX_ENTRIES_IN_PART: usize = 1_000;
/// Octets of one part as JSON: what one request may have, with room to spare.
pub const MAX_PART: usize = 512 << 10;
/// Octets of one entry as JSON; photographs and the like do not take part.
pub const MAX_ENTRY: usize = 64 << 10;
/// Entries of one listing, so that a foreign side that never ends fills no
/// memory; ten times the largest organisation that the original was sold to.
pub const MAX_ENTRIES: usize = 500_000;
/// Changes that a connector gets at once.
pub const MAX_CHANGES_IN_PAGE: usize = 500;

/// What comes next in a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum SyncStep {
    /// List the foreign directory.
    List,
    /// List what the foreign directory has of this one.
    Present,
    /// Change the foreign directory.
    Apply {
        /// The number of the page, from 1.
        page: u64,
        /// In this order: an addition may need what a deletion freed.
        changes: Vec<SyncChange>,
    },
    /// The core is at work.
    #[default]
    Wait,
    /// There is nothing more to do.
    Done,
}

/// Some entries of the foreign directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingPart {
    /// Its number in the listing, from 1.
    pub part: u64,
    /// In any order.
    #[serde(default)]
    pub entries: Vec<ForeignEntry>,
    /// Entries that are said to be gone.
    #[serde(default)]
    pub gone: Vec<ForeignKey>,
}

/// The listing has ended, one way or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingEnd {
    /// What absence means.
    pub kind: ListingKind,
    /// Whether the foreign system said that this was all.
    pub complete: bool,
    /// How many entries it announced, if it did.
    #[serde(default)]
    pub announced: Option<u64>,
}

/// Some entries that the foreign directory has of this one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentPart {
    /// Its number in the listing, from 1.
    pub part: u64,
    /// In any order.
    pub entries: Vec<PresentEntry>,
}

/// That listing has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentEnd {
    /// Whether the foreign system said that this was all.
    pub complete: bool,
    /// How many entries it announced, if it did.
    #[serde(default)]
    pub announced: Option<u64>,
}

/// What is done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeAct {
    /// It is made. One that is there already is changed: the foreign side may
    /// know more than its listing said (Q241086).
    Add,
    /// It is changed.
    Modify,
    /// It goes. One that is gone already is no failure (Q179996).
    Delete,
}

/// One change of the foreign directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncChange {
    /// Its number in the run, for the result.
    pub number: u64,
    /// What is done.
    pub act: ChangeAct,
    /// The foreign entry; none for one that is to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ForeignKey>,
    /// The recipient that it stands for, to be kept with the entry where the
    /// foreign system can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<ObjectId>,
    /// What people call it.
    pub name: String,
    /// Every attribute that the entry has afterwards, by its foreign name.
    #[serde(default)]
    pub attributes: Attributes,
    /// Names of those that differ from what is there.
    #[serde(default)]
    pub changed: Vec<String>,
    /// What is there now, of an entry that is changed.
    #[serde(default)]
    pub before: Attributes,
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeResult {
    /// See [`SyncChange::number`].
    pub number: u64,
    /// The entry's key from now on, if it is another one or a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ForeignKey>,
    /// Why it was not done, in the foreign system's words. It is tried again in
    /// the next run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of a page. A change without a result was not done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeResults {
    /// See [`SyncStep::Apply`].
    pub page: u64,
    /// In any order.
    pub results: Vec<ChangeResult>,
}

/// `POST /v1/connectors/{name}/sync/updates`: what the foreign side told unasked
/// (Q229821). Whoever is not named stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignUpdates {
    /// Entries that are new or changed; at most [`MAX_ENTRIES_IN_PART`].
    #[serde(default)]
    pub entries: Vec<ForeignEntry>,
    /// Entries that are gone.
    #[serde(default)]
    pub gone: Vec<ForeignKey>,
}

/// What became of [`ForeignUpdates`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UpdatesDone {
    /// The run that took them in.
    pub run: u64,
    /// Recipients that were added, changed or removed.
    pub changed: u64,
    /// Entries that could not be taken in; the run says why.
    pub failed: u64,
}
