//! Objects of the directory as the tables see them, and back.

use concord_address::TypedAddress;
use concord_directory::{
    Attributes as Kept, Contact, Details, Kind, Object, Proxy, attribute_type,
};
use concord_dirsync::{Change, Entry, RecipientKind};
use concord_mapping::{Attribute, Attributes};

const NAME: &str = "mailnickname";
const DISPLAY: &str = "displayname";
const TARGET: &str = "targetaddress";
const PROXIES: &str = "proxyaddresses";

/// The attributes of a recipient, by the names that the tables use.
pub(super) fn attributes(object: &Object) -> Attributes {
    let mut found = Attributes::new();
    found.insert(NAME.to_owned(), vec![object.name.clone()]);
    if !object.display_name.is_empty() {
        found.insert(DISPLAY.to_owned(), vec![object.display_name.clone()]);
    }
    if let Some(target) = object.target() {
        found.insert(TARGET.to_owned(), vec![target.to_string()]);
    }
    // The type of a primary address is in capitals.
    let proxy = |proxy: &Proxy| {
        let kind = proxy.address.kind().to_string();
        let kind = if proxy.primary { kind.to_uppercase() } else { kind.to_lowercase() };
        format!("{kind}:{}", proxy.address.value())
    };
    if !object.proxies.is_empty() {
        found.insert(PROXIES.to_owned(), object.proxies.iter().map(proxy).collect());
    }
    for (name, values) in object.attributes.iter() {
        found.insert(name.to_lowercase(), values.to_vec());
    }
    found
}

/// What a recipient is, as plans call it.
pub(super) fn recipient_kind(kind: Kind) -> Option<RecipientKind> {
    match kind {
        Kind::Mailbox => Some(RecipientKind::Mailbox),
        Kind::Contact => Some(RecipientKind::Contact),
        Kind::List => Some(RecipientKind::List),
        Kind::PublicFolder => Some(RecipientKind::PublicFolder),
        Kind::Resource => Some(RecipientKind::Resource),
        _ => None,
    }
}

/// Does the changes of a planned entry to a contact.
///
/// # Errors
/// What cannot be written, and why; the object is not to be stored then.
pub(super) fn apply(entry: &Entry, object: &mut Object) -> Result<(), String> {
    let mut after = attributes(object);
    entry.apply(&mut after);
    for change in &entry.changes {
        write(change, &after, object)?;
    }
    Ok(())
}

fn write(change: &Change, after: &Attributes, object: &mut Object) -> Result<(), String> {
    let first = || change.after.first().cloned().unwrap_or_default();
    match &change.attribute {
        Attribute::Named(name) if name == NAME => object.name = first(),
        Attribute::Named(name) if name == DISPLAY => object.display_name = first(),
        Attribute::Named(name) if name == TARGET => {
            let target = first().parse().map_err(|e| format!("its address: {e}"))?;
            match &mut object.details {
                Details::Contact(contact) => contact.target = target,
                details => *details = Details::Contact(Contact { target }),
            }
        }
        Attribute::Named(name) => named(name, &change.after, &mut object.attributes)?,
        Attribute::Primary(_) | Attribute::Secondary(_) => object.proxies = proxies(after)?,
    }
    Ok(())
}

/// Cuts to what the directory holds: the tables' lengths are below it, but rules
/// of an administrator may give more.
fn named(name: &str, values: &[String], kept: &mut Kept) -> Result<(), String> {
    let Some(known) = attribute_type(name) else {
        return Err(format!("this directory has no attribute '{name}'; take its rule away"));
    };
    let fit = |value: &String| -> String {
        let plain = value.chars().map(|c| if c.is_control() { ' ' } else { c });
        plain.take(known.length).collect()
    };
    kept.set(name, values.iter().map(fit).collect())
}

fn proxies(after: &Attributes) -> Result<Vec<Proxy>, String> {
    let mut found: Vec<Proxy> = Vec::new();
    for text in after.get(PROXIES).into_iter().flatten() {
        let address: TypedAddress = text.parse().map_err(|e| format!("an address: {e}"))?;
        let kind = text.split_once(':').map(|(kind, _)| kind).unwrap_or_default();
        let primary = kind.chars().all(|c| !c.is_lowercase());
        match found.iter_mut().find(|other| other.address.key() == address.key()) {
            Some(other) => other.primary |= primary,
            None => found.push(Proxy { address, primary }),
        }
    }
    // The first of a type stands for the object where none is said to.
    for place in 0..found.len() {
        let Some(proxy) = found.get(place) else { continue };
        let kind = proxy.address.kind().clone();
        if !found.iter().any(|other| other.primary && *other.address.kind() == kind)
            && let Some(proxy) = found.get_mut(place)
        {
            proxy.primary = true;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::{ObjectId, Timestamp};
    use concord_directory::NewObject;
    use concord_dirsync::Subject;

    fn entry(changes: &[(&str, &[&str])]) -> Entry {
        let change = |(name, after): &(&str, &[&str])| Change {
            attribute: name.parse().unwrap(),
            before: vec![],
            after: after.iter().map(|text| (*text).to_owned()).collect(),
        };
        let subject = Subject { name: String::new(), key: None, id: None };
        Entry { subject, changes: changes.iter().map(change).collect() }
    }

    #[test]
    fn a_planned_entry_becomes_a_contact_and_reads_back() {
        let target = "GWISE:D.P.x".parse().unwrap();
        let new = NewObject::new("x", Details::Contact(Contact { target }));
        let mut object = Object::from_new(ObjectId(1), new, Timestamp(0));
        let changes: &[(&str, &[&str])] = &[
            ("mailnickname", &["jane"]),
            ("displayname", &["Jane Doe"]),
            ("targetaddress", &["GWISE:CORP.PO.jane"]),
            ("telephonenumber", &["1\u{1b}2"]),
            ("proxy-addresses(SMTP:)", &["jane@example.test"]),
            ("secondary-proxy-addresses(SMTP:)", &["j@example.test"]),
        ];
        apply(&entry(changes), &mut object).unwrap();
        let seen = attributes(&object);
        assert_eq!(seen["proxyaddresses"], ["SMTP:jane@example.test", "smtp:j@example.test"]);
        assert_eq!(seen["targetaddress"], ["GWISE:CORP.PO.jane"]);
        assert_eq!(seen["telephonenumber"], ["1 2"]);
        assert_eq!((seen["mailnickname"][0].as_str(), object.name.as_str()), ("jane", "jane"));
        object.check().unwrap();
        apply(&entry(&[("proxy-addresses(SMTP:)", &[])]), &mut object).unwrap();
        assert!(object.proxies[0].primary, "the one that is left is the primary one");
        object.check().unwrap();
        assert!(apply(&entry(&[("shoesize", &["1"])]), &mut object).is_err());
    }
}
