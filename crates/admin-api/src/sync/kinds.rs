//! What is known of each kind of foreign system beside its tables.

use super::settings::Reader;
use concord_dirsync::{Ownership, Places};
use concord_mapping::Attribute;
use concord_mapping::shipped::{GROUPWISE, NOTES, OVVM, Shipped};
use std::collections::BTreeSet;

/// The domain by which GroupWise knows this organisation, as its manifest says.
const FOREIGN_DOMAIN: &str = "EXCHANGE";
/// The node by which hosts know it, as the manifest of `ovvm` says.
const OWN_NODE: &str = "CONCORD";

/// A kind of foreign system.
pub(super) struct ForeignKind {
    pub shipped: &'static Shipped,
    /// Foreign attributes without which an entry is left out.
    pub import_required: &'static [&'static str],
    /// Foreign attributes without which a recipient is not exported.
    pub export_required: &'static [&'static str],
    /// Foreign attributes that tell entries apart.
    pub identity: &'static [&'static str],
    places: Option<PlaceKind>,
}

/// How places are told; none where all that is listed as present is ours.
struct PlaceKind {
    foreign: &'static [&'static str],
    exported: &'static [&'static str],
    parts: usize,
    /// The setting that names our place.
    setting: &'static str,
    /// What it is if nothing is set.
    default: &'static str,
}

/// `Domain.PostOffice.Object`; our place is the External Foreign domain.
const GROUPWISE_KIND: ForeignKind = ForeignKind {
    shipped: &GROUPWISE,
    import_required: &["domain", "post-office", "object"],
    export_required: &["address"],
    identity: &["address"],
    places: Some(PlaceKind {
        foreign: &["domain", "post-office"],
        exported: &["address"],
        parts: 2,
        setting: "foreign-domain",
        default: FOREIGN_DOMAIN,
    }),
};

/// `NODE.USERID`; our place is our node.
const OVVM_KIND: ForeignKind = ForeignKind {
    shipped: &OVVM,
    import_required: &["node", "userid"],
    export_required: &["address"],
    identity: &["address"],
    places: Some(PlaceKind {
        foreign: &["node"],
        exported: &["address"],
        parts: 1,
        setting: "node",
        default: OWN_NODE,
    }),
};

/// Persons with a domain (Q199171); exports lie in a book of their own.
const NOTES_KIND: ForeignKind = ForeignKind {
    shipped: &NOTES,
    import_required: &["fullname", "maildomain"],
    export_required: &["fullname", "maildomain"],
    identity: &["fullname", "maildomain"],
    places: None,
};

impl ForeignKind {
    /// That of a package.
    pub fn of(component: &str) -> Option<Self> {
        match component {
            "groupwise" => Some(GROUPWISE_KIND),
            "notes" => Some(NOTES_KIND),
            "ovvm" => Some(OVVM_KIND),
            _ => None,
        }
    }

    /// Where our exports lie: as foreign entries tell it, and as exports do.
    pub fn places(&self, settings: &mut Reader<'_>) -> (Option<Places>, Option<Places>) {
        let Some(kind) = &self.places else { return (None, None) };
        let ours = settings.text(kind.setting).unwrap_or_else(|| kind.default.to_owned());
        let places = |names: &[&str]| Places {
            attributes: attributes(names),
            separator: '.',
            parts: kind.parts,
            ours: BTreeSet::from([ours.clone()]),
        };
        (Some(places(kind.foreign)), Some(places(kind.exported)))
    }

    /// A place that belongs to us by configuration is for our exports only; a
    /// book may hold what people wrote into it.
    pub fn ownership(&self) -> Ownership {
        if self.places.is_some() { Ownership::Everything } else { Ownership::Marked }
    }
}

/// Attributes by their names; all of them read, as a test says.
pub(super) fn attributes(names: &[&str]) -> Vec<Attribute> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_kind_is_an_attribute_of_its_schema() {
        for component in ["groupwise", "notes", "ovvm"] {
            let kind = ForeignKind::of(component).unwrap();
            let tables = kind.shipped.tables().unwrap();
            let known: Vec<String> =
                tables.theirs.lines().map(|line| line.attribute.to_string()).collect();
            let places = kind.places.iter().flat_map(|p| p.foreign.iter().chain(p.exported));
            let named = kind.import_required.iter().chain(kind.export_required);
            for name in named.chain(kind.identity).chain(places) {
                assert!(known.contains(&(*name).to_owned()), "{component}: {name}");
                assert_eq!(attributes(&[name]).len(), 1);
            }
        }
    }
}
