//! Files that CMS `PUNCH` sends: cards, with a `:READ` card before each file that
//! says what it is called.
//!
//! Source: the PUNCH command in IBM's z/VM CMS Commands and Utilities Reference.

use crate::limits::CARD;
use crate::{CmsName, Records};
use concord_base::{Fault, Retry};
use concord_ebcdic::{CodePage, Substitution};

/// Control cards are in this page, as commands are.
const PAGE: CodePage = CodePage::Cp037;
const READ: &str = ":READ";

/// A punched file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PunchedFile {
    /// Its name; none for cards before the first `:READ` card.
    pub name: Option<CmsName>,
    /// When it was last written, as the card has it (`mm/dd/yy hh:mm`); empty if
    /// it does not say.
    pub written: String,
    /// Its cards.
    pub records: Records,
}

/// Why a file cannot be punched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PunchError {
    /// A record that is longer than a card.
    #[error("cannot punch record {record} of {octets} octets: a card has 80; send it as NETDATA")]
    TooLong {
        /// The record's number, from 0.
        record: usize,
        /// Its octets.
        octets: usize,
    },
    /// A record that a reader would take for the next file's name.
    #[error("cannot punch record {0}: it looks like a :READ card; send it as NETDATA")]
    LooksLikeHeader(usize),
}

impl Fault for PunchError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "cms-punch.too-long",
            Self::LooksLikeHeader(_) => "cms-punch.looks-like-header",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }
}

/// The files of a deck. Without any `:READ` card all of it is one without a name;
/// a deck without cards has no files.
pub fn read(cards: &Records) -> Vec<PunchedFile> {
    let mut files: Vec<PunchedFile> = Vec::new();
    for card in cards.iter() {
        if let Some((name, written)) = header(card) {
            files.push(PunchedFile { name: Some(name), written, records: Records::new() });
            continue;
        }
        match files.last_mut() {
            Some(file) => file.records.push(card),
            None => files.push(PunchedFile {
                name: None,
                written: String::new(),
                records: [card].into_iter().collect(),
            }),
        }
    }
    files
}

/// Whether a deck begins with a `:READ` card.
pub fn has_header(cards: &Records) -> bool {
    cards.get(0).is_some_and(|card| header(card).is_some())
}

/// Name in columns 8 to 15, type in 17 to 24, mode in 26 and 27, date and time in
/// 36 to 50.
fn header(card: &[u8]) -> Option<(CmsName, String)> {
    let columns = |from: usize, to: usize| {
        let end = to.min(card.len());
        PAGE.decode(card.get(from.saturating_sub(1).min(end)..end).unwrap_or_default())
    };
    if columns(1, 5) != READ || !columns(6, 7).trim().is_empty() {
        return None;
    }
    let (name, kind, mode) = (columns(8, 15), columns(17, 24), columns(26, 27));
    let (name, kind, mode) = (name.trim_end(), kind.trim_end(), mode.trim());
    let made = CmsName::with_mode(name, kind, mode).or_else(|| CmsName::new(name, kind))?;
    let written = columns(36, 50);
    Some((made, written.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// Punches a file behind a `:READ` card.
///
/// # Errors
/// [`PunchError`]
pub fn write(name: &CmsName, written: &str, records: &Records) -> Result<Records, PunchError> {
    let date = written.split_whitespace().next().unwrap_or_default();
    let time = written.split_whitespace().nth(1).unwrap_or_default();
    let (file, kind, mode) = (name.name(), name.kind(), name.mode());
    let head = format!("{READ}  {file:<8} {kind:<8} {mode:<2} {:<6} {date:<8}  {time:<5}", "");
    // Names of CMS are in every page.
    let octets = PAGE.encode(&head, Substitution::Question).map(|said| said.octets);
    let mut cards: Records = [padded(&octets.unwrap_or_default())].into_iter().collect();
    for (number, record) in records.iter().enumerate() {
        if record.len() > CARD {
            return Err(PunchError::TooLong { record: number, octets: record.len() });
        }
        if header(record).is_some() {
            return Err(PunchError::LooksLikeHeader(number));
        }
        cards.push(&padded(record));
    }
    Ok(cards)
}

/// A record as a card, with blanks behind it.
fn padded(record: &[u8]) -> Vec<u8> {
    let mut card = record.get(..CARD.min(record.len())).unwrap_or_default().to_vec();
    card.resize(CARD, 0x40);
    card
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(text: &str) -> Vec<u8> {
        padded(&PAGE.encode(text, Substitution::Refuse).unwrap().octets)
    }

    #[test]
    fn a_deck_is_the_files_that_its_cards_name() {
        let deck: Records = [
            card("before any name"),
            card(":READ  PROFILE  EXEC     A1 CMS191 05/13/93  22:27"),
            card("/* */"),
            card(":READ  not a card of that form at all, and so a line of the file"),
            card(":READ  EMPTY    FILE     A1 CMS191 05/13/93  22:28"),
        ]
        .into_iter()
        .collect();
        let files = read(&deck);
        let told: Vec<_> = files
            .iter()
            .map(|f| {
                (f.name.as_ref().map(ToString::to_string), f.written.as_str(), f.records.len())
            })
            .collect();
        assert_eq!(
            told,
            [
                (None, "", 1),
                (Some("PROFILE EXEC A1".to_owned()), "05/13/93 22:27", 2),
                (Some("EMPTY FILE A1".to_owned()), "05/13/93 22:28", 0),
            ]
        );
        assert!(read(&Records::new()).is_empty());
    }

    #[test]
    fn a_file_that_was_punched_is_read_again() {
        let name = CmsName::new("A$B", "LISTING").unwrap();
        let records: Records = [card("one"), card("")].into_iter().collect();
        let deck = write(&name, "05/13/93 22:27", &records).unwrap();
        let written = "05/13/93 22:27".to_owned();
        assert_eq!(read(&deck), [PunchedFile { name: Some(name), written, records }]);
    }

    #[test]
    fn what_a_reader_would_split_or_cut_is_not_punched() {
        let name = CmsName::new("A", "B").unwrap();
        let long: Records = [vec![0x40; 81]].into_iter().collect();
        assert!(matches!(write(&name, "", &long), Err(PunchError::TooLong { octets: 81, .. })));
        let inner = write(&name, "", &Records::new()).unwrap();
        assert_eq!(write(&name, "", &inner), Err(PunchError::LooksLikeHeader(0)));
    }
}
