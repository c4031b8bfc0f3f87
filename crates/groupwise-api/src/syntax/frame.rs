//! Where the header ends, and whether it is all there.

use crate::limits::{MAX_FILE, MAX_LINE};
use crate::outcome::{Defect, Reason, Unfinished};

/// A file that has its end.
pub(crate) struct Frame<'a> {
    /// Everything before `-END-`; empty or ends with a line feed.
    pub header: &'a [u8],
    /// Everything behind it: nothing, or the gateway's complaints (Q222538).
    pub trailer: &'a [u8],
}

pub(crate) enum Framed<'a> {
    Whole(Frame<'a>),
    NotReady(Unfinished),
    Bad(Defect),
}

/// Finds the line `-END-`. A gateway writes in place, so a file without it, or
/// with a hole of zero octets, is still being written (Q242232, Q253349).
pub(crate) fn frame(file: &[u8]) -> Framed<'_> {
    if file.is_empty() {
        return Framed::NotReady(Unfinished::Empty);
    }
    if file.len() > MAX_FILE {
        return Framed::Bad(Defect { reason: Reason::FileTooLarge, line: 0 });
    }
    let (mut begin, mut line) = (0_usize, 0_u32);
    let mut too_long = None;
    while begin < file.len() {
        let rest = file.get(begin..).unwrap_or_default();
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        line = line.saturating_add(1);
        let text = rest.get(..length).unwrap_or_default();
        if is_end(text) {
            let header = file.get(..begin).unwrap_or_default();
            let trailer = rest.get(length..).unwrap_or_default();
            return whole(header, trailer, too_long);
        }
        if length > MAX_LINE && too_long.is_none() {
            too_long = Some(line);
        }
        begin += length;
    }
    Framed::NotReady(Unfinished::NoEnd)
}

fn whole<'a>(header: &'a [u8], trailer: &'a [u8], too_long: Option<u32>) -> Framed<'a> {
    if memchr::memchr(0, header).is_some() {
        return Framed::NotReady(Unfinished::Hole);
    }
    match too_long {
        Some(line) => Framed::Bad(Defect { reason: Reason::LineTooLong, line }),
        None => Framed::Whole(Frame { header, trailer }),
    }
}

/// `-END-` at the left margin, in any case. Its line end may not be there yet.
fn is_end(line: &[u8]) -> bool {
    line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"-END-"))
        && line.get(5..).is_some_and(|rest| rest.trim_ascii().is_empty())
}
