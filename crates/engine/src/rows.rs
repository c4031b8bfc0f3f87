//! From rows to nouns.

use crate::delivery::{DeliveryData, decode};
use concord_base::{DeliveryId, FolderId, MailboxId, MessageId, Timestamp};
use concord_store::{FlagSet, Folder, FolderName, Item, Keyword, SpecialUse, SystemFlags};
use concord_transport::{Delivery, DeliveryState, Group};
use rusqlite::Row;

pub(crate) const FOLDER_COLUMNS: &str = "id, mailbox, name, uid_validity, uid_next, modseq, \
     messages, unseen, octets, special_use, subscribed";

pub(crate) fn folder(r: &Row<'_>) -> Result<Folder, rusqlite::Error> {
    let special: Option<String> = r.get(9)?;
    Ok(Folder {
        id: FolderId(r.get::<_, i64>(0)? as u64),
        mailbox: MailboxId(r.get::<_, i64>(1)? as u64),
        name: r.get::<_, String>(2)?.parse().unwrap_or_else(|_| FolderName::inbox()),
        uid_validity: r.get(3)?,
        uid_next: r.get(4)?,
        highest_modseq: r.get::<_, i64>(5)? as u64,
        messages: r.get(6)?,
        unseen: r.get(7)?,
        octets: r.get::<_, i64>(8)? as u64,
        special_use: special.and_then(|s| SpecialUse::ALL.into_iter().find(|u| u.attribute() == s)),
        subscribed: r.get(10)?,
    })
}

pub(crate) const ITEM_COLUMNS: &str = "uid, message, flags, keywords, modseq, date, octets";

pub(crate) fn item(r: &Row<'_>) -> Result<Item, rusqlite::Error> {
    Ok(Item {
        uid: r.get(0)?,
        message: MessageId(r.get::<_, i64>(1)? as u64),
        flags: flags(r, 2)?,
        modseq: r.get::<_, i64>(4)? as u64,
        internal_date: Timestamp(r.get(5)?),
        octets: r.get::<_, i64>(6)? as u64,
    })
}

/// Flags from the columns `at` (system) and `at + 1` (keywords).
pub(crate) fn flags(r: &Row<'_>, at: usize) -> Result<FlagSet, rusqlite::Error> {
    let system = SystemFlags(r.get(at)?);
    let keywords: Option<String> = r.get(at + 1)?;
    Ok(match keywords {
        None => FlagSet::system(system),
        Some(text) => FlagSet::new(system, text.split(' ').filter_map(|k| Keyword::new(k).ok())),
    })
}

/// Keywords as one column: parted by spaces, which they cannot have.
pub(crate) fn keywords_text(flags: &FlagSet) -> Option<String> {
    let keywords = flags.keywords.as_deref()?;
    Some(keywords.iter().map(Keyword::as_str).collect::<Vec<_>>().join(" "))
}

pub(crate) const DELIVERY_COLUMNS: &str =
    "id, connector, grp, state, next_attempt, crashes, data, message";

pub(crate) fn delivery(r: &Row<'_>) -> Result<(MessageId, Delivery), rusqlite::Error> {
    let data: DeliveryData = decode(r.get_ref(6)?.as_blob()?)?;
    Ok((
        MessageId(r.get::<_, i64>(7)? as u64),
        Delivery {
            id: DeliveryId(r.get::<_, i64>(0)? as u64),
            address: data.address,
            given: data.given,
            original: data.original,
            notify: data.notify,
            group: Group { connector: r.get(1)?, group: r.get(2)? },
            state: state(r.get(3)?),
            next_attempt: Timestamp(r.get(4)?),
            attempts: data.attempts,
            crashes: r.get(5)?,
            delay_reported: data.delay_reported,
            last_answer: data.last_answer,
            reports_to: data.reports_to,
        },
    ))
}

pub(crate) fn state(number: i64) -> DeliveryState {
    match number {
        1 => DeliveryState::Held,
        2 => DeliveryState::Quarantined,
        _ => DeliveryState::Queued,
    }
}

pub(crate) fn state_number(state: DeliveryState) -> i64 {
    match state {
        DeliveryState::Queued => 0,
        DeliveryState::Held => 1,
        DeliveryState::Quarantined => 2,
    }
}
