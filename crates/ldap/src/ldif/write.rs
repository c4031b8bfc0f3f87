//! Entries as text (RFC 2849).

use super::Entry;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Octets of a line; longer ones are folded (RFC 2849 note 2, as OpenLDAP does).
const LINE: usize = 76;

/// The text of a file with these entries. Lines end with LF, as those of
/// `ldapsearch -LLL`.
pub fn write(entries: &[Entry]) -> String {
    let mut out = String::from("version: 1\n");
    for (place, entry) in entries.iter().enumerate() {
        // the version stands at the first record, as in RFC 2849's examples
        if place > 0 {
            out.push('\n');
        }
        if let Some(comment) = &entry.comment {
            // a line break within would end the comment
            let one_line: String = comment.chars().filter(|c| !c.is_control()).collect();
            fold(&format!("# {one_line}"), &mut out);
        }
        pair("dn", entry.dn.as_bytes(), &mut out);
        for attribute in &entry.attributes {
            for value in &attribute.values {
                pair(&attribute.name, value, &mut out);
            }
        }
    }
    out
}

fn pair(name: &str, value: &[u8], out: &mut String) {
    let line = match std::str::from_utf8(value).ok().filter(|text| is_safe(text)) {
        Some("") => format!("{name}:"),
        Some(text) => format!("{name}: {text}"),
        None => format!("{name}:: {}", STANDARD.encode(value)),
    };
    fold(&line, out);
}

/// SAFE-STRING, without a space at the end (RFC 2849 note 8).
fn is_safe(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii() && !matches!(c, 0 | b'\n' | b'\r');
    text.bytes().all(plain) && !text.starts_with([' ', ':', '<']) && !text.ends_with(' ')
}

/// Only ASCII comes here but for comments, which are cut between characters.
fn fold(line: &str, out: &mut String) {
    let mut room = LINE;
    for c in line.chars() {
        if c.len_utf8() > room {
            out.push_str("\n ");
            room = LINE - 1;
        }
        room = room.saturating_sub(c.len_utf8());
        out.push(c);
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::{Attribute, Change, Record, read};
    use super::*;
    use proptest::prelude::*;

    fn entry(dn: &str, values: Vec<Vec<u8>>) -> Entry {
        let attributes = vec![Attribute { name: "cn".to_owned(), values }];
        Entry { dn: dn.to_owned(), comment: None, attributes }
    }

    #[test]
    fn what_is_not_safe_is_base64_and_long_lines_are_folded() {
        let values = ["plain", " led", "trailed ", ":", "<", "Sølv", "a\nb", ""];
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        let text = write(&[entry("cn=a,o=b", values)]);
        let expected = "version: 1\ndn: cn=a,o=b\ncn: plain\ncn:: IGxlZA==\ncn:: dHJhaWxlZCA=\n\
            cn:: Og==\ncn:: PA==\ncn:: U8O4bHY=\ncn:: YQpi\ncn:\n";
        assert_eq!(text, expected);
        let long = write(&[entry("cn=a", vec![vec![b'x'; 300]])]);
        assert!(long.lines().all(|line| line.len() <= LINE), "{long}");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same(
            dn in "[^\\x00]{1,60}",
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4),
        ) {
            let one = entry(&dn, values);
            let (records, mistakes) = read(write(std::slice::from_ref(&one)).as_bytes());
            prop_assert!(mistakes.is_empty(), "{mistakes:?}");
            let change = Change::Content(one.attributes);
            prop_assert_eq!(records, vec![Record { line: 2, dn, change }]);
        }
    }
}
