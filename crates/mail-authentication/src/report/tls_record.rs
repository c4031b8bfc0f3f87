//! The record `_smtp._tls` of a domain (RFC 8460 section 3).

use crate::limits::MAX_REPORT_ADDRESSES;

/// The mail addresses in a domain's records; none if there is not exactly one
/// record of this kind, as the standard wants it.
pub(crate) fn tls_report_addresses(texts: &[Vec<u8>]) -> Vec<String> {
    let mut records = texts.iter().filter_map(|text| {
        let text = std::str::from_utf8(text).ok()?;
        let (version, fields) = text.split_once(';')?;
        (version.trim() == "v=TLSRPTv1").then_some(fields)
    });
    let (Some(fields), None) = (records.next(), records.next()) else { return Vec::new() };
    let rua = fields.split(';').find_map(|field| {
        let (name, value) = field.split_once('=')?;
        (name.trim() == "rua").then_some(value)
    });
    rua.unwrap_or_default()
        .split(',')
        .filter_map(|uri| decoded(uri.trim().strip_prefix("mailto:")?))
        .take(MAX_REPORT_ADDRESSES)
        .collect()
}

/// RFC 6068: octets as `%40`; what follows `?` are fields that are not for us.
fn decoded(address: &str) -> Option<String> {
    let address = address.split('?').next().unwrap_or_default();
    let mut octets = Vec::with_capacity(address.len());
    let mut rest = address.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'%' {
            octets.push(octet);
            continue;
        }
        let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|d| u8::try_from(d).ok());
        let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
        octets.push(high << 4 | low);
    }
    let address = String::from_utf8(octets).ok()?;
    (address.contains('@') && !address.contains(char::is_control)).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn addresses(texts: &[&str]) -> Vec<String> {
        let texts: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        tls_report_addresses(&texts)
    }

    #[test]
    fn records_are_read_as_the_standard_writes_them() {
        for (text, expected) in [
            ("v=TLSRPTv1;rua=mailto:reports@example.com", &["reports@example.com"][..]),
            ("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", &[]),
            (
                "v=TLSRPTv1; rua=mailto:a@x.test , https://y.test/,mailto:b%40z.test?subject=x;",
                &["a@x.test", "b@z.test"],
            ),
            ("v=TLSRPTv2; rua=mailto:a@x.test", &[]),
            ("v=TLSRPTv1", &[]),
            ("v=TLSRPTv1; rua=mailto:a%4", &[]),
            ("v=TLSRPTv1; rua=mailto:a@x.test%0d%0aTo: b", &[]),
        ] {
            assert_eq!(addresses(&[text]), expected, "{text}");
        }
        let one = "v=TLSRPTv1;rua=mailto:a@x.test";
        assert_eq!(addresses(&["v=spf1 -all", one]), ["a@x.test"]);
        assert!(addresses(&[one, one]).is_empty());
    }

    proptest! {
        #[test]
        fn no_octets_break_it(texts: Vec<Vec<u8>>, tail in ".*") {
            tls_report_addresses(&texts);
            addresses(&[&format!("v=TLSRPTv1;rua=mailto:{tail}")]);
        }
    }
}
