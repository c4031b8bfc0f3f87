//! What stands for characters that a page does not have.

use crate::{CodePage, EbcdicError};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Characters that are listed with their places; more are only counted. A
/// report with more is not read by anybody.
pub const MAX_LISTED: usize = 16;

/// What stands for what cannot be said, in every page at X'6F'.
const QUESTION: char = '?';

/// What is done with a character that the page does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Substitution {
    /// Nothing is written.
    Refuse,
    /// A question mark stands for it.
    Question,
    /// Characters that look or mean alike stand for it (`EUR`, `"`, letters
    /// without their marks), and a question mark where there are none.
    #[default]
    Transliterate,
}

/// A text in a page's octets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Encoded {
    /// The octets.
    pub octets: Vec<u8>,
    /// What the page could not say.
    pub unsaid: Unsaid,
}

/// The characters that a page did not have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unsaid {
    /// How many there were.
    pub count: usize,
    /// How many of them became question marks.
    pub lost: usize,
    /// The first [`MAX_LISTED`] of them.
    pub characters: Vec<UnsaidCharacter>,
}

/// One character that a page did not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnsaidCharacter {
    /// The character.
    pub character: char,
    /// Its place in the text, in characters from 0.
    pub at: usize,
}

impl Unsaid {
    /// Whether everything was said as it was.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds what another text, `offset` characters on, did not say.
    pub fn merge(&mut self, other: &Self, offset: usize) {
        self.count = self.count.saturating_add(other.count);
        self.lost = self.lost.saturating_add(other.lost);
        let room = MAX_LISTED.saturating_sub(self.characters.len());
        self.characters.extend(
            other
                .characters
                .iter()
                .take(room)
                .map(|one| UnsaidCharacter { at: one.at.saturating_add(offset), ..*one }),
        );
    }
}

pub(crate) fn encode(
    page: CodePage,
    text: &str,
    policy: Substitution,
) -> Result<Encoded, EbcdicError> {
    let mut encoded = Encoded { octets: Vec::with_capacity(text.len()), unsaid: Unsaid::default() };
    for (at, character) in text.chars().enumerate() {
        if let Some(octet) = page.octet(character) {
            encoded.octets.push(octet);
            continue;
        }
        if policy == Substitution::Refuse {
            return Err(EbcdicError::Unsaid { character, at, page: page.number() });
        }
        let unsaid = &mut encoded.unsaid;
        unsaid.count = unsaid.count.saturating_add(1);
        if unsaid.characters.len() < MAX_LISTED {
            unsaid.characters.push(UnsaidCharacter { character, at });
        }
        let alike = (policy == Substitution::Transliterate).then(|| alike(page, character));
        if let Some(octets) = alike.flatten() {
            encoded.octets.extend(octets);
        } else {
            unsaid.lost = unsaid.lost.saturating_add(1);
            encoded.octets.extend(page.octet(QUESTION));
        }
    }
    Ok(encoded)
}

/// Octets that look or mean alike; none if there are none.
fn alike(page: CodePage, character: char) -> Option<Vec<u8>> {
    if let Some(word) = spelled(character) {
        return word.chars().map(|one| page.octet(one)).collect();
    }
    // A mark that stands alone is one that another character carried.
    if is_combining_mark(character) {
        return Some(Vec::new());
    }
    let mut octets = Vec::new();
    for one in std::iter::once(character).nfkd().filter(|one| !is_combining_mark(*one)) {
        match (page.octet(one), spelled(one)) {
            (Some(octet), _) => octets.push(octet),
            (None, Some(word)) => {
                for letter in word.chars() {
                    octets.push(page.octet(letter)?);
                }
            }
            (None, None) => return None,
        }
    }
    Some(octets).filter(|octets| !octets.is_empty())
}

/// Characters that Unicode does not take apart, as people write them without
/// the key.
const fn spelled(character: char) -> Option<&'static str> {
    Some(match character {
        '€' => "EUR",
        '‘' | '’' | '‚' | '‛' | '′' | '‹' | '›' => "'",
        '“' | '”' | '„' | '‟' | '″' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '−' => "-",
        '•' | '‣' | '∙' => "*",
        '⁄' | '∕' => "/",
        'Œ' => "OE",
        'œ' => "oe",
        'Ł' => "L",
        'ł' => "l",
        'Đ' => "D",
        'đ' => "d",
        'ı' => "i",
        'Ħ' => "H",
        'ħ' => "h",
        'Ŋ' => "NG",
        'ŋ' => "ng",
        'Ŧ' => "T",
        'ŧ' => "t",
        'ƒ' => "f",
        'ẞ' => "SS",
        '←' => "<-",
        '→' => "->",
        '≤' => "<=",
        '≥' => ">=",
        '≠' => "<>",
        '\u{200B}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FEFF}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use CodePage::{Cp037, Cp273, Cp1141};

    fn text(page: CodePage, text: &str, policy: Substitution) -> (String, Unsaid) {
        let said = page.encode(text, policy).unwrap();
        (page.decode(&said.octets), said.unsaid)
    }

    #[test]
    fn nothing_is_written_where_no_character_may_be_replaced() {
        assert_eq!(
            Cp037.encode("für 5 €", Substitution::Refuse),
            Err(EbcdicError::Unsaid { character: '€', at: 6, page: 37 })
        );
        assert!(Cp1141.encode("für 5 €", Substitution::Refuse).is_ok());
    }

    #[test]
    fn letters_without_their_marks_stand_for_letters_with_them() {
        let (said, unsaid) = text(Cp037, "Dvořák, Łódź, “x” – ﬁn…", Substitution::Transliterate);
        assert_eq!(said, "Dvorák, Lódz, \"x\" - fin...");
        assert_eq!((unsaid.count, unsaid.lost), (8, 0));
        assert_eq!(unsaid.characters.first().map(|u| (u.character, u.at)), Some(('ř', 3)));
    }

    #[test]
    fn a_character_with_a_separate_mark_loses_only_the_mark() {
        assert_eq!(text(Cp273, "e\u{301}", Substitution::Transliterate).0, "e");
    }

    #[test]
    fn what_nothing_is_like_becomes_a_question_mark_and_is_counted() {
        let (said, unsaid) = text(Cp273, "Привет 漢 €", Substitution::Transliterate);
        assert_eq!(said, "?????? ? EUR");
        assert_eq!((unsaid.count, unsaid.lost), (8, 7));
        let (said, unsaid) = text(Cp273, "ř€", Substitution::Question);
        assert_eq!((said.as_str(), unsaid.lost), ("??", 2));
    }

    #[test]
    fn no_more_characters_are_listed_than_anybody_reads() {
        let (_, unsaid) = text(Cp037, &"漢".repeat(1000), Substitution::Question);
        assert_eq!((unsaid.count, unsaid.characters.len()), (1000, MAX_LISTED));
    }
}
