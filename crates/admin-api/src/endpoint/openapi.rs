//! `GET /v1/openapi.yaml`: the description of this API.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

const OPENAPI: &str = include_str!("../../../../docs/openapi.yaml");

pub(crate) async fn get() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/yaml")], OPENAPI)
}
