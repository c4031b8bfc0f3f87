//! The clock against a time server (SNTP, RFC 4330).

use crate::error::DnsCheckError;
use concord_base::Clock;
use std::time::Duration;
use tokio::net::{UdpSocket, lookup_host};
use tokio::time::timeout;

/// The port of NTP.
const PORT: u16 = 123;
/// For the answer; time servers answer within a second or not at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// Octets of a packet without extensions.
const PACKET: usize = 48;
/// No leap warning, version 4, client.
const REQUEST: u8 = 0b00_100_011;
/// Seconds from 1900 to 1970.
const EPOCH: i64 = 2_208_988_800;

/// How far the clock is ahead of the server's, in milliseconds, to within the
/// time of the round trip. `server` is a host, or `host:port`.
///
/// # Errors
/// [`DnsCheckError::NoTime`]
pub async fn clock_offset(server: &str, clock: &dyn Clock) -> Result<i64, DnsCheckError> {
    let fail = |cause: String| DnsCheckError::NoTime { server: server.to_owned(), cause };
    let exchange = async {
        let place = match server.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => {
                (host.to_owned(), port.parse().unwrap_or(PORT))
            }
            _ => (server.to_owned(), PORT),
        };
        let address = lookup_host(place).await.map_err(|e| e.to_string())?.next();
        let address = address.ok_or("it has no address")?;
        let local = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(local).await.map_err(|e| e.to_string())?;
        socket.connect(address).await.map_err(|e| e.to_string())?;
        let mut request = [0_u8; PACKET];
        if let Some(first) = request.first_mut() {
            *first = REQUEST;
        }
        let sent = clock.now();
        socket.send(&request).await.map_err(|e| e.to_string())?;
        let mut answer = [0_u8; PACKET];
        let octets = socket.recv(&mut answer).await.map_err(|e| e.to_string())?;
        let came = clock.now();
        let theirs = answer.get(..octets).and_then(transmitted).ok_or("it sent no time")?;
        let ours = sent.0 + came.since(sent).as_millis().try_into().unwrap_or(0) / 2;
        Ok::<i64, String>(ours.saturating_sub(theirs))
    };
    match timeout(PATIENCE, exchange).await {
        Ok(offset) => offset.map_err(fail),
        Err(_) => Err(fail(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

/// The time in an answer, in milliseconds since 1970 (RFC 4330 sections 3 and 5).
fn transmitted(packet: &[u8]) -> Option<i64> {
    let [first, stratum, ..] = packet else { return None };
    // A server's answer; stratum 0 refuses ("kiss of death").
    if first & 0b111 != 4 || *stratum == 0 {
        return None;
    }
    let word = |at: usize| {
        let octets = packet.get(at..at.checked_add(4)?)?;
        Some(u32::from_be_bytes(octets.try_into().ok()?))
    };
    let (seconds, fraction) = (word(40)?, word(44)?);
    // Section 3: with the highest bit not set it is the era from 2036 on.
    let era = if seconds & 0x8000_0000 == 0 { 1_i64 << 32 } else { 0 };
    let millis = (u64::from(fraction) * 1_000) >> 32;
    let since = i64::from(seconds) + era - EPOCH;
    Some(since.saturating_mul(1_000).saturating_add(i64::try_from(millis).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_base::{ManualClock, Timestamp};
    use proptest::prelude::*;

    fn answer(seconds: u32) -> [u8; PACKET] {
        let mut packet = [0_u8; PACKET];
        packet[0] = 0b00_100_100;
        packet[1] = 2;
        packet[40..44].copy_from_slice(&seconds.to_be_bytes());
        packet[44..48].copy_from_slice(&0x8000_0000_u32.to_be_bytes());
        packet
    }

    #[tokio::test]
    async fn a_clock_that_is_ahead_is_seen() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            let mut buffer = [0_u8; 100];
            let (_, from) = server.recv_from(&mut buffer).await.unwrap();
            server.send_to(&answer(3_900_000_000), from).await.unwrap();
        });
        let theirs = 3_900_000_000 - EPOCH;
        let clock = ManualClock::new(Timestamp::from_seconds(theirs + 90));
        assert_eq!(clock_offset(&address, &clock).await.unwrap(), 89_500);
    }

    #[test]
    fn the_count_goes_on_after_2036() {
        assert_eq!(transmitted(&answer(0)), Some(((1_i64 << 32) - EPOCH) * 1_000 + 500));
        let mut refusal = answer(3_900_000_000);
        refusal[1] = 0;
        assert_eq!(transmitted(&refusal), None);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = transmitted(&octets);
        }
    }
}
