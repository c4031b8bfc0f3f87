//! EXPUNGE, UID EXPUNGE and CLOSE.

use crate::error::{Done, Outcome};
use crate::sequence;
use crate::session::Session;
use concord_store::UidSet;
use imap_types::sequence::SequenceSet;
use std::sync::Arc;

/// EXPUNGE; with a set of UIDs RFC 4315's. What is gone is told when the
/// session looks for news, before the tagged answer.
pub(crate) async fn expunge(session: &mut Session, uids: Option<&SequenceSet>) -> Outcome {
    let server = Arc::clone(&session.server);
    let selected = session.selected_for_change()?;
    // only what this client knows of: it chose by what it sees
    let known: UidSet = match selected.items.last() {
        Some(last) => UidSet::from_ranges([(1, last.uid)]),
        None => UidSet::default(),
    };
    let uids = match uids {
        Some(set) => sequence::uids(set, &selected.items),
        None => known,
    };
    if !uids.is_empty() {
        server.store.expunge(selected.folder, &uids).await?;
    }
    Ok(Done::new("expunged"))
}

/// CLOSE: expunges in silence, unless the folder is read-only.
pub(crate) async fn close(session: &mut Session) -> Outcome {
    if session.selected.as_ref().is_some_and(|selected| !selected.read_only) {
        expunge(session, None).await?;
    }
    session.selected = None;
    Ok(Done::new("closed"))
}
