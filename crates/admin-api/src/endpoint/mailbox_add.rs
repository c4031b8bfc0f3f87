//! `POST /v1/mailboxes`

use super::{object_show, password_set};
use crate::api::{Shared, State as App};
use crate::extract::Body;
use crate::wire::{NewMailbox, ObjectView};
use crate::{ApiError, find, stamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use concord_address::Names;
use concord_base::ByteSize;
use concord_directory::{Details, DirectoryAct, Mailbox, NewObject, Object, Stamp};
use std::collections::HashSet;
use std::sync::Arc;

pub(crate) async fn post(
    State(shared): App,
    Body(new): Body<NewMailbox>,
) -> Result<(StatusCode, Json<ObjectView>), ApiError> {
    let added = add(&shared, new).await?;
    Ok((StatusCode::CREATED, Json(object_show::whole(&shared, &added).await?)))
}

/// Adds a mailbox with its password, and the addresses that generators make for
/// it, in one commit.
pub(crate) async fn add(shared: &Shared, new: NewMailbox) -> Result<Arc<Object>, ApiError> {
    let credentials = match new.password {
        Some(password) => Some(password_set::credentials(shared, password).await?),
        None => None,
    };
    let display_name = new.display_name.unwrap_or_else(|| new.name.clone());
    let names =
        Names { alias: new.name.clone(), display_name: display_name.clone(), ..Names::default() };
    let mut addresses = new.addresses;
    if addresses.is_empty() {
        addresses.extend(stamp::internet(shared, &names).await?);
    }
    let mut proxies = find::proxies(shared, &new.name, &addresses).await?;
    find::own_domains(shared, &proxies).await?;
    let _writer = shared.api.writer.whole().await;
    let stamps = Stamp::all(&*shared.api.directory).await?;
    // What cannot be made is in the log, and in the list of what is missing.
    stamp::add(shared, &stamps, &names, &mut proxies, &mut HashSet::new()).await;
    let object = NewObject {
        display_name,
        name: new.name,
        proxies,
        details: Details::Mailbox(Mailbox {
            quota: new.quota.map(ByteSize),
            credentials,
            login_disabled: new.login_disabled,
            rules: Vec::new(),
        }),
        attributes: Default::default(),
        policy: Default::default(),
    };
    Ok(shared.api.directory.change(DirectoryAct::Add(object)).await?)
}
