//! Directory requests, answers and updates.

use super::values::Values;
use crate::limits::MAX_OBJECTS;
use crate::model::{Alias, Directory, Entry, EntryKind, Operation, Query, Value};
use crate::outcome::{Defect, Reason};
use crate::syntax::{SubField, SubValue};
use crate::vocabulary::{Keyword, OBJECT_KINDS, OPERATIONS, Sub, meaning};

/// What an answer without objects says in a comment (Q214648).
const NO_MATCH: &str = "no objects which match";

/// Characters of a name in a comment; comments are cut at
/// [`MAX_QUOTE`](crate::limits::MAX_QUOTE) octets.
const MAX_NAME: usize = 128;

pub(super) fn read(values: &mut Values) -> Result<Directory, Defect> {
    let mut directory = Directory {
        id: values.id(Keyword::MsgId),
        answers: values.id(Keyword::OrigMsgId),
        everything: values.has(Keyword::GetDirectory),
        ..Directory::default()
    };
    for comment in values.comments() {
        note(&mut directory, &comment);
    }
    let objects = values.take_objects();
    if objects.len() > MAX_OBJECTS {
        return Err(Defect { reason: Reason::TooMany, line: 0 });
    }
    directory.entries.reserve_exact(objects.len());
    for (keyword, block) in objects {
        let entry = entry(values, keyword, &block);
        directory.entries.push(entry);
    }
    Ok(directory)
}

/// Takes what comments say of the question: `Type = DS-User`.
fn note(directory: &mut Directory, comment: &str) {
    if comment.to_ascii_lowercase().contains(NO_MATCH) {
        directory.nothing_found = true;
    }
    let Some((name, value)) = comment.split_once('=') else { return };
    let value: String = value.trim().chars().take(MAX_NAME).collect();
    let value = value.trim_end().to_owned();
    let squeezed: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    let query = || Query::default();
    match squeezed.to_ascii_lowercase().as_str() {
        "type" => directory.query.get_or_insert_with(query).kind = value,
        "domain" => directory.query.get_or_insert_with(query).domain = value,
        "postoffice" => directory.query.get_or_insert_with(query).post_office = value,
        _ => {}
    }
}

fn entry(values: &mut Values, keyword: Keyword, block: &[SubField]) -> Entry {
    let kind = OBJECT_KINDS.iter().find(|(_, (k, _))| *k == keyword);
    let kind = kind.map_or(EntryKind::User, |(_, (_, kind))| *kind);
    let mut entry = Entry::new(kind, Operation::List, "", "", "");
    for (sub, line, text) in values.texts(block) {
        match sub {
            Sub::Operation => match meaning(OPERATIONS, &text) {
                Some(operation) => entry.operation = operation,
                None => values.unknown_value(line, keyword, &text),
            },
            Sub::Domain => entry.domain = text,
            Sub::PostOffice => entry.post_office = text,
            Sub::Object => entry.object = text,
            _ => {
                if let Some(field) = field(&mut entry, sub) {
                    *field = value(text);
                }
            }
        }
    }
    for sub in block {
        if let SubValue::List(blocks) = &sub.value {
            let aliases = entry.aliases.get_or_insert_default();
            aliases.extend(blocks.iter().filter_map(|block| alias(values, block)));
        }
    }
    entry
}

fn field(entry: &mut Entry, sub: Sub) -> Option<&mut Value> {
    Some(match sub {
        Sub::Visibility => &mut entry.visibility,
        Sub::Surname => &mut entry.last_name,
        Sub::GivenName => &mut entry.first_name,
        Sub::Description => &mut entry.description,
        Sub::AccountId => &mut entry.account_id,
        Sub::Title => &mut entry.title,
        Sub::Department => &mut entry.department,
        Sub::Telephone => &mut entry.phone,
        Sub::Fax => &mut entry.fax,
        Sub::NetworkId => &mut entry.network_id,
        Sub::TimeZone => &mut entry.time_zone,
        _ => return None,
    })
}

/// A lone backslash is how a connector takes a value away (Q222506).
fn value(text: String) -> Value {
    if text == "\\" { Value::Nothing } else { Value::from_text(text) }
}

fn alias(values: &Values, block: &[SubField]) -> Option<Alias> {
    let mut alias = Alias { kind: String::new(), external_name: String::new() };
    for (sub, _, text) in values.texts(block) {
        match sub {
            Sub::Kind => alias.kind = text,
            Sub::ExternalName => alias.external_name = text,
            _ => {}
        }
    }
    (!(alias.kind.is_empty() && alias.external_name.is_empty())).then_some(alias)
}
