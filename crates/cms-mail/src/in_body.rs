//! Addresses in the body: how a host user reaches people that the host's
//! directory does not have (Q166643).
//!
//! The note goes to an id that is set for it. Its text begins with a keyword line
//! (`subject:`), then one address a line up to a blank line; the rest is what is
//! sent.

use crate::Place;
use crate::limits::MAX_BODY_ADDRESSES;
use concord_address::TypedAddress;
use concord_base::{EnhancedStatus, Fault, Retry};
use std::collections::BTreeSet;

/// The keyword that ends the heading where none is set.
pub const DEFAULT_KEYWORD: &str = "subject:";

/// A text whose addresses were taken out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InBody {
    /// What stood behind the keyword.
    pub subject: String,
    /// Whom the text is for, each once.
    pub addresses: Vec<TypedAddress>,
    /// Lines among them that are no addresses; the sender is told of each. Such a
    /// line ended the connector (Q215947).
    pub refused: Vec<(Place, String)>,
    /// The rest of the text.
    pub text: Vec<String>,
}

/// Why there is nobody to send to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InBodyError {
    /// No line begins with the keyword.
    #[error("no line of the text begins with {0:?}, behind which the addresses stand")]
    NoKeyword(String),
    /// No address behind it.
    #[error("no address stands behind {0}; write one a line, and a blank line behind the last")]
    NoAddress(Place),
    /// More than [`MAX_BODY_ADDRESSES`].
    #[error("more than {MAX_BODY_ADDRESSES} addresses stand before {0}")]
    TooMany(Place),
}

impl Fault for InBodyError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoKeyword(_) => "cms-in-body.no-keyword",
            Self::NoAddress(_) => "cms-in-body.no-address",
            Self::TooMany(_) => "cms-in-body.too-many",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }

    fn enhanced_status(&self) -> EnhancedStatus {
        match self {
            Self::TooMany(_) => EnhancedStatus::new(5, 5, 3),
            _ => EnhancedStatus::new(5, 1, 3),
        }
    }
}

/// Takes the addresses out of a text. `keyword` is compared without case.
/// `lines` are all lines of the note, its heading among them, for the keyword is
/// the heading's last field where it is `subject:`.
///
/// # Errors
/// [`InBodyError`]
pub fn take(lines: &[String], keyword: &str) -> Result<InBody, InBodyError> {
    let found = lines.iter().enumerate().find_map(|(at, line)| {
        let head = line.trim_start().get(..keyword.len())?;
        let value = line.trim_start().get(keyword.len()..)?;
        (!keyword.is_empty() && head.eq_ignore_ascii_case(keyword)).then(|| (at, value.trim()))
    });
    let (at, subject) = found.ok_or_else(|| InBodyError::NoKeyword(keyword.to_owned()))?;
    let mut taken = InBody {
        subject: subject.to_owned(),
        addresses: Vec::new(),
        refused: Vec::new(),
        text: Vec::new(),
    };
    let mut known = BTreeSet::new();
    let mut rest = lines.iter().enumerate().skip(at.saturating_add(1)).peekable();
    // The row of dashes under a heading, and blank lines before the first
    // address, are no end.
    while rest.next_if(|(_, line)| line.trim_matches(['-', ' ']).is_empty()).is_some() {}
    while let Some((number, line)) = rest.next_if(|(_, line)| !line.trim().is_empty()) {
        if taken.addresses.len().saturating_add(taken.refused.len()) >= MAX_BODY_ADDRESSES {
            return Err(InBodyError::TooMany(Place::start(number)));
        }
        match address(line.trim()) {
            Some(address) if !known.insert(address.key()) => {}
            Some(address) => taken.addresses.push(address),
            None => taken.refused.push((Place::start(number), line.trim().to_owned())),
        }
    }
    if taken.addresses.is_empty() {
        return Err(InBodyError::NoAddress(Place::start(at)));
    }
    rest.next();
    taken.text = rest.map(|(_, line)| line.clone()).collect();
    Ok(taken)
}

/// `user@domain`, or `TYPE:value`.
fn address(line: &str) -> Option<TypedAddress> {
    let line = line.trim_end_matches(',').trim();
    if line.contains('@') && !line.contains(':') {
        return format!("SMTP:{line}").parse().ok();
    }
    line.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn values(taken: &InBody) -> Vec<String> {
        taken.addresses.iter().map(ToString::to_string).collect()
    }

    /// Q166643. T86.
    #[test]
    fn addresses_in_the_body_get_the_rest_of_it() {
        let note = "To: INET at NODE\nSubject: hello\njane@example.com\nSMTP:joe@example.org\n\nDear all,\n\nbye";
        let taken = take(&lines(note), DEFAULT_KEYWORD).unwrap();
        assert_eq!(taken.subject, "hello");
        assert_eq!(values(&taken), ["SMTP:jane@example.com", "SMTP:joe@example.org"]);
        assert_eq!(taken.text, ["Dear all,", "", "bye"]);
    }

    #[test]
    fn another_keyword_can_stand_before_the_addresses() {
        let note = "Subject: hello\n----------------------------------\n/INTERNET\njane@example.com\n\ntext";
        let taken = take(&lines(note), "/INTERNET").unwrap();
        assert_eq!((values(&taken).len(), taken.text.as_slice()), (1, &["text".to_owned()][..]));
    }

    /// Q215947: such an address ended the connector, for it could not say to whom
    /// its report went.
    #[test]
    fn a_malformed_address_is_refused_by_itself_with_its_line() {
        let note = "subject:\n:jane@example.com\njoe@example.org\nno address\n\ntext";
        let taken = take(&lines(note), DEFAULT_KEYWORD).unwrap();
        assert_eq!(values(&taken), ["SMTP:joe@example.org"]);
        assert_eq!(
            taken.refused,
            [
                (Place::start(1), ":jane@example.com".to_owned()),
                (Place::start(3), "no address".to_owned()),
            ]
        );
        assert_eq!(
            take(&lines("subject:\n:x\n\ntext"), DEFAULT_KEYWORD),
            Err(InBodyError::NoAddress(Place::start(0)))
        );
    }

    #[test]
    fn a_text_without_keyword_or_address_says_what_is_missing() {
        assert!(matches!(take(&lines("hello"), "subject:"), Err(InBodyError::NoKeyword(_))));
        assert!(matches!(take(&lines("subject:"), "subject:"), Err(InBodyError::NoAddress(_))));
        let many: String = (0..600).map(|n| format!("u{n}@example.com\n")).collect();
        let many = format!("subject:\n{many}");
        assert!(matches!(take(&lines(&many), "subject:"), Err(InBodyError::TooMany(_))));
    }
}
