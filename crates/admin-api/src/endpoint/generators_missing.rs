//! `GET /v1/generators/missing`: recipients without an address of a type that
//! has a generator.

use crate::api::State as App;
use crate::wire::{Missing, MissingOfType};
use crate::{ApiError, stamp};
use axum::Json;
use axum::extract::State;
use concord_directory::Stamp;

/// Names of recipients for each type; the count says how many there are.
const NAMES: usize = 100;

pub(crate) async fn get(State(shared): App) -> Result<Json<Missing>, ApiError> {
    let stamps = Stamp::all(&*shared.api.directory).await?;
    let mut recipients = Vec::new();
    for kind in stamp::STAMPED {
        recipients.extend(shared.api.directory.list(kind).await?);
    }
    let items = stamps.iter().map(|stamp| {
        let lacking = || recipients.iter().filter(|m| stamp::lacks(&m.proxies, &stamp.kind));
        MissingOfType {
            kind: stamp.kind.to_string(),
            count: u64::try_from(lacking().count()).unwrap_or(u64::MAX),
            mailboxes: lacking().take(NAMES).map(|m| m.name.clone()).collect(),
        }
    });
    Ok(Json(Missing { items: items.collect() }))
}
