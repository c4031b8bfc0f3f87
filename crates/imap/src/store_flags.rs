//! STORE, RFC 3501 section 6.4.6 with UNCHANGEDSINCE of RFC 7162.

use crate::copy::named;
use crate::error::{Done, Fail, Outcome};
use crate::selected::{Told, fetch_flags};
use crate::session::Session;
use crate::write;
use concord_store::{FlagChange, FlagSet, Item, Keyword, MAX_KEYWORDS, SystemFlags, UidSet};
use imap_types::command::StoreModifier;
use imap_types::flag::{Flag, StoreResponse, StoreType};
use imap_types::sequence::SequenceSet;
use std::sync::Arc;

/// Items answered before others get their turn.
const SLICE: usize = 512;

/// The flags of a command as the store has them. Unknown system flags (and
/// `\Recent`, which is the server's) are left out.
pub(crate) fn flag_set(flags: &[Flag<'_>]) -> Outcome<FlagSet> {
    let mut system = SystemFlags::default();
    let mut keywords = Vec::new();
    for flag in flags {
        system = system.union(match flag {
            Flag::Answered => SystemFlags::ANSWERED,
            Flag::Deleted => SystemFlags::DELETED,
            Flag::Draft => SystemFlags::DRAFT,
            Flag::Flagged => SystemFlags::FLAGGED,
            Flag::Seen => SystemFlags::SEEN,
            Flag::Extension(_) => continue,
            Flag::Keyword(atom) => {
                let keyword = Keyword::new(atom.inner());
                keywords.push(keyword.map_err(|e| Fail::No("LIMIT", e.to_string()))?);
                continue;
            }
        });
    }
    let set = FlagSet::new(system, keywords);
    if set.keywords().len() > MAX_KEYWORDS { Err(too_many()) } else { Ok(set) }
}

fn too_many() -> Fail {
    let text = format!("an item has at most {MAX_KEYWORDS} keywords; take some off first");
    Fail::No("LIMIT", text)
}

/// Refuses keywords that would be too many on one of the items, as far as this
/// session knows them. Nothing is changed then, on no item.
fn check_keywords(items: &[Item], uids: &UidSet, change: &FlagChange) -> Outcome<()> {
    // what has keywords is rare, and only adding makes them more
    let FlagChange::Add(new) = change else { return Ok(()) };
    if new.keywords.is_none() {
        return Ok(());
    }
    let over = items
        .iter()
        .filter(|item| item.flags.keywords().len() + new.keywords().len() > MAX_KEYWORDS)
        .filter(|item| uids.contains(item.uid))
        .any(|item| item.flags.changed(change).keywords().len() > MAX_KEYWORDS);
    if over { Err(too_many()) } else { Ok(()) }
}

/// What STORE asks for, beside the messages.
pub(crate) struct Ask<'a> {
    pub kind: StoreType,
    pub response: StoreResponse,
    pub flags: &'a [Flag<'a>],
    pub modifiers: &'a [StoreModifier],
    pub uid: bool,
}

/// STORE
pub(crate) async fn store(session: &mut Session, set: &SequenceSet, ask: Ask<'_>) -> Outcome {
    session.selected_for_change()?;
    let uids = named(session, set, ask.uid)?;
    let flags = flag_set(ask.flags)?;
    let change = match ask.kind {
        StoreType::Replace => FlagChange::Replace(flags),
        StoreType::Add => FlagChange::Add(flags),
        StoreType::Remove => FlagChange::Remove(flags),
    };
    let since = ask.modifiers.iter().map(|StoreModifier::UnchangedSince(modseq)| *modseq).next();
    session.condstore |= since.is_some();
    if uids.is_empty() {
        return Ok(Done::new("nothing to change"));
    }
    let server = Arc::clone(&session.server);
    let told = Told { uid: ask.uid, modseq: session.condstore };
    let selected = session.selected()?;
    check_keywords(&selected.items, &uids, &change)?;
    let stored = server.store.store_flags(selected.folder, &uids, change, since).await?;
    selected.apply(&stored.items);
    // RFC 7162 section 3.1.3: with CONDSTORE even a silent change tells its MODSEQ
    let silent = ask.response == StoreResponse::Silent;
    if !silent || told.modseq {
        for (i, item) in stored.items.iter().enumerate() {
            if i % SLICE == SLICE - 1 {
                session.breathe().await?;
            }
            let Some(at) = session.selected()?.position(item.uid) else { continue };
            let out = &mut session.connection.out;
            if silent {
                modseq_only(out, at, item, told);
            } else {
                fetch_flags(out, at, item, told);
            }
            session.connection.flush_if_full().await?;
        }
    }
    if stored.refused.is_empty() {
        return Ok(Done::new("stored"));
    }
    let mut code = b"MODIFIED ".to_vec();
    if ask.uid {
        write::uid_set(&mut code, stored.refused.iter().copied());
    } else {
        let selected = session.selected()?;
        let numbers = stored.refused.iter().filter_map(|uid| selected.position(*uid));
        write::uid_set(&mut code, numbers.filter_map(|at| u32::try_from(at + 1).ok()));
    }
    Ok(Done::with_code(String::from_utf8_lossy(&code), "some have changed since"))
}

fn modseq_only(out: &mut Vec<u8>, at: usize, item: &Item, told: Told) {
    out.extend_from_slice(b"* ");
    write::number(out, u64::try_from(at).unwrap_or(0) + 1);
    out.extend_from_slice(b" FETCH (");
    if told.uid {
        out.extend_from_slice(b"UID ");
        write::number(out, u64::from(item.uid));
        out.push(b' ');
    }
    out.extend_from_slice(b"MODSEQ (");
    write::number(out, item.modseq);
    out.extend_from_slice(b"))\r\n");
}
