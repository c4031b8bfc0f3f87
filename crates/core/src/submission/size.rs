//! How large messages may be, by where they come from and go to.

use super::serve::Submission as Shared;
use crate::dead_end;
use concord_address::TypedAddress;
use concord_directory::INTERNET_MAIL;
use concord_smtp::Reply;
use concord_transport::{Destination, RoutedRecipient};

fn too_large(what: &str, limit: u64, octets: u64) -> Reply {
    // RFC 3463 X.3.4: message too big for system. The original said "syntax
    // error in the content" (Q257264).
    let text = format!("{what} have at most {limit} octets; this one has {octets}");
    Reply::new(552, (5, 3, 4), text)
}

/// Whether a message from outside may have so many octets.
///
/// # Errors
/// The reply.
pub(super) fn from_outside(shared: &Shared, octets: Option<u64>) -> Result<(), Reply> {
    let limit = shared.config.policy.current().inbound.size_limit;
    match (limit, octets) {
        (Some(limit), Some(octets)) if octets > limit.0 => {
            Err(too_large("messages from outside", limit.0, octets))
        }
        _ => Ok(()),
    }
}

fn limit_of(shared: &Shared, domain: &str) -> Option<u64> {
    shared.config.policy.current().outbound_for(domain).size_limit.map(|limit| limit.0)
}

/// Whether a message to an address elsewhere may have so many octets.
///
/// # Errors
/// The reply.
pub(super) fn to_outside(
    shared: &Shared,
    address: &TypedAddress,
    octets: Option<u64>,
) -> Result<(), Reply> {
    let (Some(octets), Some(smtp)) = (octets, address.smtp()) else { return Ok(()) };
    let domain = smtp.domain().name().unwrap_or_default();
    match limit_of(shared, domain) {
        Some(limit) if octets > limit => {
            Err(too_large(&format!("messages to {domain}"), limit, octets))
        }
        _ => Ok(()),
    }
}

/// Has copies for Internet mail fail that are too large for their domain; the
/// others go on.
///
/// # Errors
/// The reply, if no copy is left.
pub(super) fn limit_copies(
    shared: &Shared,
    routed: &mut [RoutedRecipient],
    octets: u64,
) -> Result<(), Reply> {
    let mut refused = None;
    let count = routed.len();
    let mut over = 0;
    for copy in routed {
        let Destination::Connector { connector, group } = &copy.destination else { continue };
        if connector != INTERNET_MAIL {
            continue;
        }
        if let Some(limit) = limit_of(shared, group).filter(|limit| octets > *limit) {
            refused
                .get_or_insert_with(|| too_large(&format!("messages to {group}"), limit, octets));
            over += 1;
            copy.destination = dead_end::over_limit(limit);
        }
    }
    match refused {
        Some(reply) if over == count => Err(reply),
        _ => Ok(()),
    }
}
