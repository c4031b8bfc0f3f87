//! `BODY` and `BODYSTRUCTURE` (RFC 3501 section 7.4.2).

use super::envelope::envelope;
use super::header::{fields, unfold};
use super::params::ContentType;
use super::part::{Content, Part};
use crate::write;

/// What of a part's header the answer needs.
#[derive(Default)]
struct Facts {
    id: Option<Vec<u8>>,
    description: Option<Vec<u8>>,
    encoding: Option<Vec<u8>>,
    md5: Option<Vec<u8>>,
    disposition: Option<ContentType>,
    language: Vec<Vec<u8>>,
    location: Option<Vec<u8>>,
}

fn facts(header: &[u8]) -> Facts {
    let mut facts = Facts::default();
    for field in fields(header) {
        let Some(name) = field.name.get(..8).filter(|n| n.eq_ignore_ascii_case(b"content-")) else {
            continue;
        };
        let name = field.name.get(name.len()..).unwrap_or_default().to_ascii_lowercase();
        let value = || Some(unfold(field.value)).filter(|v| !v.is_empty());
        match name.as_slice() {
            b"id" => facts.id = value(),
            b"description" => facts.description = value(),
            b"transfer-encoding" => {
                facts.encoding = value().and_then(|v| {
                    // `7bit (comment)` and `"base64"` occur
                    let word = v.split(|c| matches!(c, b' ' | b'\t' | b';' | b'(')).next()?;
                    let word: Vec<u8> = word.iter().copied().filter(|c| *c != b'"').collect();
                    (!word.is_empty()).then_some(word)
                });
            }
            b"md5" => facts.md5 = value(),
            b"disposition" => facts.disposition = ContentType::parse_disposition(field.value),
            b"location" => facts.location = value(),
            b"language" => {
                let tags = value().unwrap_or_default();
                facts.language = tags
                    .split(|c| *c == b',')
                    .map(|tag| tag.trim_ascii().to_vec())
                    .filter(|tag| !tag.is_empty())
                    .collect();
            }
            _ => {}
        }
    }
    facts
}

/// The transfer encoding of a part, as written; empty if none.
pub(crate) fn transfer_encoding(header: &[u8]) -> Vec<u8> {
    facts(header).encoding.unwrap_or_default()
}

fn params(out: &mut Vec<u8>, params: &[(Vec<u8>, Vec<u8>)]) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (i, (name, value)) in params.iter().enumerate() {
        out.push(if i == 0 { b'(' } else { b' ' });
        write::string(out, name);
        out.push(b' ');
        write::string(out, value);
    }
    out.push(b')');
}

fn number_of(out: &mut Vec<u8>, n: usize) {
    out.push(b' ');
    write::number(out, u64::try_from(n).unwrap_or(u64::MAX));
}

/// The fields that only `BODYSTRUCTURE` has and that all parts share.
fn extension(out: &mut Vec<u8>, facts: &Facts) {
    out.push(b' ');
    match &facts.disposition {
        Some(disposition) => {
            out.push(b'(');
            write::string(out, &disposition.kind);
            out.push(b' ');
            params(out, &disposition.params);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    out.push(b' ');
    match facts.language.as_slice() {
        [] => out.extend_from_slice(b"NIL"),
        [one] => write::string(out, one),
        many => {
            for (i, tag) in many.iter().enumerate() {
                out.push(if i == 0 { b'(' } else { b' ' });
                write::string(out, tag);
            }
            out.push(b')');
        }
    }
    out.push(b' ');
    write::nstring(out, facts.location.as_deref());
}

/// Writes the structure of `part`. Recursion is as deep as the tree, which is bounded.
pub(crate) fn bodystructure(out: &mut Vec<u8>, data: &[u8], part: &Part, extended: bool) {
    let facts = facts(data.get(part.header.clone()).unwrap_or_default());
    out.push(b'(');
    if let Content::Multipart(children) = &part.content {
        for child in children {
            bodystructure(out, data, child, extended);
        }
        out.push(b' ');
        write::string(out, &part.content_type.subtype);
        if extended {
            out.push(b' ');
            params(out, &part.content_type.params);
            extension(out, &facts);
        }
        out.push(b')');
        return;
    }
    let body = data.get(part.body.clone()).unwrap_or_default();
    let text = part.content_type.is("text", "*");
    write::string(out, &part.content_type.kind);
    out.push(b' ');
    write::string(out, &part.content_type.subtype);
    out.push(b' ');
    if text && part.content_type.params.is_empty() {
        // RFC 2045 section 5.2
        out.extend_from_slice(b"(\"charset\" \"us-ascii\")");
    } else {
        params(out, &part.content_type.params);
    }
    for value in [&facts.id, &facts.description] {
        out.push(b' ');
        write::nstring(out, value.as_deref());
    }
    out.push(b' ');
    write::string(out, facts.encoding.as_deref().unwrap_or(b"7bit"));
    number_of(out, body.len());
    if let Content::Message(inner) = &part.content {
        out.push(b' ');
        envelope(out, data.get(inner.header.clone()).unwrap_or_default());
        out.push(b' ');
        bodystructure(out, data, inner, extended);
    }
    if text || matches!(part.content, Content::Message(_)) {
        number_of(out, memchr::memchr_iter(b'\n', body).count());
    }
    if extended {
        out.push(b' ');
        write::nstring(out, facts.md5.as_deref());
        extension(out, &facts);
    }
    out.push(b')');
}
