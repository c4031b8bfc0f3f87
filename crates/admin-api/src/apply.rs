//! Carrying a patch out on an object.

use crate::api::Shared;
use crate::wire::{ForwardPatch, Patch};
use crate::{ApiError, find};
use concord_address::TypedAddress;
use concord_base::{ByteSize, ObjectId};
use concord_directory::{
    Details, DirectoryError, Forward, Kind, Object, Policy, Proxy, ReportTo, ResourceKind, Right,
    Scope,
};

/// The scope of a role that counts everywhere.
const EVERYWHERE: &str = "*";

/// Changes an object as the patch says; nothing is stored.
///
/// # Errors
/// What the patch says that the kind does not have, or names that nobody has.
pub(crate) async fn apply(
    shared: &Shared,
    object: &mut Object,
    patch: &Patch,
) -> Result<(), ApiError> {
    fits(object.kind(), patch)?;
    if let Some(name) = &patch.name {
        object.name.clone_from(name);
    }
    if let Some(display_name) = &patch.display_name {
        object.display_name.clone_from(display_name);
    }
    addresses(shared, object, patch).await?;
    for (name, values) in &patch.attributes {
        object.attributes.set(name, values.clone()).map_err(|cause| {
            ApiError::Directory(DirectoryError::Invalid { name: object.name.clone(), cause })
        })?;
    }
    policy(shared, &mut object.policy, patch).await?;
    details(shared, object, patch).await
}

/// Refuses what the kind does not have, rather than passing it over.
fn fits(kind: Kind, patch: &Patch) -> Result<(), ApiError> {
    let folders = [Kind::Mailbox, Kind::PublicFolder, Kind::Resource];
    let owned = [Kind::List, Kind::PublicFolder, Kind::Resource];
    let with_members = [Kind::List, Kind::Role];
    let odd: [(bool, &[Kind], &str); 13] = [
        (patch.quota.is_some(), &folders, "quota"),
        (patch.login_disabled.is_some(), &[Kind::Mailbox], "login"),
        (patch.target.is_some(), &[Kind::Contact], "target"),
        (!patch.add_members.is_empty(), &with_members, "members"),
        (!patch.remove_members.is_empty(), &with_members, "members"),
        (patch.owners.is_some(), &owned, "owners"),
        (patch.hide_members.is_some(), &[Kind::List], "members to hide"),
        (patch.report_to.is_some(), &[Kind::List], "reports"),
        (patch.resource.is_some(), &[Kind::Resource], "kind of resource"),
        (patch.capacity.is_some(), &[Kind::Resource], "capacity"),
        (patch.right.is_some(), &[Kind::Role], "right"),
        (patch.scope.is_some(), &[Kind::Role], "scope"),
        (patch.forward.is_some(), &folders, "forwarding"),
    ];
    match odd.iter().find(|(given, of, _)| *given && !of.contains(&kind)) {
        Some((_, _, what)) => Err(ApiError::Invalid(format!(
            "cannot change that: a {kind} has no {what}; leave it out"
        ))),
        None => Ok(()),
    }
}

async fn addresses(shared: &Shared, object: &mut Object, patch: &Patch) -> Result<(), ApiError> {
    for text in &patch.remove_addresses {
        remove_address(object, &find::address(text)?)?;
    }
    let before = object.proxies.len();
    for text in &patch.add_addresses {
        add_address(object, find::address(text)?);
    }
    for text in &patch.primary_addresses {
        let address = find::address(text)?;
        add_address(object, address.clone());
        make_primary(object, &address);
    }
    if object.kind() != Kind::Contact {
        find::own_domains(shared, object.proxies.get(before..).unwrap_or_default()).await?;
    }
    Ok(())
}

async fn policy(shared: &Shared, policy: &mut Policy, patch: &Patch) -> Result<(), ApiError> {
    if let Some(container) = &patch.container {
        policy.container = match container.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => Some(find::object(shared, Kind::Container, name).await?.id),
            None => None,
        };
    }
    policy.hidden = patch.hidden.unwrap_or(policy.hidden);
    policy.trust = patch.trust.unwrap_or(policy.trust);
    policy.authenticated_only = patch.authenticated_only.unwrap_or(policy.authenticated_only);
    if let Some(limit) = patch.receive_limit {
        policy.receive_limit = limit.map(ByteSize);
    }
    if let Some(limit) = patch.send_limit {
        policy.send_limit = limit.map(ByteSize);
    }
    for (named, ids) in [
        (&patch.accept_from, &mut policy.accept_from),
        (&patch.reject_from, &mut policy.reject_from),
        (&patch.delegates, &mut policy.delegates),
    ] {
        if let Some(names) = named {
            *ids = recipients(shared, names).await?;
        }
    }
    if let Some(forward) = &patch.forward {
        policy.forward = match forward {
            Some(ForwardPatch { to, keep }) => {
                Some(Forward { to: find::recipient(shared, to).await?.id, keep: *keep })
            }
            None => None,
        };
    }
    Ok(())
}

async fn recipients(shared: &Shared, names: &[String]) -> Result<Vec<ObjectId>, ApiError> {
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        let id = find::recipient(shared, name).await?.id;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

async fn details(shared: &Shared, object: &mut Object, patch: &Patch) -> Result<(), ApiError> {
    let owners = match &patch.owners {
        Some(names) => Some(recipients(shared, names).await?),
        None => None,
    };
    match &mut object.details {
        Details::Mailbox(mailbox) => {
            mailbox.quota = patch.quota.map_or(mailbox.quota, |quota| quota.map(ByteSize));
            mailbox.login_disabled = patch.login_disabled.unwrap_or(mailbox.login_disabled);
        }
        Details::Contact(contact) => {
            if let Some(target) = &patch.target {
                contact.target = find::address(target)?;
            }
        }
        Details::List(list) => {
            list.owners = owners.unwrap_or_else(|| std::mem::take(&mut list.owners));
            list.hide_members = patch.hide_members.unwrap_or(list.hide_members);
            if let Some(word) = &patch.report_to {
                list.report_to = report_to(word)?;
            }
            remove_members(shared, &mut list.members, &patch.remove_members).await?;
            add_members(shared, &mut list.members, &patch.add_members).await?;
        }
        Details::PublicFolder(folder) => {
            folder.owners = owners.unwrap_or_else(|| std::mem::take(&mut folder.owners));
            folder.quota = patch.quota.map_or(folder.quota, |quota| quota.map(ByteSize));
        }
        Details::Resource(resource) => {
            resource.owners = owners.unwrap_or_else(|| std::mem::take(&mut resource.owners));
            resource.quota = patch.quota.map_or(resource.quota, |quota| quota.map(ByteSize));
            resource.capacity = patch.capacity.unwrap_or(resource.capacity);
            if let Some(word) = &patch.resource {
                resource.resource = resource_kind(word)?;
            }
        }
        Details::Role(role) => {
            if let Some(word) = &patch.right {
                role.right = right(word)?;
            }
            if let Some(names) = &patch.scope {
                role.scope = scope(shared, names).await?;
            }
            remove_members(shared, &mut role.members, &patch.remove_members).await?;
            add_members(shared, &mut role.members, &patch.add_members).await?;
        }
        _ => {}
    }
    Ok(())
}

fn report_to(word: &str) -> Result<ReportTo, ApiError> {
    match word {
        "sender" => Ok(ReportTo::Sender),
        "owner" => Ok(ReportTo::Owner),
        "nobody" => Ok(ReportTo::Nobody),
        _ => Err(unknown_word("report to", word, "sender, owner or nobody")),
    }
}

fn resource_kind(word: &str) -> Result<ResourceKind, ApiError> {
    match word {
        "room" => Ok(ResourceKind::Room),
        "equipment" => Ok(ResourceKind::Equipment),
        _ => Err(unknown_word("make a resource of", word, "room or equipment")),
    }
}

fn right(word: &str) -> Result<Right, ApiError> {
    match word {
        "view" => Ok(Right::View),
        "recipients" => Ok(Right::Recipients),
        "full" => Ok(Right::Full),
        _ => Err(unknown_word("give the right", word, "view, recipients or full")),
    }
}

fn unknown_word(what: &str, word: &str, known: &str) -> ApiError {
    ApiError::Invalid(format!("cannot {what} '{word}'; write {known}"))
}

async fn scope(shared: &Shared, names: &[String]) -> Result<Scope, ApiError> {
    if names.iter().any(|name| name == EVERYWHERE) {
        return Ok(Scope::Organisation);
    }
    let mut containers = Vec::with_capacity(names.len());
    for name in names {
        containers.push(find::object(shared, Kind::Container, name).await?.id);
    }
    Ok(Scope::Containers(containers))
}

fn same(a: &TypedAddress, b: &TypedAddress) -> bool {
    a.key() == b.key()
}

/// Takes an address away. A primary one goes only as the last of its type, so
/// that it is never chance which one follows.
fn remove_address(object: &mut Object, address: &TypedAddress) -> Result<(), ApiError> {
    let place =
        object.proxies.iter().position(|p| same(&p.address, address)).ok_or_else(|| {
            DirectoryError::NotFound { kind: "address", name: address.to_string() }
        })?;
    let primary = object.proxies.get(place).is_some_and(|p| p.primary);
    let others = object.proxies.iter().filter(|p| p.address.kind() == address.kind()).count() > 1;
    if primary && others {
        return Err(ApiError::Invalid(format!(
            "cannot take {address} away: it is the primary address; make another one primary first"
        )));
    }
    object.proxies.remove(place);
    Ok(())
}

fn add_address(object: &mut Object, address: TypedAddress) {
    if object.proxies.iter().any(|p| same(&p.address, &address)) {
        return;
    }
    let primary = !object.proxies.iter().any(|p| p.address.kind() == address.kind());
    object.proxies.push(Proxy { address, primary });
}

fn make_primary(object: &mut Object, address: &TypedAddress) {
    for proxy in &mut object.proxies {
        if proxy.address.kind() == address.kind() {
            proxy.primary = same(&proxy.address, address);
        }
    }
}

async fn add_members(
    shared: &Shared,
    members: &mut Vec<ObjectId>,
    names: &[String],
) -> Result<(), ApiError> {
    for text in names {
        let member = find::recipient(shared, text).await?;
        if !members.contains(&member.id) {
            members.push(member.id);
        }
    }
    Ok(())
}

async fn remove_members(
    shared: &Shared,
    members: &mut Vec<ObjectId>,
    names: &[String],
) -> Result<(), ApiError> {
    for text in names {
        let member = find::recipient(shared, text).await?;
        let before = members.len();
        members.retain(|id| *id != member.id);
        if members.len() == before {
            return Err(DirectoryError::NotFound { kind: "member", name: text.clone() }.into());
        }
    }
    Ok(())
}
