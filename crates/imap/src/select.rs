//! SELECT, EXAMINE and STATUS.

use crate::command::wire_name;
use crate::error::{Done, Fail, Outcome};
use crate::folders;
use crate::selected::Selected;
use crate::session::Session;
use crate::write;
use concord_store::{Item, Keyword, SystemFlags};
use imap_types::command::SelectParameter;
use imap_types::mailbox::Mailbox;
use imap_types::status::StatusDataItemName;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Keywords named in FLAGS; a folder with more has a client gone wild.
const MAX_LISTED_KEYWORDS: usize = 500;

/// The keywords in use in a folder.
fn keywords(items: &[Item]) -> BTreeSet<&Keyword> {
    let mut found = BTreeSet::new();
    for item in items {
        for keyword in item.flags.keywords() {
            if found.len() < MAX_LISTED_KEYWORDS {
                found.insert(keyword);
            }
        }
    }
    found
}

fn write_flags(out: &mut Vec<u8>, items: &[Item], read_only: bool) {
    let mut names = String::new();
    for (_, name) in SystemFlags::NAMES {
        if !names.is_empty() {
            names.push(' ');
        }
        names.push_str(name);
    }
    for keyword in keywords(items) {
        names.push(' ');
        names.push_str(keyword.as_str());
    }
    out.extend_from_slice(format!("* FLAGS ({names})\r\n").as_bytes());
    let permanent = if read_only { String::new() } else { format!("{names} \\*") };
    out.extend_from_slice(format!("* OK [PERMANENTFLAGS ({permanent})] flags kept\r\n").as_bytes());
}

/// SELECT and EXAMINE
pub(crate) async fn select(
    session: &mut Session,
    mailbox: &Mailbox<'_>,
    parameters: &[SelectParameter],
    read_only: bool,
) -> Outcome {
    // whatever comes of it, the old folder is closed (RFC 3501 section 6.3.1)
    session.selected = None;
    for parameter in parameters {
        match parameter {
            SelectParameter::CondStore => session.condstore = true,
            SelectParameter::QResync { .. } => return Err(Fail::Bad("QRESYNC is not supported")),
        }
    }
    let server = Arc::clone(&session.server);
    let folder = folders::folder(session, mailbox, "NONEXISTENT").await?;
    let store = &*server.store;
    let selected = Selected::open(store, folder.id, read_only).await?;
    let out = &mut session.connection.out;
    write_flags(out, &selected.items, read_only);
    write::untagged_number(out, selected.count(), "EXISTS");
    write::untagged_number(out, 0, "RECENT");
    let unseen = |item: &Item| !item.flags.system.contains(SystemFlags::SEEN);
    if let Some(at) = selected.items.iter().position(unseen) {
        out.extend_from_slice(format!("* OK [UNSEEN {}] first unseen\r\n", at + 1).as_bytes());
    }
    // the view may have what came after the folder was looked up
    let next = selected.items.last().map_or(0, |item| item.uid).saturating_add(1);
    let next = next.max(folder.uid_next);
    for line in [
        format!("* OK [UIDVALIDITY {}] UIDs are valid\r\n", folder.uid_validity),
        format!("* OK [UIDNEXT {next}] predicted next UID\r\n"),
        format!("* OK [HIGHESTMODSEQ {}] highest\r\n", selected.modseq),
    ] {
        out.extend_from_slice(line.as_bytes());
    }
    session.selected = Some(selected);
    let code = if read_only { "READ-ONLY" } else { "READ-WRITE" };
    Ok(Done::with_code(code, "selected"))
}

/// STATUS
pub(crate) async fn status(
    session: &mut Session,
    mailbox: &Mailbox<'_>,
    names: &[StatusDataItemName],
) -> Outcome {
    let folder = folders::folder(session, mailbox, "NONEXISTENT").await?;
    let deleted = |name: &StatusDataItemName| {
        matches!(name, StatusDataItemName::Deleted | StatusDataItemName::DeletedStorage)
    };
    let mut gone = (0u64, 0u64);
    if names.iter().any(deleted) {
        let (items, _) = session.server.store.items(folder.id).await?;
        for item in items.iter().filter(|i| i.flags.system.contains(SystemFlags::DELETED)) {
            gone = (gone.0 + 1, gone.1.saturating_add(item.octets));
        }
    }
    let out = &mut session.connection.out;
    out.extend_from_slice(b"* STATUS ");
    wire_name(out, folder.name.as_str());
    out.extend_from_slice(b" (");
    for (i, name) in names.iter().enumerate() {
        let (word, value) = match name {
            StatusDataItemName::Messages => ("MESSAGES", u64::from(folder.messages)),
            StatusDataItemName::Recent => ("RECENT", 0),
            StatusDataItemName::UidNext => ("UIDNEXT", u64::from(folder.uid_next)),
            StatusDataItemName::UidValidity => ("UIDVALIDITY", u64::from(folder.uid_validity)),
            StatusDataItemName::Unseen => ("UNSEEN", u64::from(folder.unseen)),
            StatusDataItemName::Deleted => ("DELETED", gone.0),
            StatusDataItemName::DeletedStorage => ("DELETED-STORAGE", gone.1.div_ceil(1024)),
            StatusDataItemName::Size => ("SIZE", folder.octets),
            StatusDataItemName::HighestModSeq => {
                session.condstore = true;
                ("HIGHESTMODSEQ", folder.highest_modseq)
            }
        };
        if i > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word.as_bytes());
        out.push(b' ');
        write::number(out, value);
    }
    out.extend_from_slice(b")\r\n");
    Ok(Done::new("done"))
}
