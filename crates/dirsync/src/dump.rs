//! Listings as text, to be looked at, changed by hand, and fed in (Q300458).
//!
//! The first line is `Load` (who is absent is gone) or `Updates` (who is absent
//! stays). An entry begins with `A` or `U` and its key; lines that begin with a
//! blank belong to it: `name: value` is an attribute (again for each further
//! value), `@kind`, `@consent` and `@ours` what else is known. `D` and a key is an
//! entry that is gone. `\\`, `\n` and `\r` stand for what cannot be in a line. The
//! last line is `End`: a file without it is cut off, and deletes nobody.

use crate::entry::{Consent, EntryKind, ForeignEntry, ForeignKey, Listing, ListingKind};
use concord_base::{Fault, Retry};
use concord_mapping::Attributes;
use std::fmt::Write;

/// Entries of a listing: ten times the largest organisation that ran the
/// original.
pub const MAX_ENTRIES: usize = 1_000_000;
/// Octets of one line, so of one value.
pub const MAX_DUMP_LINE: usize = 64 << 10;

/// A line does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct DumpError {
    /// Counted from 1.
    pub line: usize,
    /// What does not fit.
    pub cause: DumpCause,
}

/// What does not fit in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DumpCause {
    /// The first line is something else.
    #[error("the first line is 'Load' (absent entries are deleted) or 'Updates' (they stay)")]
    NoHead,
    /// Something else stands there.
    #[error("expected A, U or D with a key, an attribute behind a blank, or End")]
    Unknown,
    /// An attribute without an entry, or a second one for a deleted entry.
    #[error("an attribute belongs behind a line that begins with A or U")]
    Stray,
    /// A line without a key.
    #[error("there is no key behind the letter")]
    NoKey,
    /// A line without a colon, or with a blank before it.
    #[error("an attribute is written 'name: value', without a blank in the name")]
    NoColon,
    /// Other words than those known.
    #[error("'@' lines are @kind person|group|resource, @consent given|refused|unstated, @ours")]
    BadFact,
    /// A backslash with something else behind it.
    #[error("a backslash is written \\\\, a line break \\n")]
    BadEscape,
    /// See [`MAX_DUMP_LINE`].
    #[error("it has more than {MAX_DUMP_LINE} octets")]
    TooLong,
    /// See [`MAX_ENTRIES`].
    #[error("there are more than {MAX_ENTRIES} entries")]
    TooMany,
    /// Something stands behind the last line.
    #[error("there is something behind End")]
    BehindEnd,
}

impl Fault for DumpError {
    fn code(&self) -> &'static str {
        "dirsync.dump-unreadable"
    }

    fn retry(&self) -> Retry {
        Retry::Operator
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescaped(text: &str) -> Result<String, DumpCause> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        out.push(match c {
            '\\' => match characters.next() {
                Some('\\') => '\\',
                Some('n') => '\n',
                Some('r') => '\r',
                _ => return Err(DumpCause::BadEscape),
            },
            c => c,
        });
    }
    Ok(out)
}

/// Writes a listing. The names of attributes are those of the mapping tables, so
/// without blanks and colons.
pub fn write(listing: &Listing) -> String {
    let head = match listing.kind {
        ListingKind::Full => "Load\n",
        ListingKind::Updates => "Updates\n",
    };
    let mut out = head.to_owned();
    for entry in &listing.entries {
        write_entry(&mut out, entry, listing.kind);
    }
    for key in &listing.gone {
        line(&mut out, format_args!("D {}", escaped(&key.0)));
    }
    if listing.complete {
        out.push_str("End\n");
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes whatever is written to it.
    let _ = writeln!(out, "{text}");
}

fn write_entry(out: &mut String, entry: &ForeignEntry, kind: ListingKind) {
    let letter = if kind == ListingKind::Full { 'A' } else { 'U' };
    line(out, format_args!("{letter} {}", escaped(&entry.key.0)));
    match entry.kind {
        EntryKind::Person => {}
        EntryKind::Group => out.push_str(" @kind group\n"),
        EntryKind::Resource => out.push_str(" @kind resource\n"),
    }
    match entry.consent {
        Consent::Given => {}
        Consent::Refused => out.push_str(" @consent refused\n"),
        Consent::Unstated => out.push_str(" @consent unstated\n"),
    }
    if entry.exported_by_us {
        out.push_str(" @ours\n");
    }
    for (name, values) in &entry.attributes {
        for value in values {
            line(out, format_args!(" {name}: {}", escaped(value)));
        }
    }
}

/// Reads a listing. It is complete if it has its last line.
///
/// # Errors
/// The first line that does not read.
pub fn read(text: &str) -> Result<Listing, DumpError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().zip(1_usize..);
    let kind = match lines.next().map(|(line, _)| line.trim_end()) {
        Some("Load") => ListingKind::Full,
        Some("Updates") => ListingKind::Updates,
        _ => return Err(DumpError { line: 1, cause: DumpCause::NoHead }),
    };
    let listing = Listing { kind, complete: false, announced: None, entries: vec![], gone: vec![] };
    let mut reader = Reader { listing, open: false };
    for (line, number) in lines {
        reader.line(line).map_err(|cause| DumpError { line: number, cause })?;
    }
    Ok(reader.listing)
}

struct Reader {
    listing: Listing,
    /// Whether the last entry still takes attributes.
    open: bool,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), DumpCause> {
        if line.trim().is_empty() {
            return Ok(());
        }
        if self.listing.complete {
            return Err(DumpCause::BehindEnd);
        }
        if line.len() > MAX_DUMP_LINE {
            return Err(DumpCause::TooLong);
        }
        if let Some(rest) = line.strip_prefix(' ') {
            return self.fact(rest);
        }
        self.open = false;
        if line.trim_end() == "End" {
            self.listing.complete = true;
            return Ok(());
        }
        let (letter, key) = line.split_once(' ').unwrap_or((line, ""));
        let key = ForeignKey(unescaped(key)?);
        if key.0.is_empty() && matches!(letter, "A" | "U" | "D") {
            return Err(DumpCause::NoKey);
        }
        if self.listing.entries.len() + self.listing.gone.len() >= MAX_ENTRIES {
            return Err(DumpCause::TooMany);
        }
        match letter {
            "A" | "U" => {
                self.open = true;
                self.listing.entries.push(ForeignEntry::person(&key.0, Attributes::new()));
            }
            "D" => self.listing.gone.push(key),
            _ => return Err(DumpCause::Unknown),
        }
        Ok(())
    }

    fn fact(&mut self, rest: &str) -> Result<(), DumpCause> {
        let entry = self.listing.entries.last_mut().filter(|_| self.open);
        let entry = entry.ok_or(DumpCause::Stray)?;
        if rest.starts_with('@') {
            match rest.trim_end() {
                "@kind person" => entry.kind = EntryKind::Person,
                "@kind group" => entry.kind = EntryKind::Group,
                "@kind resource" => entry.kind = EntryKind::Resource,
                "@consent given" => entry.consent = Consent::Given,
                "@consent refused" => entry.consent = Consent::Refused,
                "@consent unstated" => entry.consent = Consent::Unstated,
                "@ours" => entry.exported_by_us = true,
                _ => return Err(DumpCause::BadFact),
            }
            return Ok(());
        }
        let (name, value) = rest.split_once(':').ok_or(DumpCause::NoColon)?;
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(DumpCause::NoColon);
        }
        let name = name.to_lowercase();
        let value = unescaped(value.strip_prefix(' ').unwrap_or(value))?;
        entry.attributes.entry(name).or_default().push(value);
        Ok(())
    }
}
