//! Section specifications: which octets `BODY[1.2.HEADER]` means (RFC 3501
//! section 6.4.5).

use super::part::{Content, Part};
use std::ops::Range;

/// What of the part is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The part's body; without a path the whole message.
    Part,
    /// The part's own header.
    Mime,
    /// The header of the message that the part is (or of the whole).
    Header,
    /// The same message's body.
    Text,
}

/// The octets, or `None` if there is no such part.
pub(crate) fn resolve(root: &Part, path: &[u32], section: Section) -> Option<Range<usize>> {
    if path.is_empty() {
        return Some(match section {
            Section::Part => root.header.start..root.body.end,
            Section::Header | Section::Mime => root.header.clone(),
            Section::Text => root.body.clone(),
        });
    }
    let part = find(root, path)?;
    match (section, &part.content) {
        (Section::Part, _) => Some(part.body.clone()),
        (Section::Mime, _) => Some(part.header.clone()),
        (Section::Header, Content::Message(inner)) => Some(inner.header.clone()),
        (Section::Text, Content::Message(inner)) => Some(inner.body.clone()),
        (Section::Header | Section::Text, _) => None,
    }
}

/// The part at a path. A message that is not multipart has one part, `1`.
fn find<'a>(root: &'a Part, path: &[u32]) -> Option<&'a Part> {
    let mut part = root;
    let mut message = Some(root);
    for n in path {
        let index = usize::try_from(n.checked_sub(1)?).ok()?;
        let container = message.unwrap_or(part);
        part = match &container.content {
            Content::Multipart(children) => children.get(index)?,
            _ if message.is_some() && index == 0 => container,
            _ => return None,
        };
        message = match &part.content {
            Content::Message(inner) => Some(inner),
            _ => None,
        };
    }
    Some(part)
}
