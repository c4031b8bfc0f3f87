//! A milter's changes, turned into ours.

use crate::draft::Draft;
use crate::edit::Field;
use crate::fault::FilterFault;
use crate::limits::MAX_WORDS;
use crate::verdict::{Action, AddedRecipient, Opinion};
use bytes::{Bytes, BytesMut};
use concord_milter::{Edit, MilterError};
use std::ops::Range;

const STAGE: &str = "end of message";

/// The opinion of a filter that takes the message with these changes.
///
/// # Errors
/// [`FilterFault::Protocol`] for a header field that cannot be one.
pub(super) fn opinion(
    edits: Vec<Edit>,
    message: &[u8],
    own: Range<usize>,
    leading_space: bool,
) -> Result<Opinion, FilterFault> {
    let mut opinion = Opinion::new(Action::Accept, "accept");
    let count = edits.len();
    let mut draft = Draft::new(message, own);
    let mut body: Option<BytesMut> = None;
    for edit in edits {
        match edit {
            Edit::AddHeader { name, value } => draft.add(field(&name, &value, leading_space)?),
            Edit::InsertHeader { at, name, value } => {
                let field = field(&name, &value, leading_space)?;
                draft.insert_as_sendmail(usize::try_from(at).unwrap_or(usize::MAX), field);
            }
            Edit::ChangeHeader { occurrence, name, value } => {
                change(&mut draft, occurrence, &name, &value, leading_space)?;
            }
            Edit::ReplaceBody(piece) => {
                body.get_or_insert_default().extend_from_slice(&piece);
            }
            Edit::ChangeFrom { path, .. } => opinion.sender = Some(bare(&path)),
            Edit::AddRecipient { path, parameters } => {
                let parameters = parameters.map(|p| text(&p)).unwrap_or_default();
                let parameters = parameters.split_ascii_whitespace().map(str::to_owned).collect();
                opinion.add_recipients.push(AddedRecipient { path: bare(&path), parameters });
            }
            Edit::RemoveRecipient(path) => opinion.remove_recipients.push(bare(&path)),
            Edit::Quarantine(reason) => {
                let reason: String = text(&reason).chars().take(MAX_WORDS).collect();
                opinion.what = format!("quarantine: {reason}");
                opinion.action = Action::Quarantine { reason };
            }
        }
    }
    if let Some(body) = body {
        draft.replace_body(body.freeze());
    }
    opinion.edits = draft.finish();
    if count > 0 && matches!(opinion.action, Action::Accept) {
        opinion.what = format!("accept with {count} changes");
    }
    Ok(opinion)
}

fn change(
    draft: &mut Draft,
    occurrence: u32,
    name: &Bytes,
    value: &Bytes,
    leading_space: bool,
) -> Result<(), FilterFault> {
    let new = if value.is_empty() { None } else { Some(field(name, value, leading_space)?) };
    let occurrence = usize::try_from(occurrence).unwrap_or(usize::MAX);
    let done = draft.change(&text(name), occurrence, new.clone());
    // Sendmail adds a field that is to be changed and is not there.
    if let (false, Some(field)) = (done, new) {
        draft.add(field);
    }
    Ok(())
}

fn field(name: &Bytes, value: &Bytes, leading_space: bool) -> Result<Field, FilterFault> {
    let name = text(name);
    let field =
        if leading_space { Field::verbatim(&name, value) } else { Field::new(&name, value) };
    let cause = MilterError::BadPacket { letter: 'h', what: "the name of a header field" };
    field.ok_or(FilterFault::Protocol { stage: STAGE, cause })
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A path without its brackets.
fn bare(path: &[u8]) -> String {
    let path = text(path);
    let path = path.trim();
    path.strip_prefix('<').and_then(|p| p.strip_suffix('>')).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::apply_edits;

    #[test]
    fn fields_go_where_sendmail_puts_them() {
        let message = Bytes::from_static(b"Received: us\r\nA: 1\r\nB: 2\r\n\r\nbody");
        let insert = |at, name: &'static str| Edit::InsertHeader {
            at,
            name: name.into(),
            value: "v".into(),
        };
        let change = |name: &'static str, value: &'static str| Edit::ChangeHeader {
            occurrence: 1,
            name: name.into(),
            value: value.into(),
        };
        let edits = vec![
            insert(0, "Top"),
            change("A", ""),
            change("B", "two"),
            change("C", "3"),
            change("Received", ""),
            Edit::ReplaceBody("ne".into()),
            Edit::ReplaceBody("w".into()),
        ];
        let found = opinion(edits, &message, 0..1, false).unwrap();
        let out = apply_edits(&message, &found.edits);
        assert_eq!(&out[..], b"Top: v\r\nReceived: us\r\nB: two\r\nC: 3\r\n\r\nnew");
        let found = opinion(vec![insert(1, "Sig")], &message, 0..1, true).unwrap();
        let out = apply_edits(&message, &found.edits);
        assert!(out.starts_with(b"Received: us\r\nSig:v\r\nA: 1\r\n"));
    }

    #[test]
    fn paths_lose_their_brackets() {
        let edits = vec![
            Edit::ChangeFrom { path: "<>".into(), parameters: None },
            Edit::AddRecipient { path: "<a@x>".into(), parameters: Some("NOTIFY=NEVER".into()) },
            Edit::RemoveRecipient("b@x".into()),
        ];
        let found = opinion(edits, b"", 0..0, false).unwrap();
        assert_eq!(found.sender.as_deref(), Some(""));
        let added = AddedRecipient { path: "a@x".into(), parameters: vec!["NOTIFY=NEVER".into()] };
        assert_eq!(found.add_recipients, [added]);
        assert_eq!(found.remove_recipients, ["b@x"]);
    }
}
