//! The end of a body under relaxed canonicalisation.

/// The body without its white space at the end. RFC 6376 section 3.4.4 takes
/// white space at line ends away first and empty lines at the end then, so a
/// last line of spaces is nothing; the library keeps it. What is left the
/// library ends with one CRLF, and an empty body stays empty.
pub(crate) fn relaxed(body: &[u8]) -> &[u8] {
    let white = |octet: &u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
    let end = body.iter().rposition(|octet| !white(octet)).map_or(0, |last| last + 1);
    body.get(..end).unwrap_or_default()
}
