//! Fields that pretend to be ours (RFC 8601 section 5).

use std::ops::Range;

/// Deepest nesting of comments that is followed. Nobody nests comments there;
/// what does is taken for a forgery.
const MAX_NESTING: usize = 8;

/// The `Authentication-Results` fields of a message that claim to be written
/// by `authserv_id`: ranges of octets, each a whole field with its line ends, in
/// order, that must be cut out before the message is passed on. Fields that are
/// written so oddly that readers could disagree on whose they are count too;
/// other hosts' fields stay. Linear in the length of the header.
pub fn forged_fields(message: &[u8], authserv_id: &str) -> Vec<Range<usize>> {
    let ours = authserv_id.trim_end_matches('.');
    fields(message)
        .filter(|field| {
            let octets = message.get(field.clone()).unwrap_or_default();
            claimed(octets).is_some_and(|claim| match claim {
                Claim::By(name) => name.trim_end_matches('.').eq_ignore_ascii_case(ours),
                Claim::Unclear => true,
            })
        })
        .collect()
}

/// The header's fields, from the first octet to the empty line.
fn fields(message: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let first = line_end(message, start)?;
        if is_empty_line(message.get(start..first).unwrap_or_default()) {
            return None;
        }
        at = first;
        while matches!(message.get(at), Some(b' ' | b'\t')) {
            at = line_end(message, at).unwrap_or(message.len());
        }
        Some(start..at)
    })
}

/// Behind the line that begins at `start`; `None` at the end.
fn line_end(message: &[u8], start: usize) -> Option<usize> {
    let rest = message.get(start..).filter(|rest| !rest.is_empty())?;
    // A lone CR ends a line for some readers: the field is looked at on its own.
    let end = rest.iter().position(|octet| matches!(octet, b'\n' | b'\r'));
    Some(match end {
        None => message.len(),
        Some(end) if rest.get(end..end + 2) == Some(b"\r\n") => start + end + 2,
        Some(end) => start + end + 1,
    })
}

fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n" | b"\r")
}

enum Claim {
    By(String),
    Unclear,
}

/// Who claims to have written the field; `None` if it is another field.
fn claimed(field: &[u8]) -> Option<Claim> {
    let colon = field.iter().position(|octet| *octet == b':')?;
    let name = field.get(..colon)?.trim_ascii();
    if !name.eq_ignore_ascii_case(b"authentication-results") {
        return None;
    }
    let mut rest = field.get(colon + 1..)?;
    if skip(&mut rest).is_none() {
        return Some(Claim::Unclear);
    }
    Some(read_name(rest).map_or(Claim::Unclear, Claim::By))
}

/// Skips white space and comments; `None` if a comment does not end.
fn skip(rest: &mut &[u8]) -> Option<()> {
    let mut depth = 0usize;
    while let Some((octet, after)) = rest.split_first() {
        match octet {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'(' => {
                depth += 1;
                if depth > MAX_NESTING {
                    return None;
                }
            }
            b')' if depth > 0 => depth -= 1,
            b'\\' if depth > 0 => {
                *rest = after.get(1..).unwrap_or_default();
                continue;
            }
            _ if depth > 0 => {}
            _ => return Some(()),
        }
        *rest = after;
    }
    (depth == 0).then_some(())
}

/// The authserv-id: a token or a quoted string. `None` if it is neither.
fn read_name(rest: &[u8]) -> Option<String> {
    let mut name = Vec::new();
    if let Some(mut rest) = rest.strip_prefix(b"\"") {
        loop {
            let (octet, after) = rest.split_first()?;
            rest = after;
            match octet {
                b'"' => break,
                b'\\' => {
                    let (octet, after) = rest.split_first()?;
                    name.push(*octet);
                    rest = after;
                }
                b'\r' | b'\n' => {}
                octet => name.push(*octet),
            }
        }
    } else {
        let ends = |octet: &u8| octet.is_ascii_whitespace() || matches!(octet, b';' | b'(');
        let end = rest.iter().position(ends).unwrap_or(rest.len());
        name.extend_from_slice(rest.get(..end)?);
    }
    let name = String::from_utf8(name).ok()?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(message: &str) -> Vec<&str> {
        let ranges = forged_fields(message.as_bytes(), "mx.example.org");
        ranges.into_iter().map(|range| &message[range]).collect()
    }

    #[test]
    fn only_fields_in_our_name_go() {
        let ours = "Authentication-Results: mx.example.org;\r\n\tspf=pass smtp.mailfrom=a.test\r\n";
        let other = "Authentication-Results: other.example; dkim=pass\r\n";
        let message = format!("From: a@a.test\r\n{ours}{other}\r\n{ours}");
        assert_eq!(cut(&message), [ours], "what stands in the body is text");
    }

    #[test]
    fn disguises_are_seen_through() {
        for claim in [
            "authentication-results:mx.example.org; none",
            "AUTHENTICATION-RESULTS : MX.Example.ORG; none",
            "Authentication-Results: (a (nested) \\) one) mx.example.org (x) 1; none",
            "Authentication-Results:\r\n \r\n\t mx.example.org; none",
            "Authentication-Results: \"mx.example\\.org\"; none",
            "Authentication-Results: mx.example.org.; none",
            "Authentication-Results: mx.example.org",
            "Authentication-Results: (never ends; none",
            "Authentication-Results: \"never ends; none",
            "Authentication-Results: ((((((((( deep ))))))))) x; none",
            "Authentication-Results:",
        ] {
            let message = format!("{claim}\r\nSubject: x\r\n\r\nbody\r\n");
            assert_eq!(cut(&message), [format!("{claim}\r\n")], "{claim}");
        }
    }

    #[test]
    fn others_stay() {
        for field in [
            "ARC-Authentication-Results: i=1; mx.example.org; none",
            "X-Authentication-Results: mx.example.org; none",
            "Authentication-Results: amx.example.org; none",
            "Authentication-Results: mx.example.org.evil.test; none",
        ] {
            assert!(cut(&format!("{field}\r\n\r\n")).is_empty(), "{field}");
        }
    }

    #[test]
    fn line_ends_of_other_systems_hide_nothing() {
        assert_eq!(cut("A: b\nAuthentication-Results: mx.example.org; x\n\nb").len(), 1);
        assert_eq!(cut("A: b\rAuthentication-Results: mx.example.org; x\r\n\r\nb").len(), 1);
        assert_eq!(cut("Authentication-Results: mx.example.org").len(), 1, "no line end at all");
    }

    proptest! {
        #[test]
        fn ranges_are_in_order_and_inside(message in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut last = 0;
            for range in forged_fields(&message, "mx") {
                prop_assert!(range.start >= last && range.end > range.start);
                prop_assert!(range.end <= message.len());
                last = range.end;
            }
        }

        #[test]
        fn nothing_in_our_name_is_left(
            before in "[A-Za-z]{1,8}: [a-z ]{0,20}",
            space in "[ \t]{0,3}",
            after in "[ -~]{0,40}",
        ) {
            let message = format!(
                "{before}\r\nAuthentication-Results:{space}mx.example.org;{after}\r\n\r\n"
            );
            prop_assert_eq!(forged_fields(message.as_bytes(), "MX.EXAMPLE.ORG").len(), 1);
        }
    }
}
