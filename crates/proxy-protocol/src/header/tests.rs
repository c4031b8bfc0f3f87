use super::*;
use proptest::prelude::*;

/// A header of version 2 of any kind.
pub(crate) fn block(command: u8, family: u8, addresses: &[u8], fields: &[u8]) -> Vec<u8> {
    let mut head = SIGNATURE.to_vec();
    head.extend([command, family]);
    head.extend(u16::try_from(addresses.len() + fields.len()).unwrap().to_be_bytes());
    head.extend(addresses);
    head.extend(fields);
    head
}

/// 192.0.2.7:40000 to 198.51.100.1:25.
pub(crate) const IPV4: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0, 25];

pub(crate) fn seven() -> Header {
    Header::Client {
        client: "192.0.2.7:40000".parse().unwrap(),
        to: "198.51.100.1:25".parse().unwrap(),
    }
}

/// The sum as its definition says it, bit by bit (RFC 3720 appendix B.4).
fn castagnoli(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0_u32, |sum, octet| {
        (0..8).fold(sum ^ u32::from(*octet), |sum, _| {
            if sum & 1 == 1 { (sum >> 1) ^ 0x82f6_3b78 } else { sum >> 1 }
        })
    })
}

/// With a checksum between two other fields.
fn summed() -> Vec<u8> {
    let fields = [0x04, 0, 2, 1, 2, 0x03, 0, 4, 0, 0, 0, 0, 0xea, 0, 1, 9];
    let mut head = block(0x21, 0x11, &IPV4, &fields);
    let at = FIXED + IPV4.len() + 8;
    let sum = castagnoli(&head);
    head[at..at + 4].copy_from_slice(&sum.to_be_bytes());
    head
}

#[test]
fn a_line_names_the_client() {
    assert_eq!(read(b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\n").unwrap(), seven());
    let six = read(b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 25\r\n").unwrap();
    let Header::Client { client, to } = six else { panic!("{six:?}") };
    assert_eq!(client, "[2001:db8::7]:40000".parse().unwrap());
    assert_eq!(to, "[2001:db8::1]:25".parse().unwrap());
}

#[test]
fn a_block_names_the_client() {
    assert_eq!(read(&block(0x21, 0x11, &IPV4, &[])).unwrap(), seven());
    assert_eq!(read(&block(0x21, 0x11, &IPV4, &[0xea, 0, 1, 9])).unwrap(), seven());
    let mut six = [0; 36];
    six[..16].copy_from_slice(&std::net::Ipv4Addr::new(192, 0, 2, 7).to_ipv6_mapped().octets());
    six[16..32]
        .copy_from_slice(&std::net::Ipv4Addr::new(198, 51, 100, 1).to_ipv6_mapped().octets());
    six[32..].copy_from_slice(&IPV4[8..]);
    assert_eq!(read(&block(0x21, 0x21, &six, &[])).unwrap(), seven(), "IPv4 within IPv6");
}

#[test]
fn the_proxys_own_connections_stay_its_own() {
    assert_eq!(read(b"PROXY UNKNOWN\r\n").unwrap(), Header::Own);
    assert_eq!(read(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n").unwrap(), Header::Own);
    for (what, head) in [
        ("LOCAL", block(0x20, 0x00, &[], &[])),
        ("LOCAL with addresses", block(0x20, 0x11, &IPV4, &[])),
        ("LOCAL with a family of the future", block(0x20, 0x77, &[1, 2, 3], &[])),
        ("UNSPEC", block(0x21, 0x00, &[1, 2, 3], &[])),
        ("a Unix socket", block(0x21, 0x31, &[0; 216], &[])),
    ] {
        assert_eq!(read(&head).unwrap(), Header::Own, "{what}");
    }
}

#[test]
fn what_is_wrong_is_refused() {
    for line in [
        "PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 40000\r\n",
        "PROXY TCP4 192.0.2.7 198.51.100.1 40000 65536\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 40000 25\r\n",
        "PROXY TCP4 192.0.2.7  198.51.100.1 40000 25\r\n",
        "PROXY UDP4 192.0.2.7 198.51.100.1 40000 25\r\n",
        "PROXY TCP4 192.0.2.007 198.51.100.1 40000 25\r\n",
        "PROXY \r\n",
    ] {
        let found = read(line.as_bytes());
        assert!(matches!(found, Err(ProxyError::Line { .. })), "{line:?}: {found:?}");
    }
    for (what, head) in [
        ("version 3", block(0x31, 0x11, &IPV4, &[])),
        ("an unknown command", block(0x22, 0x11, &IPV4, &[])),
        ("an unknown family", block(0x21, 0x41, &IPV4, &[])),
        ("too short for its family", block(0x21, 0x21, &IPV4, &[])),
        ("a field that is cut off", block(0x21, 0x11, &IPV4, &[0xea, 0, 9, 1])),
    ] {
        assert!(matches!(read(&head), Err(ProxyError::Block)), "{what}: {:?}", read(&head));
    }
    let datagrams = read(&block(0x21, 0x12, &IPV4, &[]));
    assert!(matches!(datagrams, Err(ProxyError::Datagrams)), "{datagrams:?}");
}

#[test]
fn the_checksum_counts() {
    let right = summed();
    assert_eq!(read(&right).unwrap(), seven());
    for at in FIXED..right.len() {
        let mut wrong = right.clone();
        // types and lengths of fields, whose change is another mistake
        let structure = [28, 29, 30, 33, 34, 35, 40, 41, 42];
        if structure.contains(&at) {
            continue;
        }
        wrong[at] ^= 0x10;
        let found = read(&wrong);
        assert!(matches!(found, Err(ProxyError::Checksum)), "octet {at}: {found:?}");
    }
    let short = read(&block(0x21, 0x11, &IPV4, &[0x03, 0, 1, 0]));
    assert!(matches!(short, Err(ProxyError::Checksum)), "{short:?}");
}

#[test]
fn other_beginnings_are_seen_at_once() {
    for head in ["EHLO a.test\r\n", "P\r\n", "PROXYTCP4", "\r\n\r\n\0\r\nQUIX", "\x16\x03\x01", " "]
    {
        let found = missing(head.as_bytes());
        assert!(matches!(found, Err(ProxyError::NoHeader)), "{head:?}: {found:?}");
    }
}

#[test]
fn the_longest_are_taken_and_no_longer_ones() {
    let address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let line = format!("PROXY UNKNOWN {address} {address} 65535 65535\r\n");
    assert_eq!(line.len(), LONGEST_LINE);
    assert_eq!(missing(&line.as_bytes()[..LONGEST_LINE - 1]).unwrap(), 1);
    assert_eq!(missing(line.as_bytes()).unwrap(), 0);
    let endless = [LINE, &[b'x'; LONGEST_LINE - LINE.len()]].concat();
    assert!(matches!(missing(&endless), Err(ProxyError::TooLong { most: LONGEST_LINE })));

    let room = LONGEST_BLOCK - FIXED;
    let longest = block(0x20, 0x00, &vec![0; room], &[]);
    assert_eq!(missing(&longest[..FIXED]).unwrap(), room);
    assert_eq!(missing(&longest).unwrap(), 0);
    let longer = block(0x20, 0x00, &vec![0; room + 1], &[]);
    let found = missing(&longer[..FIXED]);
    assert!(matches!(found, Err(ProxyError::TooLong { most: LONGEST_BLOCK })), "{found:?}");
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz(&octets);
        let _ = read(&octets);
    }

    #[test]
    fn any_block_is_read_or_refused(
        command in 0x1f_u8..0x23, family in any::<u8>(),
        rest in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        fuzz(&block(command, family, &rest, &[]));
        fuzz(&block(command, 0x11, &IPV4, &rest));
    }

    #[test]
    fn any_line_is_read_or_refused(text in "(TCP4|TCP6|UNKNOWN|\\PC)?[ 0-9a-f.:\\r]{0,100}") {
        fuzz(format!("PROXY {text}\r\n").as_bytes());
    }
}
