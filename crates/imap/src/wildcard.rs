//! The patterns of LIST: `*` and `%` (RFC 3501 section 6.3.8).

use concord_store::FolderName;

/// Octets of a pattern, and of a reference; names have at most 512.
pub(crate) const MAX_PATTERN: usize = 1_024;

/// Whether a name fits: `*` stands for anything, `%` for anything without the
/// separator. INBOX fits in any case.
///
/// Time is in the product of the lengths, whatever the pattern.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let inbox = name == "INBOX" || name.starts_with("INBOX/");
    let name: Vec<char> = name.chars().collect();
    // reached[i]: the pattern up to here fits the first i characters
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    let mut at = 0;
    for p in pattern.chars() {
        let mut next = vec![false; name.len() + 1];
        let mut run = false;
        for (i, slot) in next.iter_mut().enumerate() {
            let here = reached.get(i).copied().unwrap_or(false);
            let before = i.checked_sub(1);
            let last = before.and_then(|b| name.get(b));
            *slot = match p {
                '*' | '%' => {
                    let blocked = p == '%' && last == Some(&FolderName::SEPARATOR);
                    run = here || (run && !blocked);
                    run
                }
                p => {
                    let was = before.and_then(|b| reached.get(b)).copied().unwrap_or(false);
                    let fold = inbox && i <= 5;
                    was && last.is_some_and(|c| *c == p || fold && c.eq_ignore_ascii_case(&p))
                }
            };
        }
        reached = next;
        at += 1;
        if at > 2 * MAX_PATTERN {
            return false;
        }
    }
    reached.last().copied().unwrap_or(false)
}

pub(crate) fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data.get(..512).unwrap_or(data));
    let (pattern, name) = text.split_once('\n').unwrap_or((&text, ""));
    if matches(pattern, name) {
        // whatever fits a pattern fits it with all wildcards widened
        assert!(matches(&pattern.replace('%', "*"), name), "{pattern:?} {name:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, name, fits) in [
            ("*", "INBOX", true),
            ("*", "a/b/c", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("a/%", "a/b", true),
            ("a/%", "a/b/c", false),
            ("%/%", "a/b", true),
            ("a*c", "a/b/c", true),
            ("inbox", "INBOX", true),
            ("InBo%", "INBOX", true),
            ("inbox/x", "INBOX/x", true),
            ("inbox/X", "INBOX/x", false),
            ("sent", "Sent", false),
            ("", "", true),
            ("", "a", false),
            ("a**%b", "ab", true),
            ("%b%", "abc", true),
            ("Ä%", "Ärger", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let start = std::time::Instant::now();
        assert!(!matches(&"*a".repeat(200), &"a/".repeat(150)));
        assert!(start.elapsed().as_millis() < 500);
    }

    proptest::proptest! {
        #[test]
        fn a_name_fits_itself(name in "[a-z/]{0,20}") {
            assert!(matches(&name, &name));
            let starred = format!("*{name}*");
            assert!(matches(&starred, &name));
        }

        #[test]
        fn nothing_panics(data: Vec<u8>) {
            fuzz(&data);
        }
    }
}
