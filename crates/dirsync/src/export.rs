//! What an export changes in the foreign directory.
//!
//! What is there decides between adding and modifying, not what was sent before
//! (Q241086: a modification of a user that the other side did not know stopped
//! the cycle). What lies outside our places is never looked at (Q235497).

use crate::entry::{ForeignKey, Present, PresentEntry, Recipient, RecipientKind, first};
use crate::guard::{Absence, Facts, Guard};
use crate::matching::Matching;
use crate::places::Places;
use crate::plan::{
    Deletion, Direction, Entry, Failed, Failure, Noticed, Plan, Reason, Remark, Skipped, Subject,
    WithheldDeletions, changes,
};
use crate::wanted::DISPLAY;
use concord_base::ObjectId;
use concord_mapping::{Attribute, Attributes, FilterSet, Mapped, Parameters, RuleSet};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A container whose recipients are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportContainer {
    /// Which; none is the top.
    pub id: Option<ObjectId>,
    /// Recipients of this trust and below are exported (Q152935).
    pub trust: u8,
}

/// Which recipients that other connectors brought here are exported (Q192911).
/// Those of the same connector never are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relay {
    /// None.
    #[default]
    Nobody,
    /// All.
    Everybody,
    /// Those of these connectors.
    Only(BTreeSet<String>),
}

/// Which entries in our places are ours to delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ownership {
    /// Those that bear our mark, or that are known from an earlier export.
    #[default]
    Marked,
    /// All: the places are for our exports only.
    Everything,
}

/// What an administrator decides about exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportPolicy {
    /// The connector's name.
    pub connector: String,
    /// How many deletions are believed.
    pub guard: Guard,
    /// Where exported recipients lie. A container inside one of them is one of
    /// its own.
    pub containers: Vec<ExportContainer>,
    /// What is exported. Contacts are not, unless asked for (Q183589).
    pub kinds: BTreeSet<RecipientKind>,
    /// Recipients that other connectors brought.
    pub relay: Relay,
    /// Foreign attributes without which a recipient is not exported: taking a
    /// proxy address away is how one keeps somebody out (Q261210).
    pub required: Vec<Attribute>,
    /// Foreign attributes that tell entries apart where there is no mark.
    pub identity: Vec<Attribute>,
    /// Our places in the foreign directory; none if all that is listed is ours.
    pub places: Option<Places>,
    /// What may be deleted there.
    pub ownership: Ownership,
}

/// How much of this directory is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Every recipient: who is not given is gone.
    Full,
    /// Those that changed.
    Changed {
        /// Recipients that are no more.
        gone: Vec<ObjectId>,
    },
}

/// What an export is planned from.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// This side.
    pub recipients: &'a [Recipient],
    /// How much of it.
    pub scope: &'a Scope,
    /// The foreign side.
    pub present: &'a Present,
    /// Foreign entries known from earlier exports.
    pub links: &'a BTreeMap<ObjectId, ForeignKey>,
    /// From here to there.
    pub rules: &'a RuleSet,
    /// Over attributes of this directory.
    pub filters: &'a FilterSet,
    /// What rules can ask for.
    pub parameters: &'a Parameters,
    /// See [`ExportPolicy`].
    pub policy: &'a ExportPolicy,
}

struct Candidate<'a> {
    recipient: &'a Recipient,
    wanted: Vec<(Attribute, Vec<String>)>,
    identity: String,
    verdict: Verdict,
}

enum Verdict {
    Takes,
    /// What was exported before goes.
    Leaves(Reason),
    /// What was exported before stays.
    Fails(Failure),
}

impl Export<'_> {
    /// Plans.
    pub fn plan(&self) -> Plan {
        let mut plan = Plan::new(Direction::Export, &self.policy.connector);
        let mut present: Vec<&PresentEntry> = self.present.entries.iter().collect();
        if let Some(places) = &self.policy.places {
            present.retain(|entry| places.owns(&places.of(&entry.attributes)));
        }
        plan.elsewhere = count(self.present.entries.len() - present.len());
        present.sort_by(|a, b| a.key.cmp(&b.key));
        plan.replaced = *self.scope == Scope::Full
            && self.present.complete
            && present.is_empty()
            && !self.links.is_empty();
        let mut recipients: Vec<&Recipient> = self.recipients.iter().collect();
        recipients.sort_by_key(|recipient| recipient.id);
        let candidates: Vec<Candidate<'_>> =
            recipients.into_iter().map(|recipient| self.candidate(recipient, &mut plan)).collect();
        let identity = |entry: &PresentEntry| self.identity(&entry.attributes);
        let mut matching = Matching::new(present, self.links, identity);
        self.match_all(&candidates, &mut matching);
        let beaten = self.claim_all(&candidates, &mut matching);
        let mut leaving: BTreeMap<usize, Reason> = BTreeMap::new();
        for candidate in candidates {
            let other = beaten.get(&candidate.recipient.id).copied();
            self.write(candidate, other, &matching, &mut leaving, &mut plan);
        }
        self.delete(&matching, leaving, &mut plan);
        plan
    }

    /// Marks and earlier exports first, so that nobody takes an entry by its
    /// identity that is known to be another one's; those that take part before
    /// those that leave.
    fn match_all(&self, candidates: &[Candidate<'_>], matching: &mut Matching<'_>) {
        for candidate in candidates {
            matching.by_mark(candidate.recipient.id);
        }
        for takes in [true, false] {
            for candidate in candidates {
                if matches!(candidate.verdict, Verdict::Leaves(_)) != takes {
                    matching.by_identity(candidate.recipient.id, &candidate.identity);
                }
            }
        }
    }

    /// Gives identities to those that take part; who gets none, and because of
    /// whom. What is there of such a recipient stays, and keeps its own identity.
    fn claim_all(
        &self,
        candidates: &[Candidate<'_>],
        matching: &mut Matching<'_>,
    ) -> HashMap<ObjectId, ObjectId> {
        let now = |matching: &Matching<'_>, id: ObjectId| {
            let found = matching.of(id);
            found.map(|(_, entry)| self.identity(&entry.attributes)).unwrap_or_default()
        };
        for failed in candidates.iter().filter(|c| matches!(c.verdict, Verdict::Fails(_))) {
            let id = failed.recipient.id;
            matching.insist(id, &now(matching, id));
        }
        // Who has an identity comes before who wants it.
        let takes = candidates.iter().filter(|c| matches!(c.verdict, Verdict::Takes));
        let (keep, want): (Vec<&Candidate<'_>>, Vec<&Candidate<'_>>) =
            takes.partition(|c| now(matching, c.recipient.id) == c.identity);
        let mut beaten = HashMap::new();
        for candidate in keep.into_iter().chain(want) {
            let mut loser = candidate.recipient.id;
            let mut winner = matching.claim(loser, &candidate.identity);
            while let Some(other) = winner.filter(|_| !beaten.contains_key(&loser)) {
                beaten.insert(loser, other);
                let evicted = matching.insist(loser, &now(matching, loser));
                winner = evicted.map(|_| loser);
                loser = evicted.unwrap_or(loser);
            }
        }
        beaten
    }

    fn candidate<'a>(&self, recipient: &'a Recipient, plan: &mut Plan) -> Candidate<'a> {
        let mapped = self.rules.apply(&recipient.attributes, self.parameters);
        let values = |text: &str| if text.is_empty() { vec![] } else { vec![text.to_owned()] };
        let wanted: Vec<(Attribute, Vec<String>)> =
            mapped.values.iter().map(|v| (v.attribute.clone(), values(&v.text))).collect();
        let mut entry = Attributes::new();
        for (attribute, values) in &wanted {
            attribute.put(&mut entry, values);
        }
        let identity = self.identity(&entry);
        let verdict = self.verdict(recipient, &mapped, &entry);
        if matches!(verdict, Verdict::Takes) {
            let subject = subject(recipient, None);
            plan.notices.extend(mapped.notices.into_iter().map(|notice| Noticed {
                subject: subject.clone(),
                remark: Remark::Mapped(notice),
            }));
        }
        Candidate { recipient, wanted, identity, verdict }
    }

    fn verdict(&self, recipient: &Recipient, mapped: &Mapped, entry: &Attributes) -> Verdict {
        let policy = self.policy;
        if let Some(reason) = self.excluded(recipient) {
            return Verdict::Leaves(reason);
        }
        let needed = |a: &&Attribute| policy.required.contains(a) || policy.identity.contains(a);
        if let Some(attribute) = mapped.refused.iter().find(needed) {
            return Verdict::Fails(Failure::Refused { attribute: attribute.clone() });
        }
        let blank = |a: &&Attribute| a.of(entry).iter().all(|value| value.trim().is_empty());
        if let Some(attribute) = policy.required.iter().find(blank) {
            return Verdict::Leaves(Reason::Missing { attribute: attribute.clone() });
        }
        if let Some(places) = &policy.places {
            let place = places.of(entry);
            if !places.owns(&place) {
                return Verdict::Leaves(Reason::ElsewhereOwned { place });
            }
        }
        Verdict::Takes
    }

    /// Why a recipient is not exported, as far as this directory alone can tell.
    fn excluded(&self, recipient: &Recipient) -> Option<Reason> {
        let policy = self.policy;
        if recipient.hidden {
            return Some(Reason::Hidden);
        }
        match &recipient.origin {
            Some(origin) if *origin == policy.connector => return Some(Reason::OwnExport),
            Some(origin) => {
                let relayed = match &policy.relay {
                    Relay::Nobody => false,
                    Relay::Everybody => true,
                    Relay::Only(connectors) => connectors.contains(origin),
                };
                if !relayed {
                    return Some(Reason::NotRelayed { origin: origin.clone() });
                }
            }
            None if !policy.kinds.contains(&recipient.kind) => return Some(Reason::Kind),
            None => {}
        }
        let mut containers = policy.containers.iter();
        let Some(container) = containers.find(|container| container.id == recipient.container)
        else {
            return Some(Reason::Container);
        };
        if recipient.trust > container.trust {
            let (trust, container) = (recipient.trust, container.trust);
            return Some(Reason::Trust { trust, container });
        }
        let filter = self.filters.excludes(&recipient.attributes)?;
        Some(Reason::Filtered { filter: filter.to_owned() })
    }

    /// What tells an entry apart, empty if it has none.
    fn identity(&self, entry: &Attributes) -> String {
        let values: Vec<String> = self
            .policy
            .identity
            .iter()
            .map(|attribute| attribute.of(entry).join(";").to_lowercase())
            .collect();
        if values.iter().all(String::is_empty) { String::new() } else { values.join("\n") }
    }

    fn write(
        &self,
        candidate: Candidate<'_>,
        other: Option<ObjectId>,
        matching: &Matching<'_>,
        leaving: &mut BTreeMap<usize, Reason>,
        plan: &mut Plan,
    ) {
        let Candidate { recipient, wanted, verdict, identity: _ } = candidate;
        let found = matching.of(recipient.id);
        let subject = subject(recipient, found.map(|(_, entry)| entry.key.clone()));
        match verdict {
            Verdict::Fails(failure) => {
                plan.failed.push(Failed { subject, failure });
                return;
            }
            Verdict::Leaves(reason) => {
                if let Some((place, _)) = found {
                    leaving.insert(place, reason.clone());
                }
                plan.skipped.push(Skipped { subject, reason });
                return;
            }
            Verdict::Takes => {}
        }
        if let Some(other) = other {
            let failure = Failure::SameIdentity { other };
            plan.failed.push(Failed { subject, failure });
            return;
        }
        match found {
            Some((_, entry)) => {
                let changes = changes(&entry.attributes, &wanted);
                if changes.is_empty() {
                    plan.unchanged += 1;
                } else {
                    plan.modifications.push(Entry { subject, changes });
                }
            }
            // It may well be there, behind the end of what was listed.
            None if !self.present.complete && self.links.contains_key(&recipient.id) => {
                plan.skipped.push(Skipped { subject, reason: Reason::Unlisted });
            }
            None => {
                let changes = changes(&Attributes::new(), &wanted);
                plan.additions.push(Entry { subject, changes });
            }
        }
    }

    fn delete(
        &self,
        matching: &Matching<'_>,
        mut leaving: BTreeMap<usize, Reason>,
        plan: &mut Plan,
    ) {
        match self.scope {
            Scope::Full => leaving.extend(matching.unmatched().map(|p| (p, Reason::Gone))),
            Scope::Changed { gone } => {
                let places = gone.iter().filter_map(|id| matching.marked(*id));
                leaving.extend(places.map(|place| (place, Reason::Gone)));
            }
        }
        let everything = self.policy.ownership == Ownership::Everything;
        leaving.retain(|place, _| everything || matching.is_known(*place));
        let owned = if everything { matching.len() } else { matching.count_known() };
        let deletion = |(place, reason): (usize, Reason)| {
            let entry = matching.entry(place)?;
            let name = entry.key.0.clone();
            let subject = Subject { name, key: Some(entry.key.clone()), id: matching.id(place) };
            Some(Deletion { subject, reason })
        };
        let deletions: Vec<Deletion> = leaving.into_iter().filter_map(deletion).collect();
        let listed = count(self.present.entries.len());
        let why = self.policy.guard.judge(Facts {
            complete: self.present.complete,
            announced: self.present.announced,
            listed,
            absence: Absence::Nothing,
            owned: count(owned),
            deletions: count(deletions.len()),
        });
        match why {
            None => plan.deletions = deletions,
            Some(why) => plan.withheld = Some(WithheldDeletions { why, deletions }),
        }
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn subject(recipient: &Recipient, key: Option<ForeignKey>) -> Subject {
    let name = first(&recipient.attributes, DISPLAY).to_owned();
    Subject { name, key, id: Some(recipient.id) }
}
