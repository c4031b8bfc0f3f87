//! Foreign entries that take part in an import, until each has its addresses and
//! its name.

use crate::claims::{Claims, Taken};
use crate::entry::{ForeignEntry, ForeignKey, OwnedEntry, first};
use crate::import::Adoption;
use crate::plan::{Collision, Entry, Failed, Failure, Plan, Subject, changes};
use crate::surroundings::{Holder, Surroundings};
use crate::wanted::{NAME, Wanted};
use concord_address::TypedAddress;
use concord_base::ObjectId;
use concord_mapping::{Attribute, Attributes};
use std::collections::{BTreeMap, BTreeSet, HashSet};

const TARGET: &str = "targetaddress";
const PROXIES: &str = "proxyaddresses";

pub(crate) struct Candidate<'a> {
    entry: &'a ForeignEntry,
    own: Option<&'a OwnedEntry>,
    /// Made by hand, to become ours.
    adopted: Option<Holder>,
    wanted: Wanted,
    name: String,
    /// Why it does not get what it wants.
    taken: Option<Taken>,
}

/// Every address of an entry that reads, the target first.
fn addresses(attributes: &Attributes) -> Vec<TypedAddress> {
    let mut found: Vec<TypedAddress> = Vec::new();
    let texts = [TARGET, PROXIES].iter().filter_map(|name| attributes.get(*name)).flatten();
    for address in texts.filter_map(|text| text.parse().ok()) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

impl<'a> Candidate<'a> {
    pub(crate) fn new(
        entry: &'a ForeignEntry,
        own: Option<&'a OwnedEntry>,
        wanted: Wanted,
    ) -> Self {
        Self { entry, own, adopted: None, wanted, name: String::new(), taken: None }
    }

    fn key(&self) -> &'a ForeignKey {
        &self.entry.key
    }

    fn id(&self) -> Option<ObjectId> {
        self.own.map(|own| own.id).or_else(|| self.adopted.as_ref().map(|holder| holder.id))
    }

    fn now(&self) -> Option<&Attributes> {
        let own = self.own.map(|own| &own.attributes);
        own.or_else(|| self.adopted.as_ref().map(|holder| &holder.attributes))
    }

    fn name_now(&self) -> Option<&str> {
        self.now().map(|now| first(now, NAME))
    }

    fn subject(&self) -> Subject {
        let key = Some(self.entry.key.clone());
        Subject { name: self.wanted.display.clone(), key, id: self.id() }
    }

    /// The values wanted; further addresses come beside those that are there.
    fn values(&self) -> Vec<(Attribute, Vec<String>)> {
        let mut values = self.wanted.values.clone();
        let Some(now) = self.now() else { return values };
        for (attribute, wanted) in &mut values {
            if matches!(attribute, Attribute::Secondary(_)) {
                let mut all = attribute.of(now);
                wanted.retain(|value| !all.contains(value));
                all.append(wanted);
                *wanted = all;
            }
        }
        values
    }

    /// The addresses that it will have: those wanted, and those that stay.
    fn addresses(&self) -> Vec<TypedAddress> {
        let mut after = Attributes::new();
        for name in [TARGET, PROXIES] {
            if let Some(values) = self.now().and_then(|now| now.get(name)) {
                after.insert(name.to_owned(), values.clone());
            }
        }
        for (attribute, values) in self.values() {
            if attribute.is_address() {
                attribute.put(&mut after, &values);
            }
        }
        addresses(&after)
    }
}

/// Gives the candidates addresses and names, and puts them into the plan.
/// `leaving` are the objects that go.
pub(crate) fn settle(
    mut candidates: Vec<Candidate<'_>>,
    leaving: HashSet<ObjectId>,
    around: &dyn Surroundings,
    adoption: Adoption,
    known: &BTreeSet<ForeignKey>,
    plan: &mut Plan,
) {
    let mut claims = Claims::new(around, leaving, candidates.iter().filter_map(Candidate::id));
    claim_addresses(&mut candidates, &mut claims, adoption);
    claim_names(&mut candidates, &mut claims, plan);
    candidates.sort_by(|a, b| a.entry.key.cmp(&b.entry.key));
    for candidate in candidates {
        write(candidate, known, plan);
    }
}

fn claim_addresses(candidates: &mut [Candidate<'_>], claims: &mut Claims<'_>, adoption: Adoption) {
    // Whoever keeps an address comes before who wants a new one.
    let rank = |candidate: &Candidate<'_>| {
        let sorted = |mut all: Vec<TypedAddress>| {
            all.sort();
            all
        };
        let now = candidate.own.map(|own| sorted(addresses(&own.attributes)));
        (now != Some(sorted(candidate.addresses())), candidate.own.is_none())
    };
    candidates.sort_by_cached_key(|candidate| (rank(candidate), candidate.entry.key.clone()));
    let places: BTreeMap<ForeignKey, usize> =
        candidates.iter().enumerate().map(|(n, c)| (c.entry.key.clone(), n)).collect();
    for place in 0..candidates.len() {
        let Some(candidate) = candidates.get_mut(place) else { continue };
        if candidate.taken.is_some() {
            continue;
        }
        let Err(taken) = claim(candidate, claims, adoption) else { continue };
        let mut beaten = vec![(place, taken)];
        while let Some((place, taken)) = beaten.pop() {
            let Some(candidate) = candidates.get_mut(place) else { continue };
            beaten.extend(give_up(candidate, taken, claims, &places));
        }
    }
}

/// Claims the addresses of a candidate, if need be by adopting who has them.
fn claim(
    candidate: &mut Candidate<'_>,
    claims: &mut Claims<'_>,
    adoption: Adoption,
) -> Result<(), Taken> {
    let taken = match claims.addresses(candidate.key(), candidate.id(), &candidate.addresses()) {
        Ok(()) => return Ok(()),
        Err(taken) => taken,
    };
    let may = adoption == Adoption::SameTarget && candidate.own.is_none();
    let Some(holder) = taken.adoptable.as_deref().filter(|_| may) else { return Err(taken) };
    candidate.adopted = Some(holder.clone());
    match claims.addresses(candidate.key(), candidate.id(), &candidate.addresses()) {
        Ok(()) => {
            claims.adopt(holder.id);
            Ok(())
        }
        Err(other) => {
            candidate.adopted = None;
            Err(other)
        }
    }
}

/// A candidate stays as it is; who has to give up because of that.
fn give_up(
    candidate: &mut Candidate<'_>,
    taken: Taken,
    claims: &mut Claims<'_>,
    places: &BTreeMap<ForeignKey, usize>,
) -> Vec<(usize, Taken)> {
    if candidate.taken.is_some() {
        return Vec::new();
    }
    claims.release(candidate.key(), &candidate.addresses());
    candidate.taken = Some(taken);
    let (Some(now), Some(id)) = (candidate.now(), candidate.id()) else { return Vec::new() };
    let name = candidate.name_now().unwrap_or_default();
    let back = claims.stays(id, candidate.key(), name, &addresses(now));
    let beaten = back.into_iter().filter_map(|(key, address)| {
        let holder = Subject { id: Some(id), ..candidate.subject() };
        Some((*places.get(&key)?, Taken { address, holder, adoptable: None }))
    });
    beaten.collect()
}

/// Gives every candidate that has its addresses a name that is free.
fn claim_names(candidates: &mut Vec<Candidate<'_>>, claims: &mut Claims<'_>, plan: &mut Plan) {
    // Who has the name that is wanted keeps it; who has any comes before the new.
    let rank = |candidate: &Candidate<'_>| match candidate.name_now() {
        Some(now) if now == candidate.wanted.name => 0,
        Some(now) if candidate.wanted.is_numbered(now) => 1,
        Some(_) => 2,
        None => 3,
    };
    candidates.sort_by_cached_key(|candidate| (rank(candidate), candidate.entry.key.clone()));
    candidates.retain_mut(|candidate| {
        if candidate.taken.is_some() {
            return true;
        }
        let names = candidate.wanted.names(candidate.name_now());
        let name = claims.name(candidate.key(), candidate.id(), names);
        let found = name.is_some();
        match name {
            Some(name) => candidate.name = name,
            None => {
                let failure = Failure::NoFreeName { name: candidate.wanted.name.clone() };
                plan.failed.push(Failed { subject: candidate.subject(), failure });
            }
        }
        found
    });
}

fn write(candidate: Candidate<'_>, known: &BTreeSet<ForeignKey>, plan: &mut Plan) {
    let subject = candidate.subject();
    if let Some(Taken { address, holder, adoptable }) = candidate.taken {
        let known = known.contains(&candidate.entry.key);
        let adoptable = adoptable.is_some();
        plan.collisions.push(Collision { subject, address, holder, adoptable, known });
        return;
    }
    let nothing = Attributes::new();
    let mut values = candidate.values();
    values.push((Attribute::Named(NAME.to_owned()), vec![candidate.name.clone()]));
    values.sort();
    let changes = changes(candidate.now().unwrap_or(&nothing), &values);
    match (candidate.own, &candidate.adopted) {
        (Some(_), _) if changes.is_empty() => plan.unchanged += 1,
        (Some(_), _) => plan.modifications.push(Entry { subject, changes }),
        (None, Some(_)) => plan.adoptions.push(Entry { subject, changes }),
        (None, None) => plan.additions.push(Entry { subject, changes }),
    }
}
