//! `PUT /v1/mailboxes/{name}/password`

use crate::api::{Shared, State as App};
use crate::extract::{Body, Param};
use crate::wire::{ObjectView, SetPassword};
use crate::{ApiError, find, view};
use axum::Json;
use axum::extract::State;
use concord_base::StorageError;
use concord_directory::{Credentials, Details, DirectoryAct, Kind};

pub(crate) async fn put(
    State(shared): App,
    Param(name): Param<String>,
    Body(body): Body<SetPassword>,
) -> Result<Json<ObjectView>, ApiError> {
    find::object(&shared, Kind::Mailbox, &name).await?;
    let made = match body.password {
        Some(password) => Some(credentials(&shared, password).await?),
        None => None,
    };
    let _writer = shared.api.writer.whole().await;
    // Looked up anew: it may have changed while the password was hashed.
    let mut object = (*find::object(&shared, Kind::Mailbox, &name).await?).clone();
    if let Details::Mailbox(mailbox) = &mut object.details {
        mailbox.credentials = made;
    }
    let stored = shared.api.directory.change(DirectoryAct::Set(object)).await?;
    Ok(Json(view::object(&stored)))
}

/// Hashes a password on a thread where it disturbs nobody.
pub(crate) async fn credentials(
    shared: &Shared,
    password: String,
) -> Result<Credentials, ApiError> {
    // The semaphore is never closed.
    let _turn = shared.hashing.acquire().await.map_err(|_| StorageError::Stopping)?;
    tokio::task::spawn_blocking(move || concord_sasl::make_credentials(&password, &mut rand::rng()))
        .await
        .map_err(|e| StorageError::Bug(format!("hashing a password ended early: {e}")))?
        .map_err(ApiError::from)
}
