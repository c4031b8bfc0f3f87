//! What files hold: text of the host, text of a PC, or neither (`Cmsxmap.tbl`).

use crate::TableError;
use crate::limits::MAX_ENTRIES;
use crate::netdata::{FileName, NetdataFile};
use crate::{CarriageControl, listing, read_lines};
use concord_ebcdic::CodePage;
use std::collections::BTreeMap;

/// What a file's octets are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Content {
    /// Text in the host's code page; it becomes lines.
    HostText,
    /// Text as a PC has it (PC ASCII); it is passed on as it is.
    PcText,
    /// Anything else (PC BINARY); passed on as it is.
    Binary,
}

/// File types and what such files hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTypes {
    known: BTreeMap<String, Content>,
    otherwise: Content,
}

/// The working list of Q230646, and types that came after it.
const STANDARD: &str = "\
LISTING EBCDIC\nEXEC EBCDIC\nSCRIPT EBCDIC\n$SCRIPT EBCDIC\nOFSMCNTL EBCDIC\nDIRECTRY EBCDIC
BIN BINARY\nCOM BINARY\nDOC BINARY\nEXE BINARY\nPPT BINARY\nXLS BINARY\nXLW BINARY\nZIP BINARY
VSD BINARY\nMDB BINARY\nRFTDCA BINARY\nDOCX BINARY\nXLSX BINARY\nPPTX BINARY\nPDF BINARY
JPG BINARY\nJPEG BINARY\nPNG BINARY\nGIF BINARY\nTIF BINARY\nGZ BINARY\nMODULE BINARY
VMARC BINARY\nTERSED BINARY\n* EBCDIC";

impl Default for FileTypes {
    /// The types that are known where nothing is set.
    fn default() -> Self {
        // It is read in a test; what could not be read would be text.
        let nothing = Self { known: BTreeMap::new(), otherwise: Content::HostText };
        Self::parse(STANDARD).unwrap_or(nothing)
    }
}

impl FileTypes {
    /// Reads a table: a type and `EBCDIC` or `BINARY` in each line; the type `*`
    /// is any other. Lines that begin with `;` say nothing.
    ///
    /// # Errors
    /// The line that is wrong.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        Self { known: BTreeMap::new(), otherwise: Content::HostText }.with(text)
    }

    /// These types, and in place of them, or beside them, those of a table.
    ///
    /// # Errors
    /// The line that is wrong.
    pub fn with(self, text: &str) -> Result<Self, TableError> {
        let mut types = self;
        for (at, row) in text.lines().enumerate() {
            let line = at.saturating_add(1);
            let words: Vec<&str> = row.split_whitespace().collect();
            let (kind, content) = match words.as_slice() {
                [] => continue,
                [first, ..] if first.starts_with(';') => continue,
                [kind, content] => (kind.to_ascii_uppercase(), *content),
                _ => {
                    let expected = "a file type and EBCDIC or BINARY";
                    return Err(TableError::Words { line, words: words.len(), expected });
                }
            };
            let content = match content.to_ascii_uppercase().as_str() {
                "EBCDIC" => Content::HostText,
                "BINARY" => Content::Binary,
                _ => {
                    let (word, expected) = (content.to_owned(), "EBCDIC nor BINARY");
                    return Err(TableError::Word { line, word, expected });
                }
            };
            if kind == "*" {
                types.otherwise = content;
            } else {
                types.known.insert(kind, content);
            }
            if types.known.len() > MAX_ENTRIES {
                return Err(TableError::TooMany { line, what: "types", most: MAX_ENTRIES });
            }
        }
        Ok(types)
    }

    /// What a file of a type holds. A flag that the sender set says more than the
    /// table (Q181280).
    pub fn content(&self, kind: &str, flag: Option<Content>) -> Content {
        let table = || self.known.get(&kind.to_ascii_uppercase()).copied();
        flag.or_else(table).unwrap_or(self.otherwise)
    }
}

/// A file of the host as an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, with the ending that it had (Q192932: it became `TXT`).
    pub name: String,
    /// Its octets; text is UTF-8 with CR LF.
    pub octets: Vec<u8>,
    /// What it holds.
    pub content: Content,
}

/// The name of what has none.
const NAMELESS: &str = "FILE.BIN";

/// A file of a transmission as an attachment. Text loses the blanks behind its
/// lines, which only fill records; binary octets are joined without any bounds of
/// records, fixed and variable ones alike.
pub fn attachment(
    file: &NetdataFile,
    types: &FileTypes,
    flag: Option<Content>,
    page: CodePage,
) -> Attachment {
    let name = attachment_name(&file.name);
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    let opaque = file.partitioned || file.format.is_packed() || file.format.is_compressed();
    let content = match types.content(kind, flag) {
        Content::HostText if opaque => Content::Binary,
        content => content,
    };
    let data = file.data();
    let octets = match content {
        Content::Binary | Content::PcText => data.joined().to_vec(),
        Content::HostText => {
            let control = match (file.format.has_asa_control(), file.format.has_machine_control()) {
                (true, _) => CarriageControl::Asa,
                (false, true) => CarriageControl::Machine,
                (false, false) => CarriageControl::None,
            };
            let lines = match control {
                CarriageControl::None => read_lines(&data, page),
                control => listing::print(&data, control, page),
            };
            lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect()
        }
    };
    Attachment { name, octets, content }
}

fn attachment_name(name: &FileName) -> String {
    match name {
        FileName::Cms(cms) => cms.attachment(),
        FileName::Note => "NOTE.TXT".to_owned(),
        FileName::DataSet(parts) => {
            let all = parts.join(".");
            let tidy: String = all
                .chars()
                .map(|c| if c.is_control() || matches!(c, '/' | '\\') { '_' } else { c })
                .collect();
            if tidy.trim_matches(['.', ' ']).is_empty() { NAMELESS.to_owned() } else { tidy }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CmsName, Records};

    fn named(kind: &str) -> FileName {
        FileName::Cms(CmsName::new("TEST", kind).unwrap())
    }

    fn got(file: &NetdataFile, flag: Option<Content>) -> Attachment {
        attachment(file, &FileTypes::default(), flag, CodePage::Cp037)
    }

    fn host(text: &str, width: usize) -> Vec<u8> {
        let mut octets: Vec<u8> = text.chars().map(|c| CodePage::Cp037.octet(c).unwrap()).collect();
        octets.resize(width.max(octets.len()), 0x40);
        octets
    }

    #[test]
    fn the_standard_table_is_read_whole() {
        assert_eq!(FileTypes::parse(STANDARD), Ok(FileTypes::default()));
        assert_eq!(FileTypes::default().known.len(), STANDARD.split_whitespace().count() / 2 - 1);
    }

    /// Q177544: record lengths were left in the data.
    #[test]
    fn a_fixed_file_is_its_records_without_lengths() {
        let records: Records = [host("one", 80), host("two", 80)].into_iter().collect();
        let file = NetdataFile::fixed(named("SCRIPT"), 80, records.clone());
        assert_eq!(got(&file, None).octets, b"one\r\ntwo\r\n");
        let file = NetdataFile::fixed(named("ZIP"), 80, records.clone());
        assert_eq!(got(&file, None).octets, records.joined());
    }

    /// Q179014: two characters were lost at its beginning.
    #[test]
    fn a_fixed_file_that_begins_like_a_length_keeps_its_first_octets() {
        let mut record = vec![0, 80, 0, 0];
        record.resize(80, 7);
        let file = NetdataFile::fixed(named("BIN"), 80, [&record, &record].into_iter().collect());
        assert_eq!(got(&file, None).octets, [record.clone(), record].concat());
    }

    /// Q181280: the table was applied in spite of the flag.
    #[test]
    fn the_senders_flag_says_more_than_the_table() {
        let octets: &[u8] = b"PC text\r\n\x1a";
        let file = NetdataFile::varying(named("SCRIPT"), [octets].into_iter().collect());
        assert_eq!(got(&file, Some(Content::PcText)).octets, octets);
        assert_eq!(got(&file, Some(Content::Binary)).octets, octets);
        assert_eq!(got(&file, None).content, Content::HostText);
    }

    /// Q221551: an RFT document in fixed records could not be read.
    #[test]
    fn a_document_is_the_same_from_fixed_and_from_variable_records() {
        let document: Vec<u8> = (0..=255).cycle().take(800).collect();
        let fixed = NetdataFile::fixed(named("RFTDCA"), 80, document.chunks(80).collect());
        let variable = NetdataFile::varying(named("RFTDCA"), document.chunks(77).collect());
        assert_eq!(got(&fixed, None).octets, document);
        assert_eq!(got(&variable, None).octets, document);
    }

    /// Q230646: a PC's file that the table did not have was made text. T65.
    #[test]
    fn files_of_programs_on_pcs_are_binary_without_a_flag() {
        for kind in ["ZIP", "DOC", "XLS", "zip", "PDF"] {
            assert_eq!(FileTypes::default().content(kind, None), Content::Binary, "{kind}");
        }
        assert_eq!(FileTypes::default().content("NOTES", None), Content::HostText);
        let set = FileTypes::parse("* BINARY\nSCRIPT EBCDIC").unwrap();
        assert_eq!(set.content("UNKNOWN", None), Content::Binary);
    }

    /// Q254916.
    #[test]
    fn a_listing_with_overprinted_lines_keeps_every_record() {
        let lines = [" total", "+_____", " after"];
        let records: Records = lines.iter().map(|line| host(line, 0)).collect();
        let mut file = NetdataFile::varying(named("LISTING"), records);
        file.format.0 |= 0x0400;
        assert_eq!(got(&file, None).octets, b"total\r\nafter\r\n");
    }

    /// Q192932: the ending became TXT.
    #[test]
    fn a_file_keeps_its_ending_when_it_is_converted() {
        let file = NetdataFile::varying(named("LOG"), [host("line", 0)].into_iter().collect());
        assert_eq!(got(&file, None).name, "TEST.LOG");
    }

    #[test]
    fn variable_records_lose_length_words_only_if_all_have_them() {
        let worded = |data: &[u8]| {
            let length = u16::try_from(data.len() + 4).unwrap().to_be_bytes();
            [&length[..], &[0, 0], data].concat()
        };
        let records: Records = [worded(b"\x01\x02"), worded(b"")].into_iter().collect();
        let mut file = NetdataFile::varying(named("BIN"), records.clone());
        assert_eq!(got(&file, None).octets, records.joined());
        file.format.0 = 0x4000;
        assert_eq!(got(&file, None).octets, b"\x01\x02");
        file.records.push(b"\x00\x09\x00\x00");
        assert_eq!(got(&file, None).octets, file.records.joined());
    }

    #[test]
    fn a_packed_or_partitioned_file_is_never_made_text() {
        let records: Records = [b"\x01\x02\x03"].into_iter().collect();
        let mut file = NetdataFile::varying(named("SCRIPT"), records);
        file.format.0 |= 0x0004;
        assert_eq!(got(&file, None).octets, b"\x01\x02\x03");
        file.format.0 = 0x0002;
        file.partitioned = true;
        assert_eq!(got(&file, None).content, Content::Binary);
    }

    #[test]
    fn a_table_with_mistakes_names_the_line() {
        assert!(matches!(FileTypes::parse("A\n"), Err(TableError::Words { line: 1, .. })));
        assert!(matches!(FileTypes::parse("\nA TEXT"), Err(TableError::Word { line: 2, .. })));
    }
}
