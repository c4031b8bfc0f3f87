//! Writing answers by hand.

/// Longer strings go as literals; some clients have small line buffers.
const MAX_QUOTED: usize = 1_000;

/// A decimal number.
pub(crate) fn number(out: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0u8; 20];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + u8::try_from(n % 10).unwrap_or(0);
        used += 1;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(20 - used..).unwrap_or_default());
}

/// A quoted string if that is allowed and short, else a literal. NULs, which
/// no IMAP string may hold, are left out.
pub(crate) fn string(out: &mut Vec<u8>, text: &[u8]) {
    let quotable =
        text.len() <= MAX_QUOTED && text.iter().all(|c| (0x20..0x7f).contains(c) || *c == b'\t');
    if quotable {
        out.push(b'"');
        if memchr::memchr2(b'"', b'\\', text).is_none() {
            out.extend_from_slice(text);
        } else {
            for c in text {
                if matches!(c, b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(*c);
            }
        }
        out.push(b'"');
    } else if memchr::memchr(0, text).is_some() {
        let clean: Vec<u8> = text.iter().copied().filter(|c| *c != 0).collect();
        literal(out, &clean);
    } else {
        literal(out, text);
    }
}

/// A string, or `NIL` for none.
pub(crate) fn nstring(out: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => string(out, text),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// A literal.
pub(crate) fn literal(out: &mut Vec<u8>, octets: &[u8]) {
    literal_head(out, u64::try_from(octets.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(octets);
}

/// The head of a literal; its octets follow.
pub(crate) fn literal_head(out: &mut Vec<u8>, octets: u64) {
    out.push(b'{');
    number(out, octets);
    out.extend_from_slice(b"}\r\n");
}

/// `* <n> <word>`
pub(crate) fn untagged_number(out: &mut Vec<u8>, n: u64, word: &str) {
    out.extend_from_slice(b"* ");
    number(out, n);
    out.push(b' ');
    out.extend_from_slice(word.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// UIDs as a sequence set, runs joined: `1:3,7`.
pub(crate) fn uid_set(out: &mut Vec<u8>, uids: impl IntoIterator<Item = u32>) {
    let mut run: Option<(u32, u32)> = None;
    let mut first = true;
    let mut write = |out: &mut Vec<u8>, (from, to): (u32, u32)| {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        number(out, u64::from(from));
        if to != from {
            out.push(b':');
            number(out, u64::from(to));
        }
    };
    for uid in uids {
        match &mut run {
            Some((_, to)) if to.checked_add(1) == Some(uid) => *to = uid,
            _ => {
                if let Some(done) = run.replace((uid, uid)) {
                    write(out, done);
                }
            }
        }
    }
    if let Some(done) = run {
        write(out, done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(f: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        f(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_are_quoted_or_literal() {
        for (text, expected) in [
            ("a b", "\"a b\""),
            ("a\"\\", "\"a\\\"\\\\\""),
            ("", "\"\""),
            ("ä", "{2}\r\nä"),
            ("a\r\n", "{3}\r\na\r\n"),
            ("a\0b", "{2}\r\nab"),
        ] {
            assert_eq!(written(|out| string(out, text.as_bytes())), expected);
        }
        assert_eq!(written(|out| nstring(out, None)), "NIL");
        assert!(written(|out| string(out, &[b'x'; 1_001])).starts_with("{1001}"));
    }

    #[test]
    fn numbers_and_sets() {
        for n in [0, 9, 10, u64::MAX] {
            assert_eq!(written(|out| number(out, n)), n.to_string());
        }
        assert_eq!(written(|out| uid_set(out, [1, 2, 3, 7, 9, 10])), "1:3,7,9:10");
        assert_eq!(written(|out| uid_set(out, [u32::MAX])), "4294967295");
        assert_eq!(written(|out| uid_set(out, [])), "");
    }
}
