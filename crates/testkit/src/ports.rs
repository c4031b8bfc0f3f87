//! TCP ports that nobody else uses, also when tests run in parallel processes.

use crate::trouble::{Result, trouble};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports per block; a server and its peers need fewer than twenty.
const BLOCK: u16 = 20;
/// Below the kernel's range for outgoing connections (32768 and up), so that
/// no client's own port collides.
const FIRST: u16 = 12_000;
const BLOCKS: u16 = 990;

/// A block of ports, kept from other tests while this lives: the block's first
/// port is held open as a lock.
#[derive(Debug)]
pub struct Ports {
    _lock: TcpListener,
    base: u16,
    given: AtomicU16,
}

impl Ports {
    /// Takes a free block.
    ///
    /// # Errors
    /// All blocks are taken.
    pub fn take() -> Result<Self> {
        let start = u16::try_from(std::process::id() % u32::from(BLOCKS)).unwrap_or(0);
        for step in 0..BLOCKS {
            let base = FIRST + (start + step) % BLOCKS * BLOCK;
            let Ok(lock) = TcpListener::bind((Ipv4Addr::LOCALHOST, base)) else { continue };
            let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
            if (base + 1..base + BLOCK).all(free) {
                return Ok(Self { _lock: lock, base, given: AtomicU16::new(0) });
            }
        }
        Err(trouble("no block of free ports is left on 127.0.0.1"))
    }

    /// The next port of the block.
    ///
    /// # Errors
    /// The block is used up.
    pub fn next(&self) -> Result<u16> {
        let given = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        if given >= BLOCK {
            return Err(trouble("a test asked for more ports than a block has"));
        }
        Ok(self.base + given)
    }
}
