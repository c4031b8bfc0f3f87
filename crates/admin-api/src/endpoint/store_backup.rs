//! `POST /v1/store/backup`

use super::store_task;
use crate::api::State as App;
use crate::extract::Body;
use crate::{ApiError, BackupRequest, MaintenanceTask};
use axum::response::Response;

pub(crate) async fn post(
    app: App,
    Body(wanted): Body<BackupRequest>,
) -> Result<Response, ApiError> {
    let paths = [Some(&wanted.to), wanted.previous.as_ref()];
    if let Some(relative) = paths.into_iter().flatten().find(|path| !path.is_absolute()) {
        return Err(ApiError::Invalid(format!(
            "cannot use {}: the core does not know where it begins; give an absolute path",
            relative.display()
        )));
    }
    Ok(store_task::post(MaintenanceTask::Backup(wanted), app).await)
}
