//! What has been found out about a message while rules are asked: each thing once,
//! however many conditions ask for it.

use crate::{Answer, Facts, Field, Identity, Party, People};
use concord_address::Domain;
use memchr::memmem;
use std::cell::{OnceCell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Whom a field names.
struct Named {
    people: HashSet<Identity>,
    domains: HashSet<Domain>,
    certain: bool,
}

/// A message and who its people are.
pub(super) struct Asked<'a> {
    pub facts: &'a Facts,
    people: &'a People,
    named: [(Field, OnceCell<Named>); 4],
    /// By names of fields in lower case.
    texts: RefCell<HashMap<String, Rc<[String]>>>,
}

impl<'a> Asked<'a> {
    pub fn new(facts: &'a Facts, people: &'a People) -> Self {
        let named = Field::ALL.map(|field| (field, OnceCell::new()));
        Self { facts, people, named, texts: RefCell::default() }
    }

    fn field<T>(&self, field: Field, ask: impl FnOnce(&Named) -> T) -> Option<T> {
        let (_, cell) = self.named.iter().find(|(other, _)| *other == field)?;
        Some(ask(cell.get_or_init(|| {
            let list = self.facts.of_field(field);
            let domain = |a: &concord_address::TypedAddress| a.smtp().map(|s| s.domain().clone());
            Named {
                people: list.named.iter().map(|address| self.people.who(address)).collect(),
                domains: list.named.iter().filter_map(domain).collect(),
                certain: list.certain,
            }
        })))
    }

    /// Whether a field names the mailbox.
    pub fn names_me(&self, field: Field) -> Answer {
        let me = self.people.me();
        let answer = self.field(field, |n| Answer::found(n.people.contains(me), n.certain));
        answer.unwrap_or(Answer::Unknown)
    }

    /// Whether a field names one of these.
    pub fn names(&self, field: Field, parties: &[Party]) -> Answer {
        let answer = self.field(field, |named| {
            let found = parties.iter().any(|party| match party {
                Party::Address(address) => named.people.contains(&self.people.who(address)),
                Party::Domain(domain) => named.domains.contains(domain),
            });
            Answer::found(found, named.certain)
        });
        answer.unwrap_or(Answer::Unknown)
    }

    /// Whether a field of this name contains one of the words; without words,
    /// whether there is one.
    pub fn contains(&self, field: &str, words: &[String]) -> Answer {
        let key = field.to_ascii_lowercase();
        let texts = {
            let mut texts = self.texts.borrow_mut();
            let read = || self.facts.texts(field).collect();
            Rc::clone(texts.entry(key).or_insert_with(read))
        };
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let mut certain = self.facts.certain;
        for text in texts.iter() {
            // A mailbox may have thousands of words, and a header 128 KiB.
            let has = |word: &String| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
            if words.is_empty() || words.iter().any(has) {
                return Answer::Yes;
            }
            // What could not be decoded may have been the word.
            certain &= !text.contains(char::REPLACEMENT_CHARACTER);
        }
        Answer::found(false, certain)
    }
}
