//! Files that partners have, of messages that are not done.

use crate::spool::Stamp;
use concord_cms_mail::HostAddress;
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Files remembered; older ones are forgotten. A message has at most a hundred.
const MAX_REMEMBERED: usize = 50_000;

/// Remembers which files partners acknowledged, so that a message whose third
/// file could not go sends its first two once. Lives as long as the process:
/// after its death they are sent again, and partners know them by their keys.
#[derive(Debug, Default)]
pub(crate) struct Confirmed {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    known: HashSet<(HostAddress, Stamp)>,
    order: VecDeque<(HostAddress, Stamp)>,
}

impl Confirmed {
    /// Whether a recipient's node has the file.
    pub fn has(&self, recipient: &HostAddress, stamp: Stamp) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.known.contains(&(recipient.clone(), stamp))
    }

    /// A recipient's node has the file.
    pub fn add(&self, recipient: &HostAddress, stamp: Stamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let one = (recipient.clone(), stamp);
        if kept.known.insert(one.clone()) {
            kept.order.push_back(one);
        }
        while kept.order.len() > MAX_REMEMBERED {
            if let Some(oldest) = kept.order.pop_front() {
                kept.known.remove(&oldest);
            }
        }
    }
}
