//! Text as records (RFC 2849).

use super::{Attribute, Change, How, Mistake, Record};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// Octets of a file: as many as a table has. 100,000 people are some 100 MiB.
pub const MAX_LDIF: u64 = 256 * 1024 * 1024;
/// Octets of one value, which must fit into a request.
const MAX_VALUE: usize = crate::config::MAX_REQUEST;

/// Other programs leave the padding out, which changes nothing in what is meant.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A line after folded ones were put together.
struct Line<'a> {
    number: u64,
    text: Cow<'a, [u8]>,
}

/// The records of a file in their order, and what is none. A record with a mistake
/// is left out; the others stand.
pub fn read(octets: &[u8]) -> (Vec<Record>, Vec<Mistake>) {
    let octets = octets.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(octets);
    let (mut records, mut mistakes) = (Vec::new(), Vec::new());
    let mut first = true;
    for lines in groups(octets) {
        let mut lines = lines.as_slice();
        if std::mem::take(&mut first) {
            lines = match version(lines) {
                Ok(rest) => rest,
                // nothing of a file of an unknown kind is believed
                Err(mistake) => return (Vec::new(), vec![mistake]),
            };
        }
        if lines.is_empty() {
            continue;
        }
        match record(lines) {
            Ok(record) => records.push(record),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    (records, mistakes)
}

/// Lines between empty ones, without comments.
fn groups(octets: &[u8]) -> Vec<Vec<Line<'_>>> {
    let mut groups = vec![Vec::new()];
    let mut comment = false;
    for (raw, number) in octets.split(|c| *c == b'\n').zip(1..) {
        let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        match raw.split_first() {
            None => {
                comment = false;
                if groups.last().is_some_and(|group: &Vec<Line<'_>>| !group.is_empty()) {
                    groups.push(Vec::new());
                }
            }
            Some((b'#', _)) => comment = true,
            Some((b' ', _)) if comment => {}
            Some((b' ', rest)) => {
                let group = groups.last_mut();
                match group.and_then(|group| group.last_mut()) {
                    Some(line) => line.text.to_mut().extend_from_slice(rest),
                    // said when the record is read: a space goes on with nothing
                    None => push(&mut groups, number, raw),
                }
            }
            Some(_) => {
                comment = false;
                push(&mut groups, number, raw);
            }
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn push<'a>(groups: &mut [Vec<Line<'a>>], number: u64, raw: &'a [u8]) {
    if let Some(group) = groups.last_mut() {
        group.push(Line { number, text: Cow::Borrowed(raw) });
    }
}

fn mistake<T>(line: u64, cause: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { line, cause: cause.into() })
}

/// The first lines without `version: 1`, which may be missing.
fn version<'a, 'b>(lines: &'a [Line<'b>]) -> Result<&'a [Line<'b>], Mistake> {
    let Some((first, rest)) = lines.split_first() else { return Ok(lines) };
    let Ok((name, value)) = pair(first) else { return Ok(lines) };
    if !name.eq_ignore_ascii_case("version") {
        return Ok(lines);
    }
    if value.trim_ascii() == b"1" {
        Ok(rest)
    } else {
        mistake(first.number, "LDIF has the version 1")
    }
}

fn record(lines: &[Line<'_>]) -> Result<Record, Mistake> {
    let Some((first, rest)) = lines.split_first() else { return mistake(0, "an empty record") };
    let line = first.number;
    let (name, dn) = pair(first)?;
    if !name.eq_ignore_ascii_case("dn") {
        return mistake(line, format!("a record begins with 'dn:', not with '{name}'"));
    }
    let dn = utf8(line, dn)?;
    let mut rest = rest;
    while let Some((control, behind)) = rest.split_first() {
        let (name, value) = pair(control)?;
        if !name.eq_ignore_ascii_case("control") {
            break;
        }
        critical(control.number, &value)?;
        rest = behind;
    }
    let Some((kind, behind)) = rest.split_first() else {
        return mistake(line, "a record has attributes or a changetype");
    };
    let (name, value) = pair(kind)?;
    if !name.eq_ignore_ascii_case("changetype") {
        return Ok(Record { line, dn, change: Change::Content(attributes(rest)?) });
    }
    let change = match value.trim_ascii().to_ascii_lowercase().as_slice() {
        b"add" => Change::Add(attributes(behind)?),
        b"delete" => match behind.first() {
            None => Change::Delete,
            Some(more) => return mistake(more.number, "behind 'changetype: delete' comes nothing"),
        },
        b"modify" => Change::Modify(modifications(behind)?),
        b"modrdn" | b"moddn" => rename(kind.number, behind)?,
        _ => {
            return mistake(kind.number, "changetype is add, delete, modify, modrdn or moddn");
        }
    };
    Ok(Record { line, dn, change })
}

/// Controls are not sent; without a critical one the change is not what was meant.
fn critical(line: u64, value: &[u8]) -> Result<(), Mistake> {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    let word = text.split_whitespace().nth(1).unwrap_or_default();
    if word.split(':').next() == Some("true") {
        return mistake(line, "a critical control cannot be sent along; import it with ldapmodify");
    }
    Ok(())
}

/// `name: text`, `name:: base64`
fn pair<'a>(line: &'a Line<'_>) -> Result<(&'a str, Cow<'a, [u8]>), Mistake> {
    let number = line.number;
    let at = line.text.iter().position(|c| *c == b':');
    let Some((name, rest)) = at.and_then(|at| line.text.split_at_checked(at)) else {
        return mistake(
            number,
            "a line is 'name: value', '-', a comment (#), or goes on with a space",
        );
    };
    let is_name = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b';' | b'_');
    let Some(name) = std::str::from_utf8(name)
        .ok()
        .filter(|name| !name.is_empty() && name.as_bytes().iter().all(is_name))
    else {
        return mistake(number, "what stands before the colon is no name of an attribute");
    };
    let fill = |text: &'a [u8]| {
        let from = text.iter().position(|c| *c != b' ').unwrap_or(text.len());
        text.get(from..).unwrap_or_default()
    };
    let value = match rest {
        [_, b':', coded @ ..] => match BASE64.decode(coded.trim_ascii()) {
            Ok(octets) => Cow::Owned(octets),
            Err(error) => return mistake(number, format!("{name}: this is not base64: {error}")),
        },
        [_, b'<', ..] => {
            return mistake(number, format!("{name}: values from files or URLs are not read"));
        }
        [_, text @ ..] => Cow::Borrowed(fill(text)),
        [] => Cow::Borrowed(&[][..]),
    };
    if value.len() > MAX_VALUE {
        return mistake(number, format!("{name}: the value is larger than 4 MiB"));
    }
    Ok((name, value))
}

fn utf8(line: u64, value: Cow<'_, [u8]>) -> Result<String, Mistake> {
    match String::from_utf8(value.into_owned()) {
        Ok(text) => Ok(text),
        Err(_) => mistake(line, "this name is not UTF-8"),
    }
}

/// Values of one name that follow each other are one attribute.
fn attributes(lines: &[Line<'_>]) -> Result<Vec<Attribute>, Mistake> {
    let mut found: Vec<Attribute> = Vec::new();
    for line in lines {
        let (name, value) = pair(line)?;
        let value = value.into_owned();
        match found.last_mut().filter(|last| last.name.eq_ignore_ascii_case(name)) {
            Some(last) => last.values.push(value),
            None => found.push(Attribute { name: name.to_owned(), values: vec![value] }),
        }
    }
    Ok(found)
}

fn modifications(lines: &[Line<'_>]) -> Result<Vec<(How, Attribute)>, Mistake> {
    let mut found = Vec::new();
    for block in lines.split(|line| line.text.trim_ascii() == b"-") {
        // the dash behind the last one may be missing, as for ldapmodify
        let Some((first, values)) = block.split_first() else { continue };
        let (word, name) = pair(first)?;
        let how = match word.to_ascii_lowercase().as_str() {
            "add" => How::Add,
            "delete" => How::Delete,
            "replace" => How::Replace,
            _ => return mistake(first.number, "a modification is add, delete or replace"),
        };
        let name = utf8(first.number, name)?.trim().to_owned();
        let mut attribute = Attribute { name, values: Vec::new() };
        for line in values {
            let (other, value) = pair(line)?;
            if !other.eq_ignore_ascii_case(&attribute.name) {
                let cause = format!(
                    "'{other}' stands in the modification of '{}'; end that with '-'",
                    attribute.name
                );
                return mistake(line.number, cause);
            }
            attribute.values.push(value.into_owned());
        }
        found.push((how, attribute));
    }
    Ok(found)
}

fn rename(at: u64, lines: &[Line<'_>]) -> Result<Change, Mistake> {
    let (mut new_rdn, mut delete_old, mut new_superior) = (None, None, None);
    for line in lines {
        let (name, value) = pair(line)?;
        match name.to_ascii_lowercase().as_str() {
            "newrdn" => new_rdn = Some(utf8(line.number, value)?),
            "deleteoldrdn" => {
                delete_old = Some(match value.trim_ascii() {
                    b"1" => true,
                    b"0" => false,
                    _ => return mistake(line.number, "deleteoldrdn is 0 or 1"),
                });
            }
            "newsuperior" => new_superior = Some(utf8(line.number, value)?),
            _ => return mistake(line.number, format!("'{name}' belongs to no renaming")),
        }
    }
    match (new_rdn, delete_old) {
        (Some(new_rdn), Some(delete_old)) => {
            Ok(Change::Rename { new_rdn, delete_old, new_superior })
        }
        _ => mistake(at, "a renaming has newrdn and deleteoldrdn"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(name: &str, values: &[&str]) -> Attribute {
        let values = values.iter().map(|value| value.as_bytes().to_vec()).collect();
        Attribute { name: name.to_owned(), values }
    }

    // RFC 2849 examples 1, 2, 5 and 6
    #[test]
    fn content_and_changes_are_read_as_rfc_2849_shows_them() {
        let text = "version: 1\r\n# a comment\r\n  that goes on\r\n\
            dn: cn=Barbara Jensen, ou=Prod\r\n uct Development\r\nobjectclass: top\r\n\
            objectclass: person\r\ncn:: QmFy\r\ndescription:\r\n\r\n\r\n\
            dn: cn=a\r\ncontrol: 1.2.840.113556.1.4.805 false\r\nchangetype: modify\r\n\
            add: mail\r\nmail: a@b\r\n-\r\ndelete: fax\r\n-\r\nreplace: l\r\nl: x\r\n\r\n\
            dn: cn=b\nchangetype: delete\n\n\
            dn: cn=c\nchangetype: modrdn\nnewrdn: cn=d\ndeleteoldrdn: 1\nnewsuperior: o=e\n";
        let (records, mistakes) = read(text.as_bytes());
        assert_eq!(mistakes, []);
        let [content, modify, delete, rename] = records.as_slice() else { panic!("{records:?}") };
        assert_eq!(
            (content.line, content.dn.as_str()),
            (4, "cn=Barbara Jensen, ou=Product Development")
        );
        assert_eq!(
            content.change,
            Change::Content(vec![
                attribute("objectclass", &["top", "person"]),
                attribute("cn", &["Bar"]),
                attribute("description", &[""]),
            ])
        );
        assert_eq!(
            modify.change,
            Change::Modify(vec![
                (How::Add, attribute("mail", &["a@b"])),
                (How::Delete, attribute("fax", &[])),
                (How::Replace, attribute("l", &["x"])),
            ])
        );
        assert_eq!(delete.change, Change::Delete);
        let new_superior = Some("o=e".to_owned());
        let wanted = Change::Rename { new_rdn: "cn=d".to_owned(), delete_old: true, new_superior };
        assert_eq!(rename.change, wanted);
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_the_other_records_stand() {
        for (text, line) in [
            ("dn: cn=a\ncn: a\n\ncn: b\n\ndn: cn=c\ncn: c\n", 4),
            ("dn: cn=a\ncn: a\n\ndn: cn=b\nno colon\n\ndn: cn=c\ncn: c\n", 5),
            ("dn: cn=a\ncn: a\n\ndn: cn=b\ncn:: *\n\ndn: cn=c\ncn: c\n", 5),
            ("dn: cn=a\ncn: a\n\ndn: cn=b\ncn:< file:///etc/passwd\n\ndn: cn=c\ncn: c\n", 5),
            ("dn: cn=a\ncn: a\n\ndn: cn=b\nchangetype: raise\n\ndn: cn=c\ncn: c\n", 5),
            (
                "dn: cn=a\ncn: a\n\ndn: cn=b\nchangetype: modify\nadd: x\ny: 1\n\ndn: cn=c\ncn: c\n",
                7,
            ),
            ("dn: cn=a\ncn: a\n\ndn: cn=b\nchangetype: modrdn\nnewrdn: x\n\ndn: cn=c\ncn: c\n", 5),
            ("dn: cn=a\ncn: a\n\ndn: cn=b\ncontrol: 1.2 true: x\ncn: b\n\ndn: cn=c\ncn: c\n", 5),
            ("dn: cn=a\ncn: a\n\n space\n\ndn: cn=c\ncn: c\n", 4),
            ("dn: cn=a\ncn: a\n\ndn: cn=b\n\ndn: cn=c\ncn: c\n", 4),
        ] {
            let (records, mistakes) = read(text.as_bytes());
            let lines: Vec<u64> = mistakes.iter().map(|mistake| mistake.line).collect();
            assert_eq!(lines, [line], "{text}{mistakes:?}");
            assert_eq!(records.len(), 2, "{text}");
        }
        let (records, mistakes) = read(b"version: 2\n\ndn: cn=a\ncn: a\n");
        assert_eq!((records.len(), mistakes.len()), (0, 1));
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(
            text in "((dn|cn|changetype|add|newrdn|-|#|control|version)(:|::|:<)? ?\\PC{0,8}\n{1,2} ?){0,12}",
            octets in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            super::super::fuzz(text.as_bytes());
            super::super::fuzz(&octets);
        }
    }
}
