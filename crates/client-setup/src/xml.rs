//! Writing XML.

use quick_xml::events::BytesText;
use quick_xml::writer::Writer;
use std::io;

pub(crate) type Xml = Writer<Vec<u8>>;

/// A document with its declaration. `write` makes the root element.
pub(crate) fn document(head: &str, write: impl FnOnce(&mut Xml) -> io::Result<()>) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    // A vector takes everything.
    let _ = write(&mut xml);
    let body = String::from_utf8(xml.into_inner()).unwrap_or_default();
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{head}{body}\n")
}

/// An element that holds a text.
pub(crate) fn text(xml: &mut Xml, name: &str, value: &str) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(value)).map(|_| ())
}

/// An element that holds others.
pub(crate) fn inside(
    xml: &mut Xml,
    name: &str,
    attributes: &[(&str, &str)],
    write: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    xml.create_element(name)
        .with_attributes(attributes.iter().copied())
        .write_inner_content(write)
        .map(|_| ())
}
