//! Windows into sorted results (draft-ietf-ldapext-ldapv3-vlv-09), with which
//! Outlook scrolls through an address book.

use super::scan::{Scan, Source};
use super::sort::{self, Key};
use crate::ber::{self, ENUMERATED, INTEGER, SEQUENCE};
use crate::client::Client;
use crate::frame::Control;
use crate::result::{Code, Outcome, Refusal};
use crate::session::AnswerControl;

pub(crate) const OID: &str = "2.16.840.1.113730.3.4.9";
const ANSWER: &str = "2.16.840.1.113730.3.4.10";

/// Where the window is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    /// The client's count of entries, and where among them.
    Offset { offset: u64, count: u64 },
    /// The first entry that is not before this.
    Value(String),
}

/// The control of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Window {
    before: usize,
    behind: usize,
    target: Target,
    /// What the target's value is compared by.
    pub key: Option<Key>,
}

pub(crate) fn read(control: &Control) -> Outcome<Window> {
    parse(control.value.as_deref().unwrap_or_default())
        .ok_or_else(|| Refusal::new(Code::ProtocolError, "the window control cannot be read"))
}

fn parse(value: &[u8]) -> Option<Window> {
    let (sequence, _) = ber::read(value).filter(|(element, _)| element.tag == SEQUENCE)?;
    let mut elements = ber::elements(sequence.content)?.into_iter();
    let mut number = || {
        let element = elements.next().filter(|element| element.tag == INTEGER)?;
        usize::try_from(ber::integer(element.content)?).ok()
    };
    let (before, behind) = (number()?, number()?);
    let target = elements.next()?;
    let target = match target.tag {
        0xA0 => {
            let numbers = ber::elements(target.content)?;
            let number =
                |place: usize| u64::try_from(ber::integer(numbers.get(place)?.content)?).ok();
            Target::Offset { offset: number(0)?, count: number(1)? }
        }
        0x81 => Target::Value(String::from_utf8(target.content.to_vec()).ok()?),
        _ => return None,
    };
    Some(Window { before, behind, target, key: None })
}

/// Leaves the window of the sorted entries; gives the answer's control, and how
/// many entries are in the window.
pub(crate) fn cut(client: &Client, scan: &mut Scan, window: &Window) -> (AnswerControl, usize) {
    let Source::Sorted { slots, .. } = &mut scan.source else {
        return (answer(0, 0), 0);
    };
    let count = slots.len();
    // places are counted from one; the one behind the last is where larger values go
    let place = match &window.target {
        Target::Offset { offset, count: theirs } => place(*offset, *theirs, count as u64),
        Target::Value(value) => match window.key {
            Some(key) => sort::place(client, slots, key, value) + 1,
            None => 1,
        },
    };
    let first = place.saturating_sub(1).saturating_sub(window.before).min(count);
    let end = place.saturating_add(window.behind).min(count);
    let entries = end.saturating_sub(first);
    *slots = slots.get(first..end).unwrap_or_default().to_vec();
    (answer(place, count), entries)
}

/// Section 6.1 of the draft: the client's place in its count, in ours.
fn place(offset: u64, theirs: u64, count: u64) -> usize {
    let place = match (offset, theirs) {
        (0 | 1, _) => 1,
        (offset, 0) => offset.min(count + 1),
        (offset, theirs) if offset >= theirs => count,
        (offset, theirs) => {
            // wide enough for any two counts
            let scaled = u128::from(count) * u128::from(offset) / u128::from(theirs);
            u64::try_from(scaled).unwrap_or(count).max(1)
        }
    };
    usize::try_from(place).unwrap_or(usize::MAX)
}

fn answer(place: usize, count: usize) -> AnswerControl {
    super::control(ANSWER, |writer| {
        writer.number(INTEGER, i64::try_from(place).unwrap_or(i64::MAX));
        writer.number(INTEGER, i64::try_from(count).unwrap_or(i64::MAX));
        writer.number(ENUMERATED, Code::Success as i64);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_clients_count_is_one_in_ours() {
        assert_eq!(place(1, 0, 500), 1);
        assert_eq!(place(50, 100, 500), 250);
        assert_eq!(place(100, 100, 500), 500);
        assert_eq!(place(7, 0, 500), 7);
        assert_eq!(place(0, 0, 0), 1);
    }
}
