//! The grammar of SPF records (RFC 7208 section 12). The library skips what it
//! does not understand; section 4.6 wants the whole record refused.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a record, with its version in front, is well-formed.
pub(super) fn is_well_formed(record: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(record) else { return false };
    if !text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return false;
    }
    let mut seen = (false, false);
    text.split(' ').skip(1).filter(|term| !term.is_empty()).all(|term| is_term(term, &mut seen))
}

/// `seen`: whether `redirect` and `exp` were there, which may be there once.
fn is_term(term: &str, seen: &mut (bool, bool)) -> bool {
    let name_end = term.find([':', '/', '=']).unwrap_or(term.len());
    let (name, rest) = term.split_at(name_end);
    if let Some(value) = rest.strip_prefix('=') {
        return is_modifier(&name.to_ascii_lowercase(), value, seen);
    }
    let name = name.strip_prefix(['+', '-', '?', '~']).unwrap_or(name).to_ascii_lowercase();
    match name.as_str() {
        "all" => rest.is_empty(),
        "include" | "exists" => rest.strip_prefix(':').is_some_and(is_domain),
        "a" | "mx" => is_host(rest),
        "ptr" => rest.is_empty() || rest.strip_prefix(':').is_some_and(is_domain),
        "ip4" => rest.strip_prefix(':').is_some_and(|net| is_net::<Ipv4Addr>(net, 32)),
        "ip6" => rest.strip_prefix(':').is_some_and(|net| is_net::<Ipv6Addr>(net, 128)),
        _ => false,
    }
}

fn is_modifier(name: &str, value: &str, seen: &mut (bool, bool)) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match name {
        "redirect" => !std::mem::replace(&mut seen.0, true) && is_domain(value),
        "exp" => !std::mem::replace(&mut seen.1, true) && is_domain(value),
        _ => starts && name.chars().all(plain) && has_good_macros(value),
    }
}

/// What stands behind `a` and `mx`: `[:domain][/4][//6]`.
fn is_host(rest: &str) -> bool {
    let (domain, lengths) = match rest.strip_prefix(':') {
        // A slash may stand in a macro; lengths stand at the end.
        Some(rest) => {
            let outside = rest.rfind('}').map_or(0, |end| end + 1);
            let slash = rest.get(outside..).and_then(|tail| tail.find('/'));
            let (domain, lengths) = rest.split_at(slash.map_or(rest.len(), |at| outside + at));
            (Some(domain), lengths)
        }
        None => (None, rest),
    };
    let (four, six) = match lengths.find("//") {
        Some(at) => (lengths.get(..at), lengths.get(at + 2..)),
        None => (Some(lengths), None),
    };
    let four = four.filter(|four| !four.is_empty());
    domain.is_none_or(is_domain)
        && four.is_none_or(|four| four.strip_prefix('/').is_some_and(|n| is_length(n, 32)))
        && six.is_none_or(|six| is_length(six, 128))
}

fn is_net<A: std::str::FromStr>(net: &str, most: u8) -> bool {
    let (address, length) = match net.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (net, None),
    };
    address.parse::<A>().is_ok() && length.is_none_or(|length| is_length(length, most))
}

/// Decimal without leading zeros.
fn is_length(text: &str, most: u8) -> bool {
    let plain = text == "0" || !text.starts_with('0');
    plain
        && text.bytes().all(|octet| octet.is_ascii_digit())
        && text.parse::<u8>().is_ok_and(|length| length <= most)
}

/// A domain, maybe with macros; it must end in a label or a macro.
fn is_domain(text: &str) -> bool {
    if text.is_empty() || !has_good_macros(text) {
        return false;
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.ends_with('}') {
        return true;
    }
    // toplabel: letters, digits and hyphens, not digits alone, behind a dot.
    text.rsplit_once('.').is_some_and(|(_, label)| {
        !label.is_empty()
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
            && !label.bytes().all(|octet| octet.is_ascii_digit())
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// `%{letter digits r delimiters}`, `%%`, `%_` and `%-` (section 7.1).
fn has_good_macros(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let Some(after) = rest.get(at + 1..) else { return false };
        rest = match after.chars().next() {
            Some('%' | '_' | '-') => after.get(1..).unwrap_or_default(),
            Some('{') => match after.get(1..).and_then(|body| body.split_once('}')) {
                Some((body, rest)) if is_macro(body) => rest,
                _ => return false,
            },
            _ => return false,
        };
    }
    true
}

fn is_macro(body: &str) -> bool {
    let mut chars = body.chars();
    let letter = chars.next().is_some_and(|c| "slodiphcrtv".contains(c.to_ascii_lowercase()));
    let rest = chars.as_str();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    let rest = rest.strip_prefix(['r', 'R']).unwrap_or(rest);
    // Zero labels are none.
    letter
        && (number.is_empty() || number.bytes().any(|n| n != b'0'))
        && rest.chars().all(|c| ".-+,/_=".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_of_the_rfc_are_well_formed() {
        for record in [
            "v=spf1",
            "v=spf1 -all",
            "v=spf1 a mx -all",
            "v=spf1 a/24 a:offsite.example.com/24 ~all",
            "v=spf1 a//64 mx:x.example/24//64 -all",
            "v=spf1 ip4:192.0.2.0/24 IP6:2001:db8::/32 ?all",
            "v=spf1 include:example.com include:example.net -all",
            "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} -all",
            "v=spf1 redirect=_spf.example.com",
            "v=spf1 mx -all exp=explain._spf.%{d}",
            "v=spf1 exists:%{l}%%%_%-.x.example. moo.cow-far_out=man:dog/cat ip4:192.0.2.1  -all ",
            "v=spf1 ptr ptr:a.example +all",
        ] {
            assert!(is_well_formed(record.as_bytes()), "{record}");
        }
    }

    #[test]
    fn others_are_not() {
        for term in [
            "foo",
            "foo:bar",
            "all:x",
            "-",
            "include",
            "include:",
            "include:x",
            "ip4",
            "ip4:x",
            "ip4:1.2.3.4/33",
            "ip4:1.2.3.4/",
            "ip4:1.2.3.4/08",
            "ip6:1.2.3.4",
            "a/33",
            "a//129",
            "a:",
            "a:x.example/",
            "mx:x.1",
            "exists:%{z}.x",
            "exists:%{d0}.x",
            "exists:%x.y",
            "exists:%",
            "ptr:",
            "redirect=",
            "redirect=a.example redirect=b.example",
            "exp=a.b exp=a.b",
            "1x=y",
            "a=%{",
            "ä:x",
        ] {
            assert!(!is_well_formed(format!("v=spf1 {term} -all").as_bytes()), "{term}");
        }
    }

    proptest! {
        #[test]
        fn no_record_makes_it_panic(record in proptest::collection::vec(any::<u8>(), 0..120), text in "v=spf1 [ -~%{}/:=]{0,60}") {
            let _ = is_well_formed(&record);
            let _ = is_well_formed(text.as_bytes());
        }
    }
}
