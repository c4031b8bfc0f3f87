//! The functions over characters and words.

use crate::limits::MAX_RESULT;
use std::collections::HashMap;

/// One more than a result may have, so that a result that was filled up beyond
/// the bound is still seen to be too long.
const MOST_FILLED: usize = MAX_RESULT + 1;

/// The side that an argument names: `L`, `R`, `B`, or the style of a name.
pub(crate) fn side(argument: &str) -> Option<char> {
    let mut characters = argument.trim().chars();
    let side = characters.next()?.to_ascii_uppercase();
    characters.next().is_none().then_some(side)
}

/// The first characters, filled up behind them.
pub(crate) fn left(text: &str, length: usize, pad: char) -> String {
    let length = length.min(MOST_FILLED);
    text.chars().chain(std::iter::repeat(pad)).take(length).collect()
}

/// The last characters, filled up before them.
pub(crate) fn right(text: &str, length: usize, pad: char) -> String {
    let length = length.min(MOST_FILLED);
    let count = text.chars().count();
    let missing = length.saturating_sub(count);
    let skipped = count.saturating_sub(length);
    std::iter::repeat_n(pad, missing).chain(text.chars().skip(skipped)).collect()
}

/// Words with a capital first: `o'malley` is `O'Malley`.
pub(crate) fn proper(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric();
    }
    out
}

/// Where `wanted` stands in `text`, 0 if nowhere.
pub(crate) fn position(text: &str, wanted: &str) -> usize {
    if wanted.is_empty() {
        return 0;
    }
    let before = text.split_once(wanted).map(|(before, _)| before);
    before.map_or(0, |before| before.chars().count() + 1)
}

/// Each character of `what` becomes the one at its place in `with`; without one
/// it is deleted.
pub(crate) fn replace(text: &str, what: &str, with: &str) -> String {
    let mut partners: HashMap<char, Option<char>> = HashMap::new();
    let mut with = with.chars();
    for c in what.chars() {
        let partner = with.next();
        partners.entry(c).or_insert(partner);
    }
    text.chars().filter_map(|c| partners.get(&c).copied().unwrap_or(Some(c))).collect()
}

/// Finds `mark` from a side, and deletes it with everything on a side of it. One
/// side given serves for both, none is the right one. Without the mark the text
/// stays as it is.
pub(crate) fn strip(text: &str, mark: &str, from: Option<&str>, toward: Option<&str>) -> String {
    if mark.is_empty() {
        return text.to_owned();
    }
    let from = from.and_then(side).unwrap_or('R');
    let toward = toward.and_then(side).unwrap_or(from);
    let parts = if from == 'L' { text.split_once(mark) } else { text.rsplit_once(mark) };
    match parts {
        Some((_, after)) if toward == 'L' => after.to_owned(),
        Some((before, _)) => before.to_owned(),
        None => text.to_owned(),
    }
}

/// Characters from a position; nothing from position 0, which is what `POS`
/// gives for what is not there.
pub(crate) fn substring(text: &str, start: usize, length: Option<usize>, pad: char) -> String {
    let Some(skipped) = start.checked_sub(1) else { return String::new() };
    let rest = text.chars().skip(skipped);
    match length {
        None => rest.collect(),
        Some(length) => rest.chain(std::iter::repeat(pad)).take(length.min(MOST_FILLED)).collect(),
    }
}

/// Without blanks on the sides that are named; on both, if none is.
pub(crate) fn trim(text: &str, sides: Option<&str>) -> String {
    match sides.and_then(side) {
        Some('L') => text.trim_start().to_owned(),
        Some('R') => text.trim_end().to_owned(),
        _ => text.trim().to_owned(),
    }
}

/// Words from the nth on, with single blanks; nothing if there are fewer.
pub(crate) fn words(text: &str, start: usize, count: usize) -> String {
    let Some(skipped) = start.checked_sub(1) else { return String::new() };
    let found: Vec<&str> = text.split_whitespace().skip(skipped).take(count).collect();
    found.join(" ")
}
