//! Feeds mutated blocks and headers of recorded links to what decodes them:
//! `mutate COUNT [SEED]`.
//!
//! Prints how many were fed, how long it took, and the slowest of them. A panic
//! ends it; the seed that is printed first brings the same inputs again. Blocks are
//! those of `fuzz/corpus/nje-blocks` (records of captured blocks, headers among
//! them); each is changed in one to eight places.

use std::path::Path;
use std::time::{Duration, Instant};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Changes of one input at most.
const MAX_CHANGES: u64 = 8;
/// Octets that one change repeats or takes away at most.
const MAX_RUN: u64 = 64;
/// Octets of an input: blocks have 32 K at most, and those of peers 8 K.
const MAX_INPUT: usize = 8 * 1024;

/// xorshift64*: the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below a number; zero below zero.
    fn below(&mut self, most: u64) -> u64 {
        self.next().checked_rem(most).unwrap_or_default()
    }

    fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or_default()
    }
}

fn main() -> Result {
    let mut words = std::env::args().skip(1);
    let count: u64 = words.next().ok_or("mutate COUNT [SEED]")?.parse()?;
    let seed: u64 = words.next().map_or(Ok(1), |seed| seed.parse())?;
    let blocks = blocks()?;
    println!("seed {seed}, {} blocks", blocks.len());
    let mut numbers = Numbers(seed.max(1));
    let (start, mut slowest, mut octets) = (Instant::now(), Duration::ZERO, 0_u64);
    for _ in 0..count {
        let Some(block) = blocks.get(numbers.place(blocks.len())) else { continue };
        let other = blocks.get(numbers.place(blocks.len())).unwrap_or(block);
        let input = mutated(block, other, &mut numbers);
        octets = octets.saturating_add(input.len() as u64);
        let begun = Instant::now();
        concord_nje::fuzz_blocks(&input);
        slowest = slowest.max(begun.elapsed());
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{count} inputs of {octets} octets in {seconds:.1} s, {:.0} a second, the slowest {} us",
        count as f64 / seconds,
        slowest.as_micros()
    );
    Ok(())
}

fn blocks() -> Result<Vec<Vec<u8>>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/nje-blocks");
    let mut files: Vec<_> =
        std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    files.iter().map(|file| Ok(std::fs::read(file)?)).collect()
}

fn mutated(block: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = block.to_vec();
    for _ in 0..=numbers.below(MAX_CHANGES) {
        let at = numbers.place(input.len());
        let octet = numbers.next().to_le_bytes().first().copied().unwrap_or_default();
        let run = usize::try_from(numbers.below(MAX_RUN)).unwrap_or_default();
        let end = at.saturating_add(run).min(input.len());
        match numbers.below(7) {
            0 => input.iter_mut().skip(at).take(1).for_each(|place| *place = octet),
            1 => input.iter_mut().skip(at).take(1).for_each(|place| *place ^= 1 << (octet & 7)),
            2 => input.insert(at, octet),
            3 => drop(input.drain(at..end)),
            4 => {
                let again: Vec<u8> = input.get(at..end).unwrap_or_default().to_vec();
                input.splice(at..at, again);
            }
            5 => input.truncate(at),
            _ => {
                let from = numbers.place(other.len());
                let some: Vec<u8> = other.iter().skip(from).take(run).copied().collect();
                input.splice(at..at, some);
            }
        }
        input.truncate(MAX_INPUT);
    }
    input
}
