//! One entry, packed: a hundred thousand of them are to fit into a few dozen MiB.

use super::draft::Draft;
use crate::schema::Attr;
use concord_base::ObjectId;
use concord_directory::{Access, Kind, Subject};

/// Where an entry lies in the catalogue.
pub(crate) type Slot = u32;

/// What is above the organisation.
pub(crate) const ROOT: Slot = Slot::MAX;

/// An entry of the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The object's id; containers of the configuration have made-up ones.
    pub id: u64,
    /// None: a container of the configuration, which is no object.
    pub kind: Option<Kind>,
    pub parent: Slot,
    /// The container that the object is in.
    pub container: Option<ObjectId>,
    pub created: i64,
    pub changed: i64,
    pub usn: u64,
    /// The attributes that `values` and `links` have, as a set.
    pub has: u128,
    /// For each value: the attribute's number, its length in two octets, the text.
    values: Box<[u8]>,
    links: Box<[(Attr, u64)]>,
}

/// Octets in front of a value.
const HEAD: usize = 3;

impl Entry {
    pub fn new(id: u64, kind: Option<Kind>, parent: Slot, draft: &Draft) -> Self {
        let size = draft.values.iter().map(|(_, value)| HEAD + value.len()).sum();
        let (mut has, mut values) = (0, Vec::with_capacity(size));
        for (attr, value) in &draft.values {
            // no rule of the directory lets a value be this long
            let Ok(length) = u16::try_from(value.len()) else { continue };
            has |= attr.bit();
            values.push(*attr as u8);
            values.extend_from_slice(&length.to_le_bytes());
            values.extend_from_slice(value.as_bytes());
        }
        has |= draft.links.iter().fold(0, |set, (attr, _)| set | attr.bit());
        Self {
            id,
            kind,
            parent,
            container: None,
            created: 0,
            changed: 0,
            usn: 0,
            has,
            values: values.into(),
            links: draft.links.clone().into(),
        }
    }

    /// Every text, in the order of attributes.
    pub fn texts(&self) -> Texts<'_> {
        Texts(&self.values)
    }

    /// The texts of one stored attribute.
    pub fn all(&self, attr: Attr) -> impl Iterator<Item = &str> {
        let rest = if self.has & attr.bit() == 0 { Texts(&[]) } else { self.texts() };
        rest.skip_while(move |(of, _)| *of < attr as u8)
            .take_while(move |(of, _)| *of == attr as u8)
            .map(|(_, value)| value)
    }

    /// Other objects, by attribute.
    pub fn links(&self) -> &[(Attr, u64)] {
        &self.links
    }

    /// The objects of one attribute.
    pub fn ids(&self, attr: Attr) -> impl Iterator<Item = u64> {
        self.links.iter().filter(move |(of, _)| *of == attr).map(|(_, id)| *id)
    }

    pub fn is_recipient(&self) -> bool {
        self.kind.is_some_and(Kind::is_recipient)
    }

    /// Its name, and the attribute that has it in its DN.
    pub fn name(&self) -> (&'static str, &str) {
        let (prefix, attr) = match self.kind {
            Some(Kind::Organisation) => ("o", Attr::O),
            Some(Kind::Site) => ("ou", Attr::Ou),
            Some(kind) if kind.is_recipient() => ("cn", Attr::Uid),
            _ => ("cn", Attr::Cn),
        };
        (prefix, self.all(attr).next().unwrap_or_default())
    }

    /// What the rules of access must know of it.
    pub fn subject(&self, access: &Access) -> Subject {
        Subject {
            id: ObjectId(self.id),
            // the configuration's containers are for those who see its objects
            kind: self.kind.unwrap_or(Kind::Server),
            container: self.container,
            hidden: self.has & Attr::Hidden.bit() != 0,
            owned: self.has & Attr::Owner.bit() != 0
                && self.ids(Attr::Owner).any(|owner| access.is(ObjectId(owner))),
            hides_members: self.has & Attr::HideMembers.bit() != 0,
        }
    }
}

/// Texts with the numbers of their attributes.
#[derive(Debug, Clone)]
pub(crate) struct Texts<'a>(&'a [u8]);

impl<'a> Iterator for Texts<'a> {
    type Item = (u8, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let [attr, low, high, rest @ ..] = self.0 else { return None };
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        // what was written was a text
        Some((*attr, std::str::from_utf8(value).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_there() {
        let draft = Draft {
            values: vec![
                (Attr::Sn, "Doe".into()),
                (Attr::TelephoneNumber, "1".into()),
                (Attr::TelephoneNumber, "2".into()),
                (Attr::Uid, "jane".into()),
            ],
            links: vec![(Attr::Member, 7)],
        };
        let mut draft = draft;
        draft.values.sort_by_key(|(attr, _)| *attr);
        let entry = Entry::new(1, Some(Kind::Mailbox), ROOT, &draft);
        assert_eq!(entry.all(Attr::TelephoneNumber).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(entry.all(Attr::Mail).count(), 0);
        assert_eq!(entry.name(), ("cn", "jane"));
        assert_eq!(entry.ids(Attr::Member).collect::<Vec<_>>(), [7]);
        assert!(size_of::<Entry>() <= 128);
    }
}
