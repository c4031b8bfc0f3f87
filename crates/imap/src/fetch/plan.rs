//! What a FETCH asks for, sorted.

use crate::error::{Fail, Outcome};
use crate::mime::Section as Place;
use crate::write;
use imap_types::core::AString;
use imap_types::fetch::{MacroOrMessageDataItemNames, MessageDataItemName, Part, Section};

/// Body sections in one command; more is an attack.
const MAX_SECTIONS: usize = 100;

/// The octets that a body section means.
#[derive(Debug)]
pub(crate) enum Which {
    /// The whole message.
    Whole,
    /// Its header.
    Header,
    /// Its text.
    Text,
    /// A part, or something of one.
    Part(Vec<u32>, Place),
    /// Some fields of a header; of the message's for an empty path.
    Fields { path: Vec<u32>, names: Vec<Vec<u8>>, not: bool },
}

/// One body section.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// How the answer names it.
    pub label: Vec<u8>,
    pub which: Which,
    /// First octet and number of octets.
    pub partial: Option<(u64, u64)>,
}

/// Everything a FETCH asks for.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub uid: bool,
    pub flags: bool,
    pub internal_date: bool,
    pub size: bool,
    pub modseq: bool,
    pub envelope: bool,
    pub body: bool,
    pub bodystructure: bool,
    pub sections: Vec<Wanted>,
    /// A section that is not peeked at.
    pub sets_seen: bool,
    pub changed_since: Option<u64>,
}

fn path(part: &Part) -> Vec<u32> {
    part.0.as_ref().iter().map(|n| n.get()).collect()
}

fn optional(part: Option<&Part>) -> Vec<u32> {
    part.map(path).unwrap_or_default()
}

fn names(names: &[AString<'_>]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_ref().to_vec()).collect()
}

fn which(section: Option<&Section<'_>>) -> Which {
    match section {
        None => Which::Whole,
        Some(Section::Part(part)) => Which::Part(path(part), Place::Part),
        Some(Section::Mime(part)) => Which::Part(path(part), Place::Mime),
        Some(Section::Header(None)) => Which::Header,
        Some(Section::Header(Some(part))) => Which::Part(path(part), Place::Header),
        Some(Section::Text(None)) => Which::Text,
        Some(Section::Text(Some(part))) => Which::Part(path(part), Place::Text),
        Some(Section::HeaderFields(part, list)) => {
            Which::Fields { path: optional(part.as_ref()), names: names(list.as_ref()), not: false }
        }
        Some(Section::HeaderFieldsNot(part, list)) => {
            Which::Fields { path: optional(part.as_ref()), names: names(list.as_ref()), not: true }
        }
    }
}

/// `BODY[1.2.HEADER.FIELDS (FROM)]<0>`
fn label(which: &Which, partial: Option<u32>) -> Vec<u8> {
    let mut out = b"BODY[".to_vec();
    let (path, word): (&[u32], &str) = match which {
        Which::Whole => (&[], ""),
        Which::Header => (&[], "HEADER"),
        Which::Text => (&[], "TEXT"),
        Which::Part(path, Place::Part) => (path, ""),
        Which::Part(path, Place::Mime) => (path, "MIME"),
        Which::Part(path, Place::Header) => (path, "HEADER"),
        Which::Part(path, Place::Text) => (path, "TEXT"),
        Which::Fields { path, not: false, .. } => (path, "HEADER.FIELDS"),
        Which::Fields { path, not: true, .. } => (path, "HEADER.FIELDS.NOT"),
    };
    for (i, n) in path.iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        write::number(&mut out, u64::from(*n));
    }
    if !path.is_empty() && !word.is_empty() {
        out.push(b'.');
    }
    out.extend_from_slice(word.as_bytes());
    if let Which::Fields { names, .. } = which {
        for (i, name) in names.iter().enumerate() {
            out.extend_from_slice(if i == 0 { b" (" } else { b" " });
            let atom = !name.is_empty()
                && name.iter().all(|c| c.is_ascii_graphic() && !b"(){%*\"\\]".contains(c));
            if atom {
                out.extend_from_slice(name);
            } else {
                write::string(&mut out, name);
            }
        }
        out.push(b')');
    }
    out.push(b']');
    if let Some(origin) = partial {
        out.push(b'<');
        write::number(&mut out, u64::from(origin));
        out.push(b'>');
    }
    out
}

impl Plan {
    pub(crate) fn new(items: &MacroOrMessageDataItemNames<'_>) -> Outcome<Self> {
        let mut plan = Self::default();
        match items {
            MacroOrMessageDataItemNames::Macro(group) => {
                for item in group.expand() {
                    plan.add(&item)?;
                }
            }
            MacroOrMessageDataItemNames::MessageDataItemNames(items) => {
                for item in items {
                    plan.add(item)?;
                }
            }
        }
        if plan.sections.len() > MAX_SECTIONS {
            return Err(Fail::No("LIMIT", "too many body sections in one command".to_owned()));
        }
        Ok(plan)
    }

    fn add(&mut self, item: &MessageDataItemName<'_>) -> Outcome<()> {
        let mut old = |label: &str, which: Which| {
            self.sections.push(Wanted { label: label.into(), which, partial: None });
        };
        match item {
            MessageDataItemName::Uid => self.uid = true,
            MessageDataItemName::Flags => self.flags = true,
            MessageDataItemName::InternalDate => self.internal_date = true,
            MessageDataItemName::Rfc822Size => self.size = true,
            MessageDataItemName::ModSeq => self.modseq = true,
            MessageDataItemName::Envelope => self.envelope = true,
            MessageDataItemName::Body => self.body = true,
            MessageDataItemName::BodyStructure => self.bodystructure = true,
            MessageDataItemName::Rfc822 => {
                old("RFC822", Which::Whole);
                self.sets_seen = true;
            }
            MessageDataItemName::Rfc822Header => old("RFC822.HEADER", Which::Header),
            MessageDataItemName::Rfc822Text => {
                old("RFC822.TEXT", Which::Text);
                self.sets_seen = true;
            }
            MessageDataItemName::BodyExt { section, partial, peek } => {
                let which = which(section.as_ref());
                let label = label(&which, partial.map(|(origin, _)| origin));
                let partial = partial.map(|(from, count)| (from.into(), count.get().into()));
                self.sections.push(Wanted { label, which, partial });
                self.sets_seen |= !peek;
            }
            MessageDataItemName::Binary { .. } | MessageDataItemName::BinarySize { .. } => {
                return Err(Fail::Bad("BINARY is not supported"));
            }
        }
        Ok(())
    }

    /// Whether messages must be looked into.
    pub(crate) fn reads_store(&self) -> bool {
        self.envelope || self.body || self.bodystructure || !self.sections.is_empty()
    }
}
