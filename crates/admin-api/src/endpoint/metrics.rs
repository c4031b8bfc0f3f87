//! `GET /metrics`: Prometheus text.

use crate::api::State as App;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

pub(crate) async fn get(State(shared): App) -> impl IntoResponse {
    let text = shared.api.prometheus.as_ref().map(|handle| {
        // Without upkeep histograms would keep every sample since the last look.
        handle.run_upkeep();
        handle.render()
    });
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.unwrap_or_default())
}
