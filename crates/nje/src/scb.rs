//! String control octets (SCB): how a record is compressed.

use crate::error::{WireCause, WireError};
use crate::limits::MAX_RECORD;
use crate::reader::Reader;
use crate::text::BLANK;

const END: u8 = 0x00;
const ABORT: u8 = 0x40;
const BLANKS: u8 = 0x80;
const REPEAT: u8 = 0xa0;
const LITERAL: u8 = 0xc0;
/// Counts of blanks and of repeated octets have five bits.
const MAX_RUN: usize = 31;
/// Counts of literal octets have six.
const MAX_LITERAL: usize = 63;
/// Below these lengths a run is no shorter than the literal octets.
const MIN_BLANKS: usize = 2;
const MIN_REPEAT: usize = 3;

/// How records are written. Both are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Runs of blanks and of other octets are shortened.
    #[default]
    Runs,
    /// Everything is literal, as FUNET writes.
    Literals,
}

/// A record after its strings were decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) octets: Vec<u8>,
    /// Ended by X'40': the sender gives the stream's transmission up.
    pub(crate) aborted: bool,
}

/// Reads strings up to the end of a record.
pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Decoded, WireError> {
    let mut octets = Vec::new();
    loop {
        let at = reader.at();
        let control = reader.u8()?;
        let short = usize::from(control & 0x1f);
        match control {
            END => return Ok(Decoded { octets, aborted: false }),
            ABORT => return Ok(Decoded { octets, aborted: true }),
            LITERAL..=0xff => octets.extend_from_slice(reader.take(usize::from(control & 0x3f))?),
            REPEAT..LITERAL => {
                let octet = reader.u8()?;
                octets.extend(std::iter::repeat_n(octet, short));
            }
            BLANKS..REPEAT => octets.extend(std::iter::repeat_n(BLANK, short)),
            other => return Err(WireCause::UnknownScb(other).at(at)),
        }
        if octets.len() > MAX_RECORD {
            return Err(WireCause::RecordTooLong(MAX_RECORD).at(at));
        }
    }
}

/// Appends a record's strings and their end. The result is canonical: the same
/// octets always make the same strings. Runs are cut at 31 from the left; what is
/// left of them below two blanks or three other octets joins the literals.
pub(crate) fn encode(octets: &[u8], compression: Compression, out: &mut Vec<u8>) {
    let mut rest = octets;
    let mut literal: &[u8] = &[];
    // How far the literal octets before `rest` reach.
    let mut from = octets;
    while let Some(first) = rest.first() {
        let run = rest.iter().take(MAX_RUN).take_while(|octet| *octet == first).count();
        let least = if *first == BLANK { MIN_BLANKS } else { MIN_REPEAT };
        if compression == Compression::Runs && run >= least {
            put_literal(literal, out);
            let count = u8::try_from(run).unwrap_or_default();
            if *first == BLANK {
                out.push(BLANKS | count);
            } else {
                out.extend_from_slice(&[REPEAT | count, *first]);
            }
            rest = rest.get(run..).unwrap_or_default();
            from = rest;
            literal = &[];
        } else {
            rest = rest.get(1..).unwrap_or_default();
            literal = from.get(..from.len().saturating_sub(rest.len())).unwrap_or_default();
        }
    }
    put_literal(literal, out);
    out.push(END);
}

fn put_literal(octets: &[u8], out: &mut Vec<u8>) {
    for piece in octets.chunks(MAX_LITERAL) {
        out.push(LITERAL | u8::try_from(piece.len()).unwrap_or_default());
        out.extend_from_slice(piece);
    }
}

/// Appends the string that gives a stream's transmission up.
pub(crate) fn encode_abort(out: &mut Vec<u8>) {
    out.push(ABORT);
}

pub(crate) fn fuzz(data: &[u8]) {
    let Ok(decoded) = decode(&mut Reader::new(data, "a record")) else { return };
    for compression in [Compression::Runs, Compression::Literals] {
        let mut out = Vec::new();
        encode(&decoded.octets, compression, &mut out);
        let again = decode(&mut Reader::new(&out, "a record"));
        assert_eq!(again.map(|d| d.octets).as_ref(), Ok(&decoded.octets), "strings come back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(octets: &[u8], compression: Compression) -> Vec<u8> {
        let mut out = Vec::new();
        encode(octets, compression, &mut out);
        out
    }

    #[test]
    fn runs_are_shortened_where_that_is_shorter() {
        assert_eq!(encoded(b"", Compression::Runs), b"\0");
        assert_eq!(encoded(b"\x01\x40\x02", Compression::Runs), b"\xc3\x01\x40\x02\0");
        assert_eq!(encoded(b"\x01\x40\x40", Compression::Runs), b"\xc1\x01\x82\0");
        assert_eq!(encoded(b"\x01\x01\x02\x02\x02", Compression::Runs), b"\xc2\x01\x01\xa3\x02\0");
        assert_eq!(encoded(&[0x40; 63], Compression::Runs), b"\x9f\x9f\xc1\x40\0");
        assert_eq!(encoded(&[0x40; 2], Compression::Literals), b"\xc2\x40\x40\0");
        let long: Vec<u8> = (0..64).collect();
        let out = encoded(&long, Compression::Runs);
        assert_eq!((out[0], out[64], out[65], out[66]), (0xff, 0xc1, 63, 0));
    }

    #[test]
    fn what_is_no_string_is_refused_where_it_stands() {
        let read = |octets: &[u8]| decode(&mut Reader::new(octets, "a record"));
        assert_eq!(read(b"\xc1a\x41"), Err(WireCause::UnknownScb(0x41).at(2)));
        assert_eq!(read(b"\xc4ab"), Err(WireCause::EndsEarly("a record").at(3)));
        assert_eq!(read(b"\xa5"), Err(WireCause::EndsEarly("a record").at(1)));
        assert!(read(b"\xc1a\x40").unwrap().aborted);
        let endless = [0x9f; 4096];
        assert_eq!(read(&endless), Err(WireCause::RecordTooLong(MAX_RECORD).at(33)));
    }
}
