//! Typed addresses inside Internet ones, as Exchange writes them (IMCEA, in
//! [MS-OXOAD] section 2.2.3): `HOOK:orders/new` at `mail.example.org` is
//! `IMCEAHOOK-orders_new@mail.example.org`. Letters, digits, `-` and `=` stay, `/`
//! becomes `_`, every other octet `+` with two hexadecimal digits.

use crate::domain::Domain;
use crate::smtp::SmtpAddress;
use crate::typed::{AddressType, TypedAddress};
use std::fmt::Write;

const PREFIX: &str = "IMCEA";

/// The Internet address that stands for a typed one at `domain`; an Internet
/// address stands for itself. `None` if it would be longer than an
/// [`SmtpAddress`] can be.
pub fn encapsulate(address: &TypedAddress, domain: &Domain) -> Option<SmtpAddress> {
    if let Some(smtp) = address.smtp() {
        return Some(smtp);
    }
    let mut text = format!("{PREFIX}{}-", address.kind());
    for octet in address.value().bytes() {
        match octet {
            b'/' => text.push('_'),
            b'-' | b'=' => text.push(char::from(octet)),
            octet if octet.is_ascii_alphanumeric() => text.push(char::from(octet)),
            // Writing to a string does not fail.
            octet => drop(write!(text, "+{octet:02X}")),
        }
    }
    format!("{text}@{domain}").parse().ok()
}

/// The typed address within an Internet one; `None` if there is none. A quoted
/// local part may hold it as it is (`"GWISE:DOM.PO.jane"@mail.example.org`), as
/// people type one-off addresses into mail programs that know no others.
pub fn decapsulate(address: &SmtpAddress) -> Option<TypedAddress> {
    let local = address.local_part();
    if let Some((kind, value)) = local.split_once(':') {
        return TypedAddress::new(&kind.parse().ok()?, value).ok();
    }
    let (prefix, rest) = local.split_at_checked(PREFIX.len())?;
    if !prefix.eq_ignore_ascii_case(PREFIX) {
        return None;
    }
    let (kind, encoded) = rest.split_once('-')?;
    let kind: AddressType = kind.parse().ok()?;
    let mut octets = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(octet) = bytes.next() {
        octets.push(match octet {
            b'_' => b'/',
            b'+' => {
                let digit = |c: u8| char::from(c).to_digit(16);
                let value = digit(bytes.next()?)? * 16 + digit(bytes.next()?)?;
                u8::try_from(value).ok()?
            }
            octet => octet,
        });
    }
    TypedAddress::new(&kind, &String::from_utf8(octets).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn foreign_addresses_travel_as_internet_addresses() {
        let host: Domain = "mail.example.test".parse().unwrap();
        let notes: TypedAddress = "NOTES:Jane Doe/Acme".parse().unwrap();
        let inside = encapsulate(&notes, &host).unwrap();
        assert_eq!(inside.to_string(), "IMCEANOTES-Jane+20Doe_Acme@mail.example.test");
        assert_eq!(decapsulate(&inside), Some(notes));
        let quoted = "\"gwise:DOM.PO.Jane Doe\"@mail.example.test".parse().unwrap();
        let one_off = decapsulate(&quoted).unwrap();
        assert_eq!(one_off.to_string(), "GWISE:DOM.PO.Jane Doe");
        let long: TypedAddress = format!("X:{}", "y".repeat(1_020)).parse().unwrap();
        assert_eq!(encapsulate(&long, &host), None);
        let plain: TypedAddress = "a@b.test".parse().unwrap();
        assert_eq!(encapsulate(&plain, &host).unwrap().to_string(), "a@b.test");
        for odd in ["a@b.test", "IMCEA-x@b.test", "IMCEAX-+4@b.test", "IMCEASMTP-nobody@b.test"] {
            assert_eq!(decapsulate(&odd.parse().unwrap()), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out(value in "[^\\x00-\\x1f\\x7f]{1,20}") {
            let host: Domain = "h.test".parse().unwrap();
            if let Ok(address) = format!("HOOK:{value}").parse::<TypedAddress>()
                && let Some(inside) = encapsulate(&address, &host)
            {
                prop_assert_eq!(decapsulate(&inside), Some(address));
            }
        }
    }
}
