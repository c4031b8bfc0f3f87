//! `POST /v1/domains`

use crate::ApiError;
use crate::api::State as App;
use crate::extract::Body;
use crate::view;
use crate::wire::{NewDomain, ObjectView};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use concord_address::Domain;
use concord_directory::{Details, DirectoryAct, NewObject};

pub(crate) async fn post(
    State(shared): App,
    Body(new): Body<NewDomain>,
) -> Result<(StatusCode, Json<ObjectView>), ApiError> {
    let object = new_domain(&new.name)?;
    let _writer = shared.api.writer.whole().await;
    let added = shared.api.directory.change(DirectoryAct::Add(object)).await?;
    Ok((StatusCode::CREATED, Json(view::object(&added))))
}

/// What a refused name needs.
const ADVICE: &str = "write one like example.org";

/// A domain object from a name in any case, or with letters beyond ASCII.
pub(crate) fn new_domain(name: &str) -> Result<NewObject, ApiError> {
    let domain: Domain = name.parse().map_err(|e: concord_address::ParseDomainError| {
        ApiError::Invalid(format!("{e}; {ADVICE}"))
    })?;
    let Some(ascii) = domain.name() else {
        return Err(ApiError::Invalid(format!(
            "'{name}' is not a domain: it is no DNS name; {ADVICE}"
        )));
    };
    Ok(NewObject {
        name: ascii.to_owned(),
        // As it was written, if people write it otherwise than DNS does.
        display_name: name.to_lowercase(),
        proxies: Vec::new(),
        details: Details::Domain,
        attributes: Default::default(),
        policy: Default::default(),
    })
}
