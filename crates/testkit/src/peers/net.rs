//! Addresses of this machine that no other test uses.

use crate::trouble::{Result, trouble};
use std::net::{IpAddr, Ipv4Addr, TcpListener};

/// A net of 127.0.0.0/8 with 253 hosts, kept from other tests while this
/// lives: all of it is this machine's without further ado.
#[derive(Debug)]
pub struct Loopback {
    first: [u8; 3],
    _lock: TcpListener,
}

impl Loopback {
    /// Takes a free one.
    ///
    /// # Errors
    /// All are taken.
    pub fn take() -> Result<Self> {
        const NETS: u32 = 60 * 250;
        for step in 0..NETS {
            let n = (std::process::id() + step) % NETS;
            let [.., low] = (n % 250).to_be_bytes();
            let [.., high] = (n / 250).to_be_bytes();
            let first = [127, 64 + high, low];
            let lock = Ipv4Addr::new(127, 64 + high, low, 254);
            if let Ok(lock) = TcpListener::bind((lock, 9)) {
                return Ok(Self { first, _lock: lock });
            }
        }
        Err(trouble("no net of 127.0.0.0/8 is left; are we root?"))
    }

    /// A host of it, 1 to 253.
    pub fn host(&self, n: u8) -> IpAddr {
        let [a, b, c] = self.first;
        IpAddr::V4(Ipv4Addr::new(a, b, c, n))
    }
}
