//! `POST /v1/services/{name}/start`, `stop` and `restart`

use super::{Access, Failure};
use crate::controller::Happening;
use crate::status::{ServiceStatus, Verb};
use axum::Json;
use axum::extract::{Path, State};

type Answer = Result<Json<ServiceStatus>, Failure>;

pub(super) async fn start(access: State<Access>, name: Path<String>) -> Answer {
    act(access, name, Verb::Start).await
}

pub(super) async fn stop(access: State<Access>, name: Path<String>) -> Answer {
    act(access, name, Verb::Stop).await
}

pub(super) async fn restart(access: State<Access>, name: Path<String>) -> Answer {
    act(access, name, Verb::Restart).await
}

async fn act(State(access): State<Access>, Path(name): Path<String>, verb: Verb) -> Answer {
    let outcome = access.ask(|reply| Happening::Act(name, verb, reply)).await?;
    Ok(Json(outcome?))
}
