//! Character sets of headers and bodies.
//!
//! `Header-Char` and `Msg-Char` name a set; the only name seen is `T50`, and
//! no text tells what it stands for. A gateway writes code page 437 unless the
//! tables for 850 were installed (Q246385, Q263641), so what `T50` stands for
//! is a setting of the link, [`Characters`].

use encoding_rs::{Encoding, WINDOWS_1252};
use oem_cp::code_table::{
    DECODING_TABLE_CP437, DECODING_TABLE_CP850, ENCODING_TABLE_CP437, ENCODING_TABLE_CP850,
};
use std::fmt;

/// A character set of one octet per character that has ASCII as its lower
/// half. Every octet has a character, so that reading loses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CodePage {
    /// IBM 437, what an unchanged gateway writes. It has no `Ø`.
    #[default]
    Cp437,
    /// IBM 850, for the languages of western Europe (Q263641).
    Cp850,
    /// Windows-1252.
    Windows1252,
}

/// What a link's files are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Characters {
    /// What `T50` stands for, what a file without a name is read as, and what
    /// is written.
    pub page: CodePage,
}

/// Text as octets of a code page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The octets.
    pub octets: Vec<u8>,
    /// Characters that the code page does not have and that something else
    /// stands for now: a look-alike for typographic signs, otherwise `?`.
    pub replaced: usize,
}

impl CodePage {
    /// The name that is written for it in `Header-Char` when it is not the
    /// link's own page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cp437 => "437",
            Self::Cp850 => "850",
            Self::Windows1252 => "1252",
        }
    }

    /// Reads octets. Every octet has a character.
    pub fn decode(self, octets: &[u8]) -> String {
        let high: &[char; 128] = match self {
            Self::Cp437 => &DECODING_TABLE_CP437,
            Self::Cp850 => &DECODING_TABLE_CP850,
            Self::Windows1252 => {
                return WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned();
            }
        };
        oem_cp::decode_string_complete_table(octets, high)
    }

    /// Writes text.
    pub fn encode(self, text: &str) -> Encoded {
        let mut encoded = Encoded { octets: Vec::with_capacity(text.len()), replaced: 0 };
        for character in text.chars() {
            if let Some(octet) = self.octet(character) {
                encoded.octets.push(octet);
                continue;
            }
            encoded.replaced += 1;
            encoded.octets.extend_from_slice(look_alike(character).unwrap_or("?").as_bytes());
        }
        encoded
    }

    fn octet(self, character: char) -> Option<u8> {
        match self {
            Self::Cp437 => oem_cp::encode_char_checked(character, &ENCODING_TABLE_CP437),
            Self::Cp850 => oem_cp::encode_char_checked(character, &ENCODING_TABLE_CP850),
            Self::Windows1252 => one_octet(WINDOWS_1252, character),
        }
    }
}

fn one_octet(encoding: &'static Encoding, character: char) -> Option<u8> {
    if character.is_ascii() {
        return u8::try_from(u32::from(character)).ok();
    }
    let mut utf8 = [0; 4];
    let (octets, _, unmappable) = encoding.encode(character.encode_utf8(&mut utf8));
    if unmappable { None } else { octets.first().copied() }
}

/// Signs that mail programs put into plain text on their own.
fn look_alike(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{2032}' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
        '\u{2026}' => "...",
        '\u{2022}' => "*",
        '\u{20ac}' => "EUR",
        '\u{2122}' => "(TM)",
        '\u{a9}' => "(C)",
        '\u{ae}' => "(R)",
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' => " ",
        _ => return None,
    })
}

impl Characters {
    /// Files of this code page.
    pub const fn new(page: CodePage) -> Self {
        Self { page }
    }

    /// The page that `Header-Char` or `Msg-Char` names; `None` for a name that
    /// nobody knows.
    pub fn named(self, name: &str) -> Option<CodePage> {
        if name.is_empty() || name.eq_ignore_ascii_case("T50") {
            return Some(self.page);
        }
        let digits = name.trim_start_matches(|c: char| !c.is_ascii_digit());
        match digits {
            "437" => Some(CodePage::Cp437),
            "850" => Some(CodePage::Cp850),
            "1252" => Some(CodePage::Windows1252),
            _ => None,
        }
    }

    /// The name to write for `page`: `T50` for the link's own.
    pub fn name_of(self, page: CodePage) -> &'static str {
        if page == self.page { "T50" } else { page.name() }
    }
}

impl fmt::Display for CodePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cp437 => "code page 437",
            Self::Cp850 => "code page 850",
            Self::Windows1252 => "Windows-1252",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: [CodePage; 3] = [CodePage::Cp437, CodePage::Cp850, CodePage::Windows1252];

    #[test]
    fn every_octet_reads_and_writes_back() {
        let all: Vec<u8> = (0..=255).collect();
        for page in PAGES {
            let encoded = page.encode(&page.decode(&all));
            assert_eq!(encoded, Encoded { octets: all.clone(), replaced: 0 }, "{page}");
        }
    }

    // Q263641: Nordic letters were wrong under 437, and a ligature became two letters.
    #[test]
    fn nordic_letters_keep_their_form_in_850_and_1252() {
        for page in [CodePage::Cp850, CodePage::Windows1252] {
            let encoded = page.encode("ÆØÅæøå");
            assert_eq!((encoded.octets.len(), encoded.replaced), (6, 0));
            assert_eq!(page.decode(&encoded.octets), "ÆØÅæøå");
        }
    }

    #[test]
    fn a_character_that_the_page_lacks_is_replaced_and_counted() {
        let encoded = CodePage::Cp437.encode("Øre – „x“ 日");
        assert_eq!(encoded, Encoded { octets: b"?re - \"x\" ?".to_vec(), replaced: 5 });
    }

    #[test]
    fn t50_is_what_the_setting_says() {
        let nordic = Characters::new(CodePage::Cp850);
        assert_eq!(nordic.named("T50"), Some(CodePage::Cp850));
        assert_eq!(Characters::default().named("t50"), Some(CodePage::Cp437));
        assert_eq!(nordic.named("cp437"), Some(CodePage::Cp437));
        assert_eq!(nordic.named("T61"), None);
        assert_eq!(nordic.name_of(CodePage::Cp437), "437");
    }
}
