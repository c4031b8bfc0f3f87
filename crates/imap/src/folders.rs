//! LIST, LSUB, CREATE, DELETE, RENAME, SUBSCRIBE.

use crate::command::wire_name;
use crate::error::{Done, Fail, Outcome};
use crate::mutf7;
use crate::session::Session;
use crate::wildcard::{self, MAX_PATTERN};
use concord_store::{Folder, FolderName, StoreError};
use imap_types::mailbox::{ListMailbox, Mailbox};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// The wire form of a mailbox argument, in Unicode.
fn text(mailbox: &Mailbox<'_>) -> Outcome<String> {
    match mailbox {
        Mailbox::Inbox => Ok("INBOX".to_owned()),
        Mailbox::Other(other) => mutf7::decode(other.as_ref())
            .ok_or_else(|| Fail::No("CANNOT", "the name is not modified UTF-7".to_owned())),
    }
}

/// A mailbox argument as a folder's name.
pub(crate) fn folder_name(mailbox: &Mailbox<'_>) -> Outcome<FolderName> {
    text(mailbox)?.parse::<FolderName>().map_err(|error| Fail::No("CANNOT", error.to_string()))
}

/// The folder that a mailbox argument names. `code` is for when there is none.
pub(crate) async fn folder(
    session: &mut Session,
    mailbox: &Mailbox<'_>,
    code: &'static str,
) -> Outcome<Folder> {
    let missing = || Fail::No(code, "there is no such folder".to_owned());
    // a name that no folder can have names no folder
    let name = match folder_name(mailbox) {
        Ok(name) => name,
        Err(_) if code == "NONEXISTENT" => return Err(missing()),
        Err(fail) => return Err(fail),
    };
    session.server.store.folder(session.mailbox()?, &name).await?.ok_or_else(missing)
}

/// CREATE. A separator at the end says that folders will come below; they
/// always may (RFC 3501 section 6.3.3).
pub(crate) async fn create(session: &mut Session, mailbox: &Mailbox<'_>) -> Outcome {
    let text = text(mailbox)?;
    let name = text.strip_suffix(FolderName::SEPARATOR).unwrap_or(&text);
    let name: FolderName = name
        .parse()
        .map_err(|e: concord_store::ParseFolderNameError| Fail::No("CANNOT", e.to_string()))?;
    let id = session.mailbox()?;
    if session.server.store.folder(id, &name).await?.is_some() {
        return Err(StoreError::FolderExists(name.to_string()).into());
    }
    session.server.store.create_folder(id, &name, None).await?;
    Ok(Done::new("created"))
}

/// DELETE
pub(crate) async fn delete(session: &mut Session, mailbox: &Mailbox<'_>) -> Outcome {
    let folder = folder(session, mailbox, "NONEXISTENT").await?;
    if folder.name.is_inbox() {
        return Err(Fail::No("CANNOT", "INBOX cannot be removed".to_owned()));
    }
    session.server.store.delete_folder(session.mailbox()?, &folder.name).await?;
    if session.selected.as_ref().is_some_and(|selected| selected.folder == folder.id) {
        session.selected = None;
    }
    Ok(Done::new("removed"))
}

/// RENAME
pub(crate) async fn rename(session: &mut Session, from: &Mailbox<'_>, to: &Mailbox<'_>) -> Outcome {
    let from = folder(session, from, "NONEXISTENT").await?;
    let to = folder_name(to)?;
    if to.is_inbox() {
        return Err(StoreError::FolderExists(to.to_string()).into());
    }
    if to == from.name {
        return Err(Fail::No("CANNOT", "the new name is the old one".to_owned()));
    }
    if to.moved(&from.name, &to).is_some() {
        return Err(Fail::No("CANNOT", "a folder cannot move below itself".to_owned()));
    }
    session.server.store.rename_folder(session.mailbox()?, &from.name, &to).await?;
    Ok(Done::new("renamed"))
}

/// SUBSCRIBE and UNSUBSCRIBE
pub(crate) async fn subscribe(
    session: &mut Session,
    mailbox: &Mailbox<'_>,
    subscribed: bool,
) -> Outcome {
    let folder = folder(session, mailbox, "NONEXISTENT").await?;
    session.server.store.subscribe(session.mailbox()?, &folder.name, subscribed).await?;
    Ok(Done::new("done"))
}

/// One line of LIST before it is written: the folder, or `None` for a level
/// above one that exists.
type Listing = BTreeMap<String, Option<Folder>>;

fn listing(folders: Vec<Folder>, lsub: bool) -> (Listing, HashSet<String>) {
    let mut listing = Listing::new();
    let mut parents = HashSet::new();
    for folder in folders {
        if lsub && !folder.subscribed {
            continue;
        }
        let mut above = folder.name.parent();
        while let Some(name) = above {
            above = name.parent();
            parents.insert(name.as_str().to_owned());
        }
        listing.insert(folder.name.as_str().to_owned(), Some(folder));
    }
    for parent in &parents {
        listing.entry(parent.clone()).or_insert(None);
    }
    (listing, parents)
}

/// LIST and LSUB
pub(crate) async fn list(
    session: &mut Session,
    reference: &Mailbox<'_>,
    pattern: &ListMailbox<'_>,
    lsub: bool,
) -> Outcome {
    let octets: &[u8] = match pattern {
        ListMailbox::Token(token) => token.as_ref(),
        ListMailbox::String(string) => string.as_ref(),
    };
    let verb: &[u8] = if lsub { b"* LSUB (" } else { b"* LIST (" };
    if octets.is_empty() && !lsub {
        session.connection.push(b"* LIST (\\Noselect) \"/\" \"\"\r\n");
        return Ok(Done::new("done"));
    }
    let bad = || Fail::No("CANNOT", "the pattern is not modified UTF-7".to_owned());
    let pattern = mutf7::decode(octets).ok_or_else(bad)?;
    // a reference is a prefix, and nothing is relative (RFC 3501 section 6.3.8)
    let pattern = format!("{}{pattern}", text(reference)?);
    if pattern.len() > MAX_PATTERN {
        return Err(Fail::No("LIMIT", "the pattern is too long".to_owned()));
    }
    let server = Arc::clone(&session.server);
    let folders = server.store.folders(session.mailbox()?).await?;
    let (listing, parents) = listing(folders, lsub);
    for (name, folder) in &listing {
        if !wildcard::matches(&pattern, name) {
            continue;
        }
        // LSUB names a level above a subscription only for `%` (RFC 3501 section 6.3.9)
        if lsub && folder.is_none() && !pattern.contains('%') {
            continue;
        }
        let out = &mut session.connection.out;
        out.extend_from_slice(verb);
        let children: &[u8] =
            if parents.contains(name) { b"\\HasChildren" } else { b"\\HasNoChildren" };
        match folder {
            None => out.extend_from_slice(b"\\Noselect \\HasChildren"),
            Some(folder) => {
                out.extend_from_slice(children);
                if let Some(special) = folder.special_use {
                    out.push(b' ');
                    out.extend_from_slice(special.attribute().as_bytes());
                }
            }
        }
        out.extend_from_slice(b") \"/\" ");
        wire_name(out, name);
        out.extend_from_slice(b"\r\n");
        session.connection.flush_if_full().await?;
    }
    Ok(Done::new("done"))
}
