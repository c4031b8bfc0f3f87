//! Search keys, ready to judge messages.

use super::body_text;
use crate::error::{Fail, Outcome};
use crate::mime::{self, HeaderMeta};
use crate::{dates, sequence, text};
use concord_base::Timestamp;
use concord_store::{Item, Keyword, SystemFlags, UidSet};
use imap_types::core::AString;
use imap_types::search::SearchKey;
use memchr::memmem::Finder;
use std::borrow::Cow;
use std::time::Duration;

/// How much of a message a key must see, cheapest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// What the cache keeps.
    Meta,
    /// The header's octets.
    Header,
    /// Everything.
    Whole,
}

/// What a key says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Yes,
    No,
    /// Cannot be said without this.
    Needs(Level),
}

impl From<bool> for Verdict {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// What is known of a message so far.
pub(crate) struct Facts<'a> {
    pub number: u32,
    pub item: &'a Item,
    pub meta: Option<&'a HeaderMeta>,
    pub header: Option<&'a [u8]>,
    pub whole: Option<&'a [u8]>,
}

/// The address and subject fields that the cache has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MetaField {
    Subject,
    From,
    To,
    Cc,
    Bcc,
}

/// A search string in lower case, ready to be found.
#[derive(Debug)]
pub(crate) struct Needle {
    pub finder: Finder<'static>,
    /// Then octets compare without decoding UTF-8.
    pub ascii: bool,
}

impl Needle {
    fn new(string: &AString<'_>, charset: &str) -> Self {
        let text = text::charset_decode(charset.as_bytes(), Cow::Borrowed(string.as_ref()));
        let folded = text::fold(&text);
        Self { finder: Finder::new(folded.as_bytes()).into_owned(), ascii: folded.is_ascii() }
    }

    pub(crate) fn is_in(&self, folded: &[u8]) -> bool {
        self.finder.find(folded).is_some()
    }
}

/// A compiled key.
#[derive(Debug)]
pub(crate) enum Key {
    All(Vec<Key>),
    Or(Box<Key>, Box<Key>),
    Not(Box<Key>),
    Const(bool),
    Flag(SystemFlags),
    Keyword(Option<Keyword>),
    Numbers(UidSet),
    Uids(UidSet),
    Larger(u64),
    Smaller(u64),
    /// INTERNALDATE's day in `from..to`.
    Days(i64, i64),
    /// The moment is before (`false`) or from this on (`true`).
    Since(Timestamp, bool),
    /// The Date field's day in `from..to`.
    SentDays(i64, i64),
    Modseq(u64),
    Meta(MetaField, Needle),
    Header(Vec<u8>, Needle),
    Text(Needle),
    Body(Needle),
}

impl Key {
    /// Makes a key ready. Recursion is as deep as the codec lets keys nest.
    pub(crate) fn compile(
        key: &SearchKey<'_>,
        charset: &str,
        items: &[Item],
        now: Timestamp,
    ) -> Outcome<Self> {
        let again = |key: &SearchKey<'_>| Self::compile(key, charset, items, now);
        let needle = |string: &AString<'_>| Needle::new(string, charset);
        let not = |key: Self| Self::Not(Box::new(key));
        let ago = |seconds: u32| now - Duration::from_secs(seconds.into());
        Ok(match key {
            SearchKey::And(keys) => {
                Self::All(keys.as_ref().iter().map(again).collect::<Outcome<_>>()?)
            }
            SearchKey::Or(a, b) => Self::Or(Box::new(again(a)?), Box::new(again(b)?)),
            SearchKey::Not(key) => not(again(key)?),
            SearchKey::All | SearchKey::Old => Self::Const(true),
            // \Recent is never set here
            SearchKey::New | SearchKey::Recent => Self::Const(false),
            SearchKey::Answered => Self::Flag(SystemFlags::ANSWERED),
            SearchKey::Deleted => Self::Flag(SystemFlags::DELETED),
            SearchKey::Draft => Self::Flag(SystemFlags::DRAFT),
            SearchKey::Flagged => Self::Flag(SystemFlags::FLAGGED),
            SearchKey::Seen => Self::Flag(SystemFlags::SEEN),
            SearchKey::Unanswered => not(Self::Flag(SystemFlags::ANSWERED)),
            SearchKey::Undeleted => not(Self::Flag(SystemFlags::DELETED)),
            SearchKey::Undraft => not(Self::Flag(SystemFlags::DRAFT)),
            SearchKey::Unflagged => not(Self::Flag(SystemFlags::FLAGGED)),
            SearchKey::Unseen => not(Self::Flag(SystemFlags::SEEN)),
            SearchKey::Keyword(word) => Self::Keyword(Keyword::new(word.inner()).ok()),
            SearchKey::Unkeyword(word) => not(Self::Keyword(Keyword::new(word.inner()).ok())),
            SearchKey::SequenceSet(set) => Self::Numbers(sequence::numbers(set, items)),
            SearchKey::Uid(set) => Self::Uids(sequence::uids(set, items)),
            SearchKey::Larger(n) => Self::Larger((*n).into()),
            SearchKey::Smaller(n) => Self::Smaller((*n).into()),
            SearchKey::Before(d) => Self::Days(i64::MIN, dates::day_of(d)),
            SearchKey::On(d) => Self::Days(dates::day_of(d), dates::day_of(d) + 1),
            SearchKey::Since(d) => Self::Days(dates::day_of(d), i64::MAX),
            SearchKey::SentBefore(d) => Self::SentDays(i64::MIN, dates::day_of(d)),
            SearchKey::SentOn(d) => Self::SentDays(dates::day_of(d), dates::day_of(d) + 1),
            SearchKey::SentSince(d) => Self::SentDays(dates::day_of(d), i64::MAX),
            SearchKey::Older(n) => Self::Since(ago(n.get()), false),
            SearchKey::Younger(n) => Self::Since(ago(n.get()), true),
            SearchKey::ModSequence { modseq, .. } => Self::Modseq(*modseq),
            SearchKey::Subject(s) => Self::Meta(MetaField::Subject, needle(s)),
            SearchKey::From(s) => Self::Meta(MetaField::From, needle(s)),
            SearchKey::To(s) => Self::Meta(MetaField::To, needle(s)),
            SearchKey::Cc(s) => Self::Meta(MetaField::Cc, needle(s)),
            SearchKey::Bcc(s) => Self::Meta(MetaField::Bcc, needle(s)),
            SearchKey::Header(name, s) => Self::Header(name.as_ref().to_vec(), needle(s)),
            SearchKey::Text(s) => Self::Text(needle(s)),
            SearchKey::Body(s) => Self::Body(needle(s)),
            #[allow(unreachable_patterns)] // the codec's features may bring more
            _ => return Err(Fail::Bad("this search key is not supported")),
        })
    }

    /// Whether MODSEQ is among the keys (RFC 7162 section 3.1.5).
    pub(crate) fn asks_modseq(&self) -> bool {
        match self {
            Self::Modseq(_) => true,
            Self::All(keys) => keys.iter().any(Self::asks_modseq),
            Self::Or(a, b) => a.asks_modseq() || b.asks_modseq(),
            Self::Not(key) => key.asks_modseq(),
            _ => false,
        }
    }

    /// Judges by what is known. A No of one of several keys needs no more
    /// knowledge, nor does a Yes of one of two alternatives.
    pub(crate) fn judge(&self, facts: &Facts<'_>, scratch: &mut Vec<u8>) -> Verdict {
        let item = facts.item;
        match self {
            Self::All(keys) => {
                let mut needs: Option<Level> = None;
                for key in keys {
                    match key.judge(facts, scratch) {
                        Verdict::No => return Verdict::No,
                        Verdict::Yes => {}
                        // the cheapest first, it may settle it
                        Verdict::Needs(l) => needs = Some(needs.map_or(l, |n| n.min(l))),
                    }
                }
                needs.map_or(Verdict::Yes, Verdict::Needs)
            }
            Self::Or(a, b) => match (a.judge(facts, scratch), b.judge(facts, scratch)) {
                (Verdict::Yes, _) | (_, Verdict::Yes) => Verdict::Yes,
                (Verdict::Needs(a), Verdict::Needs(b)) => Verdict::Needs(a.min(b)),
                (Verdict::Needs(l), Verdict::No) | (Verdict::No, Verdict::Needs(l)) => {
                    Verdict::Needs(l)
                }
                (Verdict::No, Verdict::No) => Verdict::No,
            },
            Self::Not(key) => match key.judge(facts, scratch) {
                Verdict::Yes => Verdict::No,
                Verdict::No => Verdict::Yes,
                needs => needs,
            },
            Self::Const(yes) => (*yes).into(),
            Self::Flag(flag) => item.flags.system.contains(*flag).into(),
            Self::Keyword(word) => {
                word.as_ref().is_some_and(|word| item.flags.keywords().contains(word)).into()
            }
            Self::Numbers(set) => set.contains(facts.number).into(),
            Self::Uids(set) => set.contains(item.uid).into(),
            Self::Larger(n) => (item.octets > *n).into(),
            Self::Smaller(n) => (item.octets < *n).into(),
            Self::Days(from, to) => (*from..*to).contains(&dates::day(item.internal_date)).into(),
            Self::Since(at, after) => ((item.internal_date >= *at) == *after).into(),
            Self::Modseq(n) => (item.modseq >= *n).into(),
            Self::SentDays(..) | Self::Meta(..) => match facts.meta {
                Some(meta) => self.judge_meta(meta),
                None => Verdict::Needs(Level::Meta),
            },
            Self::Header(name, needle) => match facts.header {
                Some(header) => judge_header(header, name, needle).into(),
                None => Verdict::Needs(Level::Header),
            },
            Self::Text(needle) | Self::Body(needle) => match facts.whole {
                Some(whole) => {
                    let headers = matches!(self, Self::Text(_));
                    body_text::contains(whole, needle, headers, scratch).into()
                }
                None => Verdict::Needs(Level::Whole),
            },
        }
    }

    fn judge_meta(&self, meta: &HeaderMeta) -> Verdict {
        match self {
            Self::SentDays(from, to) => {
                meta.sent_day.is_some_and(|day| (*from..*to).contains(&day)).into()
            }
            Self::Meta(field, needle) => {
                let text = match field {
                    MetaField::Subject => &meta.subject,
                    MetaField::From => &meta.from,
                    MetaField::To => &meta.to,
                    MetaField::Cc => &meta.cc,
                    MetaField::Bcc => &meta.bcc,
                };
                needle.is_in(text.as_bytes()).into()
            }
            _ => Verdict::No,
        }
    }
}

/// HEADER: a field of the name whose text has the string; the empty string
/// fits any field of the name.
fn judge_header(header: &[u8], name: &[u8], needle: &Needle) -> bool {
    mime::fields(header)
        .filter(|field| field.name.eq_ignore_ascii_case(name))
        .any(|field| needle.is_in(text::fold(&text::header(field.value)).as_bytes()))
}
