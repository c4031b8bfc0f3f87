//! Names and fields of text: EBCDIC, padded with blanks.
//!
//! Only the printable characters of ASCII are known here, in their places of
//! code page 37 (they are the same in 500 but for a few brackets). Names,
//! commands and messages need no more. Text of mail is not read here.

use std::fmt;

/// EBCDIC's blank.
pub const BLANK: u8 = 0x40;

/// Code page 37 for X'20' to X'7E' of ASCII.
const PRINTABLE: [u8; 95] = [
    0x40, 0x5a, 0x7f, 0x7b, 0x5b, 0x6c, 0x50, 0x7d, 0x4d, 0x5d, 0x5c, 0x4e, 0x6b, 0x60, 0x4b, 0x61,
    0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0x7a, 0x5e, 0x4c, 0x7e, 0x6e, 0x6f,
    0x7c, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6,
    0xd7, 0xd8, 0xd9, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xba, 0xe0, 0xbb, 0xb0, 0x6d,
    0x79, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96,
    0x97, 0x98, 0x99, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xc0, 0x4f, 0xd0, 0xa1,
];
const FIRST: u8 = 0x20;
const QUESTION_MARK: u8 = 0x6f;

/// The EBCDIC octet of a printable ASCII character.
pub fn to_ebcdic(character: char) -> Option<u8> {
    let index = u32::from(character).checked_sub(u32::from(FIRST))?;
    PRINTABLE.get(usize::try_from(index).ok()?).copied()
}

/// The printable ASCII character of an EBCDIC octet.
pub fn from_ebcdic(octet: u8) -> Option<char> {
    let index = PRINTABLE.iter().position(|known| *known == octet)?;
    Some(char::from(FIRST.saturating_add(u8::try_from(index).ok()?)))
}

/// Text as EBCDIC; characters that are not printable ASCII become question
/// marks.
pub fn encode(text: &str) -> Vec<u8> {
    text.chars().map(|c| to_ebcdic(c).unwrap_or(QUESTION_MARK)).collect()
}

/// EBCDIC as text for people; octets that are not printable become dots.
pub fn decode(octets: &[u8]) -> String {
    octets.iter().map(|octet| from_ebcdic(*octet).unwrap_or('.')).collect()
}

/// A field of `N` octets of text. What a peer sent is kept as it is; what is
/// made by [`Text::new`] is upper case and padded with blanks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize>([u8; N]);

/// A node, user or job name, or another field of eight octets.
pub type Name = Text<8>;

/// What cannot stand in a field of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More characters than octets.
    #[error("cannot write a name of {length} characters: the field has {most}")]
    TooLong {
        /// Its characters.
        length: usize,
        /// The field's.
        most: usize,
    },
    /// A character that is not printable ASCII.
    #[error("cannot write the character {0:?} in EBCDIC")]
    Character(char),
}

impl<const N: usize> Text<N> {
    /// Nothing but blanks.
    pub const BLANK: Self = Self([BLANK; N]);
    /// Nothing but zeros, which some fields have when they are not in use.
    pub const ZERO: Self = Self([0; N]);

    /// Text in upper case, padded with blanks.
    pub fn new(text: &str) -> Result<Self, TextError> {
        let mut octets = [BLANK; N];
        let length = text.chars().count();
        if length > N {
            return Err(TextError::TooLong { length, most: N });
        }
        for (place, character) in octets.iter_mut().zip(text.chars()) {
            *place =
                to_ebcdic(character.to_ascii_uppercase()).ok_or(TextError::Character(character))?;
        }
        Ok(Self(octets))
    }

    /// As it stands on the wire.
    pub const fn from_octets(octets: [u8; N]) -> Self {
        Self(octets)
    }

    /// As it stands on the wire.
    pub const fn octets(&self) -> &[u8; N] {
        &self.0
    }

    /// What stands before the padding, be it blanks or zeros.
    pub fn trimmed(&self) -> &[u8] {
        let end = self.0.iter().rposition(|o| *o != BLANK && *o != 0);
        end.and_then(|end| self.0.get(..=end)).unwrap_or_default()
    }

    /// Whether it is blank, or zero.
    pub fn is_empty(&self) -> bool {
        self.trimmed().is_empty()
    }

    /// Whether both say the same, however they are padded.
    pub fn same(&self, other: &Self) -> bool {
        self.trimmed() == other.trimmed()
    }
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::BLANK
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decode(self.trimmed()))
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", decode(self.trimmed()))
    }
}

impl<const N: usize> std::str::FromStr for Text<N> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printable_character_has_one_octet() {
        for octet in 0x20..0x7f_u8 {
            let character = char::from(octet);
            assert_eq!(to_ebcdic(character).and_then(from_ebcdic), Some(character));
        }
        assert_eq!(to_ebcdic('ä'), None);
        assert_eq!(to_ebcdic('\n'), None);
        assert_eq!(from_ebcdic(0), None);
        assert_eq!(encode("Node A, 1ü"), b"\xd5\x96\x84\x85\x40\xc1\x6b\x40\xf1\x6f");
    }

    #[test]
    fn names_are_upper_case_and_padded_and_compare_without_padding() {
        let name = Name::new("nodea").unwrap();
        assert_eq!(name.octets(), b"\xd5\xd6\xc4\xc5\xc1\x40\x40\x40");
        assert_eq!(name.to_string(), "NODEA");
        let other = Name::from_octets(*b"\xd5\xd6\xc4\xc5\xc1\0\0\0");
        assert!(name.same(&other) && name != other);
        assert_eq!(Name::new("NINECHARS"), Err(TextError::TooLong { length: 9, most: 8 }));
        assert_eq!(Name::new("A\tB"), Err(TextError::Character('\t')));
        assert!(Name::ZERO.is_empty() && Name::BLANK.is_empty());
    }
}
