//! Busy searches and their answers.

use super::Address;
use crate::moment::Moment;
use jiff::civil::DateTime;

/// The user that a probe asks for; nobody has this name (Q260690).
pub const PROBE_USER: &str = "FB-PROBE";

/// A time during which somebody is busy. The end is not before the begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// From.
    pub begin: Moment,
    /// Until.
    pub end: Moment,
}

/// Somebody asks when somebody is busy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusySearch {
    /// Its id, which the answer repeats; never empty. See [`busy_id`].
    pub id: String,
    /// Who asks.
    pub from: Address,
    /// Whom it is about.
    pub about: Address,
    /// From when. GroupWise answers nothing at all for more than 389 days.
    pub begin: Moment,
    /// Until when.
    pub end: Moment,
}

/// When somebody is busy. GroupWise tells no more than that: neither tentative
/// nor out of office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusyAnswer {
    /// The id of this message, often empty.
    pub id: String,
    /// The id of the search; never empty (Q201531).
    pub answers: String,
    /// Who asked.
    pub to: Vec<Address>,
    /// Whom it is about. Gateways give only the token.
    pub about: Option<Address>,
    /// Busy times; none means free all the time.
    pub busy: Vec<Span>,
}

impl BusySearch {
    /// Whether this is a probe: it is sent through the gateway to see that it
    /// comes back, and it does so with another id.
    pub fn is_probe(&self) -> bool {
        self.id.starts_with(PROBE_USER) || self.about.object.eq_ignore_ascii_case(PROBE_USER)
    }
}

/// The id of a busy search: eight letters from A to P, one for each four bits
/// of `number`, then begin, end and now (Q199302).
pub fn busy_id(number: u32, begin: DateTime, end: DateTime, now: DateTime) -> String {
    let letter = |shift: u32| char::from(b'A' + ((number >> shift) & 0xf) as u8);
    let letters: String = (0..8).rev().map(|place| letter(place * 4)).collect();
    format!("{letters}:{}:{}:{}", dotted(begin), dotted(end), dotted_seconds(now))
}

/// The id of a probe.
pub fn probe_id(at: DateTime, now: DateTime) -> String {
    format!("{PROBE_USER}:{}:{}:{}", dotted(at), dotted(at), dotted_seconds(now))
}

fn dotted(at: DateTime) -> String {
    format!("{}.{}.{}.{}.{}", at.year(), at.month(), at.day(), at.hour(), at.minute())
}

fn dotted_seconds(at: DateTime) -> String {
    format!("{}.{}", dotted(at), at.second())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_search_id_has_the_known_form() {
        let id = busy_id(
            0x0593_76e8,
            date(1998, 11, 26).at(1, 5, 0, 0),
            date(1999, 1, 25).at(1, 5, 0, 0),
            date(1998, 11, 26).at(1, 5, 54, 0),
        );
        assert_eq!(id, "AFJDHGOI:1998.11.26.1.5:1999.1.25.1.5:1998.11.26.1.5.54");
    }
}
