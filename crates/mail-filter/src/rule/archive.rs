//! Names and types within ZIP archives.

use crate::fault::FilterFault;
use crate::limits::{MAX_ARCHIVE_NAMES, MAX_UNPACKED, TYPE_PROBE};
use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, ZipArchive, ZipSliceArchive};
use std::io::Read;

/// What is left of the bounds for one message.
#[derive(Debug)]
pub(super) struct Budget {
    pub names: usize,
    pub unpacked: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { names: MAX_ARCHIVE_NAMES, unpacked: MAX_UNPACKED }
    }
}

/// Whether the content begins like a ZIP archive, or an empty one.
pub(super) fn is_archive(content: &[u8]) -> bool {
    content.starts_with(b"PK\x03\x04") || content.starts_with(b"PK\x05\x06")
}

/// Calls `entry` for each file in the archive, and in archives within it down
/// to `depth` (1 looks only into this one), with its name and its first
/// octets. It stops when `entry` says true; then the answer is true.
///
/// What is encrypted or packed in another way than stored or deflated is known
/// by name only. Damage ends an archive's list.
///
/// # Errors
/// [`FilterFault::TooComplex`].
pub(super) fn search(
    content: &[u8],
    depth: u8,
    budget: &mut Budget,
    entry: &mut dyn FnMut(&str, &[u8]) -> bool,
) -> Result<bool, FilterFault> {
    if depth == 0 {
        return Ok(false);
    }
    let Ok(archive) = ZipArchive::from_slice(content) else { return Ok(false) };
    let mut entries = archive.entries();
    while let Ok(Some(record)) = entries.next_entry() {
        if record.is_dir() {
            continue;
        }
        budget.names = budget.names.checked_sub(1).ok_or(FilterFault::TooComplex {
            what: "names in archives",
            most: MAX_ARCHIVE_NAMES,
        })?;
        let path = record.file_path();
        let name = String::from_utf8_lossy(path.as_ref());
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let method = record.compression_method();
        let wayfinder = record.wayfinder();
        let begin = unpacked(&archive, wayfinder, method, TYPE_PROBE);
        if entry(name, &begin) {
            return Ok(true);
        }
        if depth > 1 && is_archive(&begin) {
            let inner = unpacked(&archive, wayfinder, method, budget.unpacked.saturating_add(1));
            let left = budget.unpacked.checked_sub(inner.len());
            budget.unpacked = left.ok_or(FilterFault::TooComplex {
                what: "octets in archives within archives",
                most: MAX_UNPACKED,
            })?;
            if search(&inner, depth.saturating_sub(1), budget, entry)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The first octets of an entry, at most `most`; as many as can be unpacked.
fn unpacked(
    archive: &ZipSliceArchive<&[u8]>,
    wayfinder: rawzip::ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    most: usize,
) -> Vec<u8> {
    let Ok(entry) = archive.get_entry(wayfinder) else { return Vec::new() };
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let mut out = Vec::new();
    let data = entry.data();
    // What was unpacked before an error counts.
    let _ = match method {
        CompressionMethod::Store => data.take(most).read_to_end(&mut out),
        CompressionMethod::Deflate => DeflateDecoder::new(data).take(most).read_to_end(&mut out),
        _ => Ok(0),
    };
    out
}

pub(super) fn fuzz(data: &[u8]) {
    let mut budget = Budget { names: 100, unpacked: 64 * 1024 };
    let _ = search(data, 3, &mut budget, &mut |_, begin| begin.len() > TYPE_PROBE);
}
