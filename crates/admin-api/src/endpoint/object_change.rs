//! `PATCH /v1/{mailboxes,contacts,lists}/{name}`

use super::object_show;
use crate::api::{Shared, State as App};
use crate::extract::{Body, Param};
use crate::wire::{ObjectView, Patch};
use crate::{ApiError, find};
use axum::Json;
use axum::extract::State;
use concord_address::TypedAddress;
use concord_base::ByteSize;
use concord_directory::{
    Details, DirectoryAct, DirectoryError, DistributionList, Kind, Object, Proxy,
};

/// Changes an object in one commit and answers with it as it is now.
pub(crate) async fn patch(
    kind: Kind,
    State(shared): App,
    Param(name): Param<String>,
    Body(patch): Body<Patch>,
) -> Result<Json<ObjectView>, ApiError> {
    fits(kind, &patch)?;
    let _writer = shared.directory_writer.lock().await;
    let mut object = (*find::object(&shared, kind, &name).await?).clone();
    if let Some(name) = patch.name {
        object.name = name;
    }
    if let Some(display_name) = patch.display_name {
        object.display_name = display_name;
    }
    for text in &patch.remove_addresses {
        remove_address(&mut object, &find::address(text)?)?;
    }
    let before = object.proxies.len();
    for text in &patch.add_addresses {
        add_address(&mut object, find::address(text)?);
    }
    for text in &patch.primary_addresses {
        let address = find::address(text)?;
        add_address(&mut object, address.clone());
        make_primary(&mut object, &address);
    }
    if kind != Kind::Contact {
        find::own_domains(&shared, object.proxies.get(before..).unwrap_or_default()).await?;
    }
    match &mut object.details {
        Details::Mailbox(mailbox) => {
            if let Some(quota) = patch.quota {
                mailbox.quota = quota.map(ByteSize);
            }
            mailbox.login_disabled = patch.login_disabled.unwrap_or(mailbox.login_disabled);
        }
        Details::Contact(contact) => {
            if let Some(target) = &patch.target {
                contact.target = find::address(target)?;
            }
        }
        Details::List(list) => {
            remove_members(&shared, list, &patch.remove_members).await?;
            add_members(&shared, list, &patch.add_members).await?;
        }
        _ => {}
    }
    let stored = shared.api.directory.change(DirectoryAct::Set(object)).await?;
    object_show::whole(&shared, &stored).await.map(Json)
}

/// Refuses what the kind does not have, rather than passing it over.
fn fits(kind: Kind, patch: &Patch) -> Result<(), ApiError> {
    let odd = [
        (patch.quota.is_some(), Kind::Mailbox, "quota"),
        (patch.login_disabled.is_some(), Kind::Mailbox, "login"),
        (patch.target.is_some(), Kind::Contact, "target"),
        (!patch.add_members.is_empty(), Kind::List, "members"),
        (!patch.remove_members.is_empty(), Kind::List, "members"),
    ];
    match odd.iter().find(|(given, of, _)| *given && *of != kind) {
        Some((_, _, what)) => Err(ApiError::Invalid(format!(
            "cannot change that: a {kind} has no {what}; leave it out"
        ))),
        None => Ok(()),
    }
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
    list: &mut DistributionList,
    names: &[String],
) -> Result<(), ApiError> {
    for text in names {
        let member = find::recipient(shared, text).await?;
        if !list.members.contains(&member.id) {
            list.members.push(member.id);
        }
    }
    Ok(())
}

async fn remove_members(
    shared: &Shared,
    list: &mut DistributionList,
    names: &[String],
) -> Result<(), ApiError> {
    for text in names {
        let member = find::recipient(shared, text).await?;
        let before = list.members.len();
        list.members.retain(|id| *id != member.id);
        if list.members.len() == before {
            return Err(DirectoryError::NotFound { kind: "member", name: text.clone() }.into());
        }
    }
    Ok(())
}
