//! Address lists for ENVELOPE: display names stay encoded (RFC 3501 section
//! 7.4.2), so they are taken apart here and not decoded.

use crate::write;

/// Addresses of one field in an envelope; more are left out.
const MAX_ADDRESSES: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// An atom, or a quoted string without its quotes.
    Word(Vec<u8>),
    Comment(Vec<u8>),
    Special(u8),
}

/// Splits an unfolded value. Anything that is no special is part of a word.
fn tokens(value: &[u8]) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = value.iter().copied().peekable();
    while let Some(c) = rest.next() {
        match c {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'"' => {
                let mut word = Vec::new();
                while let Some(c) = rest.next() {
                    match c {
                        b'"' => break,
                        b'\\' => word.extend(rest.next()),
                        b'\r' | b'\n' => {}
                        c => word.push(c),
                    }
                }
                out.push(Token::Word(word));
            }
            b'(' => {
                let (mut depth, mut text) = (1u32, Vec::new());
                while let Some(c) = rest.next() {
                    match c {
                        b'(' => depth = depth.saturating_add(1),
                        b')' => depth -= 1,
                        b'\\' => {
                            text.extend(rest.next());
                            continue;
                        }
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                    text.push(c);
                }
                out.push(Token::Comment(text));
            }
            b'<' | b'>' | b'@' | b',' | b';' | b':' => out.push(Token::Special(c)),
            c => {
                let mut word = vec![c];
                while let Some(c) = rest.next_if(|c| {
                    !matches!(
                        c,
                        b' ' | b'\t'
                            | b'\r'
                            | b'\n'
                            | b'"'
                            | b'('
                            | b'<'
                            | b'>'
                            | b'@'
                            | b','
                            | b';'
                            | b':'
                    )
                }) {
                    word.push(c);
                }
                out.push(Token::Word(word));
            }
        }
    }
    out
}

/// One address, or a group's beginning or end.
#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Address { name: Option<Vec<u8>>, route: Option<Vec<u8>>, mailbox: Vec<u8>, host: Vec<u8> },
    GroupStart(Vec<u8>),
    GroupEnd,
}

fn join(words: &[Token], between: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for token in words {
        match token {
            Token::Word(word) => {
                let glued = matches!(out.last(), None | Some(b'@'));
                if !glued {
                    out.extend_from_slice(between);
                }
                out.extend_from_slice(word);
            }
            Token::Special(c) => out.push(*c),
            Token::Comment(_) => {}
        }
    }
    out
}

/// The address in the tokens between two commas.
fn address(tokens: &[Token]) -> Option<Entry> {
    let comment = tokens.iter().rev().find_map(|token| match token {
        Token::Comment(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    });
    let open = tokens.iter().position(|t| *t == Token::Special(b'<'));
    let (name, spec) = match open {
        Some(open) => {
            let spec = tokens.get(open + 1..)?;
            let close = spec.iter().position(|t| *t == Token::Special(b'>'));
            let name = join(tokens.get(..open)?, b" ");
            (Some(name).filter(|n| !n.is_empty()), spec.get(..close.unwrap_or(spec.len()))?)
        }
        None => (None, tokens),
    };
    let name = name.or(comment);
    // `<@a,@b:c@d>`, obsolete
    let colon = spec.iter().position(|t| *t == Token::Special(b':'));
    let (route, spec) = match colon {
        Some(colon) => (Some(join(spec.get(..colon)?, b"")), spec.get(colon + 1..)?),
        None => (None, spec),
    };
    let at = spec.iter().rposition(|t| *t == Token::Special(b'@'));
    let (mailbox, host) = match at {
        Some(at) => (join(spec.get(..at)?, b""), join(spec.get(at + 1..)?, b"")),
        None => (join(spec, b" "), Vec::new()),
    };
    if mailbox.is_empty() && host.is_empty() && name.is_none() {
        return None;
    }
    Some(Entry::Address { name, route: route.filter(|r| !r.is_empty()), mailbox, host })
}

fn entries(value: &[u8]) -> Vec<Entry> {
    let tokens = tokens(value);
    let mut out = Vec::new();
    let (mut start, mut angle, mut group) = (0, false, false);
    for (i, token) in tokens.iter().enumerate() {
        let Token::Special(c) = token else { continue };
        let piece = || tokens.get(start..i).unwrap_or_default();
        match c {
            b'<' => angle = true,
            b'>' => angle = false,
            b',' | b';' if !angle => {
                out.extend(address(piece()));
                start = i + 1;
                if *c == b';' && std::mem::take(&mut group) {
                    out.push(Entry::GroupEnd);
                }
            }
            b':' if !angle && !group => {
                out.push(Entry::GroupStart(join(piece(), b" ")));
                group = true;
                start = i + 1;
            }
            _ => {}
        }
        if out.len() >= MAX_ADDRESSES {
            break;
        }
    }
    out.extend(address(tokens.get(start..).unwrap_or_default()));
    if group {
        out.push(Entry::GroupEnd);
    }
    out
}

/// Writes the address list of an envelope; `NIL` if there is none.
pub(crate) fn addresses(out: &mut Vec<u8>, value: Option<&[u8]>) {
    let entries = value.map(entries).unwrap_or_default();
    if entries.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for entry in &entries {
        let fields: [Option<&[u8]>; 4] = match entry {
            Entry::Address { name, route, mailbox, host } => {
                [name.as_deref(), route.as_deref(), Some(mailbox), Some(host)]
            }
            Entry::GroupStart(name) => [None, None, Some(name), None],
            Entry::GroupEnd => [None; 4],
        };
        for (i, field) in fields.into_iter().enumerate() {
            out.push(if i == 0 { b'(' } else { b' ' });
            write::nstring(out, field);
        }
        out.push(b')');
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_lists() {
        for (value, expected) in [
            ("a@b", r#"((NIL NIL "a" "b"))"#),
            ("Ann Bee <a@b.c>", r#"(("Ann Bee" NIL "a" "b.c"))"#),
            (r#""Bee, Ann" <a@b>, c@d"#, r#"(("Bee, Ann" NIL "a" "b")(NIL NIL "c" "d"))"#),
            ("a@b (Ann)", r#"(("Ann" NIL "a" "b"))"#),
            ("=?utf-8?Q?=C3=84?= <a@b>", r#"(("=?utf-8?Q?=C3=84?=" NIL "a" "b"))"#),
            ("<@x,@y:a@b>", r#"((NIL "@x,@y" "a" "b"))"#),
            (
                "team: a@b, c@d;",
                r#"((NIL NIL "team" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL))"#,
            ),
            (
                "undisclosed-recipients:;",
                r#"((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL))"#,
            ),
            ("nobody", r#"((NIL NIL "nobody" ""))"#),
            (r#""q \" q"@b"#, r#"((NIL NIL "q \" q" "b"))"#),
            ("", "NIL"),
            (",,;", "NIL"),
            ("<>", "NIL"),
            ("\u{fc}@b", "((NIL NIL {2}\r\n\u{fc} \"b\"))"),
        ] {
            let mut out = Vec::new();
            addresses(&mut out, Some(value.as_bytes()));
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{value}");
        }
    }
}
