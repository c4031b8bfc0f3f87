//! RFC 3461 section 4: `xtext`, printable ASCII with `+HH` for the rest.

/// `+`, `=`, controls, spaces and whatever is no ASCII are written `+HH`.
pub fn encode_xtext(value: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |n: u8| char::from(HEX.get(usize::from(n & 15)).copied().unwrap_or(b'0'));
    let mut out = String::with_capacity(value.len());
    for octet in value {
        match octet {
            b'+' | b'=' | 0..=b' ' | 0x7f..=0xff => {
                out.push('+');
                out.push(digit(octet >> 4));
                out.push(digit(*octet));
            }
            octet => out.push(char::from(*octet)),
        }
    }
    out
}

/// The octets that `xtext` stands for; `None` if it is not `xtext`.
pub fn decode_xtext(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(octet) = rest.next() {
        match octet {
            b'+' => {
                let high = nibble(*rest.next()?)?;
                let low = nibble(*rest.next()?)?;
                out.push(high << 4 | low);
            }
            b'!'..=b'~' if *octet != b'=' => out.push(*octet),
            _ => return None,
        }
    }
    Some(out)
}

/// RFC 3461 has upper case only; lower case is common in the field.
fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok())
}

#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let encoded = encode_xtext(data);
    assert_eq!(decode_xtext(encoded.as_bytes()).as_deref(), Some(data));
    let _ = decode_xtext(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_xtext_is_refused() {
        for text in ["a b", "a=b", "a+", "a+4", "a+GG", "a\u{7f}", "ä"] {
            assert_eq!(decode_xtext(text.as_bytes()), None, "{text}");
        }
        assert_eq!(decode_xtext(b"a+2Bb+3d"), Some(b"a+b=".to_vec()));
    }

    proptest! {
        #[test]
        fn all_octets_come_back(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            let text = encode_xtext(&value);
            prop_assert!(text.bytes().all(|c| c.is_ascii_graphic()));
            prop_assert_eq!(decode_xtext(text.as_bytes()), Some(value));
        }
    }
}
