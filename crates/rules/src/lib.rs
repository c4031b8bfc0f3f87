//! Rules of a mailbox: what a message must be like, and what becomes of it.
//!
//! - [`Rule`]: a name, conditions and exceptions ([`Condition`]), and what is done
//!   ([`Rule::move_to`] and its neighbours). A condition is one line of text, as
//!   people type it and as the directory keeps it. [`check`] has the bounds.
//! - [`Reader`]: reads what rules ask of a message while it streams by, and keeps
//!   no more of it than its header; then [`Facts`].
//! - [`People`]: who an address is. Rules ask for people, messages name addresses;
//!   the caller says which address is whose (Q259616), asked by [`addresses`].
//! - [`judge`]: what every rule says of a message, and where it is filed.
//!
//! It does not forward, answer or refuse mail, moves nothing by itself, and knows
//! neither a directory nor folders.
//!
//! Invariants: no I/O, no clock, no panic on any input; time and memory are
//! linear in the message and bounded by its header; a rule fires only if it is
//! certain that it does: what cannot be read of a message is neither yes nor no
//! ([`Answer::Unknown`]), in exceptions too.
//!
//! Sources: RFC 5322, RFC 2156 section 5.3.4 (Importance, Sensitivity), RFC 2919
//! (List-Id), RFC 3834 (Auto-Submitted), RFC 6522 (reports).

mod condition;
mod facts;
mod header;
mod judge;
mod parts;
mod people;
mod reader;
mod rule;

pub use condition::{Condition, Field, ParseConditionError, Party};
pub use facts::{Addresses, Facts, Importance, Sensitivity};
pub use judge::{Answer, Filing, Judged, Outcome, Verdict, judge};
pub use people::{Identity, People, addresses};
pub use reader::{MAX_HEADER, Reader};
pub use rule::{
    MAX_CONDITIONS, MAX_FOLDER_DEPTH, MAX_RULES, MAX_RULES_OCTETS, MAX_VALUES, Match, Rule,
    RuleError, check,
};

/// Feeds `data` to everything that reads input from outside: a condition up to
/// the first line's end, then a message.
#[doc(hidden)]
pub fn fuzz(data: &[u8]) {
    let end = memchr::memchr(b'\n', data).unwrap_or(0);
    let (line, message) = data.split_at(end);
    let parsed = String::from_utf8_lossy(line).parse::<Condition>();
    if let Ok(condition) = &parsed {
        let again: Result<Condition, _> = condition.to_string().parse();
        assert_eq!(again.as_ref(), Ok(condition), "a condition reads as it is written");
    }
    let whole = Facts::of(message);
    let mut reader = Reader::new();
    for piece in message.chunks(7) {
        reader.feed(piece);
    }
    assert_eq!(whole, reader.finish(), "a message reads the same however it is cut");
    let when = parsed.into_iter().chain([Condition::NotNamed, Condition::Attachment]).collect();
    let rules = [Rule { when, mark_read: true, ..Rule::new("fuzz") }];
    let _ = judge(&rules, &whole, &People::new(Identity::Address("SMTP:a@b.test".into())));
}
