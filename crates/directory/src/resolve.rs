//! Recipient resolution: what an address means, and whom it reaches.

use crate::{Details, Directory, DirectoryError, Forward, Object, ReportTo, Routes};
use concord_address::{Domain, TypedAddress, decapsulate};
use concord_base::ObjectId;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// Lists within lists deeper than this are a loop or a mistake.
pub const MAX_LIST_DEPTH: usize = 32;
/// One message to more recipients than this is refused, so that one RCPT
/// cannot grow without bound.
pub const MAX_LIST_RECIPIENTS: usize = 100_000;
/// Mailboxes that forward to each other in a row; more are a loop or a mistake.
pub const MAX_FORWARDS: usize = 10;

/// What an address means here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// A recipient of this directory.
    Recipient(Arc<Object>),
    /// The domain is ours, but nobody has the address.
    Unknown,
    /// The address is of a system of ours that is behind a connector: its domain
    /// is ours and nobody here has it, or it is of a foreign type that the
    /// connector carries by name. Anybody may send there, as to a mailbox.
    Carried(TypedAddress),
    /// An address of another system.
    Elsewhere(TypedAddress),
}

/// Finds what an address means. What stands behind the first `separator` of the
/// local part is a tag, which is ignored if nobody has the whole address (RFC
/// 5233 subaddressing). A foreign address
/// within an Internet one of this host or of a domain of ours is taken out and
/// judged by itself, whatever it is (Q264330).
///
/// What `routes` carry never makes another's domain ours: relaying stays what
/// the caller allows ([`Resolution::Elsewhere`]).
pub async fn resolve(
    directory: &dyn Directory,
    routes: &Routes,
    host: &str,
    separator: Option<char>,
    address: &TypedAddress,
) -> Result<Resolution, DirectoryError> {
    if let Some(object) = directory.lookup(address).await? {
        return Ok(Resolution::Recipient(object));
    }
    let Some(smtp) = address.smtp() else {
        return Ok(foreign(routes, address));
    };
    let is_local = directory.is_local_domain(smtp.domain()).await?;
    if (is_local || is_host(smtp.domain(), host))
        && let Some(inner) = decapsulate(&smtp)
    {
        return resolve_inner(directory, routes, &inner).await;
    }
    if !is_local {
        return Ok(Resolution::Elsewhere(address.clone()));
    }
    if let Some((user, _tag)) = separator.and_then(|s| smtp.local_part().split_once(s))
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

fn is_host(domain: &Domain, host: &str) -> bool {
    domain.name().is_some_and(|name| name.eq_ignore_ascii_case(host))
}

/// An address that came within another one; what is within it is not taken out
/// again.
async fn resolve_inner(
    directory: &dyn Directory,
    routes: &Routes,
    address: &TypedAddress,
) -> Result<Resolution, DirectoryError> {
    if let Some(object) = directory.lookup(address).await? {
        return Ok(Resolution::Recipient(object));
    }
    let Some(smtp) = address.smtp() else { return Ok(foreign(routes, address)) };
    if !directory.is_local_domain(smtp.domain()).await? {
        return Ok(Resolution::Elsewhere(address.clone()));
    }
    let carried = routes.carries_by_name(address);
    Ok(if carried { Resolution::Carried(address.clone()) } else { Resolution::Unknown })
}

fn foreign(routes: &Routes, address: &TypedAddress) -> Resolution {
    if routes.carries_by_name(address) {
        Resolution::Carried(address.clone())
    } else {
        Resolution::Elsewhere(address.clone())
    }
}

/// A recipient that mail to another one comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// A recipient that is no list.
    pub object: Arc<Object>,
    /// The innermost list on the way whose reports do not go to the sender.
    pub reporting: Option<Arc<Object>>,
    /// Whether it is the recipient itself, not one that it stands for.
    pub direct: bool,
}

/// One step of an expansion.
struct Step {
    object: Arc<Object>,
    reporting: Option<Arc<Object>>,
    depth: usize,
    /// Mailboxes whose forwarding led here.
    forwards: Vec<ObjectId>,
}

/// Everybody whom mail to a recipient reaches: itself, the members of a list at
/// any depth, those to whom it is forwarded. Each once; loops are cut, and a
/// mailbox at which forwarding comes round keeps the mail. Members that no
/// longer exist are left out.
///
/// # Errors
/// [`DirectoryError::Invalid`] past [`MAX_LIST_DEPTH`] or [`MAX_LIST_RECIPIENTS`].
pub async fn expand(
    directory: &dyn Directory,
    recipient: Arc<Object>,
) -> Result<Vec<Reached>, DirectoryError> {
    let (root, name) = (recipient.id, recipient.name.clone());
    let too_large =
        |cause: &str| DirectoryError::Invalid { name: name.clone(), cause: cause.into() };
    let mut seen: HashSet<ObjectId> = HashSet::from([root]);
    let mut found = Vec::new();
    let first = Step { object: recipient, reporting: None, depth: 0, forwards: Vec::new() };
    let mut waiting = VecDeque::from([first]);
    while let Some(step) = waiting.pop_front() {
        let Details::List(list) = &step.object.details else {
            if let Some(next) = forwarded(directory, &step).await? {
                if seen.insert(next.object.id) {
                    waiting.push_back(next);
                }
                if step.object.policy.forward.is_some_and(|forward| !forward.keep) {
                    continue;
                }
            }
            let direct = step.object.id == root;
            found.push(Reached { object: step.object, reporting: step.reporting, direct });
            if found.len() > MAX_LIST_RECIPIENTS {
                return Err(too_large("the list has more than 100000 recipients"));
            }
            continue;
        };
        if step.depth >= MAX_LIST_DEPTH {
            return Err(too_large("lists are nested deeper than 32"));
        }
        let own = list.report_to != ReportTo::Sender;
        let reporting = if own { Some(&step.object) } else { step.reporting.as_ref() };
        for member in &list.members {
            if seen.insert(*member)
                && let Some(object) = directory.object(*member).await?
            {
                waiting.push_back(Step {
                    object,
                    reporting: reporting.cloned(),
                    depth: step.depth + 1,
                    forwards: Vec::new(),
                });
            }
        }
    }
    Ok(found)
}

/// Where a mailbox's mail goes on to; none if it does not, or has been there.
async fn forwarded(directory: &dyn Directory, step: &Step) -> Result<Option<Step>, DirectoryError> {
    let Some(Forward { to, .. }) = step.object.policy.forward else { return Ok(None) };
    if step.forwards.contains(&to) || step.forwards.len() >= MAX_FORWARDS {
        return Ok(None);
    }
    let Some(object) = directory.object(to).await? else { return Ok(None) };
    let mut forwards = step.forwards.clone();
    forwards.push(step.object.id);
    let (reporting, depth) = (step.reporting.clone(), step.depth);
    Ok(Some(Step { object, reporting, depth, forwards }))
}
