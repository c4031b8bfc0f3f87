//! COPY and MOVE.

use crate::error::{Done, Fail, Outcome};
use crate::sequence;
use crate::session::Session;
use crate::{folders, write};
use concord_store::{Copied, UidSet};
use imap_types::mailbox::Mailbox;
use imap_types::sequence::SequenceSet;
use std::sync::Arc;

/// The UIDs that a set names in the selected folder.
pub(crate) fn named(session: &mut Session, set: &SequenceSet, uid: bool) -> Outcome<UidSet> {
    let items = &session.selected()?.items;
    let positions = sequence::positions(set, uid, items)
        .map_err(|_| Fail::Bad("there is no message with this number"))?;
    Ok(positions
        .into_iter()
        .flat_map(|r| items.get(r).unwrap_or_default())
        .map(|i| i.uid)
        .collect())
}

/// `COPYUID <validity> <old> <new>`, RFC 4315.
fn copy_uid(copied: &Copied) -> String {
    let mut out = format!("COPYUID {} ", copied.uid_validity).into_bytes();
    write::uid_set(&mut out, copied.uids.iter().map(|(old, _)| *old));
    out.push(b' ');
    write::uid_set(&mut out, copied.uids.iter().map(|(_, new)| *new));
    String::from_utf8_lossy(&out).into_owned()
}

/// COPY
pub(crate) async fn copy(
    session: &mut Session,
    set: &SequenceSet,
    mailbox: &Mailbox<'_>,
    uid: bool,
) -> Outcome {
    let uids = named(session, set, uid)?;
    let target = folders::folder(session, mailbox, "TRYCREATE").await?;
    if uids.is_empty() {
        return Ok(Done::new("nothing to copy"));
    }
    let server = Arc::clone(&session.server);
    let copied = server.store.copy(session.selected()?.folder, &uids, target.id).await?;
    if copied.uids.is_empty() {
        return Ok(Done::new("nothing to copy"));
    }
    Ok(Done::with_code(copy_uid(&copied), "copied"))
}

/// MOVE, RFC 6851. COPYUID comes before the EXPUNGEs, untagged.
pub(crate) async fn move_items(
    session: &mut Session,
    set: &SequenceSet,
    mailbox: &Mailbox<'_>,
    uid: bool,
) -> Outcome {
    session.selected_for_change()?;
    let uids = named(session, set, uid)?;
    let target = folders::folder(session, mailbox, "TRYCREATE").await?;
    if uids.is_empty() {
        return Ok(Done::new("nothing to move"));
    }
    let server = Arc::clone(&session.server);
    let from = session.selected()?.folder;
    let copied = server.store.move_items(from, &uids, target.id).await?;
    if !copied.uids.is_empty() {
        let line = format!("* OK [{}] moved\r\n", copy_uid(&copied));
        session.connection.push(line.as_bytes());
    }
    Ok(Done::new("moved"))
}
