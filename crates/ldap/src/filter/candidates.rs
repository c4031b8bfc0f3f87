//! Which entries may match a filter, by the indexes: every entry that matches is
//! among them, others may be too.

use super::Filter;
use crate::catalogue::Catalogue;
use crate::catalogue::index::Part;
use crate::catalogue::value::{is_made, stored};
use crate::schema::{Attr, Class};
use crate::text::Rule;
use roaring::RoaringBitmap;

/// Candidates of a condition are not intersected further when they are so few:
/// holding the filter against them costs less.
const FEW: u64 = 16;

impl Filter {
    /// The entries that may match; none is every entry.
    pub fn candidates(&self, catalogue: &Catalogue) -> Option<RoaringBitmap> {
        match self {
            Self::And(filters) => and(catalogue, filters),
            Self::Or(filters) => {
                let mut all = RoaringBitmap::new();
                for filter in filters {
                    all |= filter.candidates(catalogue)?;
                }
                Some(all)
            }
            // what an inner condition's candidates are not may be undefined
            Self::Not(_) | Self::Anywhere { .. } => None,
            Self::False | Self::Undefined => Some(RoaringBitmap::new()),
            Self::Class(class) => Some(of_class(catalogue, class)),
            Self::Is(slot) => Some(slot.iter().copied().collect()),
            Self::Linked(Attr::MemberOf, list) => {
                let list = list.and_then(|id| catalogue.slot_of(id));
                let members = list.and_then(|slot| catalogue.get(slot)).map(|list| {
                    list.ids(Attr::Member).filter_map(|id| catalogue.slot_of(id)).collect()
                });
                Some(members.unwrap_or_default())
            }
            Self::Linked(attr, id) => {
                Some(id.map(|id| catalogue.index.linked(*attr, id)).unwrap_or_default())
            }
            Self::Equal(attr, prepared) if !is_made(*attr) => {
                union(catalogue, *attr, |of| catalogue.index.equal(of, prepared))
            }
            Self::Parts(attr, parts) if !is_made(*attr) => {
                let mut pieces = Vec::new();
                pieces.extend(parts.initial.as_deref().map(Part::Initial));
                pieces.extend(parts.any.iter().map(|text| Part::Any(text)));
                pieces.extend(parts.last.as_deref().map(Part::Final));
                union(catalogue, *attr, |of| catalogue.index.pieces(of, &pieces))
            }
            Self::Equal(attr, _)
            | Self::Parts(attr, _)
            | Self::Present(attr)
            | Self::AtLeast(attr, _)
            | Self::AtMost(attr, _)
            | Self::Sounds(attr, _)
            | Self::Exact(attr, ..) => present(catalogue, *attr),
        }
    }
}

fn and(catalogue: &Catalogue, filters: &[Filter]) -> Option<RoaringBitmap> {
    let mut found: Option<RoaringBitmap> = None;
    // equality is the narrowest and the cheapest to look up
    let cheap =
        |filter: &&Filter| matches!(filter, Filter::Equal(..) | Filter::Linked(..) | Filter::Is(_));
    let order = filters.iter().filter(cheap).chain(filters.iter().filter(|f| !cheap(f)));
    for filter in order {
        if found.as_ref().is_some_and(|slots| slots.len() <= FEW) {
            break;
        }
        let Some(slots) = filter.candidates(catalogue) else { continue };
        found = Some(match found {
            None => slots,
            Some(so_far) => so_far & slots,
        });
    }
    found
}

/// For an attribute that comes from several stored ones.
fn union(
    catalogue: &Catalogue,
    attr: Attr,
    find: impl Fn(Attr) -> Option<RoaringBitmap>,
) -> Option<RoaringBitmap> {
    let [one] = stored(attr) else {
        let mut all = RoaringBitmap::new();
        for of in stored(attr) {
            match find(*of) {
                Some(slots) => all |= slots,
                None => all |= catalogue.index.present(*of)?,
            }
        }
        return Some(all);
    };
    find(*one).or_else(|| catalogue.index.present(*one).cloned())
}

fn present(catalogue: &Catalogue, attr: Attr) -> Option<RoaringBitmap> {
    if is_made(attr) || attr.rule() == Rule::Oid {
        return None;
    }
    let mut all = RoaringBitmap::new();
    for of in stored(attr) {
        all |= catalogue.index.present(*of)?;
    }
    Some(all)
}

fn of_class(catalogue: &Catalogue, class: &str) -> RoaringBitmap {
    let mut all = RoaringBitmap::new();
    for (kind, slots) in catalogue.kinds() {
        if Class::of(kind).contains(&class) {
            all |= slots;
        }
    }
    all
}
