//! How things are shown to people.

use crate::print;
use concord_base::ByteSize;

/// A moment without the `T`, the fraction and the `Z`. Shown times are UTC.
pub fn time(rfc3339: &str) -> String {
    let seconds = rfc3339.split('.').next().unwrap_or(rfc3339);
    seconds.trim_end_matches('Z').replace('T', " ")
}

/// As [`time`], with milliseconds.
pub fn precise_time(rfc3339: &str) -> String {
    rfc3339.trim_end_matches('Z').replace('T', " ")
}

/// A size with a unit.
pub fn size(octets: u64) -> String {
    ByteSize(octets).to_string()
}

/// An address without the type that everyone expects.
pub fn address(typed: &str) -> &str {
    typed.strip_prefix("SMTP:").unwrap_or(typed)
}

/// Names and values below one another; empty values are left out.
pub fn facts(facts: &[(&str, String)]) {
    let rows: Vec<Vec<String>> = facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| vec![(*name).to_owned(), value.clone()])
        .collect();
    print::table(&rows);
}

/// A table under its heading, or a sentence if there is nothing to show.
pub fn table(heading: &[&str], rows: Vec<Vec<String>>, nothing: &str) {
    if rows.is_empty() {
        return print::line(nothing);
    }
    let mut all = vec![heading.iter().map(|name| (*name).to_owned()).collect()];
    all.extend(rows);
    print::table(&all);
}

/// What was said, safe for a terminal: control characters are shown, not obeyed.
pub fn said(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_addresses_and_words_read_well() {
        assert_eq!(time("2026-11-21T09:30:12.345Z"), "2026-11-21 09:30:12");
        assert_eq!(precise_time("2026-11-21T09:30:12.345Z"), "2026-11-21 09:30:12.345");
        assert_eq!(address("SMTP:a@b.test"), "a@b.test");
        assert_eq!(address("NOTES:Jane/Acme"), "NOTES:Jane/Acme");
        assert_eq!(said("550 no\u{1b}[2J"), "550 no\u{fffd}[2J");
    }
}
