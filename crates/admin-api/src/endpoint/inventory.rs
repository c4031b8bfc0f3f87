//! `GET /v1/mailboxes/{name}/inventory`: every message of a mailbox, with what
//! tells whether it is the same as another.

use crate::api::{Shared, State as App};
use crate::extract::Param;
use crate::lines::lines;
use crate::wire::{InventoryLine, InventoryMessage};
use crate::{ApiError, find, view};
use axum::extract::State;
use axum::response::Response;
use concord_base::MailboxId;
use concord_directory::Kind;
use concord_message::HeaderScan;
use concord_store::{FlagSet, Folder, Item, MAX_READ, StoreError, SystemFlags};
use tokio::sync::mpsc::Sender;

pub(crate) async fn get(
    State(shared): App,
    Param(name): Param<String>,
) -> Result<Response, ApiError> {
    let mailbox: MailboxId = find::object(&shared, Kind::Mailbox, &name).await?.id.into();
    let (lines, answer) = lines();
    tokio::spawn(async move {
        let last = match list(&shared, mailbox, &lines).await {
            Ok(end) => end,
            Err(error) => InventoryLine::Failed { error: error.body().error },
        };
        // Nobody listens any more if this fails.
        let _ = lines.send(last).await;
    });
    Ok(answer)
}

async fn list(
    shared: &Shared,
    mailbox: MailboxId,
    lines: &Sender<InventoryLine>,
) -> Result<InventoryLine, ApiError> {
    let (mut folders, mut messages) = (0, 0);
    for folder in shared.api.store.folders(mailbox).await? {
        let items = match shared.api.store.items(folder.id).await {
            Ok((items, _)) => items,
            Err(StoreError::FolderGone(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        folders += 1;
        let line = InventoryLine::Folder {
            folder: folder.name.to_string(),
            uid_validity: folder.uid_validity,
            messages: items.len() as u64,
        };
        let mut heard = lines.send(line).await.is_ok();
        for item in items.iter() {
            if !heard {
                // Nobody reads the end either.
                return Ok(InventoryLine::End { folders, messages });
            }
            let Some(message) = message(shared, &folder, item).await else { continue };
            messages += 1;
            heard = lines.send(InventoryLine::Message(message)).await.is_ok();
        }
    }
    Ok(InventoryLine::End { folders, messages })
}

/// `None` if it was removed meanwhile.
async fn message(shared: &Shared, folder: &Folder, item: &Item) -> Option<InventoryMessage> {
    let (crc, unread, message_id) = match read(shared, item).await {
        Ok((crc, message_id)) => (Some(format!("{crc:08x}")), None, message_id),
        Err(StoreError::MessageGone(_)) => return None,
        Err(error) => (None, Some(error.to_string()), String::new()),
    };
    Some(InventoryMessage {
        folder: folder.name.to_string(),
        uid: item.uid,
        octets: item.octets,
        crc,
        unread,
        message_id,
        date: view::time(item.internal_date),
        flags: flag_names(&item.flags),
    })
}

/// CRC-32C and Message-ID, from the message's octets.
async fn read(shared: &Shared, item: &Item) -> Result<(u32, String), StoreError> {
    let (mut at, mut crc) = (0, 0);
    let (mut scan, mut scanned) = (HeaderScan::new(), false);
    while at < item.octets {
        let end = item.octets.min(at.saturating_add(MAX_READ));
        let octets = shared.api.store.read(item.message, at..end).await?;
        if octets.is_empty() {
            break;
        }
        crc = crc32c::crc32c_append(crc, &octets);
        if !scanned {
            scanned = scan.feed(&octets);
        }
        at = at.saturating_add(octets.len() as u64);
    }
    Ok((crc, scan.finish().message_id))
}

fn flag_names(flags: &FlagSet) -> Vec<String> {
    let system = SystemFlags::NAMES.iter().filter(|(flag, _)| flags.system.contains(*flag));
    let keywords = flags.keywords().iter().map(|keyword| keyword.as_str().to_owned());
    system.map(|(_, name)| (*name).to_owned()).chain(keywords).collect()
}
