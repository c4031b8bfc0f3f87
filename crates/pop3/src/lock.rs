//! One session at a time has a mailbox (RFC 1939 section 3).

use concord_base::MailboxId;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The mailboxes that are in use.
#[derive(Debug, Default, Clone)]
pub(crate) struct Locks(Arc<Mutex<HashSet<MailboxId>>>);

/// Holds a mailbox until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    locks: Locks,
    mailbox: MailboxId,
}

impl Locks {
    /// Takes a mailbox; `None` if another session has it.
    pub(crate) fn take(&self, mailbox: MailboxId) -> Option<Lock> {
        let fresh = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(mailbox);
        fresh.then(|| Lock { locks: self.clone(), mailbox })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.locks.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.mailbox);
    }
}
