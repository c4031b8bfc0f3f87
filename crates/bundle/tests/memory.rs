//! What an archive claims or decompresses to does not become memory. One test,
//! since the process is measured.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

use concord_base::Fault;
use std::io::Write;
use std::path::Path;
use tar::{EntryType, Header};

/// What reading a hostile file may take; buffers and the compressor's window
/// are far below.
const MOST: u64 = 48 << 10;

/// The most memory that this process ever had, KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn header(name: &str, kind: EntryType, size: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// A package whose archive begins with `beginning` and goes on with zeros.
fn zeros(place: &Path, beginning: &[u8], megabytes: usize) {
    let file = std::fs::File::create(place).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(beginning).unwrap();
    for _ in 0..megabytes {
        gzip.write_all(&[0; 1 << 20]).unwrap();
    }
    gzip.finish().unwrap();
}

#[test]
fn hostile_archives_take_no_memory() {
    let top = tempfile::tempdir().unwrap();
    let place = top.path().join("x.ccp");
    let code = || concord_bundle::open(&place, &[]).unwrap_err().code();
    zeros(&place, &header("a", EntryType::Regular, 1), 1);
    let _ = code();
    let before = peak();
    for (kind, name, size, expected) in [
        (EntryType::Regular, "a", 300 << 20, "bundle.too-large"),
        (EntryType::Regular, "SHA256SUMS", 300 << 20, "bundle.too-large"),
        (EntryType::Regular, "SHA256SUMS.minisig", 300 << 20, "bundle.too-large"),
        (EntryType::Regular, "connector.toml", u64::MAX >> 1, "bundle.too-large"),
        (EntryType::GNULongName, "a", 300 << 20, "bundle.too-large"),
        (EntryType::XHeader, "a", u64::MAX, "bundle.too-large"),
        // Skipped, not kept: 60 MiB of a file nobody promised, then the end.
        (EntryType::Regular, "b", 63 << 20, "bundle.not-a-package"),
    ] {
        zeros(&place, &header(name, kind, size), 64);
        assert_eq!(code(), expected, "{kind:?} {name}");
        let more = peak() - before;
        assert!(more < MOST, "{kind:?} {name}: {more} KiB more");
    }
    // More files than allowed, empty ones, and more directories.
    let many: Vec<u8> =
        (0..2_100).flat_map(|number| header(&number.to_string(), EntryType::Regular, 0)).collect();
    zeros(&place, &many, 0);
    assert_eq!(code(), "bundle.too-large");
    let many = header("d/", EntryType::Directory, 0).repeat(50_100);
    zeros(&place, &many, 0);
    assert_eq!(code(), "bundle.too-large");
    assert!(peak() - before < MOST + (many.len() as u64 >> 10) * 2, "{} KiB", peak() - before);
}
