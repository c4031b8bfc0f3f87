//! Directory requests, answers and updates.

use super::pen::Pen;
use crate::model::{Alias, Directory, Entry, Query, Value};
use crate::vocabulary::{Keyword, OBJECT_KINDS, OPERATIONS, Sub, word};

pub(super) fn write(pen: &mut Pen, directory: &Directory) {
    pen.word(Keyword::MsgType, "Admin");
    pen.text(Keyword::MsgId, &directory.id);
    pen.text(Keyword::OrigMsgId, &directory.answers);
    if let Some(query) = &directory.query {
        write_query(pen, query);
    }
    if directory.nothing_found {
        pen.comment("There are no objects which match the query criteria");
    }
    if directory.everything {
        pen.flag(Keyword::GetDirectory);
    }
    for entry in &directory.entries {
        write_entry(pen, entry);
    }
}

fn write_query(pen: &mut Pen, query: &Query) {
    pen.comment("The query information was:");
    pen.comment(format!("Type = {}", query.kind).trim_end());
    pen.comment(format!("Domain = {}", query.domain).trim_end());
    pen.comment(format!("Post Office = {}", query.post_office).trim_end());
}

fn write_entry(pen: &mut Pen, entry: &Entry) {
    let found = OBJECT_KINDS.iter().find(|(_, (_, kind))| *kind == entry.kind);
    let keyword = found.map_or(Keyword::DsUser, |(_, (keyword, _))| *keyword);
    pen.open(keyword);
    pen.open_line(keyword, Sub::Operation, word(OPERATIONS, &entry.operation));
    field(pen, keyword, Sub::Visibility, &entry.visibility);
    pen.open_line(keyword, Sub::Domain, &entry.domain);
    pen.open_line(keyword, Sub::PostOffice, &entry.post_office);
    if !entry.object.is_empty() {
        pen.open_line(keyword, Sub::Object, &entry.object);
    }
    for (sub, value) in [
        (Sub::Surname, &entry.last_name),
        (Sub::GivenName, &entry.first_name),
        (Sub::Description, &entry.description),
        (Sub::AccountId, &entry.account_id),
        (Sub::Title, &entry.title),
        (Sub::Department, &entry.department),
        (Sub::Telephone, &entry.phone),
        (Sub::Fax, &entry.fax),
        (Sub::NetworkId, &entry.network_id),
        (Sub::TimeZone, &entry.time_zone),
    ] {
        field(pen, keyword, sub, value);
    }
    if let Some(aliases) = &entry.aliases {
        write_aliases(pen, aliases);
    }
    pen.raw(b"    ;\r\n");
}

fn field(pen: &mut Pen, keyword: Keyword, sub: Sub, value: &Value) {
    match value {
        Value::Unsaid => {}
        Value::Nothing => pen.open_line(keyword, sub, "\\"),
        Value::Text(text) => pen.open_line(keyword, sub, text),
    }
}

fn write_aliases(pen: &mut Pen, aliases: &[Alias]) {
    if aliases.is_empty() {
        pen.raw(b"    Gw-Alias=;\r\n");
        return;
    }
    pen.raw(b"    Gw-Alias=\r\n");
    let last = aliases.len() - 1;
    for (n, alias) in aliases.iter().enumerate() {
        pen.raw(b"        Type= ");
        pen.value(&alias.kind);
        pen.raw(b";\r\n        External-Name= ");
        pen.value(&alias.external_name);
        pen.raw(if n == last { b"; ;\r\n" } else { b"; ,\r\n" });
    }
}
