//! `GET /v1/health`

use crate::api::State as App;
use crate::view;
use crate::wire::Health;
use axum::Json;
use axum::extract::State;

pub(crate) async fn get(State(shared): App) -> Json<Health> {
    Json(Health {
        status: "ok".to_owned(),
        hostname: shared.api.hostname.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: view::time(shared.api.clock.now()),
    })
}
