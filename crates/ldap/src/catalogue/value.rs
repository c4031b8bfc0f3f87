//! The values of attributes, stored ones and those that follow from others.

use super::{Catalogue, Entry, Slot};
use crate::schema::{Attr, Class};
use crate::text::{Rule, equals, normalise};
use concord_directory::Access;

/// The stored attributes that an attribute's values come from, at entries of any
/// kind.
pub(crate) fn stored(attr: Attr) -> &'static [Attr] {
    match attr {
        Attr::Cn => &[Attr::Cn, Attr::DisplayName, Attr::Uid],
        Attr::O => &[Attr::O, Attr::Company],
        Attr::Ou => &[Attr::Ou, Attr::Department],
        Attr::Co => &[Attr::C],
        Attr::MailNickname => &[Attr::Uid],
        other => one(other),
    }
}

/// A list of this one attribute.
fn one(attr: Attr) -> &'static [Attr] {
    let table = crate::schema::ATTRIBUTES;
    table.get(attr as usize).map_or(&[], |definition| std::slice::from_ref(&definition.attr))
}

/// The same at one entry.
fn stored_at(attr: Attr, entry: &Entry) -> &'static [Attr] {
    if !entry.is_recipient() {
        return match attr {
            Attr::Cn | Attr::O | Attr::Ou => one(attr),
            other => stored(other),
        };
    }
    match attr {
        Attr::Cn => &[Attr::DisplayName, Attr::Uid],
        Attr::O => &[Attr::Company],
        Attr::Ou => &[Attr::Department],
        other => stored(other),
    }
}

/// Whether an attribute's values are made, not stored.
pub(crate) fn is_made(attr: Attr) -> bool {
    matches!(
        attr,
        Attr::ObjectClass
            | Attr::StructuralObjectClass
            | Attr::EntryDn
            | Attr::EntryUuid
            | Attr::CreateTimestamp
            | Attr::ModifyTimestamp
            | Attr::SubschemaSubentry
            | Attr::HasSubordinates
            | Attr::NumSubordinates
            | Attr::MemberOf
            | Attr::Usn
    )
}

/// The DN of the subschema entry.
pub(crate) const SUBSCHEMA: &str = "cn=Subschema";

/// Generalized Time with milliseconds (RFC 4517 section 3.3.13).
pub(crate) fn time(milliseconds: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%d%H%M%S.%3fZ").to_string()
}

impl Catalogue {
    /// Shows the values of an attribute of an entry until `see` says false.
    /// Objects that `access` does not see are left out. Gives back whether there
    /// was any.
    pub fn each_value(
        &self,
        access: &Access,
        slot: Slot,
        entry: &Entry,
        attr: Attr,
        mut see: impl FnMut(&str) -> bool,
    ) -> bool {
        if is_made(attr) {
            return self.each_made(access, slot, entry, attr, &mut see);
        }
        if attr.rule() == Rule::Dn {
            let mut any = false;
            for id in entry.ids(attr) {
                let Some(dn) = self.visible_dn(access, id) else { continue };
                any = true;
                if !see(&dn) {
                    break;
                }
            }
            return any;
        }
        let (mut any, mut first) = (false, None);
        for of in stored_at(attr, entry) {
            for value in entry.all(*of) {
                // an alias that is the display name as well is said once
                if first.is_some_and(|first| same(first, value)) {
                    continue;
                }
                if attr == Attr::Cn {
                    first = Some(value);
                }
                any = true;
                if !see(value) {
                    return true;
                }
            }
        }
        any
    }

    fn visible_dn(&self, access: &Access, id: u64) -> Option<String> {
        let slot = self.slot_of(id)?;
        let entry = self.get(slot)?;
        self.sees(access, entry).then(|| self.dn(slot))
    }

    fn each_made(
        &self,
        access: &Access,
        slot: Slot,
        entry: &Entry,
        attr: Attr,
        see: &mut dyn FnMut(&str) -> bool,
    ) -> bool {
        let value = match attr {
            Attr::ObjectClass => {
                for class in Class::of(entry.kind) {
                    if !see(class) {
                        break;
                    }
                }
                return true;
            }
            Attr::MemberOf => return self.each_membership(access, entry, see),
            Attr::StructuralObjectClass => Class::structural(entry.kind).to_owned(),
            Attr::EntryDn => self.dn(slot),
            Attr::EntryUuid => self.uuid(entry.id),
            Attr::CreateTimestamp => time(entry.created),
            Attr::ModifyTimestamp => time(entry.changed),
            Attr::SubschemaSubentry => SUBSCHEMA.to_owned(),
            Attr::Usn => entry.usn.to_string(),
            Attr::HasSubordinates => {
                super::draft::boolean(self.visible_child(access, slot)).to_owned()
            }
            Attr::NumSubordinates => self.children(slot).map_or(0, |c| c.len()).to_string(),
            _ => return false,
        };
        see(&value);
        true
    }

    fn visible_child(&self, access: &Access, slot: Slot) -> bool {
        let Some(children) = self.children(slot) else { return false };
        children.iter().filter_map(|child| self.get(child)).any(|child| self.sees(access, child))
    }

    fn each_membership(
        &self,
        access: &Access,
        entry: &Entry,
        see: &mut dyn FnMut(&str) -> bool,
    ) -> bool {
        let mut any = false;
        for slot in self.index.linked(Attr::Member, entry.id) {
            let Some(list) = self.get(slot) else { continue };
            if !list.ids(Attr::Member).any(|id| id == entry.id)
                || !self.sees(access, list)
                || !self.sees_attribute(access, list, Attr::Member)
            {
                continue;
            }
            any = true;
            if !see(&self.dn(slot)) {
                break;
            }
        }
        any
    }

    /// Whether an entry has a value that is equal to a prepared text.
    pub fn has_value(
        &self,
        access: &Access,
        slot: Slot,
        entry: &Entry,
        attr: Attr,
        prepared: &str,
        scratch: &mut String,
    ) -> bool {
        let mut found = false;
        self.each_value(access, slot, entry, attr, |value| {
            found = equals(attr.rule(), prepared, value, scratch);
            !found
        });
        found
    }

    /// The attributes that an entry may have values of, as a set: what is stored,
    /// and what follows from it.
    pub fn attributes_of(&self, entry: &Entry) -> u128 {
        let mut set = entry.has | Attr::ObjectClass.bit();
        if entry.is_recipient() {
            set |= Attr::Cn.bit() | Attr::MailNickname.bit();
            for (of, derived) in
                [(Attr::Company, Attr::O), (Attr::Department, Attr::Ou), (Attr::C, Attr::Co)]
            {
                if entry.has & of.bit() != 0 {
                    set |= derived.bit();
                }
            }
        }
        set
    }
}

fn same(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() && a.len() != b.len() && !a.contains("  ") && !b.contains("  ")
    {
        return false;
    }
    normalise(Rule::CaseIgnore, a) == normalise(Rule::CaseIgnore, b)
}
