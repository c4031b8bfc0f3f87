//! From an address to those who get the message.

use crate::{Details, Directory, DirectoryError, Object, Routes};
use concord_address::TypedAddress;
use concord_base::ObjectId;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Lists within lists deeper than this are a loop or a mistake.
pub const MAX_LIST_DEPTH: usize = 32;
/// One message to more recipients than this is refused, so that one RCPT
/// cannot grow without bound.
pub const MAX_LIST_RECIPIENTS: usize = 100_000;

/// What an address means here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// A mailbox, contact or list of this directory.
    Recipient(Arc<Object>),
    /// The domain is ours, but nobody has the address.
    Unknown,
    /// The domain is ours, nobody here has the address, and a connector carries
    /// it: a user of the system behind it. Anybody may send there, as to a
    /// mailbox.
    Carried(TypedAddress),
    /// An address of another system.
    Elsewhere(TypedAddress),
}

/// Finds what an address means. A `+tag` behind the local part is ignored if
/// nobody has the whole address (RFC 5233 subaddressing).
///
/// What `routes` carry never makes another's domain ours: relaying stays what
/// the caller allows ([`Resolution::Elsewhere`]).
pub async fn resolve(
    directory: &dyn Directory,
    routes: &Routes,
    address: &TypedAddress,
) -> Result<Resolution, DirectoryError> {
    if let Some(object) = directory.lookup(address).await? {
        return Ok(Resolution::Recipient(object));
    }
    let Some(smtp) = address.smtp() else {
        return Ok(Resolution::Elsewhere(address.clone()));
    };
    if !directory.is_local_domain(smtp.domain()).await? {
        return Ok(Resolution::Elsewhere(address.clone()));
    }
    if let Some((user, _tag)) = smtp.local_part().split_once('+')
        && let Ok(plain) = format!("{user}@{}", smtp.domain()).parse::<TypedAddress>()
        && let Some(object) = directory.lookup(&plain).await?
    {
        return Ok(Resolution::Recipient(object));
    }
    if routes.carries_by_name(address) {
        return Ok(Resolution::Carried(address.clone()));
    }
    Ok(Resolution::Unknown)
}

/// The mailboxes and contacts behind a recipient: itself, or a list's members
/// at any depth, each once, loops cut. Members that no longer exist are left
/// out.
///
/// # Errors
/// [`DirectoryError::Invalid`] past [`MAX_LIST_DEPTH`] or [`MAX_LIST_RECIPIENTS`].
pub async fn expand(
    directory: &dyn Directory,
    recipient: Arc<Object>,
) -> Result<Vec<Arc<Object>>, DirectoryError> {
    let mut seen: HashSet<ObjectId> = HashSet::from([recipient.id]);
    let mut found = Vec::new();
    let name = recipient.name.clone();
    let too_large =
        |cause: &str| DirectoryError::Invalid { name: name.clone(), cause: cause.into() };
    let mut waiting = VecDeque::from([(recipient, 0usize)]);
    while let Some((object, depth)) = waiting.pop_front() {
        let Details::List(list) = &object.details else {
            found.push(object);
            if found.len() > MAX_LIST_RECIPIENTS {
                return Err(too_large("the list has more than 100000 recipients"));
            }
            continue;
        };
        if depth >= MAX_LIST_DEPTH {
            return Err(too_large("lists are nested deeper than 32"));
        }
        for member in &list.members {
            if seen.insert(*member)
                && let Some(object) = directory.object(*member).await?
            {
                waiting.push_back((object, depth + 1));
            }
        }
    }
    Ok(found)
}
