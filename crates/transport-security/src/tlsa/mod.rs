//! TLSA records (RFC 6698, 7671, 7672): what they say, and what matches them.

mod chain;
mod record;

pub use chain::{TlsaMismatch, public_key, verify};
pub use record::{Matching, Selector, TlsaRecord, Usability, Usage, usable};

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    record::fuzz(data);
    chain::fuzz(data);
}
