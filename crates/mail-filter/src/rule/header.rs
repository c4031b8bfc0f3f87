//! Rules on a header field.

use super::Consequence;
use crate::draft::Draft;
use crate::edit::{Header, name, value};
use crate::limits::MAX_MATCHED_VALUE;
use crate::verdict::{Action, Opinion};
use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use regex::Regex;

/// What a value is tested for.
#[derive(Debug)]
pub(crate) enum Test {
    /// This text, in lower case, in any case.
    Contains(String),
    Matches(Regex),
}

impl Test {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Contains(text) => value.to_lowercase().contains(text),
            Self::Matches(regex) => regex.is_match(value),
        }
    }
}

/// A rule on every field of one name.
#[derive(Debug)]
pub(crate) struct HeaderRule {
    pub header: String,
    pub test: Test,
    pub consequence: Consequence,
}

impl HeaderRule {
    pub fn judge(&self, message: &[u8]) -> Opinion {
        let header = Header::find(message);
        let mut found = Vec::new();
        let mut count = 0_usize;
        for range in header.fields {
            let field = message.get(range).unwrap_or_default();
            if !name(field).is_some_and(|n| n.eq_ignore_ascii_case(&self.header)) {
                continue;
            }
            count = count.saturating_add(1);
            let (raw, decoded) = readings(value(field));
            if self.test.holds(&decoded) || self.test.holds(&raw) {
                found.push(count);
            }
        }
        if found.is_empty() {
            return Opinion::new(Action::Accept, "not found");
        }
        let mut opinion = self.consequence.opinion(format!("found in {}", self.header));
        let mut draft = Draft::new(message, 0..0);
        match &self.consequence {
            Consequence::Mark(field) => draft.add(field.clone()),
            Consequence::Strip => {
                for occurrence in found {
                    draft.change(&self.header, occurrence, None);
                }
            }
            Consequence::Refuse(_) | Consequence::Quarantine => {}
        }
        opinion.edits = draft.finish();
        opinion
    }
}

/// The value unfolded, as it stands and decoded (RFC 2047).
fn readings(value: &[u8]) -> (String, String) {
    let value = value.get(..MAX_MATCHED_VALUE).unwrap_or(value);
    let unfolded: Vec<u8> = value.iter().filter(|c| !matches!(c, b'\r' | b'\n')).copied().collect();
    let raw = String::from_utf8_lossy(unfolded.trim_ascii()).into_owned();
    let mut line = unfolded;
    line.push(b'\n');
    let decoded = match MessageStream::new(&line).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    };
    (raw, decoded)
}

pub(super) fn fuzz(data: &[u8]) {
    let _ = readings(data);
    let rule = HeaderRule {
        header: "a".to_owned(),
        test: Test::Contains("b".to_owned()),
        consequence: Consequence::Strip,
    };
    let _ = rule.judge(data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::{Field, apply_edits};
    use bytes::Bytes;

    fn rule(test: Test, consequence: Consequence) -> HeaderRule {
        HeaderRule { header: "Subject".into(), test, consequence }
    }

    #[test]
    fn a_value_is_found_decoded_and_over_folds() {
        let mark = || Consequence::Mark(Field::new("X-Mark", b"yes").unwrap());
        let free = rule(Test::Contains("für umme".into()), mark());
        let message = Bytes::from_static(b"Subject: =?UTF-8?Q?F=C3=9CR?=\r\n umme\r\n\r\n");
        let marked = apply_edits(&message, &free.judge(&message).edits);
        assert!(marked.ends_with(b"umme\r\nX-Mark: yes\r\n\r\n"), "{marked:?}");
        assert!(free.judge(b"To: =?UTF-8?Q?F=C3=9CR?= umme\r\n\r\n").edits.is_empty());
        let folded = rule(Test::Matches(Regex::new("^Win a +prize$").unwrap()), mark());
        assert_eq!(folded.judge(b"subject: Win\r\n a prize\r\n\r\n").edits.len(), 1);
    }

    #[test]
    fn only_the_fields_that_have_it_are_stripped() {
        let strip = rule(Test::Contains("bad".into()), Consequence::Strip);
        let message = Bytes::from_static(b"Subject: Bad\r\nSubject: ok\r\nSUBJECT: bad 2\r\n\r\nb");
        let out = apply_edits(&message, &strip.judge(&message).edits);
        assert_eq!(&out[..], b"Subject: ok\r\n\r\nb");
    }
}
