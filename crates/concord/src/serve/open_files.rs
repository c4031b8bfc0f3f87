//! Files and connections that a service may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Enough for a thousand slow destinations beside everything else; what systemd
/// allows our unit.
const WANTED: u64 = 65_536;

/// Raises the soft limit, which in a shell is 1,024 on Debian, to what is wanted
/// or to the hard limit.
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let allowed = limit.maximum.map_or(WANTED, |most| most.min(WANTED));
    if limit.current.is_none_or(|current| current >= allowed) {
        return;
    }
    let raised = Rlimit { current: Some(allowed), maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, allowed, "the limit of open files stays as it is");
    }
}
