//! What an import changes in this directory.
//!
//! Only what the connector made is ever touched ([`OwnedEntry`]); only what the
//! rules write is compared, exactly. The result does not depend on the order of
//! the listing (Q222186), and planning again after it was carried out gives
//! nothing.

use crate::candidate::{self, Candidate};
use crate::entry::{
    Consent, EntryKind, ForeignEntry, ForeignKey, Listing, ListingKind, OwnedEntry, first,
};
use crate::guard::{Absence, Facts, Guard};
use crate::places::Places;
use crate::plan::{
    Deletion, Direction, Failed, Failure, Noticed, Plan, Reason, Skipped, Subject,
    WithheldDeletions,
};
use crate::surroundings::Surroundings;
use crate::wanted::{DISPLAY, Wanted};
use concord_base::ObjectId;
use concord_mapping::{Attribute, FilterSet, Parameters, RuleSet};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Whether rooms and devices take part (Q249112).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resources {
    /// None.
    Never,
    /// All, whatever the filters say.
    #[default]
    Always,
    /// Those that the filters let pass.
    Filtered,
}

/// What becomes of contacts that somebody made by hand for a foreign entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Adoption {
    /// They stay, and the entry is left out.
    #[default]
    Never,
    /// They become the connector's, if they have the entry's target address.
    SameTarget,
}

/// What an administrator decides about imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPolicy {
    /// The connector's name.
    pub connector: String,
    /// How many deletions are believed.
    pub guard: Guard,
    /// Foreign attributes without which an entry is left out (Q199171).
    pub required: Vec<Attribute>,
    /// Rooms and devices.
    pub resources: Resources,
    /// Contacts made by hand.
    pub adoption: Adoption,
    /// Where our own exports lie, which are not imported again (Q241213).
    pub own_exports: Option<Places>,
}

/// What an import is planned from.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    /// The foreign side.
    pub listing: &'a Listing,
    /// From there to here.
    pub rules: &'a RuleSet,
    /// Over foreign attributes.
    pub filters: &'a FilterSet,
    /// What rules can ask for.
    pub parameters: &'a Parameters,
    /// See [`ImportPolicy`].
    pub policy: &'a ImportPolicy,
    /// What connectors brought here. What is another one's is not looked at.
    pub owned: &'a [OwnedEntry],
    /// Entries whose collision was told already (Q238447).
    pub known_collisions: &'a BTreeSet<ForeignKey>,
}

/// What becomes of a foreign entry before it is held against the directory.
enum Verdict {
    Takes(Wanted),
    /// What was synchronised before goes.
    Leaves(Reason),
    /// What was synchronised before stays.
    Stays(Reason),
    Fails(Failure),
}

impl Import<'_> {
    /// Plans. `around` is the rest of the directory.
    pub fn plan(&self, around: &dyn Surroundings) -> Plan {
        let mut plan = Plan::new(Direction::Import, &self.policy.connector);
        let mine = |owned: &&OwnedEntry| owned.connector == self.policy.connector;
        let owned: BTreeMap<&ForeignKey, &OwnedEntry> =
            self.owned.iter().filter(mine).map(|owned| (&owned.key, owned)).collect();
        let mut seen: HashSet<&ForeignKey> = HashSet::new();
        let mut going: BTreeMap<ForeignKey, Reason> = BTreeMap::new();
        let mut candidates = Vec::new();
        let mut sorted: Vec<&ForeignEntry> = self.listing.entries.iter().collect();
        sorted.sort();
        for entry in sorted {
            let own = owned.get(&entry.key).copied();
            let subject = subject(entry, own);
            if !seen.insert(&entry.key) {
                plan.skipped.push(Skipped { subject, reason: Reason::Twice });
                continue;
            }
            match self.verdict(entry, &subject, &mut plan) {
                Verdict::Takes(wanted) => {
                    candidates.push(Candidate::new(entry, own, wanted));
                }
                Verdict::Fails(failure) => plan.failed.push(Failed { subject, failure }),
                Verdict::Stays(reason) => plan.skipped.push(Skipped { subject, reason }),
                Verdict::Leaves(reason) => {
                    if own.is_some() {
                        going.insert(entry.key.clone(), reason.clone());
                    }
                    plan.skipped.push(Skipped { subject, reason });
                }
            }
        }
        self.absent(&owned, &seen, &mut going);
        let leaving = self.delete(&owned, going, &mut plan);
        let adoption = self.policy.adoption;
        candidate::settle(candidates, leaving, around, adoption, self.known_collisions, &mut plan);
        plan
    }

    fn verdict(&self, entry: &ForeignEntry, subject: &Subject, plan: &mut Plan) -> Verdict {
        let policy = self.policy;
        let places = policy.own_exports.as_ref();
        let in_ours = places.is_some_and(|places| places.owns(&places.of(&entry.attributes)));
        if entry.exported_by_us || in_ours {
            return Verdict::Leaves(Reason::OwnExport);
        }
        match entry.consent {
            Consent::Given => {}
            Consent::Refused => return Verdict::Leaves(Reason::NotAllowed),
            Consent::Unstated => return Verdict::Leaves(Reason::NotStated),
        }
        let resource = entry.kind == EntryKind::Resource;
        if resource && policy.resources == Resources::Never {
            return Verdict::Leaves(Reason::Kind);
        }
        let blank = |attribute: &&Attribute| {
            attribute.of(&entry.attributes).iter().all(|value| value.trim().is_empty())
        };
        if let Some(attribute) = policy.required.iter().find(blank) {
            return Verdict::Stays(Reason::Missing { attribute: attribute.clone() });
        }
        if !(resource && policy.resources == Resources::Always)
            && let Some(filter) = self.filters.excludes(&entry.attributes)
        {
            return Verdict::Leaves(Reason::Filtered { filter: filter.to_owned() });
        }
        let mapped = self.rules.apply(&entry.attributes, self.parameters);
        match Wanted::new(&mapped, &entry.key.0) {
            Err(failure) => Verdict::Fails(failure),
            Ok((wanted, remarks)) => {
                plan.notices.extend(
                    remarks.into_iter().map(|remark| Noticed { subject: subject.clone(), remark }),
                );
                Verdict::Takes(wanted)
            }
        }
    }

    /// Adds what the listing says to be gone, by absence or in so many words.
    fn absent(
        &self,
        owned: &BTreeMap<&ForeignKey, &OwnedEntry>,
        seen: &HashSet<&ForeignKey>,
        going: &mut BTreeMap<ForeignKey, Reason>,
    ) {
        let gone: HashSet<&ForeignKey> = self.listing.gone.iter().collect();
        let absence = self.listing.kind == ListingKind::Full;
        for key in owned.keys().filter(|key| !seen.contains(*key)) {
            if absence || gone.contains(key) {
                going.insert((*key).clone(), Reason::Gone);
            }
        }
    }

    /// Puts deletions into the plan, or withholds them; the objects that go.
    fn delete(
        &self,
        owned: &BTreeMap<&ForeignKey, &OwnedEntry>,
        going: BTreeMap<ForeignKey, Reason>,
        plan: &mut Plan,
    ) -> HashSet<ObjectId> {
        let mut ids = HashSet::new();
        let mut deletions = Vec::new();
        for (key, reason) in going {
            if let Some(own) = owned.get(&key) {
                ids.insert(own.id);
                let name = first(&own.attributes, DISPLAY).to_owned();
                let subject = Subject { name, key: Some(key), id: Some(own.id) };
                deletions.push(Deletion { subject, reason });
            }
        }
        let absence = match self.listing.kind {
            ListingKind::Full => Absence::Gone,
            ListingKind::Updates => Absence::Nothing,
        };
        let why = self.policy.guard.judge(Facts {
            complete: self.listing.complete,
            announced: self.listing.announced,
            listed: count(self.listing.entries.len() + self.listing.gone.len()),
            absence,
            owned: count(owned.len()),
            deletions: count(deletions.len()),
        });
        match why {
            None => plan.deletions = deletions,
            Some(why) => {
                plan.withheld = Some(WithheldDeletions { why, deletions });
                ids.clear();
            }
        }
        ids
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn subject(entry: &ForeignEntry, own: Option<&OwnedEntry>) -> Subject {
    let name = own.map(|own| first(&own.attributes, DISPLAY)).filter(|name| !name.is_empty());
    let name = name.unwrap_or(&entry.key.0).to_owned();
    Subject { name, key: Some(entry.key.clone()), id: own.map(|own| own.id) }
}
