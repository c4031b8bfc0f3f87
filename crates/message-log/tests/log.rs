//! The log as the engine uses it: append, crash, replay.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests, and what they share

use bytes::Bytes;
use concord_message_log::{Entry, Log, LogOptions, Opened, Position, Reader, Record, scan};
use std::os::unix::fs::FileExt;
use std::path::Path;

fn options(directory: &Path) -> LogOptions {
    LogOptions { directory: directory.to_owned(), segment_octets: 64 << 10, new_log_id: [7; 16] }
}

fn open(directory: &Path, from: Position, applied: u64) -> (Opened, Vec<Record>) {
    let mut seen = Vec::new();
    let opened = Log::open(options(directory), from, applied, &mut |record| {
        seen.push(record);
        Ok(())
    })
    .unwrap();
    (opened, seen)
}

fn entry(n: usize) -> Entry {
    Entry { meta: format!("act {n}").into_bytes(), body: Bytes::from(vec![b'x'; n % 700]) }
}

fn fill(directory: &Path, count: usize) -> Vec<concord_message_log::Placed> {
    let (mut opened, _) = open(directory, Position::default(), 0);
    (0..count).flat_map(|n| opened.log.append(&[entry(n)]).unwrap()).collect()
}

#[test]
fn what_was_appended_is_replayed_in_order_and_read_by_location() {
    let scratch = tempfile::tempdir().unwrap();
    let placed = fill(scratch.path(), 100);
    let (_, seen) = open(scratch.path(), Position::default(), 0);
    assert_eq!(seen.len(), 100);
    let reader = Reader::new(scratch.path().to_owned());
    for (n, (record, placed)) in seen.iter().zip(&placed).enumerate() {
        assert_eq!(record.meta, entry(n).meta);
        assert_eq!(record.body, placed.body);
        assert_eq!(reader.read(record.body, 0..u64::MAX).unwrap(), entry(n).body);
    }
    let (opened, rest) = open(scratch.path(), placed[59].next, placed[59].sequence);
    assert_eq!(rest.len(), 40);
    assert!(opened.summary.damage.is_empty());
}

#[test]
fn a_torn_tail_is_cut_at_every_length_and_the_log_goes_on() {
    let scratch = tempfile::tempdir().unwrap();
    let placed = fill(scratch.path(), 3);
    let segment = scratch.path().join("0000000000000001.seg");
    let whole = std::fs::read(&segment).unwrap();
    let second_ends = placed[1].next.offset as usize;
    let third_ends = (placed[2].body.offset + placed[2].body.octets) as usize;
    for cut in second_ends + 1..third_ends {
        std::fs::write(&segment, &whole[..cut]).unwrap();
        let (mut opened, seen) = open(scratch.path(), Position::default(), 0);
        assert_eq!(seen.len(), 2, "cut at {cut}");
        assert!(opened.summary.damage[0].torn_tail);
        opened.log.append(&[entry(9)]).unwrap();
        let (opened, seen) = open(scratch.path(), Position::default(), 0);
        assert_eq!(seen.len(), 3);
        assert!(opened.summary.damage.is_empty());
    }
}

#[test]
fn damage_in_the_middle_is_named_and_passed() {
    let scratch = tempfile::tempdir().unwrap();
    let placed = fill(scratch.path(), 6);
    let segment = scratch.path().join("0000000000000001.seg");
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&segment).unwrap();
    file.write_all_at(b"!", placed[2].next.offset + 4).unwrap();
    let (mut opened, seen) = open(scratch.path(), Position::default(), 0);
    assert_eq!(seen.iter().map(|r| r.sequence).collect::<Vec<_>>(), [1, 2, 3, 5, 6]);
    let damage = &opened.summary.damage;
    assert_eq!(damage[0].position, placed[2].next);
    assert!(!damage[0].torn_tail);
    // What comes next goes to a new segment and gets a new number.
    let next = opened.log.append(&[entry(1)]).unwrap();
    assert_eq!((next[0].sequence, next[0].next.segment), (7, 2));
}

#[test]
fn a_write_that_was_cut_off_in_its_middle_goes_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let placed = fill(scratch.path(), 2);
    let (mut opened, _) = open(scratch.path(), Position::default(), 0);
    let batch = opened.log.append(&[entry(300), entry(301), entry(302)]).unwrap();
    let segment = scratch.path().join("0000000000000001.seg");
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&segment).unwrap();
    // The disk has the second page of the write, but not the first.
    file.write_all_at(&[0; 64], placed[1].next.offset).unwrap();
    let (mut opened, seen) = open(scratch.path(), Position::default(), 0);
    assert_eq!(seen.len(), 2);
    assert!(opened.summary.damage.iter().all(|d| d.torn_tail));
    let next = opened.log.append(&[entry(1)]).unwrap();
    assert_eq!(next[0].sequence, batch[0].sequence);
    let (opened, seen) = open(scratch.path(), Position::default(), 0);
    assert_eq!((seen.len(), opened.summary.damage.len()), (3, 0));
}

#[test]
fn a_flipped_body_bit_is_found_when_bodies_are_verified() {
    let scratch = tempfile::tempdir().unwrap();
    let placed = fill(scratch.path(), 4);
    let segment = scratch.path().join("0000000000000001.seg");
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&segment).unwrap();
    file.write_all_at(b"y", placed[2].body.offset).unwrap();
    let count = |bodies| {
        scan(scratch.path(), Position::default(), bodies, &mut |_| Ok(())).unwrap().damage.len()
    };
    assert_eq!(count(false), 0);
    assert!(count(true) > 0);
}

#[test]
fn a_log_behind_its_index_never_reuses_numbers() {
    let scratch = tempfile::tempdir().unwrap();
    let placed = fill(scratch.path(), 5);
    let segment = scratch.path().join("0000000000000001.seg");
    let whole = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &whole[..placed[2].next.offset as usize]).unwrap();
    let (mut opened, seen) = open(scratch.path(), placed[4].next, 5);
    assert!(seen.is_empty());
    assert_eq!(opened.log.append(&[entry(1)]).unwrap()[0].sequence, 6);
}

#[test]
fn a_segment_that_died_at_birth_is_removed() {
    let scratch = tempfile::tempdir().unwrap();
    let placed = fill(scratch.path(), 2);
    std::fs::write(scratch.path().join("0000000000000002.seg"), b"CONC").unwrap();
    let (mut opened, seen) = open(scratch.path(), Position::default(), 0);
    assert_eq!(seen.len(), 2);
    assert!(opened.summary.damage.is_empty());
    assert_eq!(opened.log.append(&[entry(1)]).unwrap()[0].sequence, placed[1].sequence + 1);
}
