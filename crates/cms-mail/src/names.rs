//! Files of tags: `NAMES` files of CMS users, and `NODES` files of EARN.
//!
//! An entry begins with the file's first tag (`:nick.`, `:node.`) and ends where
//! the next one begins. A tag is `:word.`; its value goes on, over lines, to the
//! next tag at the beginning of a word. Lines that begin with `*` say nothing.

use crate::limits::{MAX_ENTRIES, MAX_TAG_VALUE, MAX_TAGS};
use crate::{HostAddress, TableError};
use std::fmt;

/// Characters of a tag's word.
const MAX_WORD: usize = 40;

/// One entry: its tags in their order, words in small letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Each tag and its value, whose lines are joined by blanks.
    pub tags: Vec<(String, String)>,
}

impl Entry {
    /// The value of a tag; none if the entry does not have it.
    pub fn get(&self, tag: &str) -> Option<&str> {
        let found = self.tags.iter().find(|(word, _)| word.eq_ignore_ascii_case(tag));
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads a file of tags whose entries begin with the tag `first`.
///
/// # Errors
/// A value outside any entry, or a bound.
pub fn read(text: &str, first: &str) -> Result<Vec<Entry>, TableError> {
    let mut entries: Vec<Entry> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let number = at.saturating_add(1);
        let too_many = |what, most| TableError::TooMany { line: number, what, most };
        if line.trim_start().starts_with('*') {
            continue;
        }
        let mut rest = line;
        // A value that goes on stands before the line's first tag.
        let (value, mut tag) = up_to_tag(rest);
        if !value.trim().is_empty() {
            let open = entries.last_mut().and_then(|entry| entry.tags.last_mut());
            let (_, known) = open.ok_or(TableError::NoEntry { line: number })?;
            if known.len().saturating_add(value.len()) > MAX_TAG_VALUE {
                return Err(too_many("octets in a value", MAX_TAG_VALUE));
            }
            append(known, value.trim());
        }
        while let Some((word, behind)) = tag {
            rest = behind;
            let (value, next) = up_to_tag(rest);
            if word.eq_ignore_ascii_case(first) {
                if entries.len() >= MAX_ENTRIES {
                    return Err(too_many("entries", MAX_ENTRIES));
                }
                entries.push(Entry::default());
            }
            let entry = entries.last_mut().ok_or(TableError::NoEntry { line: number })?;
            if entry.tags.len() >= MAX_TAGS {
                return Err(too_many("tags in an entry", MAX_TAGS));
            }
            if value.len() > MAX_TAG_VALUE {
                return Err(too_many("octets in a value", MAX_TAG_VALUE));
            }
            entry.tags.push((word.to_ascii_lowercase(), value.trim().to_owned()));
            tag = next;
        }
    }
    Ok(entries)
}

fn append(known: &mut String, value: &str) {
    if !known.is_empty() {
        known.push(' ');
    }
    known.push_str(value);
}

/// What stands before the first tag of a text, and the tag's word with what is
/// behind it.
fn up_to_tag(text: &str) -> (&str, Option<(&str, &str)>) {
    let mut from = 0_usize;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(':')) {
        let at = from.saturating_add(at);
        let before = text.get(..at).unwrap_or_default();
        let behind = text.get(at.saturating_add(1)..).unwrap_or_default();
        from = at.saturating_add(1);
        // Within a word a colon is only a colon.
        if before.ends_with(|c: char| !c.is_whitespace()) {
            continue;
        }
        let Some(end) = behind.bytes().take(MAX_WORD).position(|octet| octet == b'.') else {
            continue;
        };
        let word = behind.get(..end).unwrap_or_default();
        if !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
            let rest = behind.get(end.saturating_add(1)..).unwrap_or_default();
            return (before, Some((word, rest)));
        }
    }
    (text, None)
}

impl fmt::Display for Entry {
    /// One tag a line, indented behind the first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (word, value)) in self.tags.iter().enumerate() {
            let indent = if number == 0 { "" } else { "       " };
            writeln!(f, "{indent}:{word}.{value}")?;
        }
        Ok(())
    }
}

/// An entry of a user's NAMES file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nickname {
    /// One person.
    Person {
        /// The nickname.
        nick: String,
        /// The person's name; empty if the file does not say.
        name: String,
        /// Where mail goes; none if user or node is missing or is no name.
        address: Option<HostAddress>,
    },
    /// A list.
    List {
        /// The nickname.
        nick: String,
        /// Its members: nicknames, or `user AT node`.
        members: Vec<Member>,
    },
}

/// A member of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// Another nickname.
    Nick(String),
    /// An address.
    Host(HostAddress),
}

/// Reads a NAMES file. A user without a node is at `own_node`.
///
/// # Errors
/// As [`read`].
pub fn read_names(text: &str, own_node: &str) -> Result<Vec<Nickname>, TableError> {
    Ok(read(text, "nick")?.iter().map(|entry| nickname(entry, own_node)).collect())
}

fn nickname(entry: &Entry, own_node: &str) -> Nickname {
    let value = |tag: &str| entry.get(tag).unwrap_or_default().to_owned();
    let nick = value("nick");
    if let Some(list) = entry.get("list") {
        return Nickname::List { nick, members: members(list) };
    }
    let node = entry.get("node").filter(|node| !node.is_empty()).unwrap_or(own_node);
    let user = entry.get("userid").unwrap_or_default();
    Nickname::Person { nick, name: value("name"), address: HostAddress::new(node, user).ok() }
}

fn members(list: &str) -> Vec<Member> {
    let words: Vec<&str> = list.split([' ', ',', '\t']).filter(|word| !word.is_empty()).collect();
    let mut members = Vec::new();
    let mut at = 0_usize;
    while let Some(word) = words.get(at).copied() {
        let between = words.get(at.saturating_add(1)).copied().unwrap_or_default();
        let node = words.get(at.saturating_add(2)).copied().unwrap_or_default();
        match HostAddress::new(node, word) {
            Ok(address) if between.eq_ignore_ascii_case("at") => {
                members.push(Member::Host(address));
                at = at.saturating_add(3);
            }
            _ => {
                members.push(Member::Nick(word.to_owned()));
                at = at.saturating_add(1);
            }
        }
    }
    members
}

/// How a node's mailer takes mail, from the tag `:servers` of a NODES file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailer {
    /// The mailer's user id and node.
    pub address: HostAddress,
    /// Whether it takes NETDATA; punched cards are the default (`PU`).
    pub netdata: bool,
    /// The spool class; M where none is named.
    pub class: String,
    /// Whether it takes batch SMTP; that is the default.
    pub batch_smtp: bool,
    /// Whether it takes headers of the Internet without an envelope.
    pub bare_messages: bool,
    /// Whether it only sends.
    pub only_out: bool,
}

/// The mailers of an entry: `MAILER@node(MAIL,formats,class,attributes,contact)`.
pub fn mailers(entry: &Entry) -> Vec<Mailer> {
    let servers = entry.get("servers").unwrap_or_default();
    servers
        .split(')')
        .filter_map(|server| {
            let (address, rest) = server.split_once('(')?;
            let address = address.rsplit([' ', ',', ';']).find(|word| !word.is_empty())?;
            let (user, node) = address.split_once('@')?;
            let mut fields = rest.split(',').map(str::trim);
            if !fields.next()?.eq_ignore_ascii_case("MAIL") {
                return None;
            }
            let mut field = || fields.next().unwrap_or_default().to_ascii_uppercase();
            let (formats, class, attributes) = (field(), field(), field());
            let has = |word: &str| attributes.split_whitespace().any(|one| one == word);
            let bare_messages = has("RFC822");
            Some(Mailer {
                address: HostAddress::new(node, user).ok()?,
                netdata: formats.split_whitespace().any(|one| one == "ND"),
                class: if class.is_empty() { "M".to_owned() } else { class },
                batch_smtp: has("BSMTP") || !bare_messages,
                bare_messages,
                only_out: has("OUTONLY"),
            })
        })
        .collect()
}

/// Reads `data` as files of tags.
pub(crate) fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = read_names(&text, "NODE");
    for first in ["nick", "node"] {
        let Ok(entries) = read(&text, first) else { continue };
        for entry in &entries {
            let _ = mailers(entry);
        }
        let written: String = entries.iter().map(ToString::to_string).collect();
        // A value that begins a line with a star, or holds what looks like a tag
        // after its line is joined, is not the same again.
        if entries.iter().flat_map(|e| &e.tags).all(|(_, v)| up_to_tag(v).1.is_none()) {
            assert_eq!(read(&written, first), Ok(entries), "it reads back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &str = "\
* my people
:nick.JOE      :userid.JOHNDOE  :node.VMSP6     :name.John Doe: the one
               :phone.555-1234
               :addr.Dept. 5;
               Building 3
:nick.ADM      :userid.ADMIN
:nick.ALL      :list.JOE ADM MEA AT FINFILES
               LATER
:nick.ODD      :userid.toolonguserid :node.X
";

    #[test]
    fn nicknames_are_people_and_lists() {
        let names = read_names(NAMES, "HOME").unwrap();
        let host = |node: &str, user: &str| HostAddress::new(node, user).unwrap();
        assert_eq!(
            names,
            [
                Nickname::Person {
                    nick: "JOE".into(),
                    name: "John Doe: the one".into(),
                    address: Some(host("VMSP6", "JOHNDOE")),
                },
                Nickname::Person {
                    nick: "ADM".into(),
                    name: String::new(),
                    address: Some(host("HOME", "ADMIN")),
                },
                Nickname::List {
                    nick: "ALL".into(),
                    members: vec![
                        Member::Nick("JOE".into()),
                        Member::Nick("ADM".into()),
                        Member::Host(host("FINFILES", "MEA")),
                        Member::Nick("LATER".into()),
                    ],
                },
                Nickname::Person { nick: "ODD".into(), name: String::new(), address: None },
            ]
        );
    }

    #[test]
    fn a_value_goes_on_over_lines_to_the_next_tag() {
        let entries = read(NAMES, "nick").unwrap();
        assert_eq!(entries[0].get("addr"), Some("Dept. 5; Building 3"));
        assert_eq!(entries[0].get("PHONE"), Some("555-1234"));
        let written: String = entries.iter().map(ToString::to_string).collect();
        assert_eq!(read(&written, "nick"), Ok(entries));
    }

    #[test]
    fn what_belongs_to_no_entry_is_named_by_its_line() {
        assert_eq!(read("\nhello", "nick"), Err(TableError::NoEntry { line: 2 }));
        assert_eq!(read(":userid.X", "nick"), Err(TableError::NoEntry { line: 1 }));
    }

    #[test]
    fn a_nodes_file_says_how_each_mailer_takes_mail() {
        let text = ":node.FINHUTC :servers.MAILER@FINHUTC(MAIL,ND PU,M,BSMTP RFC822,POST@FINHUTC)\n\
                    :node.PLAIN   :servers.SMTP@PLAIN(MAIL) OTHER@PLAIN(LIST)\n\
                    :node.OUT     :servers.MAILER@OUT(MAIL,PU,B,RFC822 OUTONLY)\n";
        let all: Vec<Mailer> = read(text, "node").unwrap().iter().flat_map(mailers).collect();
        let told: Vec<_> = all
            .iter()
            .map(|m| (m.address.to_string(), m.netdata, m.class.as_str(), m.batch_smtp, m.only_out))
            .collect();
        assert_eq!(
            told,
            [
                ("FINHUTC(MAILER)".to_owned(), true, "M", true, false),
                ("PLAIN(SMTP)".to_owned(), false, "M", true, false),
                ("OUT(MAILER)".to_owned(), false, "B", false, true),
            ]
        );
    }
}
