//! Structured MIME fields: Content-Type and Content-Disposition (RFC 2045
//! section 5.1, RFC 2183), values raw, with the forgiveness that mail needs.

/// Parameters of one field; more is an attack.
const MAX_PARAMS: usize = 64;

/// `type/subtype; name=value`, or a disposition with an empty subtype.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ContentType {
    pub kind: Vec<u8>,
    pub subtype: Vec<u8>,
    pub params: Vec<(Vec<u8>, Vec<u8>)>,
}

impl ContentType {
    pub(crate) fn new(kind: &str, subtype: &str) -> Self {
        Self { kind: kind.into(), subtype: subtype.into(), params: Vec::new() }
    }

    pub(crate) fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
            && (subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype.as_bytes()))
    }

    pub(crate) fn param(&self, name: &str) -> Option<&[u8]> {
        self.params
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value.as_slice())
    }

    /// A Content-Type value; `None` if it names no type and subtype.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let mut reader = Reader(value);
        let kind = reader.token()?;
        reader.space();
        if reader.next() != Some(b'/') {
            return None;
        }
        let subtype = reader.token()?;
        Some(Self { kind, subtype, params: reader.params() })
    }

    /// A Content-Disposition value.
    pub(crate) fn parse_disposition(value: &[u8]) -> Option<Self> {
        let mut reader = Reader(value);
        let kind = reader.token()?;
        Some(Self { kind, subtype: Vec::new(), params: reader.params() })
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// Spaces, folds and comments.
    fn space(&mut self) {
        let mut depth = 0u32;
        while let Some(c) = self.peek() {
            match c {
                b'(' => depth = depth.saturating_add(1),
                b')' if depth > 0 => depth -= 1,
                b'\\' if depth > 0 => {
                    self.next();
                }
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if depth > 0 => {}
                _ => return,
            }
            self.next();
        }
    }

    /// A token in the wider sense that mail uses: up to a delimiter.
    fn token(&mut self) -> Option<Vec<u8>> {
        self.space();
        let end = self
            .0
            .iter()
            .position(|c| matches!(c, 0..=b' ' | b';' | b'=' | b'"' | b'/' | b'(' | b')' | b','))
            .unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        (!token.is_empty()).then(|| token.to_vec())
    }

    fn value(&mut self) -> Vec<u8> {
        self.space();
        if self.peek() == Some(b'"') {
            self.next();
            let mut out = Vec::new();
            while let Some(c) = self.next() {
                match c {
                    b'"' => break,
                    b'\\' => out.extend(self.next()),
                    b'\r' | b'\n' => {}
                    c => out.push(c),
                }
            }
            return out;
        }
        // unquoted values in the wild hold `/`, `=` and more; they end at `;` or a space
        let end = self.0.iter().position(|c| matches!(c, 0..=b' ' | b';')).unwrap_or(self.0.len());
        let (value, rest) = self.0.split_at_checked(end).unwrap_or((self.0, &[]));
        let value = value.to_vec();
        self.0 = rest;
        value
    }

    fn params(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut params = Vec::new();
        while params.len() < MAX_PARAMS {
            let Some(at) = memchr::memchr(b';', self.0) else { break };
            self.0 = self.0.get(at + 1..).unwrap_or_default();
            let Some(name) = self.token() else { continue };
            self.space();
            if self.peek() != Some(b'=') {
                continue;
            }
            self.next();
            let value = self.value();
            params.push((name, value));
        }
        params
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_good_and_bad() {
        let parse = |text: &str| ContentType::parse(text.as_bytes());
        let t = parse(" text/plain; charset=\"utf-8\"; format=flowed").unwrap();
        assert!(t.is("TEXT", "PLAIN") && t.is("text", "*"));
        assert_eq!(t.param("Charset"), Some(&b"utf-8"[..]));
        assert_eq!(t.param("format"), Some(&b"flowed"[..]));
        let t = parse("multipart/mixed (a (nested) comment); boundary=a=b/c ;x").unwrap();
        assert_eq!(t.param("boundary"), Some(&b"a=b/c"[..]));
        let t = parse("a/b;\r\n name=\"x\\\"y;z\";; last=1").unwrap();
        assert_eq!(t.param("name"), Some(&b"x\"y;z"[..]));
        assert_eq!(t.param("last"), Some(&b"1"[..]));
        for bad in ["", "text", "/plain", "text/", ";", "\"text\"/plain", "(", "text plain"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        let d = ContentType::parse_disposition(b" attachment; filename=x.pdf").unwrap();
        assert_eq!(d.param("filename"), Some(&b"x.pdf"[..]));
    }
}
