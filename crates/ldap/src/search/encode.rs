//! Writing entries (RFC 4511 section 4.5.2).

use super::selection::Selection;
use crate::ber::{self, Writer};
use crate::catalogue::value::is_made;
use crate::catalogue::{Catalogue, Entry, Slot};
use crate::schema::{ATTRIBUTES, Attr};
use concord_directory::Access;

/// Begins the message of an entry, writes its attributes with `attributes`.
pub(crate) fn message(
    writer: &mut Writer,
    id: i32,
    dn: &str,
    attributes: impl FnOnce(&mut Writer),
) {
    let whole = writer.open(ber::SEQUENCE);
    writer.number(ber::INTEGER, i64::from(id));
    let operation = writer.open(0x64);
    writer.text(dn);
    let list = writer.open(ber::SEQUENCE);
    attributes(writer);
    writer.close(list);
    writer.close(operation);
    writer.close(whole);
}

/// An attribute with the values that `values` writes; nothing if there is none.
pub(crate) fn attribute(
    writer: &mut Writer,
    name: &str,
    types_only: bool,
    values: impl FnOnce(&mut Writer) -> bool,
) {
    let before = writer.out.len();
    let open = writer.open(ber::SEQUENCE);
    writer.text(name);
    let set = writer.open(ber::SET);
    let start = writer.out.len();
    let any = values(writer);
    if !any {
        writer.out.truncate(before);
        return;
    }
    if types_only {
        writer.out.truncate(start);
    }
    writer.close(set);
    writer.close(open);
}

/// An entry with what was asked for, as far as `access` sees it.
pub(crate) fn entry(
    writer: &mut Writer,
    id: i32,
    catalogue: &Catalogue,
    access: &Access,
    slot: Slot,
    entry: &Entry,
    selection: &Selection,
) {
    let there = catalogue.attributes_of(entry);
    message(writer, id, &catalogue.dn(slot), |writer| {
        for definition in ATTRIBUTES {
            let attr: Attr = definition.attr;
            if !selection.has(attr) || there & attr.bit() == 0 && !is_made(attr) {
                continue;
            }
            if !catalogue.sees_attribute(access, entry, attr) {
                continue;
            }
            attribute(writer, definition.name(), selection.types_only, |writer| {
                catalogue.each_value(access, slot, entry, attr, |value| {
                    writer.text(value);
                    true
                })
            });
        }
    });
}
