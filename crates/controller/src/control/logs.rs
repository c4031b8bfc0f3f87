//! `GET /v1/services/{name}/logs?lines=N`

use super::{Access, Failure};
use crate::controller::Happening;
use crate::error::ControllerError;
use crate::logs;
use crate::status::LogTail;
use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

/// A screen or two.
const DEFAULT_LINES: usize = 100;

#[derive(Deserialize)]
pub(super) struct Wanted {
    lines: Option<usize>,
}

pub(super) async fn tail(
    State(access): State<Access>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<LogTail>, Failure> {
    // The name becomes a file name, so only names that exist are taken.
    let all = access.ask(Happening::List).await?;
    if !all.iter().any(|s| s.name == name) {
        let known = all.into_iter().map(|s| s.name).collect();
        return Err(ControllerError::NoService { name, known }.into());
    }
    let lines = logs::tail(&access.log_dir, &name, wanted.lines.unwrap_or(DEFAULT_LINES))?;
    Ok(Json(LogTail { lines }))
}
