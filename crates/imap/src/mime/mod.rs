//! Messages as IMAP sees them: octets, ranges of octets, and strings that are
//! not decoded (RFC 3501 sections 6.4.5 and 7.4.2, RFC 2045, RFC 5322).
//!
//! Pure, and sane on any input: nesting, parts and header sizes are bounded,
//! and what lies beyond a bound is one opaque part.

mod address;
mod bodystructure;
mod envelope;
mod header;
mod params;
mod part;
mod section;

pub(crate) use bodystructure::{bodystructure, transfer_encoding};
pub(crate) use envelope::{HeaderMeta, header_meta};
pub(crate) use header::{fields, header_end, header_fields, header_fields_not};
pub(crate) use part::{Content, Part, parse};
pub(crate) use section::{Section, resolve};

pub(crate) fn fuzz(data: &[u8]) {
    let part = parse(data);
    part.check(data.len());
    let mut out = Vec::new();
    bodystructure(&mut out, data, &part, true);
    assert!(out.starts_with(b"("));
    let end = header_end(data);
    let _ = header_meta(data.get(..end).unwrap_or_default());
    for path in [&[1][..], &[1, 1], &[2], &[1, 2, 1]] {
        for section in [Section::Part, Section::Mime, Section::Header, Section::Text] {
            if let Some(range) = resolve(&part, path, section) {
                assert!(data.get(range).is_some());
            }
        }
    }
}

#[cfg(test)]
mod tests;
