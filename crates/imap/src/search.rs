//! SEARCH.

mod body_text;
mod key;

use crate::error::{Done, Fail, Outcome};
use crate::server::ImapServer;
use crate::session::Session;
use crate::{body, mime, text, write};
use bytes::Bytes;
use concord_store::{Item, MAX_READ};
use imap_types::core::Charset;
use imap_types::search::SearchKey;
use key::{Facts, Key, Level, Verdict};
use std::sync::Arc;

/// Messages looked into before others get their turn.
const SLICE: usize = 32;
/// The same for keys that need no message.
const QUICK_SLICE: usize = 4_096;

/// SEARCH and UID SEARCH
pub(crate) async fn search(
    session: &mut Session,
    charset: Option<&Charset<'_>>,
    criteria: &[SearchKey<'_>],
    uid: bool,
) -> Outcome {
    let charset = match charset {
        None => "us-ascii".to_owned(),
        Some(charset) => charset.as_ref().to_owned(),
    };
    if !text::is_charset(&charset) {
        return Err(Fail::No("BADCHARSET", "this charset is not supported".to_owned()));
    }
    let server = Arc::clone(&session.server);
    let now = server.clock.now();
    let view = Arc::clone(&session.selected()?.items);
    let keys: Vec<Key> = criteria
        .iter()
        .map(|key| Key::compile(key, &charset, &view, now))
        .collect::<Outcome<_>>()?;
    let key = Arc::new(Key::All(keys));
    let mut found: Vec<u32> = Vec::new();
    let mut highest = 0;
    let (mut scratch, mut looked) = (Vec::new(), 0usize);
    for (at, item) in view.iter().enumerate() {
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let facts = Facts { number, item, meta: None, header: None, whole: None };
        let fits = match key.judge(&facts, &mut scratch) {
            Verdict::Yes => true,
            Verdict::No => false,
            Verdict::Needs(level) => {
                looked += 1;
                if looked.is_multiple_of(SLICE) {
                    session.breathe().await?;
                }
                look(&server, &key, number, item, level, &mut scratch).await?
            }
        };
        if at % QUICK_SLICE == QUICK_SLICE - 1 {
            session.breathe().await?;
        }
        if fits {
            found.push(if uid { item.uid } else { number });
            highest = highest.max(item.modseq);
        }
    }
    let out = &mut session.connection.out;
    out.extend_from_slice(b"* SEARCH");
    for n in &found {
        out.push(b' ');
        write::number(out, u64::from(*n));
    }
    if key.asks_modseq() {
        session.condstore = true;
        if !found.is_empty() {
            out.extend_from_slice(b" (MODSEQ ");
            write::number(out, highest);
            out.push(b')');
        }
    }
    out.extend_from_slice(b"\r\n");
    Ok(Done::new("searched"))
}

/// Decides about a message that must be looked into, no deeper than needed.
/// A message that is gone meanwhile does not fit.
async fn look(
    server: &ImapServer,
    key: &Arc<Key>,
    number: u32,
    item: &Item,
    level: Level,
    scratch: &mut Vec<u8>,
) -> Outcome<bool> {
    let mut level = level;
    let mut meta = None;
    let mut header: Option<Bytes> = None;
    loop {
        match level {
            Level::Meta => match gone(body::header_meta(server, item).await)? {
                Some(found) => meta = Some(found),
                None => return Ok(false),
            },
            Level::Header => match gone(body::header(server, item).await)? {
                Some(found) => header = Some(found),
                None => return Ok(false),
            },
            Level::Whole => {
                let Some(whole) = gone(body::whole(server, item).await)? else {
                    return Ok(false);
                };
                return decide(key, number, item, meta, whole, scratch).await;
            }
        }
        let facts =
            Facts { number, item, meta: meta.as_deref(), header: header.as_deref(), whole: None };
        match key.judge(&facts, scratch) {
            Verdict::Yes => return Ok(true),
            Verdict::No => return Ok(false),
            // each level is read once, so this ends
            Verdict::Needs(next) if next > level => level = next,
            Verdict::Needs(_) => return Ok(false),
        }
    }
}

/// The last look, with the whole message in hand.
async fn decide(
    key: &Arc<Key>,
    number: u32,
    item: &Item,
    meta: Option<Arc<mime::HeaderMeta>>,
    whole: body::Loaded,
    scratch: &mut Vec<u8>,
) -> Outcome<bool> {
    if item.octets <= MAX_READ {
        return Ok(judge_whole(key, number, item, meta, &whole.bytes, scratch));
    }
    let (key, item) = (Arc::clone(key), item.clone());
    body::aside(move || judge_whole(&key, number, &item, meta, &whole.bytes, &mut Vec::new())).await
}

fn judge_whole(
    key: &Key,
    number: u32,
    item: &Item,
    meta: Option<Arc<mime::HeaderMeta>>,
    whole: &Bytes,
    scratch: &mut Vec<u8>,
) -> bool {
    let header = whole.get(..mime::header_end(whole)).unwrap_or_default();
    // making the meta is not free; most searches of bodies do not ask for it
    let mut facts =
        Facts { number, item, meta: meta.as_deref(), header: Some(header), whole: Some(whole) };
    match key.judge(&facts, scratch) {
        Verdict::Needs(_) => {
            let made = mime::header_meta(header);
            facts.meta = Some(&made);
            key.judge(&facts, scratch) == Verdict::Yes
        }
        verdict => verdict == Verdict::Yes,
    }
}

/// A message that another session removed is no error of a search.
fn gone<T>(outcome: Outcome<T>) -> Outcome<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(Fail::No("EXPUNGEISSUED", _)) => Ok(None),
        Err(fail) => Err(fail),
    }
}
