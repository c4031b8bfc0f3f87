//! Text units: what control records are made of.
//!
//! A unit is a key (2 octets), a count (2), and as many values, each with its
//! length (2) before it.

use super::{NetdataError, WriteNetdataError};
use crate::Place;
use concord_ebcdic::{CodePage, Substitution};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// The page of everything in headers.
pub(super) const HEADER_PAGE: CodePage = CodePage::Cp037;
/// Octets of the longest number that a header has.
const MAX_NUMBER: usize = 8;
/// Octets of a time: `YYYYMMDDHHMMSS`, and six digits of microseconds that may be
/// missing.
const SECONDS: usize = 14;
const MICROSECONDS: usize = 20;

/// One unit of a control record.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    pub key: u16,
    pub values: Vec<&'a [u8]>,
}

/// Reads units one after the other.
pub(super) struct Units<'a> {
    rest: &'a [u8],
    place: Place,
}

impl<'a> Units<'a> {
    pub const fn new(octets: &'a [u8], place: Place) -> Self {
        Self { rest: octets, place }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], NetdataError> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or(NetdataError::UnitCut(self.place))?;
        self.rest = rest;
        Ok(taken)
    }

    fn halfword(&mut self) -> Result<u16, NetdataError> {
        Ok(self.take(2)?.iter().fold(0, |sum, octet| (sum << 8) | u16::from(*octet)))
    }

    /// The next unit; none at the end.
    pub fn next(&mut self) -> Result<Option<Unit<'a>>, NetdataError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.halfword()?;
        let count = self.halfword()?;
        let mut values = Vec::new();
        for _ in 0..count {
            let length = self.halfword()?;
            values.push(self.take(usize::from(length))?);
        }
        Ok(Some(Unit { key, values }))
    }
}

impl Unit<'_> {
    /// The first value as a number of 1 to 8 octets; none if there is no value.
    pub fn number(&self, place: Place) -> Result<Option<u64>, NetdataError> {
        let Some(value) = self.values.first() else { return Ok(None) };
        if value.len() > MAX_NUMBER {
            let (key, octets) = (self.key, value.len());
            return Err(NetdataError::NumberTooLong { place, key, octets });
        }
        Ok(Some(value.iter().fold(0, |sum, octet| (sum << 8) | u64::from(*octet))))
    }

    /// The first value as text without blanks around it; empty if there is none.
    pub fn text(&self) -> String {
        self.values.first().map(|value| text(value)).unwrap_or_default()
    }

    /// The first value as a time; none if it is not one.
    pub fn time(&self) -> Option<Timestamp> {
        read_time(&self.text())
    }
}

/// A value as text without blanks around it.
pub(super) fn text(value: &[u8]) -> String {
    HEADER_PAGE.decode(value).trim().to_owned()
}

/// `YYYYMMDDHHMMSS[uuuuuu]`, GMT. Fewer digits of a second are read, too.
pub(super) fn read_time(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|octet| octet.is_ascii_digit()) || text.len() > MICROSECONDS {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let byte = |from: usize, to: usize| i8::try_from(number(from, to)?).ok();
    let fraction = text.get(SECONDS..)?;
    let nanoseconds: i32 = format!("{fraction:0<9}").parse().ok()?;
    let local = DateTime::new(
        number(0, 4)?,
        byte(4, 6)?,
        byte(6, 8)?,
        byte(8, 10)?,
        byte(10, 12)?,
        byte(12, 14)?,
        nanoseconds,
    );
    Offset::UTC.to_timestamp(local.ok()?).ok()
}

/// A time as headers have it; none for years that have not four digits.
pub(super) fn write_time(time: Timestamp) -> Option<String> {
    let local = Offset::UTC.to_datetime(time);
    let year = u16::try_from(local.year()).ok()?;
    let mut text = format!(
        "{year:04}{:02}{:02}{:02}{:02}{:02}",
        local.month(),
        local.day(),
        local.hour(),
        local.minute(),
        local.second()
    );
    let micros = local.subsec_nanosecond() / 1_000;
    if micros > 0 {
        text.push_str(&format!("{micros:06}"));
    }
    Some(text)
}

/// Writes the units of one control record.
pub(super) struct UnitWriter {
    octets: Vec<u8>,
}

impl UnitWriter {
    /// A control record of a name (`INMR01`).
    pub fn new(name: &str) -> Result<Self, WriteNetdataError> {
        Ok(Self { octets: header_octets(name)? })
    }

    /// Octets without a key, as the file's number in INMR02.
    pub fn raw(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    pub fn values<V: AsRef<[u8]>>(
        &mut self,
        key: u16,
        values: &[V],
    ) -> Result<(), WriteNetdataError> {
        self.octets.extend(key.to_be_bytes());
        self.octets.extend(halfword(values.len(), key)?);
        for value in values {
            let value = value.as_ref();
            self.octets.extend(halfword(value.len(), key)?);
            self.octets.extend_from_slice(value);
        }
        Ok(())
    }

    pub fn text(&mut self, key: u16, text: &str) -> Result<(), WriteNetdataError> {
        self.values(key, &[header_octets(text)?])
    }

    /// A number in two octets if it fits, as hosts write it, else in eight.
    pub fn number(&mut self, key: u16, number: u64) -> Result<(), WriteNetdataError> {
        match u16::try_from(number) {
            Ok(short) => self.values(key, &[short.to_be_bytes()]),
            Err(_) => self.values(key, &[number.to_be_bytes()]),
        }
    }

    /// A time; nothing if it cannot be written.
    pub fn time(&mut self, key: u16, time: Option<Timestamp>) -> Result<(), WriteNetdataError> {
        match time.and_then(write_time) {
            Some(text) => self.text(key, &text),
            None => Ok(()),
        }
    }

    pub fn into_octets(self) -> Vec<u8> {
        self.octets
    }
}

fn halfword(number: usize, key: u16) -> Result<[u8; 2], WriteNetdataError> {
    let number = u16::try_from(number)
        .map_err(|_| WriteNetdataError::Text(format!("a value of text unit {key:04X}")))?;
    Ok(number.to_be_bytes())
}

/// A text of a header; what 037 does not have cannot stand in one.
pub(super) fn header_octets(text: &str) -> Result<Vec<u8>, WriteNetdataError> {
    let said = HEADER_PAGE.encode(text, Substitution::Refuse);
    said.map(|said| said.octets)
        .map_err(|_| WriteNetdataError::Text(text.chars().take(40).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_and_without_fractions_and_written_again() {
        for text in ["20261121065048", "19931113225242000017"] {
            let time = read_time(text).unwrap();
            assert_eq!(write_time(time).as_deref(), Some(text));
        }
        assert_eq!(read_time("2026112106504812"), read_time("20261121065048120000"));
    }

    #[test]
    fn what_is_no_time_is_none_and_no_date_of_1601() {
        for text in
            ["", "0", "00000000000000", "20261321065048", "2026112106504", "2026-11-21 06:5"]
        {
            assert_eq!(read_time(text), None, "{text:?}");
        }
    }
}
