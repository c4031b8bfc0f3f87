//! Finding the octets of a body section.

use super::Source;
use super::plan::{Wanted, Which};
use crate::error::Outcome;
use crate::mime::{self, Section as Place};
use crate::server::ImapServer;
use bytes::Bytes;
use concord_store::Item;
use std::ops::Range;

/// Messages past this are not loaded to send them whole; they stream.
const STREAM_FROM: u64 = 256 * 1024;
/// Octets read at once while streaming.
pub(crate) const STREAM_PIECE: u64 = 256 * 1024;

/// What a section comes to.
pub(crate) enum Piece {
    /// There is no such part.
    Nil,
    /// These octets.
    Octets(Bytes),
    /// This range of the message, too large to hold.
    Stream(Range<u64>),
}

/// The range of `0..len` that a partial `<from.count>` means.
fn cut(len: u64, partial: Option<(u64, u64)>) -> Range<u64> {
    match partial {
        None => 0..len,
        Some((from, count)) => from.min(len)..from.saturating_add(count).min(len),
    }
}

fn slice(octets: &Bytes, partial: Option<(u64, u64)>) -> Bytes {
    let range = cut(u64::try_from(octets.len()).unwrap_or(u64::MAX), partial);
    let index = |n: u64| usize::try_from(n).unwrap_or(octets.len()).min(octets.len());
    octets.slice(index(range.start)..index(range.end))
}

/// Part of the message from `start` on, without loading more than is sent.
async fn range(
    server: &ImapServer,
    item: &Item,
    source: &mut Source,
    start: u64,
    partial: Option<(u64, u64)>,
) -> Outcome<Piece> {
    let within = cut(item.octets.saturating_sub(start), partial);
    let range = start + within.start..start + within.end;
    if source.whole.is_none() && range.end - range.start > STREAM_FROM {
        return Ok(Piece::Stream(range));
    }
    if source.whole.is_none() && item.octets > STREAM_FROM {
        return Ok(Piece::Octets(server.store.read(item.message, range).await?));
    }
    let whole = source.whole(server, item).await?;
    let index = |n: u64| usize::try_from(n).unwrap_or(whole.len()).min(whole.len());
    Ok(Piece::Octets(whole.slice(index(range.start)..index(range.end))))
}

/// Finds the octets of one section.
pub(crate) async fn find(
    wanted: &Wanted,
    server: &ImapServer,
    item: &Item,
    source: &mut Source,
) -> Outcome<Piece> {
    let partial = wanted.partial;
    match &wanted.which {
        Which::Whole => range(server, item, source, 0, partial).await,
        Which::Header => {
            let header = source.header(server, item).await?;
            Ok(Piece::Octets(slice(&header, partial)))
        }
        Which::Text => {
            if item.octets <= STREAM_FROM {
                source.whole(server, item).await?;
            }
            let header = source.header(server, item).await?;
            let start = u64::try_from(header.len()).unwrap_or(item.octets);
            range(server, item, source, start, partial).await
        }
        Which::Part(path, place) => {
            let (bytes, tree) = source.tree(server, item).await?;
            Ok(match mime::resolve(tree, path, *place) {
                Some(range) => Piece::Octets(slice(&bytes.slice(range), partial)),
                None => Piece::Nil,
            })
        }
        Which::Fields { path, names, not } => {
            let header = if path.is_empty() {
                source.header(server, item).await?
            } else {
                let (bytes, tree) = source.tree(server, item).await?;
                match mime::resolve(tree, path, Place::Header) {
                    Some(range) => bytes.slice(range),
                    None => return Ok(Piece::Nil),
                }
            };
            let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
            let mut out = Vec::new();
            if *not {
                mime::header_fields_not(&mut out, &header, &names);
            } else {
                mime::header_fields(&mut out, &header, &names);
            }
            Ok(Piece::Octets(slice(&Bytes::from(out), partial)))
        }
    }
}
