//! Objects of GroupWise's directory as entries of a synchronisation, and back.
//!
//! Names of attributes are those of the GroupWise schema table
//! (`concord_mapping::shipped::GROUPWISE`).

use concord_connector::wire::ForeignUpdates;
use concord_dirsync::{EntryKind, ForeignEntry, ForeignKey, PresentEntry};
use concord_groupwise_api::model::{
    Address, Alias, Directory, Entry, EntryKind as Kind, Operation, Value,
};
use concord_mapping::Attributes;

/// The kind of alias that holds an Internet address (Q234588).
const SMTP_ALIAS: &str = "SMTP";

fn key(entry: &Entry) -> ForeignKey {
    let (domain, office) = (&entry.domain, &entry.post_office);
    ForeignKey(format!("{domain}.{office}.{}", entry.object).to_lowercase())
}

fn kind(entry: &Entry) -> Option<EntryKind> {
    match entry.kind {
        Kind::User => Some(EntryKind::Person),
        Kind::Group => Some(EntryKind::Group),
        Kind::Resource => Some(EntryKind::Resource),
        Kind::ExternalPostOffice => None,
    }
}

/// The fields that take part, by their names in the table.
fn fields(entry: &Entry) -> [(&'static str, &Value); 7] {
    [
        ("first-name", &entry.first_name),
        ("last-name", &entry.last_name),
        ("description", &entry.description),
        ("department", &entry.department),
        ("title", &entry.title),
        ("phone", &entry.phone),
        ("fax", &entry.fax),
    ]
}

fn attributes(entry: &Entry) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in fields(entry) {
        if !value.as_str().is_empty() {
            attributes.insert(name.to_owned(), vec![value.as_str().to_owned()]);
        }
    }
    let aliases = entry.aliases.iter().flatten();
    let smtp: Vec<String> = aliases
        .filter(|alias| alias.kind.eq_ignore_ascii_case(SMTP_ALIAS))
        .map(|alias| alias.external_name.clone())
        .collect();
    if !smtp.is_empty() {
        attributes.insert("smtp-alias".to_owned(), smtp);
    }
    attributes
}

/// An object of the whole directory; none for what is no recipient, or has no
/// name.
pub(super) fn listed(entry: &Entry, foreign_domain: &str) -> Option<ForeignEntry> {
    let kind = kind(entry).filter(|_| !entry.object.is_empty())?;
    let mut attributes = attributes(entry);
    for (name, value) in
        [("domain", &entry.domain), ("post-office", &entry.post_office), ("object", &entry.object)]
    {
        attributes.insert(name.to_owned(), vec![value.clone()]);
    }
    Some(ForeignEntry {
        key: key(entry),
        kind,
        consent: concord_dirsync::Consent::Given,
        exported_by_us: entry.domain.eq_ignore_ascii_case(foreign_domain),
        attributes,
    })
}

/// An object of our foreign domain.
pub(super) fn present(entry: &Entry) -> Option<PresentEntry> {
    if entry.object.is_empty() || entry.kind == Kind::ExternalPostOffice {
        return None;
    }
    let mut attributes = attributes(entry);
    let address = format!("{}.{}.{}", entry.domain, entry.post_office, entry.object);
    attributes.insert("address".to_owned(), vec![address]);
    Some(PresentEntry { key: key(entry), mark: None, attributes })
}

/// The key that an address has.
pub(super) fn key_of(address: &Address) -> ForeignKey {
    ForeignKey(address.to_string().to_lowercase())
}

/// What a file that nobody asked for says has changed; none if it is no such file
/// (Q229821).
pub(crate) fn updates(directory: &Directory, foreign_domain: &str) -> Option<ForeignUpdates> {
    let mut updates = ForeignUpdates::default();
    for entry in &directory.entries {
        match entry.operation {
            Operation::List => {}
            Operation::Add | Operation::Modify => {
                updates.entries.extend(listed(entry, foreign_domain));
            }
            Operation::Delete => updates.gone.push(key(entry)),
        }
    }
    (!updates.entries.is_empty() || !updates.gone.is_empty()).then_some(updates)
}

/// An object as a change makes it. Fields that the attributes do not have lose
/// their value.
pub(super) fn object(operation: Operation, address: &Address, attributes: &Attributes) -> Entry {
    let (domain, office) = (address.domain.clone(), address.post_office.clone());
    let mut entry = Entry::new(Kind::User, operation, domain, office, address.object.clone());
    if operation == Operation::Delete {
        return entry;
    }
    let value = |name: &str| {
        let text = attributes.get(name).and_then(|values| values.first());
        Value::from_text(text.cloned().unwrap_or_default())
    };
    entry.visibility = Value::Text("System".to_owned());
    entry.first_name = value("first-name");
    entry.last_name = value("last-name");
    entry.description = value("description");
    entry.department = value("department");
    entry.title = value("title");
    entry.phone = value("phone");
    entry.fax = value("fax");
    let aliases = attributes.get("smtp-alias").into_iter().flatten();
    let alias = |name: &String| Alias { kind: SMTP_ALIAS.into(), external_name: name.clone() };
    entry.aliases = Some(aliases.map(alias).collect());
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exported_object_is_found_present_as_it_was_sent() {
        let attributes = Attributes::from([
            ("first-name".to_owned(), vec!["Ann".to_owned()]),
            ("last-name".to_owned(), vec!["Lee".to_owned()]),
            ("smtp-alias".to_owned(), vec!["ann@example.test".to_owned()]),
        ]);
        let address = Address::new("EXCHANGE", "US", "ann.b");
        let entry = object(Operation::Add, &address, &attributes);
        let found = present(&entry).unwrap();
        assert_eq!(found.key, key_of(&address));
        let mut wanted = attributes;
        wanted.insert("address".to_owned(), vec!["EXCHANGE.US.ann.b".to_owned()]);
        assert_eq!(found.attributes, wanted);
    }

    #[test]
    fn an_answer_is_no_update() {
        let user = |operation| Entry::new(Kind::User, operation, "GWDOM", "GWPO", "u1");
        let of = |operation| {
            let entries = vec![user(operation)];
            updates(&Directory { entries, ..Directory::default() }, "EXCHANGE")
        };
        assert_eq!(of(Operation::List), None);
        assert_eq!(of(Operation::Modify).unwrap().entries.len(), 1);
        assert_eq!(of(Operation::Delete).unwrap().gone, [ForeignKey("gwdom.gwpo.u1".into())]);
    }
}
