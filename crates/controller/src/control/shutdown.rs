//! `POST /v1/shutdown`

use super::{Access, Failure};
use crate::controller::Happening;
use crate::error::ControllerError;
use axum::extract::State;
use axum::http::StatusCode;

pub(super) async fn shutdown(State(access): State<Access>) -> Result<StatusCode, Failure> {
    let sent = access.sender.send(Happening::Shutdown).await;
    sent.map(|()| StatusCode::ACCEPTED).map_err(|_| Failure(ControllerError::Stopping))
}
