//! Domains whose mail waits until somebody asks for it: their host by ETRN (RFC
//! 1985), or an administrator.
//!
//! A domain that was asked for is *started* until nothing waits for it any more
//! or it cannot be reached: what comes meanwhile goes too (Q159209). A restart
//! of the core forgets that; the host asks again.

use crate::submission::Submission as Shared;
use concord_directory::{DirectoryError, INTERNET_MAIL, Routes};
use concord_mail_policy::{Mode, Policy};
use concord_transport::Group;
use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What came of asking for a domain's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Mail of the domain does not wait to be asked for.
    NotHeld,
    /// So many deliveries are on their way.
    Started(u64),
}

#[derive(Debug, Default)]
pub(crate) struct OnDemand(Mutex<HashSet<Group>>);

impl OnDemand {
    fn started(&self) -> MutexGuard<'_, HashSet<Group>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether mail of a group waits now.
    pub fn waits(&self, policy: &Policy, routes: &Routes, group: &Group) -> bool {
        if policy.mode == Mode::ReadOnly {
            return true;
        }
        let is_domain = routes.component(&group.connector) == Some(INTERNET_MAIL);
        is_domain && policy.waits_for_etrn(&group.group) && !self.started().contains(group)
    }

    /// A group's mail is gone, or its destination is not there.
    pub fn ended(&self, group: &Group) {
        self.started().remove(group);
    }
}

/// Starts what waits for a domain, with `below` for the domains below it too
/// (RFC 1985 section 5.2).
pub(crate) async fn start(
    shared: &Shared,
    domain: &str,
    below: bool,
) -> Result<Asked, DirectoryError> {
    let policy = shared.config.policy.current();
    let routes = shared.routing.routes().await?;
    let suffix = format!(".{domain}");
    let asked = |group: &str| group == domain || below && group.ends_with(&suffix);
    if !policy.waits_for_etrn(domain) {
        return Ok(Asked::NotHeld);
    }
    let mut waiting = 0;
    let groups = std::cell::RefCell::new(Vec::new());
    for connector in routes.enabled().filter(|name| routes.component(name) == Some(INTERNET_MAIL)) {
        let starts = |group: &str| {
            let fits = asked(group) && policy.waits_for_etrn(group);
            if fits {
                let group = Group { connector: connector.to_owned(), group: group.to_owned() };
                shared.on_demand.started().insert(group.clone());
                groups.borrow_mut().push(group);
            }
            fits
        };
        waiting += shared.queue.wake(connector, &starts);
    }
    // Where nothing waits nothing is started: what comes later waits.
    for group in groups.into_inner().iter().filter(|group| shared.queue.waiting(group) == 0) {
        shared.on_demand.ended(group);
    }
    Ok(Asked::Started(waiting))
}
