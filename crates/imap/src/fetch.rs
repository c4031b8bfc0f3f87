//! FETCH.

mod plan;
mod section;

use crate::error::{Done, End, Fail, Outcome};
use crate::selected::flags as write_flags;
use crate::sequence;
use crate::server::ImapServer;
use crate::session::Session;
use crate::{body, dates, mime, write};
use bytes::Bytes;
use concord_store::{FlagChange, FlagSet, Item, SystemFlags, UidSet};
use imap_types::command::FetchModifier;
use imap_types::fetch::MacroOrMessageDataItemNames;
use imap_types::sequence::SequenceSet;
use plan::Plan;
use std::sync::Arc;

/// Messages answered before others get their turn.
const SLICE: usize = 64;
/// The same for answers that come from memory alone.
const QUICK_SLICE: usize = 1_024;

/// FETCH and UID FETCH
pub(crate) async fn fetch(
    session: &mut Session,
    set: &SequenceSet,
    items: &MacroOrMessageDataItemNames<'_>,
    modifiers: &[FetchModifier],
    uid: bool,
) -> Outcome {
    let mut plan = Plan::new(items)?;
    plan.uid |= uid;
    for modifier in modifiers {
        match modifier {
            FetchModifier::ChangedSince(modseq) => {
                plan.changed_since = Some(modseq.get());
                plan.modseq = true;
            }
            FetchModifier::Vanished => return Err(Fail::Bad("QRESYNC is not supported")),
        }
    }
    session.condstore |= plan.modseq;
    let server = Arc::clone(&session.server);
    let selected = session.selected()?;
    let positions = sequence::positions(set, uid, &selected.items)
        .map_err(|_| Fail::Bad("there is no message with this number"))?;
    let wanted = |item: &Item| plan.changed_since.is_none_or(|since| item.modseq > since);
    let mut newly_seen = UidSet::default();
    if plan.sets_seen && !selected.read_only {
        newly_seen = positions
            .iter()
            .flat_map(|range| selected.items.get(range.clone()).unwrap_or_default())
            .filter(|item| !item.flags.system.contains(SystemFlags::SEEN) && wanted(item))
            .map(|item| item.uid)
            .collect();
    }
    if !newly_seen.is_empty() {
        let change = FlagChange::Add(FlagSet::system(SystemFlags::SEEN));
        let folder = selected.folder;
        let stored = server.store.store_flags(folder, &newly_seen, change, None).await?;
        session.selected()?.apply(&stored.items);
    }
    let view = Arc::clone(&session.selected()?.items);
    let slice = if plan.reads_store() { SLICE } else { QUICK_SLICE };
    let (mut done, mut failed) = (0usize, None);
    for at in positions.into_iter().flatten() {
        let Some(item) = view.get(at) else { continue };
        // \Seen was set by this very command, so the filter of before holds
        let seen_now = newly_seen.contains(item.uid);
        if !seen_now && !wanted(item) {
            continue;
        }
        match one(session, &server, &plan, at, item, seen_now).await {
            // one message that cannot be read does not take the others along
            Err(fail @ Fail::No(..)) => failed = Some(fail),
            outcome => outcome?,
        }
        session.connection.flush_if_full().await?;
        done += 1;
        if done.is_multiple_of(slice) {
            session.breathe().await?;
        }
    }
    match failed {
        Some(fail) => Err(fail),
        None => Ok(Done::new("fetched")),
    }
}

/// What has been read of the message in hand.
#[derive(Default)]
struct Source {
    whole: Option<body::Loaded>,
    header: Option<Bytes>,
    tree: Option<mime::Part>,
}

impl Source {
    async fn whole(&mut self, server: &ImapServer, item: &Item) -> Outcome<Bytes> {
        if let Some(loaded) = &self.whole {
            return Ok(loaded.bytes.clone());
        }
        let loaded = body::whole(server, item).await?;
        let bytes = loaded.bytes.clone();
        self.whole = Some(loaded);
        Ok(bytes)
    }

    async fn header(&mut self, server: &ImapServer, item: &Item) -> Outcome<Bytes> {
        if let Some(header) = &self.header {
            return Ok(header.clone());
        }
        let header = match &self.whole {
            Some(loaded) => loaded.bytes.slice(..mime::header_end(&loaded.bytes)),
            None => body::header(server, item).await?,
        };
        self.header = Some(header.clone());
        Ok(header)
    }

    async fn tree(&mut self, server: &ImapServer, item: &Item) -> Outcome<(Bytes, &mime::Part)> {
        let bytes = self.whole(server, item).await?;
        if self.tree.is_none() {
            let data = bytes.clone();
            self.tree = Some(if item.octets <= concord_store::MAX_READ {
                mime::parse(&data)
            } else {
                body::aside(move || mime::parse(&data)).await?
            });
        }
        match &self.tree {
            Some(tree) => Ok((bytes, tree)),
            None => Err(Fail::Bad("the message was not read")),
        }
    }
}

/// One FETCH answer. Once its first octet is out it must be finished, so what
/// can fail is fetched before anything is written, but for the octets of
/// streamed bodies.
async fn one(
    session: &mut Session,
    server: &ImapServer,
    plan: &Plan,
    at: usize,
    item: &Item,
    seen_now: bool,
) -> Outcome<()> {
    let mut source = Source::default();
    let meta = match plan.envelope {
        true => Some(body::header_meta(server, item).await?),
        false => None,
    };
    let structure = match plan.body || plan.bodystructure {
        true => Some(body::structure(server, item).await?),
        false => None,
    };
    let mut pieces = Vec::with_capacity(plan.sections.len());
    for section in &plan.sections {
        pieces.push(section::find(section, server, item, &mut source).await?);
    }
    let out = &mut session.connection.out;
    out.extend_from_slice(b"* ");
    write::number(out, u64::try_from(at).unwrap_or(0) + 1);
    out.extend_from_slice(b" FETCH (");
    simple(out, plan, item, seen_now);
    if let Some(meta) = meta {
        word(out, "ENVELOPE ");
        out.extend_from_slice(&meta.envelope);
    }
    if let Some(structure) = structure {
        if plan.body {
            word(out, "BODY ");
            out.extend_from_slice(&structure.body);
        }
        if plan.bodystructure {
            word(out, "BODYSTRUCTURE ");
            out.extend_from_slice(&structure.bodystructure);
        }
    }
    for (section, piece) in plan.sections.iter().zip(pieces) {
        let out = &mut session.connection.out;
        word(out, "");
        out.extend_from_slice(&section.label);
        out.push(b' ');
        match piece {
            section::Piece::Nil => out.extend_from_slice(b"NIL"),
            section::Piece::Octets(octets) => write::literal(out, &octets),
            section::Piece::Stream(range) => stream(session, server, item, range).await?,
        }
    }
    session.connection.push(b")\r\n");
    Ok(())
}

/// A space between the fields of an answer, then a word.
fn word(out: &mut Vec<u8>, text: &str) {
    if out.last() != Some(&b'(') {
        out.push(b' ');
    }
    out.extend_from_slice(text.as_bytes());
}

/// What the item itself answers.
fn simple(out: &mut Vec<u8>, plan: &Plan, item: &Item, seen_now: bool) {
    if plan.uid {
        word(out, "UID ");
        write::number(out, u64::from(item.uid));
    }
    if plan.flags || seen_now {
        word(out, "FLAGS (");
        write_flags(out, &item.flags);
        out.push(b')');
    }
    if plan.internal_date {
        word(out, "INTERNALDATE ");
        dates::internal_date(out, item.internal_date);
    }
    if plan.size {
        word(out, "RFC822.SIZE ");
        write::number(out, item.octets);
    }
    if plan.modseq {
        word(out, "MODSEQ (");
        write::number(out, item.modseq);
        out.push(b')');
    }
}

/// A literal straight from the store, in pieces.
async fn stream(
    session: &mut Session,
    server: &ImapServer,
    item: &Item,
    range: std::ops::Range<u64>,
) -> Outcome<()> {
    write::literal_head(&mut session.connection.out, range.end - range.start);
    let mut at = range.start;
    while at < range.end {
        let to = range.end.min(at + section::STREAM_PIECE);
        let read = server.store.read(item.message, at..to).await;
        let piece = match read {
            Ok(piece) if !piece.is_empty() => piece,
            Ok(_) => Bytes::new(),
            Err(error) => {
                tracing::error!(%error, "cannot read on in a message");
                Bytes::new()
            }
        };
        if piece.is_empty() {
            // the literal cannot be completed and must not be filled with lies
            return Err(End::Closed.into());
        }
        at += u64::try_from(piece.len()).unwrap_or(section::STREAM_PIECE);
        session.connection.push(&piece);
        session.connection.flush_if_full().await?;
    }
    Ok(())
}
