//! Who may send to a recipient, and how much.

use crate::{Directory, DirectoryError, Kind, MAX_LIST_DEPTH, Object};
use concord_base::{EnhancedStatus, ObjectId};
use std::collections::HashSet;

/// Who sends a message, as far as the directory knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sender {
    /// The recipient whose address the reverse-path is.
    pub object: Option<ObjectId>,
    /// Whether it is proven: by a login, or by a connector that speaks for its
    /// system's users.
    pub proven: bool,
}

/// Why a recipient does not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It takes mail of others only.
    #[error("it does not take mail from this sender")]
    NotAccepted,
    /// It takes mail of people who have logged in only.
    #[error("it takes mail of senders only who have logged in")]
    NotProven,
    /// The message is larger than it takes.
    #[error("it takes messages of at most {limit} octets, and this one has {octets}")]
    TooLarge {
        /// Octets that it takes.
        limit: u64,
        /// Octets of the message, its header among them.
        octets: u64,
    },
}

impl Refusal {
    /// RFC 3463: X.7.1 delivery not authorised, X.2.3 message length exceeds
    /// administrative limit.
    pub const fn status(self) -> EnhancedStatus {
        match self {
            Self::NotAccepted | Self::NotProven => EnhancedStatus::new(5, 7, 1),
            Self::TooLarge { .. } => EnhancedStatus::new(5, 2, 3),
        }
    }
}

/// Whether a recipient takes a message of so many octets from a sender; none if
/// the size is not known yet. The size counts all of the message: header and
/// body, not the envelope (Q240788).
///
/// # Errors
/// The directory could not be read.
pub async fn accepts(
    directory: &dyn Directory,
    recipient: &Object,
    sender: Sender,
    octets: Option<u64>,
) -> Result<Option<Refusal>, DirectoryError> {
    let policy = &recipient.policy;
    if let (Some(limit), Some(octets)) = (policy.receive_limit, octets)
        && octets > limit.0
    {
        return Ok(Some(Refusal::TooLarge { limit: limit.0, octets }));
    }
    if !policy.restricts_senders() {
        return Ok(None);
    }
    if policy.authenticated_only && !sender.proven {
        return Ok(Some(Refusal::NotProven));
    }
    // Whoever only says that he is somebody is nobody where it matters.
    let known = sender.object.filter(|_| sender.proven);
    if !policy.accept_from.is_empty() && !is_among(directory, known, &policy.accept_from).await? {
        return Ok(Some(Refusal::NotAccepted));
    }
    if is_among(directory, sender.object, &policy.reject_from).await? {
        return Ok(Some(Refusal::NotAccepted));
    }
    Ok(None)
}

/// Whether somebody is one of `who`, or a member of a list among them at any
/// depth.
///
/// # Errors
/// The directory could not be read.
pub async fn is_among(
    directory: &dyn Directory,
    somebody: Option<ObjectId>,
    who: &[ObjectId],
) -> Result<bool, DirectoryError> {
    let Some(somebody) = somebody else { return Ok(false) };
    let mut level: Vec<ObjectId> = who.to_vec();
    let mut seen: HashSet<ObjectId> = HashSet::new();
    for _ in 0..=MAX_LIST_DEPTH {
        if level.contains(&somebody) {
            return Ok(true);
        }
        let mut next = Vec::new();
        for id in level.into_iter().filter(|id| seen.insert(*id)) {
            let Some(object) = directory.object(id).await? else { continue };
            if object.kind() == Kind::List
                && let Some(list) = object.list()
            {
                next.extend_from_slice(&list.members);
            }
        }
        if next.is_empty() {
            return Ok(false);
        }
        level = next;
    }
    Ok(false)
}
