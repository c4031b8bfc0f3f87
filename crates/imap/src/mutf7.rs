//! Mailbox names on the wire: modified UTF-7 (RFC 3501 section 5.1.3).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The name as the wire has it.
pub(crate) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut shifted: Vec<u8> = Vec::new();
    let end_shift = |out: &mut String, shifted: &mut Vec<u8>| {
        if !shifted.is_empty() {
            out.push('&');
            out.push_str(&BASE64.encode(&*shifted));
            out.push('-');
            shifted.clear();
        }
    };
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            end_shift(&mut out, &mut shifted);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                shifted.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    end_shift(&mut out, &mut shifted);
    out
}

/// The name in Unicode; `None` if it is not modified UTF-7. Names in plain
/// UTF-8, which some clients send against the rules, are taken as they are.
pub(crate) fn decode(wire: &[u8]) -> Option<String> {
    let wire = std::str::from_utf8(wire).ok()?;
    let mut out = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (code, after) = shifted.split_once('-')?;
        if code.is_empty() {
            out.push('&');
        } else {
            let octets = BASE64.decode(code).ok()?;
            if octets.len() % 2 != 0 {
                return None;
            }
            let units = octets.chunks_exact(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0,
            });
            for c in char::decode_utf16(units) {
                out.push(c.ok()?);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

pub(crate) fn fuzz(data: &[u8]) {
    if let Some(name) = decode(data) {
        // what we understood we must be able to say
        assert_eq!(decode(encode(&name).as_bytes()).as_deref(), Some(name.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_rfc_3501_has_them() {
        for (name, wire) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("a & b", "a &- b"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("😀", "&2D3eAA-"),
            ("", ""),
        ] {
            assert_eq!(encode(name), wire);
            assert_eq!(decode(wire.as_bytes()).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_not_modified_utf_7_is_refused() {
        for wire in [&b"&"[..], b"&AP", b"&A-", b"&!!-", b"&2D0-", b"\xff"] {
            assert_eq!(decode(wire), None, "{wire:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_name_comes_back(name: String) {
            let wire = encode(&name);
            assert!(wire.bytes().all(|c| (0x20..0x7f).contains(&c)), "{wire}");
            assert_eq!(decode(wire.as_bytes()), Some(name));
        }

        #[test]
        fn nothing_panics(data: Vec<u8>) {
            fuzz(&data);
        }
    }
}
