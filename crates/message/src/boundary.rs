//! The boundary of a message's parts.

use memchr::memmem;

/// Octets of a boundary; RFC 2046 section 5.1.1 allows 70, and some may be added.
const MAX_BOUNDARY: usize = 56;
/// What a boundary may be made longer with.
const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
/// If nothing of what was wanted may stand in one.
const INSTEAD: &str = "concord-report";

/// `wanted` without what may not stand in a boundary, made longer until none of
/// the texts contains it. Each octet added is the one that the fewest of the
/// places where it still stands go on with, so a few are enough however the texts
/// were made, and the time is linear in them.
///
/// No boundary of parts within others may begin with that of the others: RFC 2046
/// section 5.1.1 compares the beginning of a line only.
pub fn free_boundary<'a>(wanted: &str, texts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut boundary: String = wanted
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '='))
        .take(MAX_BOUNDARY)
        .collect();
    if boundary.is_empty() {
        boundary.push_str(INSTEAD);
    }
    let mut places: Vec<&[u8]> = Vec::new();
    for text in texts {
        let found = memmem::find_iter(text, boundary.as_bytes());
        places.extend(found.map(|at| text.get(at + boundary.len()..).unwrap_or_default()));
    }
    while !places.is_empty() {
        let count = |c: u8| places.iter().filter(|place| place.first() == Some(&c)).count();
        let next = ALPHABET.iter().copied().min_by_key(|c| count(*c)).unwrap_or(b'x');
        boundary.push(char::from(next));
        places = places
            .into_iter()
            .filter_map(|place| place.split_first().filter(|(c, _)| **c == next))
            .map(|(_, rest)| rest)
            .collect();
    }
    boundary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_is_never_in_a_text() {
        assert_eq!(free_boundary("Q123", [&b"nothing"[..]]), "Q123");
        let mut hostile = b"--Q123\r\n".to_vec();
        for a in ALPHABET {
            for b in ALPHABET {
                hostile.extend_from_slice(b"--Q123");
                hostile.extend_from_slice(&[*a, *b, b'\r', b'\n']);
            }
        }
        let chosen = free_boundary("Q123", [&hostile[..]]);
        assert!(chosen.starts_with("Q123") && chosen.len() <= 70);
        assert!(memmem::find(&hostile, chosen.as_bytes()).is_none());
        assert_eq!(free_boundary("\r\n\"", []), INSTEAD);
    }

    #[test]
    fn a_text_that_repeats_it_in_all_lengths_costs_two_passes() {
        let text = "=_x_".to_owned() + &"0".repeat(200_000);
        let chosen = free_boundary("=_x_", [text.as_bytes()]);
        assert_eq!(chosen.len(), "=_x_".len() + 1);
    }
}
