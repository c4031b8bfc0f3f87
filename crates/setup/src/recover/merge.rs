//! Merging a backup's directory into the one that is there. Nothing is removed.

use super::staged;
use crate::backup::{Backup, BackupError};
use crate::error::{Result, SetupError};
use crate::host::{ConnectorObject, DirectoryState, Entry, EntryKey, GeneratorObject, Host};
use crate::plan::Plan;
use crate::step::Step;
use concord_directory::{Details, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// Kinds that are of an installation, not of what it is for.
const OF_THE_SERVER: [Kind; 3] = [Kind::Organisation, Kind::Site, Kind::Server];
/// Objects that are kept or differ are named up to so many; the rest is counted.
const NAMED: usize = 1_000;

/// Plans the merge. Gives back the step's file content, and what the directory
/// says afterwards.
pub(super) fn plan(
    host: &Host,
    backup: &Backup,
    here: &DirectoryState,
    overwrite: bool,
    plan: &mut Plan,
) -> Result<(Vec<Entry>, DirectoryState)> {
    let there = host
        .system
        .entries()
        .map_err(|error| BackupError::UnknownStore(error.to_string()))?
        .ok_or_else(|| BackupError::UnknownStore("there is no store".to_owned()))?;
    let mut wanted = host.system.entries_at(&backup.store())?;
    wanted.retain(|entry| !OF_THE_SERVER.contains(&entry.key().kind));
    let put = compare(&there, wanted, overwrite, plan);
    let mut after = here.clone();
    for entry in &put {
        learn(entry, &mut after);
    }
    Ok((put, after))
}

/// Objects to be put; what becomes of each is in the plan's changes.
fn compare(there: &[Entry], wanted: Vec<Entry>, overwrite: bool, plan: &mut Plan) -> Vec<Entry> {
    let by_key: BTreeMap<EntryKey, &Entry> =
        there.iter().map(|entry| (entry.key(), entry)).collect();
    let holders: BTreeMap<String, EntryKey> = there
        .iter()
        .flat_map(|e| e.object.proxies.iter().map(|p| (p.address.key(), e.key())))
        .collect();
    let wanted_keys: BTreeSet<EntryKey> = wanted.iter().map(Entry::key).collect();
    let mut put = Vec::new();
    let mut untouched = 0;
    for mut entry in wanted {
        let key = entry.key();
        match by_key.get(&key) {
            None => {
                drop_taken(&mut entry, &holders, plan);
                plan.change("add", key.to_string(), "it is not there");
                put.push(entry);
            }
            Some(same) if is_same(same, &entry) => {}
            Some(other) if overwrite => {
                drop_taken(&mut entry, &holders, plan);
                plan.change("change", key.to_string(), format!("{} differ", differ(other, &entry)));
                put.push(entry);
            }
            Some(other) => {
                let why =
                    format!("{} differ; --overwrite takes the backup's", differ(other, &entry));
                list(&mut untouched, "differs", &key, why, plan);
            }
        }
    }
    let only_here = by_key
        .keys()
        .filter(|key| !wanted_keys.contains(*key) && !OF_THE_SERVER.contains(&key.kind));
    for key in only_here {
        list(&mut untouched, "keep", key, "the backup does not have it".to_owned(), plan);
    }
    if untouched > NAMED {
        plan.notes.push(format!("{} objects more stay as they are", untouched - NAMED));
    }
    put.sort_by_key(Entry::key);
    put
}

fn list(untouched: &mut usize, act: &'static str, key: &EntryKey, why: String, plan: &mut Plan) {
    *untouched += 1;
    if *untouched <= NAMED {
        plan.change(act, key.to_string(), why);
    }
}

/// An address belongs to one object: the one that has it here keeps it.
fn drop_taken(entry: &mut Entry, holders: &BTreeMap<String, EntryKey>, plan: &mut Plan) {
    let key = entry.key();
    entry.object.proxies.retain(|proxy| match holders.get(&proxy.address.key()) {
        Some(holder) if *holder != key => {
            plan.notes.push(format!(
                "{key} comes without the address {}: {holder} has it here",
                proxy.address
            ));
            false
        }
        _ => true,
    });
}

fn is_same(a: &Entry, b: &Entry) -> bool {
    differences(a, b).is_empty()
}

fn differ(a: &Entry, b: &Entry) -> String {
    differences(a, b).join(", ")
}

fn differences(a: &Entry, b: &Entry) -> Vec<&'static str> {
    let mut told = Vec::new();
    let mut tell = |differs: bool, what| {
        if differs {
            told.push(what);
        }
    };
    tell(a.object.display_name != b.object.display_name, "display names");
    let addresses = |entry: &Entry| {
        let all = entry.object.proxies.iter().map(|p| (p.address.key(), p.primary));
        all.collect::<BTreeSet<_>>()
    };
    tell(addresses(a) != addresses(b), "addresses");
    tell(a.references() != b.references(), "members or other references");
    tell(a.object.attributes != b.object.attributes, "attributes");
    let policy = |entry: &Entry| entry.renumbered(|_| None).policy;
    tell(policy(a) != policy(b), "policies");
    match (&a.object.details, &b.object.details) {
        (Details::Mailbox(a), Details::Mailbox(b)) => {
            tell(a.credentials != b.credentials, "passwords");
            tell(a.quota != b.quota, "quotas");
            tell(a.login_disabled != b.login_disabled, "logins");
            tell(a.rules != b.rules, "rules of mailboxes");
        }
        (Details::Contact(a), Details::Contact(b)) => tell(a != b, "targets"),
        (Details::PublicFolder(a), Details::PublicFolder(b)) => {
            tell(a.quota != b.quota, "quotas");
        }
        (Details::Resource(a), Details::Resource(b)) => {
            let plain = |r: &concord_directory::Resource| (r.resource, r.capacity, r.quota);
            tell(plain(a) != plain(b), "resources");
        }
        (Details::List(a), Details::List(b)) => {
            tell((a.hide_members, a.report_to) != (b.hide_members, b.report_to), "list settings");
        }
        (Details::Role(a), Details::Role(b)) => tell(a.right != b.right, "rights"),
        (Details::Connector(a), Details::Connector(b)) => {
            tell(a.address_spaces != b.address_spaces, "address spaces");
            tell(a.settings != b.settings, "settings");
            tell((&a.component, a.enabled) != (&b.component, b.enabled), "components");
        }
        (Details::Generator(a), Details::Generator(b)) => tell(a != b, "rules"),
        _ => {}
    }
    told
}

/// What the directory says once the object is in it.
fn learn(entry: &Entry, state: &mut DirectoryState) {
    let name = entry.object.name.clone();
    match &entry.object.details {
        Details::Connector(c) => {
            state.connectors.retain(|there| there.name != name);
            let spaces = c.address_spaces.iter();
            state.connectors.push(ConnectorObject {
                name,
                component: c.component.clone(),
                enabled: c.enabled,
                address_spaces: spaces.filter_map(|s| serde_json::to_value(s).ok()).collect(),
                settings: c.settings.clone(),
            });
        }
        Details::Generator(g) => {
            state.generators.retain(|there| there.address_type != name);
            state.generators.push(GeneratorObject {
                address_type: name,
                component: g.component.clone(),
                rule: g.rule.clone(),
            });
        }
        _ => {}
    }
}

/// Stages the objects, and adds the step that puts them.
pub(super) fn step(host: &Host, put: &[Entry], dry_run: bool, plan: &mut Plan) -> Result<()> {
    if put.is_empty() {
        return Ok(());
    }
    let file = staged(host).join("objects.json");
    if dry_run {
        plan.step(Step::MergeDirectory { file });
        return Ok(());
    }
    let octets = serde_json::to_vec(put)
        .map_err(|e| SetupError::invalid("stage objects of the directory", e))?;
    host.make_directories(&staged(host), 0o700)?;
    host.write_file(&file, &octets, 0o600, None)?;
    plan.step(Step::MergeDirectory { file });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_directory::{Contact, Mailbox, NewObject, Proxy};

    fn entry(name: &str, addresses: &[&str], details: Details) -> Entry {
        let proxies = addresses.iter().enumerate().map(|(number, address)| Proxy {
            address: address.parse().unwrap(),
            primary: number == 0,
        });
        let object = NewObject {
            name: name.into(),
            display_name: name.into(),
            proxies: proxies.collect(),
            details,
            attributes: Default::default(),
            policy: Default::default(),
        };
        Entry { object, referred: BTreeMap::new() }
    }

    fn mailbox(name: &str, addresses: &[&str]) -> Entry {
        entry(name, addresses, Details::Mailbox(Mailbox::default()))
    }

    #[test]
    fn what_is_missing_is_added_and_nothing_is_taken_from_anybody() {
        let there = [mailbox("carol", &["SMTP:alice@example.test"]), mailbox("bob", &[])];
        let contact = Contact { target: "SMTP:x@elsewhere.test".parse().unwrap() };
        let wanted = vec![
            mailbox("Alice", &["SMTP:alice@example.test", "SMTP:a@example.test"]),
            mailbox("bob", &["SMTP:bob@example.test"]),
            entry("friend", &[], Details::Contact(contact)),
        ];
        let mut plan = Plan::new("test");
        let put = compare(&there, wanted.clone(), false, &mut plan);
        let names: Vec<_> = put.iter().map(|entry| entry.object.name.as_str()).collect();
        assert_eq!(names, ["Alice", "friend"]);
        let left: Vec<_> = put[0].object.proxies.iter().map(|p| p.address.to_string()).collect();
        assert_eq!(left, ["SMTP:a@example.test"], "carol keeps the other one");
        assert!(plan.notes[0].contains("mailbox carol has it"), "{:?}", plan.notes);
        let acts: Vec<_> =
            plan.changes.iter().map(|change| (change.act, change.what.as_str())).collect();
        let expected = [
            ("add", "mailbox alice"),
            ("differs", "mailbox bob"),
            ("add", "contact friend"),
            ("keep", "mailbox carol"),
        ];
        assert_eq!(acts, expected);
        let put = compare(&there, wanted, true, &mut Plan::new("test"));
        assert!(put.iter().any(|entry| entry.object.name == "bob"));
    }

    #[test]
    fn the_same_directory_is_no_change() {
        let there = [mailbox("bob", &["SMTP:bob@example.test"])];
        let mut plan = Plan::new("test");
        assert_eq!(compare(&there, there.to_vec(), true, &mut plan), []);
        assert_eq!((plan.changes.len(), plan.notes.len()), (0, 0));
    }
}
