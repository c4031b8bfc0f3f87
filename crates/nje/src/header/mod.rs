//! Headers and trailers of jobs: made of sections, sent in pieces.
//!
//! A section is walked over by its length only; programs that looked for a zero
//! instead brought hosts down (Q128467). Sections that are not known here stay as
//! they are, so that a job can be handed on.

mod fields;
mod pieces;
mod tod;

pub use fields::{Field, Value, data_set, job, trailer};
pub(crate) use pieces::{HeaderJoiner, split as split_header};
pub use tod::TodClock;

use crate::error::{WireCause, WireError};
use crate::limits::MAX_HEADER;
use crate::reader::Reader;
use crate::text::BLANK;
use std::marker::PhantomData;

/// Identifiers of sections.
pub mod section {
    /// The general section of every header.
    pub const GENERAL: u8 = 0x00;
    /// JES2's section of a job header.
    pub const JES2: u8 = 0x84;
    /// JES3's section.
    pub const JES3: u8 = 0x85;
    /// POWER's section.
    pub const POWER: u8 = 0x86;
    /// RSCS's section of a data set header: the file as CMS knows it.
    pub const RSCS: u8 = 0x87;
    /// Data stream (data set header) or accounting (trailer).
    pub const DATA_STREAM: u8 = 0x89;
    /// Scheduling.
    pub const SCHEDULING: u8 = 0x8a;
    /// Security.
    pub const SECURITY: u8 = 0x8c;
    /// What an installation defines.
    pub const INSTALLATION: u8 = 0xc0;
}

/// Octets of a section's own prefix: length, identifier, modifier.
const SECTION_PREFIX: usize = 4;

/// A section of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What it is; see [`section`].
    pub id: u8,
    /// Which kind of it.
    pub modifier: u8,
    /// Its octets behind length, identifier and modifier.
    pub data: Vec<u8>,
}

/// Which header a [`Header`] is.
pub trait HeaderKind {
    /// Octets of a new general section.
    const GENERAL: usize;
    /// Places of text in it that are blank when new, as (from, to).
    const BLANKS: &'static [(usize, usize)];
}

/// The job header (NJH). See [`job`] for its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job;
/// The data set header (DSH). See [`data_set`] for its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSet;
/// The job trailer (NJT). See [`trailer`] for its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer;

impl HeaderKind for Job {
    const GENERAL: usize = 196;
    // Execution node and user, print and punch destinations. Account, passwords,
    // form and the places of people are zero, as real VM nodes send them.
    const BLANKS: &'static [(usize, usize)] = &[(2, 4), (20, 36), (60, 124), (148, 176)];
}

impl HeaderKind for DataSet {
    const GENERAL: usize = 108;
    const BLANKS: &'static [(usize, usize)] = &[(0, 40), (43, 44), (56, 88), (100, 108)];
}

impl HeaderKind for Trailer {
    const GENERAL: usize = 40;
    const BLANKS: &'static [(usize, usize)] = &[(1, 2)];
}

/// The header of a job.
pub type JobHeader = Header<Job>;
/// The header of a data set in a job.
pub type DataSetHeader = Header<DataSet>;
/// The trailer of a job.
pub type JobTrailer = Header<Trailer>;

/// A header: its sections in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<K> {
    /// The sections.
    pub sections: Vec<Section>,
    kind: PhantomData<K>,
}

impl<K: HeaderKind> Header<K> {
    /// A header with an empty general section: numbers zero, names blank.
    pub fn new() -> Self {
        let mut data = vec![0; K::GENERAL];
        for (from, to) in K::BLANKS {
            if let Some(place) = data.get_mut(*from..*to) {
                place.fill(BLANK);
            }
        }
        let general = Section { id: section::GENERAL, modifier: 0, data };
        Self { sections: vec![general], kind: PhantomData }
    }

    /// A section by its identifier, with modifier 0.
    pub fn section(&self, id: u8) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id && section.modifier == 0)
    }

    /// A field; `None` if its section is not there or too short to have it.
    pub fn get<T: Value>(&self, field: Field<K, T>) -> Option<T> {
        let section = self.section(field.section)?;
        T::read(section.data.get(field.at..)?)
    }

    /// Sets a field, and makes its section (zeros) or lengthens it if need be.
    pub fn set<T: Value>(&mut self, field: Field<K, T>, value: T) -> &mut Self {
        if self.section(field.section).is_none() {
            let data = Vec::new();
            self.sections.push(Section { id: field.section, modifier: 0, data });
        }
        let found = self.sections.iter_mut().find(|s| s.id == field.section && s.modifier == 0);
        if let Some(section) = found {
            let end = field.at.saturating_add(T::LENGTH);
            if section.data.len() < end {
                section.data.resize(end, 0);
            }
            if let Some(place) = section.data.get_mut(field.at..end) {
                value.write(place);
            }
        }
        self
    }

    /// The same with a field set.
    #[must_use]
    pub fn with<T: Value>(mut self, field: Field<K, T>, value: T) -> Self {
        self.set(field, value);
        self
    }

    /// Reads the sections of a header whose pieces were joined.
    pub fn parse(octets: &[u8]) -> Result<Self, WireError> {
        if octets.len() > MAX_HEADER {
            return Err(WireCause::HeaderTooLong(MAX_HEADER).at(MAX_HEADER));
        }
        let mut sections = Vec::new();
        let mut reader = Reader::new(octets, "a header's section");
        while !reader.rest().is_empty() {
            let at = reader.at();
            let length = usize::from(reader.u16()?);
            let (id, modifier) = (reader.u8()?, reader.u8()?);
            let data = length.checked_sub(SECTION_PREFIX).and_then(|data| reader.take(data).ok());
            let Some(data) = data else { return Err(WireCause::SectionLength(length).at(at)) };
            sections.push(Section { id, modifier, data: data.to_vec() });
        }
        Ok(Self { sections, kind: PhantomData })
    }

    /// Its sections' octets, before they are cut into pieces. Sections too long
    /// for their length field end the header.
    pub fn octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for section in &self.sections {
            let length = section.data.len().saturating_add(SECTION_PREFIX);
            let Ok(length) = u16::try_from(length) else { break };
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&[section.id, section.modifier]);
            out.extend_from_slice(&section.data);
        }
        out
    }
}

impl<K: HeaderKind> Default for Header<K> {
    fn default() -> Self {
        Self::new()
    }
}

pub(crate) fn fuzz(data: &[u8]) {
    let Ok(header) = DataSetHeader::parse(data) else { return };
    assert_eq!(header.octets(), data, "a header comes back");
    pieces::fuzz(data);
    let mut changed = header.clone();
    changed.set(data_set::FILE_NAME, crate::text::Text::BLANK);
    assert_eq!(changed.get(data_set::FILE_NAME), Some(crate::text::Text::BLANK));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Name, Text};

    #[test]
    fn fields_are_found_where_the_manuals_have_them() {
        let origin = Name::new("NODEA").unwrap();
        let header = JobHeader::new().with(job::JOB_ID, 7).with(job::ORIGIN_NODE, origin);
        let octets = header.octets();
        assert_eq!(octets.len(), 200);
        assert_eq!(octets[4..6], [0, 7], "record octet 8");
        assert_eq!(octets[64..72], *origin.octets(), "record octet 68");
        assert_eq!(JobHeader::parse(&octets).unwrap(), header);

        let name = Text::new("HELLO").unwrap();
        let header = DataSetHeader::new().with(data_set::FILE_NAME, name);
        let octets = header.octets();
        assert_eq!(octets.len(), 112 + 4 + 24);
        assert_eq!(octets[128..140], *name.octets(), "record octet 132");
        assert_eq!(header.get(data_set::FILE_TYPE), None, "the section is too short");
        assert_eq!(JobTrailer::new().octets().len(), 44);
    }

    #[test]
    fn sections_that_are_not_known_stay() {
        let octets = b"\x00\x06\x00\x00ab\x00\x07\xc0\x55xyz";
        let header = JobHeader::parse(octets).unwrap();
        assert_eq!(header.sections[1], Section { id: 0xc0, modifier: 0x55, data: b"xyz".to_vec() });
        assert_eq!(header.octets(), octets);
    }

    #[test]
    fn a_section_is_as_long_as_it_says() {
        for (octets, at, length) in [
            (&b"\x00\x03\x00\x00"[..], 0, 3),
            (b"\x00\x05\x00\x00a\x00\x09\x87\x00b", 5, 9),
            (b"\x00\x00\x00\x00", 0, 0),
        ] {
            let error = JobHeader::parse(octets).unwrap_err();
            assert_eq!(error, WireCause::SectionLength(length).at(at));
        }
        assert!(JobHeader::parse(b"\x00").is_err());
    }
}
