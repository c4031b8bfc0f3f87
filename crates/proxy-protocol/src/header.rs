//! A header as octets: how much of it is missing, and what it says.

use crate::error::ProxyError;
use proxy_header::{ParseConfig, Protocol, ProxyHeader};
use std::net::SocketAddr;

/// The shortest header of all: `PROXY UNKNOWN` and its line's end. So many
/// octets can be read before anything is known.
const SHORTEST: usize = 15;
/// The longest line of version 1 (section 2.1).
const LONGEST_LINE: usize = 107;
/// How a line of version 1 begins.
const LINE: &[u8] = b"PROXY ";
/// How a header of version 2 begins (section 2.2).
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version, family and length of version 2 (section 2.2).
const FIXED: usize = 16;
/// A header of version 2. Its addresses take 216 octets at most; what proxies
/// tell beside them (names, a client's certificate) stays far below 1 KiB each.
const LONGEST_BLOCK: usize = 4_096;
/// Version 2 and the command LOCAL.
const LOCAL: u8 = 0x20;
/// Type and length of a field behind the addresses (section 2.2).
const FIELD: usize = 3;
/// The field with the checksum (section 2.2.3).
const CHECKSUM: u8 = 0x03;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// The connection is the proxy's own, or the client has no address that
    /// means anything here: LOCAL, UNKNOWN, UNSPEC, a Unix socket.
    Own,
    /// The connection is on behalf of a client.
    Client {
        /// The client.
        client: SocketAddr,
        /// Where it connected to.
        to: SocketAddr,
    },
}

/// How many octets of the header are missing at least; so many can be read
/// without touching what follows. 0 if it is complete.
pub(crate) fn missing(head: &[u8]) -> Result<usize, ProxyError> {
    if head.is_empty() {
        return Ok(SHORTEST);
    }
    if begins_like(head, SIGNATURE) {
        return missing_of_block(head);
    }
    if !begins_like(head, LINE) {
        return Err(ProxyError::NoHeader);
    }
    if head.contains(&b'\n') {
        return Ok(0);
    }
    if head.len() >= LONGEST_LINE {
        return Err(ProxyError::TooLong { most: LONGEST_LINE });
    }
    // Only the line's end says how long it is, so from here on octet by octet.
    Ok(SHORTEST.saturating_sub(head.len()).max(1))
}

fn begins_like(head: &[u8], whole: &[u8]) -> bool {
    head.iter().zip(whole).all(|(found, wanted)| found == wanted)
}

fn missing_of_block(head: &[u8]) -> Result<usize, ProxyError> {
    let Some(&[high, low]) = head.get(FIXED - 2..FIXED) else {
        return Ok(FIXED.saturating_sub(head.len()));
    };
    let whole = FIXED.saturating_add(usize::from(u16::from_be_bytes([high, low])));
    if whole > LONGEST_BLOCK {
        return Err(ProxyError::TooLong { most: LONGEST_BLOCK });
    }
    Ok(whole.saturating_sub(head.len()))
}

/// What a complete header says.
pub(crate) fn read(head: &[u8]) -> Result<Header, ProxyError> {
    if head.starts_with(SIGNATURE) {
        return read_block(head);
    }
    let wrong = || ProxyError::Line { line: head.trim_ascii_end().escape_ascii().to_string() };
    let (header, _) = ProxyHeader::parse(head, ParseConfig::default()).map_err(|_| wrong())?;
    meant(&header)
}

fn read_block(head: &[u8]) -> Result<Header, ProxyError> {
    // Section 2.2: whatever stands in a LOCAL header is discarded, its family too.
    if head.get(SIGNATURE.len()) == Some(&LOCAL) {
        return Ok(Header::Own);
    }
    let (header, _) =
        ProxyHeader::parse(head, ParseConfig::default()).map_err(|_| ProxyError::Block)?;
    check(head)?;
    meant(&header)
}

fn meant(header: &ProxyHeader<'_>) -> Result<Header, ProxyError> {
    let Some(addresses) = header.proxied_address() else { return Ok(Header::Own) };
    if addresses.protocol == Protocol::Datagram {
        return Err(ProxyError::Datagrams);
    }
    // IPv4 addresses within IPv6 ones are IPv4, as everywhere.
    let plain = |a: SocketAddr| SocketAddr::new(a.ip().to_canonical(), a.port());
    Ok(Header::Client { client: plain(addresses.source), to: plain(addresses.destination) })
}

/// Walks the fields behind the addresses, and compares the checksum if there is
/// one (section 2.2.3): it is taken over the header with zeros in its place.
fn check(head: &[u8]) -> Result<(), ProxyError> {
    let Some(mut at) = head.get(SIGNATURE.len() + 1).and_then(|family| fields_of(*family)) else {
        return Ok(());
    };
    while at < head.len() {
        let Some(&[kind, high, low]) = head.get(at..at.saturating_add(FIELD)) else {
            return Err(ProxyError::Block);
        };
        let start = at.saturating_add(FIELD);
        let end = start.saturating_add(usize::from(u16::from_be_bytes([high, low])));
        let (before, value, behind) = (head.get(..start), head.get(start..end), head.get(end..));
        let (Some(before), Some(value), Some(behind)) = (before, value, behind) else {
            return Err(ProxyError::Block);
        };
        if kind == CHECKSUM && value != checksum(before, behind).to_be_bytes() {
            return Err(ProxyError::Checksum);
        }
        at = end;
    }
    Ok(())
}

fn checksum(before: &[u8], behind: &[u8]) -> u32 {
    let sum = crc32c::crc32c_append(crc32c::crc32c(before), &0_u32.to_be_bytes());
    crc32c::crc32c_append(sum, behind)
}

/// Where a header's fields begin; none with a family whose addresses have no
/// known length (UNSPEC, section 2.2).
fn fields_of(family: u8) -> Option<usize> {
    let addresses = match family >> 4 {
        1 => 2 * 4 + 2 * 2,
        2 => 2 * 16 + 2 * 2,
        3 => 2 * 108,
        _ => return None,
    };
    Some(FIXED + addresses)
}

/// Feeds any octets as they might come from a proxy.
#[doc(hidden)]
pub fn fuzz(octets: &[u8]) {
    let mut have = 0;
    while let Some(head) = octets.get(..have) {
        match missing(head) {
            Ok(0) => {
                let _ = read(head);
                return;
            }
            Ok(more) => have = have.saturating_add(more),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
