//! Holding a filter against an entry.

use super::{Filter, Order, Parts};
use crate::catalogue::value::is_made;
use crate::catalogue::{Catalogue, Entry, Slot};
use crate::schema::{ATTRIBUTES, Attr, Class, Usage};
use crate::text::{Rule, normalise, normalise_into, sound};
use concord_directory::Access;

/// What an evaluation needs, and space that it uses again.
pub(crate) struct Evaluation<'a> {
    pub catalogue: &'a Catalogue,
    pub access: &'a Access,
    pub scratch: String,
}

impl<'a> Evaluation<'a> {
    pub fn new(catalogue: &'a Catalogue, access: &'a Access) -> Self {
        Self { catalogue, access, scratch: String::new() }
    }

    /// Whether an entry matches; `None` is undefined (RFC 4511 section 4.5.1.7).
    /// Recursive: a filter's depth is bounded when it is compiled.
    pub fn matches(&mut self, filter: &Filter, slot: Slot, entry: &Entry) -> Option<bool> {
        match filter {
            Filter::And(filters) => self.all(filters, slot, entry, false),
            Filter::Or(filters) => self.all(filters, slot, entry, true),
            Filter::Not(inner) => self.matches(inner, slot, entry).map(|is| !is),
            Filter::Undefined => None,
            Filter::False => Some(false),
            Filter::Class(class) => Some(Class::of(entry.kind).contains(class)),
            Filter::Is(target) => Some(*target == Some(slot)),
            Filter::Anywhere { prepared, attr, in_dn, in_values } => {
                let in_values = *in_values && self.has_anywhere(prepared, *attr, slot, entry);
                Some(in_values || *in_dn && self.in_dn(prepared, *attr, slot))
            }
            Filter::Equal(attr, ..)
            | Filter::Linked(attr, _)
            | Filter::Parts(attr, _)
            | Filter::AtLeast(attr, _)
            | Filter::AtMost(attr, _)
            | Filter::Present(attr)
            | Filter::Sounds(attr, _)
            | Filter::Exact(attr, ..) => {
                // what somebody may not see must not answer questions either
                if !self.catalogue.sees_attribute(self.access, entry, *attr) {
                    return None;
                }
                Some(self.condition(filter, slot, entry))
            }
        }
    }

    /// AND, or with `or` OR: one value decides, undefined is in between.
    fn all(&mut self, filters: &[Filter], slot: Slot, entry: &Entry, or: bool) -> Option<bool> {
        let mut result = Some(!or);
        for filter in filters {
            match self.matches(filter, slot, entry) {
                Some(is) if is == or => return Some(or),
                Some(_) => {}
                None => result = None,
            }
        }
        result
    }

    fn condition(&mut self, filter: &Filter, slot: Slot, entry: &Entry) -> bool {
        let (catalogue, access) = (self.catalogue, self.access);
        let scratch = &mut self.scratch;
        match filter {
            Filter::Equal(attr, prepared) => {
                catalogue.has_value(access, slot, entry, *attr, prepared, scratch)
            }
            Filter::Exact(attr, rule, prepared) => {
                any(catalogue, access, slot, entry, *attr, |value| {
                    normalise_into(*rule, value, scratch);
                    scratch == prepared
                })
            }
            Filter::Linked(Attr::MemberOf, Some(list)) => self.is_member(entry, *list),
            Filter::Linked(attr, Some(id)) => {
                entry.ids(*attr).any(|of| of == *id)
                    && catalogue
                        .slot_of(*id)
                        .and_then(|other| catalogue.get(other))
                        .is_some_and(|other| catalogue.sees(access, other))
            }
            Filter::Parts(attr, parts) => {
                let rule = attr.rule();
                any(catalogue, access, slot, entry, *attr, |value| {
                    normalise_into(rule, value, scratch);
                    has_parts(scratch, parts)
                })
            }
            Filter::AtLeast(attr, order) => any(catalogue, access, slot, entry, *attr, |value| {
                compare(*attr, value, order).is_some_and(std::cmp::Ordering::is_ge)
            }),
            Filter::AtMost(attr, order) => any(catalogue, access, slot, entry, *attr, |value| {
                compare(*attr, value, order).is_some_and(std::cmp::Ordering::is_le)
            }),
            Filter::Present(attr) => {
                if !is_made(*attr) && attr.rule() != Rule::Dn {
                    return catalogue.attributes_of(entry) & attr.bit() != 0;
                }
                any(catalogue, access, slot, entry, *attr, |_| true)
            }
            Filter::Sounds(attr, wanted) => {
                any(catalogue, access, slot, entry, *attr, |value| sound(value) == *wanted)
            }
            _ => false,
        }
    }

    fn is_member(&self, entry: &Entry, list: u64) -> bool {
        let Some(list) = self.catalogue.slot_of(list).and_then(|slot| self.catalogue.get(slot))
        else {
            return false;
        };
        list.ids(Attr::Member).any(|id| id == entry.id)
            && self.catalogue.sees(self.access, list)
            && self.catalogue.sees_attribute(self.access, list, Attr::Member)
    }

    fn has_anywhere(
        &mut self,
        prepared: &str,
        attr: Option<Attr>,
        slot: Slot,
        entry: &Entry,
    ) -> bool {
        let texts = |rule| matches!(rule, Rule::CaseIgnore | Rule::CaseExact);
        for definition in ATTRIBUTES {
            let wanted = attr.is_none_or(|attr| attr == definition.attr);
            if wanted
                && definition.usage == Usage::User
                && texts(definition.rule)
                && self.catalogue.sees_attribute(self.access, entry, definition.attr)
                && any(self.catalogue, self.access, slot, entry, definition.attr, |value| {
                    normalise_into(Rule::CaseIgnore, value, &mut self.scratch);
                    self.scratch == prepared
                })
            {
                return true;
            }
        }
        false
    }

    /// Whether a name of the entry's DN is this one.
    fn in_dn(&self, prepared: &str, attr: Option<Attr>, slot: Slot) -> bool {
        let mut next = slot;
        for _ in 0..=concord_directory::MAX_CONTAINER_DEPTH + 4 {
            let Some(entry) = self.catalogue.get(next) else { return false };
            let (name, value) = entry.name();
            let wanted = attr.is_none_or(|attr| Attr::from_name(name) == Some(attr));
            if wanted && normalise(Rule::CaseIgnore, value) == prepared {
                return true;
            }
            next = entry.parent;
        }
        false
    }
}

fn any(
    catalogue: &Catalogue,
    access: &Access,
    slot: Slot,
    entry: &Entry,
    attr: Attr,
    mut is: impl FnMut(&str) -> bool,
) -> bool {
    let mut found = false;
    catalogue.each_value(access, slot, entry, attr, |value| {
        found = is(value);
        !found
    });
    found
}

/// The parts in their order, none over another.
fn has_parts(value: &str, parts: &Parts) -> bool {
    let mut rest = value;
    if let Some(initial) = &parts.initial {
        match rest.strip_prefix(initial.as_str()) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    for part in &parts.any {
        match memchr::memmem::find(rest.as_bytes(), part.as_bytes()) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    parts.last.as_ref().is_none_or(|last| rest.ends_with(last.as_str()))
}

fn compare(attr: Attr, value: &str, order: &Order) -> Option<std::cmp::Ordering> {
    match order {
        Order::Number(number) => value.parse::<i128>().ok().map(|value| value.cmp(number)),
        Order::Time(time) => super::compile::time(value).map(|value| value.cmp(time)),
        Order::Text(text) => Some(normalise(attr.rule(), value).as_str().cmp(text.as_str())),
    }
}
