//! Known files with octets changed, taken out and put in, through what the fuzzer
//! runs: quick enough for every test, and no replacement for the fuzzer.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use std::path::Path;

/// Mutations of each file.
const ROUNDS: u64 = 200;

/// xorshift64: the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides.max(1)).unwrap()).unwrap()
    }
}

fn mutate(name: &str, parser: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut files: Vec<_> =
        std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", corpus.display());
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
    for file in files {
        let known = std::fs::read(&file).unwrap();
        parser(&known);
        for _ in 0..ROUNDS {
            let mut data = known.clone();
            for _ in 0..=dice.roll(4) {
                let at = dice.roll(data.len());
                match dice.roll(5) {
                    0 if !data.is_empty() => data[at] = u8::try_from(dice.roll(256)).unwrap(),
                    1 if !data.is_empty() => data[at] ^= 1 << dice.roll(8),
                    2 if !data.is_empty() => {
                        drop(data.drain(at..(at + dice.roll(9)).min(data.len())))
                    }
                    3 => {
                        let from = dice.roll(known.len());
                        let piece = known[from..(from + dice.roll(40)).min(known.len())].to_vec();
                        data.splice(at..at, piece);
                    }
                    _ => data.truncate(at),
                }
            }
            parser(&data);
        }
    }
}

#[test]
fn netdata_that_was_tampered_with_is_read_or_refused() {
    mutate("cms-netdata", concord_cms_mail::fuzz_netdata);
}

#[test]
fn notes_and_batches_that_were_tampered_with_are_read_or_refused() {
    mutate("cms-notes", concord_cms_mail::fuzz_notes);
}

#[test]
fn names_and_tables_that_were_tampered_with_are_read_or_refused() {
    mutate("cms-names", concord_cms_mail::fuzz_names);
}
