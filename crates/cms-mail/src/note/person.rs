//! People in headings.

use crate::HostAddress;
use crate::limits::MAX_HEADING_PEOPLE;
use std::fmt;

/// An address in a heading.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NoteAddress {
    /// A user of a node.
    Host(HostAddress),
    /// An Internet address, unchecked; hosts' mailers write them into notes.
    Internet(String),
}

/// Somebody in a heading. The commands `AT` and `CT` of PROFS put names there
/// that have no address (Q236335); they are shown, and never written to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Person {
    /// The name, if there is one.
    pub name: String,
    /// The address, if there is one.
    pub address: Option<NoteAddress>,
}

/// How addresses of hosts stand in a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AddressStyle {
    /// `USER at NODE`, of CMS.
    #[default]
    At,
    /// `USER     --NODE     Full Name`, of PROFS. That the name stands behind is
    /// what HP Desk wanted (Q97084).
    Dashes,
}

impl Person {
    /// A user of a node, without a name.
    pub const fn host(address: HostAddress) -> Self {
        Self { name: String::new(), address: Some(NoteAddress::Host(address)) }
    }

    /// The person as a heading shows it; empty if there is nothing.
    pub fn shown(&self, style: AddressStyle) -> String {
        let Some(address) = &self.address else { return self.name.clone() };
        let name = self.name.replace(',', " ");
        match (address, style) {
            (NoteAddress::Host(host), AddressStyle::At) => {
                let host = format!("{:<8} at {}", host.user(), host.node());
                format!("{name} {host}").trim_start().to_owned()
            }
            (NoteAddress::Host(host), AddressStyle::Dashes) => {
                format!("{:<8} --{:<8} {name}", host.user(), host.node()).trim_end().to_owned()
            }
            (NoteAddress::Internet(address), _) if name.is_empty() => address.clone(),
            (NoteAddress::Internet(address), _) => format!("{name} <{address}>"),
        }
    }

    /// Whether both have the same address.
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.address, &other.address) {
            (Some(NoteAddress::Internet(one)), Some(NoteAddress::Internet(other))) => {
                one.eq_ignore_ascii_case(other)
            }
            (Some(one), Some(other)) => one == other,
            _ => false,
        }
    }
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(AddressStyle::At))
    }
}

/// A word, or several, of a heading that are one address.
enum Token<'a> {
    Word(&'a str),
    Address(NoteAddress),
}

/// The people of a field: separated by commas, lines, or only by their
/// addresses. At most [`MAX_HEADING_PEOPLE`].
pub(super) fn read_people(field: &str) -> Vec<Person> {
    let mut people = Vec::new();
    for item in field.split([',', ';', '\n']) {
        let tokens = tokens(item);
        let several = tokens.iter().filter(|token| matches!(token, Token::Address(_))).count() > 1;
        let mut person = Person::default();
        for token in tokens {
            match token {
                Token::Word(word) => {
                    if !person.name.is_empty() {
                        person.name.push(' ');
                    }
                    person.name.push_str(word);
                }
                Token::Address(address) => {
                    person.address = Some(address);
                    if several {
                        people.push(std::mem::take(&mut person));
                    }
                }
            }
            if people.len() >= MAX_HEADING_PEOPLE {
                return people;
            }
        }
        if person.address.is_some() || !person.name.is_empty() {
            people.push(person);
        }
        if people.len() >= MAX_HEADING_PEOPLE {
            break;
        }
    }
    people
}

/// The one person of a field, such as the sender: the first address, and all else
/// that stands there for a name, also an Internet address, which says who stands
/// behind a user of a host.
pub(super) fn read_person(field: &str) -> Option<Person> {
    let field = field.replace([',', ';', '\n'], " ");
    let mut person = Person::default();
    for token in tokens(&field) {
        let word = match token {
            Token::Word(word) => word.to_owned(),
            Token::Address(address) if person.address.is_none() => {
                person.address = Some(address);
                continue;
            }
            Token::Address(NoteAddress::Internet(address)) => address,
            Token::Address(NoteAddress::Host(_)) => break,
        };
        if !person.name.is_empty() {
            person.name.push(' ');
        }
        person.name.push_str(&word);
    }
    (person.address.is_some() || !person.name.is_empty()).then_some(person)
}

fn tokens(item: &str) -> Vec<Token<'_>> {
    let words: Vec<&str> = item.split_whitespace().collect();
    let mut tokens = Vec::with_capacity(words.len());
    let mut at = 0_usize;
    while let Some(word) = words.get(at).copied() {
        let next = words.get(at.saturating_add(1)).copied().unwrap_or_default();
        let after = words.get(at.saturating_add(2)).copied().unwrap_or_default();
        let host = |node: &str| HostAddress::new(node, word).ok().map(NoteAddress::Host);
        let (found, used) = if next.eq_ignore_ascii_case("at") || matches!(next, "--" | "-") {
            (host(after), 3)
        } else if let Some(node) = next.strip_prefix("--").or_else(|| next.strip_prefix('-')) {
            (host(node), 2)
        } else {
            (alone(word), 1)
        };
        match found {
            Some(address) => {
                tokens.push(Token::Address(address));
                at = at.saturating_add(used);
            }
            None => {
                tokens.push(Token::Word(word));
                at = at.saturating_add(1);
            }
        }
    }
    tokens
}

/// An address that is one word.
fn alone(word: &str) -> Option<NoteAddress> {
    let bare = word.trim_start_matches('<').trim_end_matches('>');
    if let Some((local, domain)) = bare.rsplit_once('@') {
        let fits = !local.is_empty() && !domain.is_empty() && bare.len() <= 320;
        return fits.then(|| NoteAddress::Internet(bare.to_owned()));
    }
    if bare.contains('(') {
        return bare.parse().ok().map(NoteAddress::Host);
    }
    None
}
