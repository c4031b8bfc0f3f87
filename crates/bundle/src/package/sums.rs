//! `SHA256SUMS`, in the format of coreutils' sha256sum (its manual, "sha2
//! utilities"): the hash, a space, a space or `*`, the name.

use super::{SIGNATURE, SUMS};
use crate::bounds::MAX_PACKAGE_FILES;
use crate::digest;
use crate::names;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Hashes by path.
pub(super) type Sums = BTreeMap<String, String>;

/// Reads a list; the error says what does not fit.
///
/// Names with backslashes and line feeds, which sha256sum writes in another
/// way, are refused: nothing is unpacked under such a name.
pub(super) fn parse(octets: &[u8]) -> Result<Sums, String> {
    let text = std::str::from_utf8(octets).map_err(|_| format!("{SUMS} is not UTF-8"))?;
    let mut sums = Sums::new();
    for (number, line) in text.split_terminator('\n').enumerate() {
        let wrong = |why: &str| format!("line {} of {SUMS} {why}", number + 1);
        let (hash, rest) = line.split_at_checked(64).ok_or_else(|| wrong("is no hash and name"))?;
        if !digest::is_sha256(hash) {
            return Err(wrong("does not begin with a SHA-256"));
        }
        let name = rest.strip_prefix("  ").or_else(|| rest.strip_prefix(" *"));
        let name = name.ok_or_else(|| wrong("is no hash and name"))?;
        let path =
            names::plain(name.as_bytes()).map_err(|why| wrong(&format!("names what {why}")))?;
        let path =
            path.filter(|_| !name.ends_with('/')).ok_or_else(|| wrong("names a directory"))?;
        if path == SUMS || path == SIGNATURE {
            return Err(wrong("names the list itself, or its signature"));
        }
        if sums.len() >= MAX_PACKAGE_FILES {
            return Err(format!("{SUMS} names more than {MAX_PACKAGE_FILES} files"));
        }
        if sums.insert(path, hash.to_owned()).is_some() {
            return Err(wrong("names a file again"));
        }
    }
    match names::clash(sums.keys().map(String::as_str)) {
        Some(path) => Err(format!("{SUMS} has '{path}' as a file and as a directory")),
        None => Ok(sums),
    }
}

/// Writes a list, sorted by path.
pub(super) fn write(sums: &Sums) -> String {
    sums.iter().fold(String::new(), |mut text, (path, hash)| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{hash}  {path}");
        text
    })
}

/// Feeds arbitrary octets to the reader.
pub(super) fn fuzz(data: &[u8]) {
    if let Ok(sums) = parse(data) {
        assert_eq!(parse(write(&sums).as_bytes()), Ok(sums), "a list reads back");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn lists_of_stock_sha256sum_are_read() {
        let text = format!("{HASH}  ./a\n{HASH} *b/c d\n");
        let sums = parse(text.as_bytes()).unwrap();
        assert_eq!(sums.keys().collect::<Vec<_>>(), ["a", "b/c d"]);
        assert_eq!(write(&sums), format!("{HASH}  a\n{HASH}  b/c d\n"));
        assert_eq!(parse(b"").unwrap(), Sums::new());
    }

    #[test]
    fn every_other_line_is_refused() {
        for line in [
            "a".to_owned(),
            format!("{HASH} a"),
            format!("{HASH}  "),
            format!("{HASH}  ../a"),
            format!("{HASH}  /a"),
            format!("{HASH}  a/"),
            format!("{HASH}  a\r"),
            format!("\\{HASH}  a\\nb"),
            format!("{}  a", HASH.to_uppercase()),
            format!("{HASH}  SHA256SUMS"),
            format!("{HASH}  a\n{HASH}  ./a"),
            format!("{HASH}  a\n{HASH}  a/b"),
            format!("{HASH}  a\n\n{HASH}  b"),
            "\u{e4}".repeat(40),
        ] {
            assert!(parse(format!("{line}\n").as_bytes()).is_err(), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            fuzz(&octets);
        }
    }
}
