//! The parts of a person's name.
//!
//! Style 1 is `First Middle Last`, style 2 `Last, First Middle`; without a
//! style a comma decides. A single word is both first and last name.

use crate::text::side;

struct Parts<'a> {
    first: &'a str,
    middle: String,
    last: &'a str,
    /// Whether the name was read as `Last, First Middle`.
    reversed: bool,
}

fn parts<'a>(name: &'a str, style: Option<&str>) -> Parts<'a> {
    let reversed = match style.and_then(side) {
        Some('1') => false,
        Some('2') => true,
        _ => name.contains(','),
    };
    if !reversed {
        let words: Vec<&str> = name.split_whitespace().collect();
        let middle = words.get(1..words.len().saturating_sub(1)).unwrap_or_default().join(" ");
        let first = words.first().copied().unwrap_or_default();
        let last = words.last().copied().unwrap_or_default();
        return Parts { first, middle, last, reversed };
    }
    let (last, rest) = match name.split_once(',') {
        Some((last, rest)) => (last.trim(), rest),
        // 'Last First Middle', told by the style alone.
        None => name.trim().split_once(char::is_whitespace).unwrap_or((name.trim(), "")),
    };
    // 'Doe, , Q' has a middle name and no first one (Q181500).
    let (given, further) = rest.split_once(',').unwrap_or((rest, ""));
    let mut words = given.split_whitespace();
    let first = words.next().unwrap_or_default();
    let middle: Vec<&str> = words.chain(further.split_whitespace()).collect();
    let middle = middle.join(" ");
    let single = first.is_empty() && middle.is_empty();
    Parts { first: if single { last } else { first }, middle, last, reversed }
}

pub(crate) fn first(name: &str, style: Option<&str>) -> String {
    parts(name, style).first.to_owned()
}

/// With a blank behind it in style 1, so that it can stand between the others
/// without a test whether there is one.
pub(crate) fn middle(name: &str, style: Option<&str>) -> String {
    let parts = parts(name, style);
    let blank = if parts.middle.is_empty() || parts.reversed { "" } else { " " };
    parts.middle + blank
}

pub(crate) fn last(name: &str, style: Option<&str>) -> String {
    parts(name, style).last.to_owned()
}
