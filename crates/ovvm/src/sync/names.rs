//! NAMES files as directories: one entry for each person.
//!
//! Names of attributes are the tags, and those of the table of OfficeVision/VM
//! (`concord_mapping::shipped::OVVM`).

use concord_cms_mail::names::{self, Entry};
use concord_cms_mail::{HostAddress, TableError};
use concord_connector::wire::MAX_ENTRY;
use concord_dirsync::{Consent, EntryKind, ForeignEntry, ForeignKey, PresentEntry};
use concord_mapping::Attributes;
use std::collections::BTreeMap;

/// The tag that begins an entry.
const FIRST: &str = "nick";
/// Tags that take part beside those that say where somebody is.
const FIELDS: [&str; 3] = ["name", "phone", "addr"];
/// Octets of a value that take part: an entry of all of them stays below what the
/// core takes ([`MAX_ENTRY`]).
const MAX_VALUE: usize = MAX_ENTRY / 16;

/// Somebody in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    address: HostAddress,
    nick: String,
    /// Values of [`FIELDS`] that are not empty.
    fields: BTreeMap<String, String>,
}

/// A directory, by keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listing(BTreeMap<String, Person>);

impl Person {
    fn read(entry: &Entry, node: &str) -> Option<Self> {
        // A list is no recipient of the host's.
        if entry.get("list").is_some() {
            return None;
        }
        let value = |tag: &str| entry.get(tag).map(str::trim).filter(|value| !value.is_empty());
        let node = value("node").unwrap_or(node);
        let address = HostAddress::new(node, value("userid")?).ok()?;
        let field = |tag: &&str| {
            let value = value(tag)?;
            let end = value.floor_char_boundary(MAX_VALUE);
            Some(((*tag).to_owned(), value.get(..end)?.to_owned()))
        };
        let fields = FIELDS.iter().filter_map(field).collect();
        let nick = value(FIRST).unwrap_or(address.user()).to_owned();
        Some(Self { address, nick, fields })
    }

    /// Somebody of ours, by what the core says; an error if the address is none of
    /// this node.
    pub fn exported(attributes: &Attributes, own: &str) -> Result<Self, String> {
        let first = |name: &str| attributes.get(name).and_then(|values| values.first());
        let written = first("address").cloned().unwrap_or_default();
        let value = written.split_once(':').map_or(written.as_str(), |(_, value)| value);
        let parts = value.split_once('.');
        let address = parts.and_then(|(node, user)| HostAddress::new(node, user).ok());
        let Some(address) = address.filter(|address| address.node().eq_ignore_ascii_case(own))
        else {
            return Err(format!(
                "'{written}' is no address of the node {own}, which alone is ours"
            ));
        };
        let field = |tag: &&str| {
            let value = plain(first(tag)?);
            (!value.is_empty()).then(|| ((*tag).to_owned(), value))
        };
        let nick = address.user().to_owned();
        Ok(Self { fields: FIELDS.iter().filter_map(field).collect(), address, nick })
    }

    pub fn key(&self) -> ForeignKey {
        let (node, user) = (self.address.node(), self.address.user());
        ForeignKey(format!("{node}.{user}").to_lowercase())
    }

    fn attributes(&self) -> Attributes {
        self.fields.iter().map(|(tag, value)| (tag.clone(), vec![value.clone()])).collect()
    }

    /// As an entry of a host's directory.
    pub fn listed(&self, own: &str) -> ForeignEntry {
        let mut attributes = self.attributes();
        let (node, user) = (self.address.node().to_owned(), self.address.user().to_owned());
        for (name, value) in [("node", &node), ("userid", &user), (FIRST, &self.nick)] {
            attributes.insert(name.to_owned(), vec![value.clone()]);
        }
        ForeignEntry {
            key: self.key(),
            kind: EntryKind::Person,
            consent: Consent::Given,
            exported_by_us: node.eq_ignore_ascii_case(own),
            attributes,
        }
    }

    /// As an entry that we exported.
    pub fn present(&self) -> PresentEntry {
        let mut attributes = self.attributes();
        let address = format!("{}.{}", self.address.node(), self.address.user());
        attributes.insert("address".to_owned(), vec![address]);
        PresentEntry { key: self.key(), mark: None, attributes }
    }

    fn entry(&self) -> Entry {
        let mut tags = vec![
            (FIRST.to_owned(), self.nick.clone()),
            ("userid".to_owned(), self.address.user().to_owned()),
            ("node".to_owned(), self.address.node().to_owned()),
        ];
        tags.extend(self.fields.iter().map(|(tag, value)| (tag.clone(), value.clone())));
        Entry { tags }
    }
}

impl Listing {
    /// Reads a NAMES file of a host's. Who is named twice counts as he stands last.
    pub fn read(text: &str, node: &str) -> Result<Self, TableError> {
        let entries = names::read(text, FIRST)?;
        let people = entries.iter().filter_map(|entry| Person::read(entry, node));
        Ok(Self(people.map(|person| (person.key().0, person)).collect()))
    }

    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.0.values()
    }

    pub fn put(&mut self, person: Person) {
        self.0.insert(person.key().0, person);
    }

    pub fn remove(&mut self, key: &ForeignKey) {
        self.0.remove(&key.0.to_lowercase());
    }

    /// The NAMES file.
    pub fn text(&self) -> String {
        self.0.values().map(|person| person.entry().to_string()).collect()
    }
}

/// A value that reads as one value wherever its line is broken: no word of it is
/// taken for a tag or begins a remark.
fn plain(value: &str) -> String {
    let words = value.split_whitespace().map(|word| word.trim_start_matches([':', '*']));
    let mut plain = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    plain.truncate(plain.floor_char_boundary(MAX_VALUE));
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTS: &str = "\
* the directory of VM1
:nick.JOE    :userid.JOE  :node.VM2
             :name.Joe Smith
             :phone.555-1234
             :addr.Room 12;Main Street
:nick.ANN    :userid.ANN
:nick.TEAM   :list.JOE ANN
:nick.BROKEN :userid.NAMETOOLONG
:nick.JOE2   :userid.JOE :node.VM2 :name.Joseph Smith
";

    #[test]
    fn people_of_a_names_file_are_entries_and_lists_are_not() {
        let listing = Listing::read(HOSTS, "VM1").unwrap();
        let entries: Vec<ForeignEntry> = listing.people().map(|p| p.listed("CONCORD")).collect();
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.0.as_str()).collect();
        assert_eq!(keys, ["vm1.ann", "vm2.joe"]);
        assert_eq!(entries[1].attributes["name"], ["Joseph Smith"], "the last one counts");
        assert_eq!(entries[0].attributes["node"], ["VM1"]);
        assert!(entries.iter().all(|entry| !entry.exported_by_us));
        assert!(Listing::read("no tag here", "VM1").is_err());
    }

    #[test]
    fn what_is_exported_comes_back_as_it_was() {
        let exported = |name: &str, phone: &str| {
            let attributes = Attributes::from([
                ("address".to_owned(), vec!["PROFS:CONCORD.ALICE".to_owned()]),
                ("name".to_owned(), vec![name.to_owned()]),
                ("phone".to_owned(), vec![phone.to_owned()]),
            ]);
            Person::exported(&attributes, "concord").unwrap()
        };
        for (name, phone, read) in [
            ("Alice Doe", "1", "Alice Doe"),
            ("Müller: Anna", "", "Müller: Anna"),
            // Neither a tag nor a line of its own.
            ("x :node.EVIL y", "", "x node.EVIL y"),
            ("two\n:nick.BOB lines", "", "two nick.BOB lines"),
            ("* no remark", "", "no remark"),
        ] {
            let mut listing = Listing::default();
            listing.put(exported(name, phone));
            let again = Listing::read(&listing.text(), "OTHER").unwrap();
            assert_eq!(again, listing, "{name}");
            let present = again.people().next().unwrap().present();
            assert_eq!(present.attributes["name"], [read]);
            assert_eq!(present.attributes["address"], ["CONCORD.ALICE"]);
        }
    }
}
