//! The code pages.

use crate::substitution::{Encoded, Substitution, encode};
use crate::{EbcdicError, tables};
use std::fmt;
use std::str::FromStr;

/// What 1140 to 1149 have the euro instead of.
const CURRENCY: char = '\u{A4}';
const EURO: char = '\u{20AC}';

/// A code page (CCSID) of one octet a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodePage {
    /// United States, Canada, Netherlands, Portugal, Brazil; names in NJE and
    /// NETDATA.
    Cp037,
    /// Germany, Austria.
    Cp273,
    /// Denmark, Norway.
    Cp277,
    /// Finland, Sweden.
    Cp278,
    /// Italy.
    Cp280,
    /// Spain, Latin America.
    Cp284,
    /// United Kingdom.
    Cp285,
    /// France.
    Cp297,
    /// International.
    Cp500,
    /// Iceland.
    Cp871,
    /// Open systems: `[ ]` at X'AD' X'BD'.
    Cp1047,
    /// 037 with the euro.
    Cp1140,
    /// 273 with the euro.
    Cp1141,
    /// 277 with the euro.
    Cp1142,
    /// 278 with the euro.
    Cp1143,
    /// 280 with the euro.
    Cp1144,
    /// 284 with the euro.
    Cp1145,
    /// 285 with the euro.
    Cp1146,
    /// 297 with the euro.
    Cp1147,
    /// 500 with the euro.
    Cp1148,
    /// 871 with the euro.
    Cp1149,
}

use CodePage::{
    Cp037, Cp273, Cp277, Cp278, Cp280, Cp284, Cp285, Cp297, Cp500, Cp871, Cp1047, Cp1140, Cp1141,
    Cp1142, Cp1143, Cp1144, Cp1145, Cp1146, Cp1147, Cp1148, Cp1149,
};

impl CodePage {
    /// Every page.
    pub const ALL: [Self; 21] = [
        Cp037, Cp273, Cp277, Cp278, Cp280, Cp284, Cp285, Cp297, Cp500, Cp871, Cp1047, Cp1140,
        Cp1141, Cp1142, Cp1143, Cp1144, Cp1145, Cp1146, Cp1147, Cp1148, Cp1149,
    ];

    /// IBM's number of the page.
    pub const fn number(self) -> u16 {
        match self {
            Cp037 => 37,
            Cp273 => 273,
            Cp277 => 277,
            Cp278 => 278,
            Cp280 => 280,
            Cp284 => 284,
            Cp285 => 285,
            Cp297 => 297,
            Cp500 => 500,
            Cp871 => 871,
            Cp1047 => 1047,
            Cp1140 => 1140,
            Cp1141 => 1141,
            Cp1142 => 1142,
            Cp1143 => 1143,
            Cp1144 => 1144,
            Cp1145 => 1145,
            Cp1146 => 1146,
            Cp1147 => 1147,
            Cp1148 => 1148,
            Cp1149 => 1149,
        }
    }

    /// The page that has the euro and is the same otherwise; itself if it has
    /// it. None for 1047, whose counterpart (924) differs in more.
    pub const fn with_euro(self) -> Option<Self> {
        Some(match self {
            Cp037 => Cp1140,
            Cp273 => Cp1141,
            Cp277 => Cp1142,
            Cp278 => Cp1143,
            Cp280 => Cp1144,
            Cp284 => Cp1145,
            Cp285 => Cp1146,
            Cp297 => Cp1147,
            Cp500 => Cp1148,
            Cp871 => Cp1149,
            Cp1047 => return None,
            has => has,
        })
    }

    const fn has_euro(self) -> bool {
        self.number() >= 1140
    }

    /// The Latin-1 character of each octet, and the octet of each.
    const fn tables(self) -> (&'static [u8; 256], &'static [u8; 256]) {
        match self {
            Cp037 | Cp1140 => (&tables::TO_037, &tables::FROM_037),
            Cp273 | Cp1141 => (&tables::TO_273, &tables::FROM_273),
            Cp277 | Cp1142 => (&tables::TO_277, &tables::FROM_277),
            Cp278 | Cp1143 => (&tables::TO_278, &tables::FROM_278),
            Cp280 | Cp1144 => (&tables::TO_280, &tables::FROM_280),
            Cp284 | Cp1145 => (&tables::TO_284, &tables::FROM_284),
            Cp285 | Cp1146 => (&tables::TO_285, &tables::FROM_285),
            Cp297 | Cp1147 => (&tables::TO_297, &tables::FROM_297),
            Cp500 | Cp1148 => (&tables::TO_500, &tables::FROM_500),
            Cp871 | Cp1149 => (&tables::TO_871, &tables::FROM_871),
            Cp1047 => (&tables::TO_1047, &tables::FROM_1047),
        }
    }

    /// The character of an octet.
    pub fn character(self, octet: u8) -> char {
        let (to, _) = self.tables();
        let latin = to.get(usize::from(octet)).copied().unwrap_or_default();
        match char::from(latin) {
            CURRENCY if self.has_euro() => EURO,
            character => character,
        }
    }

    /// The octet of a character; none if the page does not have it.
    pub fn octet(self, character: char) -> Option<u8> {
        let latin = match character {
            CURRENCY if self.has_euro() => return None,
            EURO if self.has_euro() => CURRENCY,
            character => character,
        };
        let (_, from) = self.tables();
        from.get(usize::from(u8::try_from(latin).ok()?)).copied()
    }

    /// The text of octets. Every octet is a character, controls among them.
    pub fn decode(self, octets: &[u8]) -> String {
        octets.iter().map(|octet| self.character(*octet)).collect()
    }

    /// The octets of a text, with what stands for characters that the page
    /// does not have.
    ///
    /// # Errors
    /// [`EbcdicError::Unsaid`] for the first such character, under
    /// [`Substitution::Refuse`] only.
    pub fn encode(self, text: &str, policy: Substitution) -> Result<Encoded, EbcdicError> {
        encode(self, text, policy)
    }
}

impl fmt::Display for CodePage {
    /// Three digits at least, as the field writes them: `037`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.number())
    }
}

impl FromStr for CodePage {
    type Err = EbcdicError;

    /// Reads the number, with leading zeros or a customary prefix: `37`, `037`,
    /// `IBM-037`, `cp1140`, `IBM01140`.
    fn from_str(text: &str) -> Result<Self, EbcdicError> {
        let lower = text.trim().to_ascii_lowercase();
        let digits = ["ibm", "ccsid", "cp", "ebcdic"]
            .iter()
            .find_map(|prefix| lower.strip_prefix(prefix))
            .map_or(lower.as_str(), |rest| rest.trim_start_matches(['-', '_', ' ']));
        let plain = !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit());
        let number: Option<u16> = digits.parse().ok().filter(|_| plain);
        Self::ALL
            .into_iter()
            .find(|page| Some(page.number()) == number)
            .ok_or_else(|| EbcdicError::UnknownPage(text.trim().chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_found_by_the_names_that_people_write() {
        for (name, page) in [
            ("37", Cp037),
            ("037", Cp037),
            ("IBM-037", Cp037),
            ("cp1140", Cp1140),
            ("IBM01140", Cp1140),
            ("CCSID 500", Cp500),
        ] {
            assert_eq!(name.parse(), Ok(page), "{name}");
        }
        for name in ["", "924", "IBM-", "+37", "1208", "utf-8"] {
            assert!(name.parse::<CodePage>().is_err(), "{name}");
        }
    }

    #[test]
    fn what_a_page_is_called_is_read_again() {
        for page in CodePage::ALL {
            assert_eq!(page.to_string().parse(), Ok(page));
        }
    }

    /// The table of variants in the descriptions of NJE mail.
    #[test]
    fn brackets_and_bars_stand_where_each_page_has_them() {
        for (character, [us, international, open]) in [
            ('[', [0xBA, 0x4A, 0xAD]),
            (']', [0xBB, 0x5A, 0xBD]),
            ('^', [0xB0, 0x5F, 0x5F]),
            ('!', [0x5A, 0x4F, 0x5A]),
            ('|', [0x4F, 0xBB, 0x4F]),
            ('¢', [0x4A, 0xB0, 0x4A]),
            ('¬', [0x5F, 0xBA, 0xB0]),
        ] {
            for (page, octet) in [(Cp037, us), (Cp500, international), (Cp1047, open)] {
                assert_eq!(page.octet(character), Some(octet), "{character} in {page}");
                assert_eq!(page.character(octet), character, "{octet:#x} in {page}");
            }
        }
    }

    /// Q196615: a host of the euro zone could not be sent one.
    #[test]
    fn the_euro_is_said_on_its_pages_and_only_there() {
        for page in CodePage::ALL {
            let euro = page.octet('€');
            assert_eq!(euro.is_some(), page.number() >= 1140, "{page}");
            if let Some(with) = page.with_euro() {
                let at = with.octet('€').unwrap();
                assert_eq!(page.number() < 1140, page.octet('¤') == Some(at), "{page}");
            }
        }
        assert_eq!(Cp1148.octet('€'), Some(0x9F));
    }
}
