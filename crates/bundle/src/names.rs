//! Names of files in archives and lists: which are safe to unpack.

use crate::bounds::{MAX_DEPTH, MAX_PATH};

/// A name as it stands in an archive or a list of sums, made plain: relative,
/// `/` between parts, no `.`, no `..`, nothing that a terminal would obey.
///
/// A leading `./` is taken off, since stock tar and find write it. `None` is
/// the top directory itself (`.` or `./`).
///
/// The error completes a sentence that begins with the name.
pub(crate) fn plain(octets: &[u8]) -> Result<Option<String>, &'static str> {
    let text = std::str::from_utf8(octets).map_err(|_| "is not UTF-8")?;
    let mut rest = text;
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter;
    }
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if text.starts_with('/') {
        return Err("is an absolute path");
    }
    if rest.is_empty() || rest == "." {
        return if text.is_empty() { Err("has no name") } else { Ok(None) };
    }
    if rest.len() > MAX_PATH {
        return Err("is longer than 255 octets");
    }
    // sha256sum writes names with a backslash or a line feed in another way,
    // and no program of ours has such names.
    if rest.chars().any(|c| c == '\\' || c.is_control()) {
        return Err("has a backslash or a control character in its name");
    }
    let mut depth = 0;
    for part in rest.split('/') {
        depth += 1;
        match part {
            ".." => return Err("leads out of the directory"),
            "" | "." => return Err("is not a plain path"),
            _ => {}
        }
    }
    if depth > MAX_DEPTH {
        return Err("is nested deeper than 16 directories");
    }
    Ok(Some(rest.to_owned()))
}

/// A name for people: what cannot be shown is replaced, long ones are cut.
pub(crate) fn shown(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    let plain = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    plain.take(MAX_PATH).collect()
}

/// Whether a sorted list of paths has a file where another path needs a
/// directory, or the same path twice; gives back that path.
pub(crate) fn clash<'a>(sorted: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let all: std::collections::BTreeSet<&str> = sorted.clone().collect();
    let mut before = None;
    for path in sorted {
        if before == Some(path) {
            return Some(path);
        }
        before = Some(path);
        let parents = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        for parent in parents {
            if all.contains(parent) {
                return Some(parent);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    #[test]
    fn names_that_lead_out_are_refused() {
        for bad in
            ["../a", "a/../b", "/etc/passwd", "a//b", "a/./b", "", "a\\b", "a\nb", "..", "./.."]
        {
            assert!(plain(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert!(plain(&[b'a'; 256]).is_err());
        assert!(plain("a/".repeat(17).as_bytes()).is_err());
        assert!(plain(b"\xff").is_err());
    }

    #[test]
    fn names_of_stock_tools_are_made_plain() {
        assert_eq!(plain(b"./a/b").unwrap().as_deref(), Some("a/b"));
        assert_eq!(plain(b"a/").unwrap().as_deref(), Some("a"));
        assert_eq!(plain(b"./").unwrap(), None);
        assert_eq!(plain(b".").unwrap(), None);
        assert_eq!(plain("x/\u{e4}".as_bytes()).unwrap().as_deref(), Some("x/\u{e4}"));
    }

    #[test]
    fn a_file_where_a_directory_is_needed_is_seen() {
        assert_eq!(clash(["a", "a-b", "a/b"].into_iter()), Some("a"));
        assert_eq!(clash(["a", "a"].into_iter()), Some("a"));
        assert_eq!(clash(["a/b", "a/c", "d"].into_iter()), None);
    }

    proptest! {
        #[test]
        fn a_plain_name_stays_in_its_directory(octets in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(Some(name)) = plain(&octets) {
                let path = Path::new(&name);
                prop_assert!(path.components().all(|c| matches!(c, Component::Normal(_))));
            }
        }
    }
}
