//! Changes as filters word them, turned into numbers of fields.

use crate::edit::{Edit, Field, Header, name};
use bytes::Bytes;
use std::ops::Range;

/// A field of the message, or one that was added.
struct Slot {
    name: String,
    removed: bool,
}

impl Slot {
    fn added(field: &Field) -> Self {
        Self { name: field.name().to_owned(), removed: false }
    }
}

/// The header while a filter's changes are collected.
pub(crate) struct Draft {
    slots: Vec<Slot>,
    /// Slots of the server's own fields, which the filter does not see. Without
    /// any it is the place where they would be.
    own: Range<usize>,
    edits: Vec<Edit>,
}

impl Draft {
    /// The filter does not see the fields `own`.
    pub fn new(message: &[u8], own: Range<usize>) -> Self {
        let header = Header::find(message);
        let slots = header.fields.into_iter().map(|range| {
            let field = message.get(range).unwrap_or_default();
            let name = name(field).unwrap_or_default().to_owned();
            Slot { name, removed: false }
        });
        Self { slots: slots.collect(), own, edits: Vec::new() }
    }

    pub fn finish(self) -> Vec<Edit> {
        self.edits
    }

    /// Behind the last.
    pub fn add(&mut self, field: Field) {
        self.slots.push(Slot::added(&field));
        self.edits.push(Edit::AddField(field));
    }

    /// Before the field with this number, removed ones not counted.
    pub fn insert(&mut self, at: usize, field: Field) {
        let slot = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| !slot.removed)
            .nth(at)
            .map_or(self.slots.len(), |(slot, _)| slot);
        self.insert_at_slot(slot, field);
    }

    /// Before the field with this number in Sendmail's list (`smfi_insheader`):
    /// fields that were put in or removed before count, and so does the
    /// server's own trace field, which is one there, whether it is none or
    /// several here.
    pub fn insert_as_sendmail(&mut self, at: usize, field: Field) {
        let slot = match at.checked_sub(self.own.start) {
            None | Some(0) => at,
            Some(behind) => self.own.end.saturating_add(behind).saturating_sub(1),
        };
        self.insert_at_slot(slot.min(self.slots.len()), field);
    }

    fn insert_at_slot(&mut self, slot: usize, field: Field) {
        let at = self.live(slot);
        if slot <= self.own.start {
            self.own = self.own.start.saturating_add(1)..self.own.end.saturating_add(1);
        }
        self.slots.insert(slot, Slot::added(&field));
        self.edits.push(Edit::InsertField { at, field });
    }

    /// Behind all but the last `behind` ones.
    pub fn insert_from_end(&mut self, behind: usize, field: Field) {
        let live = self.slots.iter().filter(|slot| !slot.removed).count();
        self.insert(live.saturating_sub(behind), field);
    }

    /// Changes the field of this name with this number among those of the name,
    /// from 1; `None` removes it. Numbers stay as the filter first saw them:
    /// what it removed still counts (Sendmail's `milter_changeheader`).
    ///
    /// False if there is no such field.
    pub fn change(&mut self, name: &str, occurrence: usize, field: Option<Field>) -> bool {
        let Some(slot) = self.of_name(name).nth(occurrence.saturating_sub(1)) else {
            return false;
        };
        let at = self.live(slot);
        let Some(found) = self.slots.get_mut(slot) else { return false };
        if found.removed {
            return true;
        }
        match field {
            Some(field) => self.edits.push(Edit::ReplaceField { at, field }),
            None => {
                found.removed = true;
                self.edits.push(Edit::RemoveField { at });
            }
        }
        true
    }

    /// How many fields have this name.
    pub fn count(&self, name: &str) -> usize {
        self.of_name(name).count()
    }

    pub fn replace_body(&mut self, body: Bytes) {
        self.edits.push(Edit::ReplaceBody(body));
    }

    fn of_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.slots
            .iter()
            .enumerate()
            .filter(|(at, _)| !self.own.contains(at))
            .filter(|(_, slot)| slot.name.eq_ignore_ascii_case(name))
            .map(|(at, _)| at)
    }

    fn live(&self, slot: usize) -> usize {
        self.slots.iter().take(slot).filter(|slot| !slot.removed).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply_edits;

    fn field(name: &str) -> Field {
        Field::new(name, b"new").unwrap()
    }

    #[test]
    fn numbers_of_removed_fields_still_count() {
        let message = Bytes::from_static(b"R: own\r\nX: 1\r\nx: 2\r\nX: 3\r\n\r\n");
        let mut draft = Draft::new(&message, 0..1);
        assert!(draft.change("X", 1, None));
        assert!(draft.change("x", 2, None));
        assert!(draft.change("X", 3, Some(field("X"))));
        assert!(!draft.change("R", 1, None), "what is hidden cannot be changed");
        draft.insert(0, field("Top"));
        draft.insert_from_end(1, field("Last-But-One"));
        draft.add(field("Last"));
        let out = apply_edits(&message, &draft.finish());
        let expected = b"Top: new\r\nR: own\r\nLast-But-One: new\r\nX: new\r\nLast: new\r\n\r\n";
        assert_eq!(&out[..], &expected[..]);
    }

    /// The order that Sendmail 8.17's `insheader` leaves.
    #[test]
    fn own_fields_count_as_the_one_that_sendmail_has() {
        for (own, text) in [
            (0..1, "R: own\r\nX: 1\r\nY: 2\r\n\r\n"),
            (0..2, "R: own\r\nA: own\r\nX: 1\r\nY: 2\r\n\r\n"),
            (0..0, "X: 1\r\nY: 2\r\n\r\n"),
        ] {
            let message = Bytes::from(text);
            let mut draft = Draft::new(&message, own);
            draft.insert_as_sendmail(1, field("Below"));
            draft.insert_as_sendmail(0, field("Top"));
            draft.insert_as_sendmail(1, field("Second"));
            assert!(draft.change("X", 1, None));
            draft.insert_as_sendmail(5, field("Behind-Removed"));
            draft.insert_as_sendmail(99, field("Last"));
            let out = apply_edits(&message, &draft.finish());
            let own = text.split("X:").next().unwrap();
            let expected = format!(
                "Top: new\r\nSecond: new\r\n{own}Below: new\r\nBehind-Removed: new\r\n\
                 Y: 2\r\nLast: new\r\n\r\n"
            );
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
