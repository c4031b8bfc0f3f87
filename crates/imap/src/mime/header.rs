//! Header fields.

/// One field: `value` is raw, folds and the space behind the colon included,
/// without the last line end; `whole` is all of its octets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub name: &'a [u8],
    pub value: &'a [u8],
    pub whole: &'a [u8],
}

/// The fields of a header block. Lines that are no fields are left out.
pub(crate) fn fields(header: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = header;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let end = field_end(rest);
            let (whole, after) = rest.split_at_checked(end)?;
            rest = after;
            if matches!(whole, b"\r\n" | b"\n" | b"\r") {
                return None;
            }
            let Some(colon) = memchr::memchr(b':', whole) else { continue };
            let (name, value) = whole.split_at_checked(colon)?;
            let name = name.trim_ascii_end();
            if name.is_empty() || !name.iter().all(u8::is_ascii_graphic) {
                continue;
            }
            let value = value.get(1..).unwrap_or_default();
            let value = value.strip_suffix(b"\n").unwrap_or(value);
            let value = value.strip_suffix(b"\r").unwrap_or(value);
            return Some(Field { name, value, whole });
        }
    })
}

/// Octets of the first field with its continuation lines.
fn field_end(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(line) = text.get(at..).and_then(|rest| memchr::memchr(b'\n', rest)) {
        at += line + 1;
        if !matches!(text.get(at), Some(b' ' | b'\t')) {
            return at;
        }
    }
    text.len()
}

/// Octets of the header with the empty line that ends it; all of the data if
/// none does.
pub(crate) fn header_end(data: &[u8]) -> usize {
    let mut at = 0;
    while let Some(rest) = data.get(at..) {
        if rest.starts_with(b"\r\n") {
            return at + 2;
        }
        if rest.starts_with(b"\n") {
            return at + 1;
        }
        match memchr::memchr(b'\n', rest) {
            Some(line) => at += line + 1,
            None => break,
        }
    }
    data.len()
}

/// The value without folds and outer space.
pub(crate) fn unfold(value: &[u8]) -> Vec<u8> {
    value.trim_ascii().iter().copied().filter(|c| !matches!(c, b'\r' | b'\n')).collect()
}

fn pick(out: &mut Vec<u8>, header: &[u8], take: impl Fn(&[u8]) -> bool) {
    for field in fields(header).filter(|field| take(field.name)) {
        out.extend_from_slice(field.whole);
        if !field.whole.ends_with(b"\n") {
            out.extend_from_slice(b"\r\n");
        }
    }
    // RFC 3501 section 6.4.5: the empty line is part of every HEADER answer
    out.extend_from_slice(b"\r\n");
}

/// `HEADER.FIELDS`
pub(crate) fn header_fields(out: &mut Vec<u8>, header: &[u8], names: &[&[u8]]) {
    pick(out, header, |name| names.iter().any(|n| n.eq_ignore_ascii_case(name)));
}

/// `HEADER.FIELDS.NOT`
pub(crate) fn header_fields_not(out: &mut Vec<u8>, header: &[u8], names: &[&[u8]]) {
    pick(out, header, |name| !names.iter().any(|n| n.eq_ignore_ascii_case(name)));
}
