//! Messages out of the store, as much of them as is needed.

use crate::cache::Structure;
use crate::error::{Fail, Outcome};
use crate::mime::{self, HeaderMeta};
use crate::server::{BUDGET_UNIT, ImapServer};
use bytes::{Bytes, BytesMut};
use concord_store::{Item, MAX_READ};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Octets read first when only the header is asked; nearly all headers fit.
const FIRST_READ: u64 = 16 * 1024;
/// Octets of a header that are looked at; the rest counts as body.
const MAX_HEADER: u64 = 1 << 20;

/// A message in memory, with its share of the budget if it is large.
pub(crate) struct Loaded {
    pub bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// The whole message. Waits while too many large ones are in memory.
pub(crate) async fn whole(server: &ImapServer, item: &Item) -> Outcome<Loaded> {
    if item.octets <= MAX_READ {
        let bytes = server.store.read(item.message, 0..item.octets).await?;
        return Ok(Loaded { bytes, _share: None });
    }
    let units = u32::try_from(item.octets.div_ceil(BUDGET_UNIT)).unwrap_or(u32::MAX);
    let all = u32::try_from(server.config.large_messages.0.div_ceil(BUDGET_UNIT)).unwrap_or(1);
    // a message larger than the whole budget waits for all of it
    let share = Arc::clone(&server.large)
        .acquire_many_owned(units.min(all.max(1)))
        .await
        .map_err(|_| Fail::No("SERVERBUG", "the budget is closed".to_owned()))?;
    let size = usize::try_from(item.octets).unwrap_or(usize::MAX);
    let mut bytes = BytesMut::with_capacity(size);
    let mut at = 0;
    while at < item.octets {
        let piece = server.store.read(item.message, at..item.octets.min(at + MAX_READ)).await?;
        if piece.is_empty() {
            break;
        }
        at += u64::try_from(piece.len()).unwrap_or(MAX_READ);
        bytes.extend_from_slice(&piece);
    }
    Ok(Loaded { bytes: bytes.freeze(), _share: Some(share) })
}

/// The header with the empty line that ends it.
pub(crate) async fn header(server: &ImapServer, item: &Item) -> Outcome<Bytes> {
    let limit = item.octets.min(MAX_HEADER);
    let mut bytes = server.store.read(item.message, 0..limit.min(FIRST_READ)).await?;
    loop {
        let end = mime::header_end(&bytes);
        let have = u64::try_from(bytes.len()).unwrap_or(limit);
        if end < bytes.len() || have >= limit {
            return Ok(bytes.slice(..end));
        }
        let more = server.store.read(item.message, have..limit.min(have * 4)).await?;
        if more.is_empty() {
            return Ok(bytes);
        }
        let mut joined = BytesMut::with_capacity(bytes.len() + more.len());
        joined.extend_from_slice(&bytes);
        joined.extend_from_slice(&more);
        bytes = joined.freeze();
    }
}

/// Envelope and search text, from the cache or made now.
pub(crate) async fn header_meta(server: &ImapServer, item: &Item) -> Outcome<Arc<HeaderMeta>> {
    if let Some(meta) = server.cache.header(item.message) {
        return Ok(meta);
    }
    let header = header(server, item).await?;
    let meta = Arc::new(mime::header_meta(&header));
    server.cache.put_header(item.message, Arc::clone(&meta));
    Ok(meta)
}

/// BODY and BODYSTRUCTURE, from the cache or made now.
pub(crate) async fn structure(server: &ImapServer, item: &Item) -> Outcome<Arc<Structure>> {
    if let Some(structure) = server.cache.structure(item.message) {
        return Ok(structure);
    }
    let loaded = whole(server, item).await?;
    let make = |loaded: &Loaded| {
        let part = mime::parse(&loaded.bytes);
        let (mut body, mut bodystructure) = (Vec::new(), Vec::new());
        mime::bodystructure(&mut body, &loaded.bytes, &part, false);
        mime::bodystructure(&mut bodystructure, &loaded.bytes, &part, true);
        Structure { body: body.into(), bodystructure: bodystructure.into() }
    };
    let made =
        if item.octets <= MAX_READ { make(&loaded) } else { aside(move || make(&loaded)).await? };
    let made = Arc::new(made);
    server.cache.put_structure(item.message, Arc::clone(&made));
    Ok(made)
}

/// Runs long work on a thread that serves no connections.
pub(crate) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Outcome<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "work on a message failed");
        Fail::No("SERVERBUG", "the message could not be read".to_owned())
    })
}
