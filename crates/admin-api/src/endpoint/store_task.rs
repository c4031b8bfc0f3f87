//! `POST /v1/store/{verify,compact,rebuild-index}`: long work, told of in lines
//! of JSON while it goes on.

use crate::ApiError;
use crate::api::State as App;
use crate::lines::lines;
use crate::maintenance::{MaintenanceTask, Progress};
use axum::extract::State;
use axum::response::Response;

pub(crate) async fn post(task: MaintenanceTask, State(shared): App) -> Response {
    let (lines, answer) = lines();
    let maintenance = shared.api.maintenance.clone();
    tokio::spawn(async move {
        let last = match maintenance.run(task, lines.clone()).await {
            Ok(outcome) => Progress::Done(outcome),
            Err(error) => Progress::Failed(ApiError::from(error).body()),
        };
        // Nobody listens any more if this fails.
        let _ = lines.send(last).await;
    });
    answer
}
