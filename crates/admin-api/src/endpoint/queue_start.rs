//! `POST /v1/queue-starts`: lets mail go that waits to be asked for.

use crate::ApiError;
use crate::api::State as App;
use crate::extract::Body;
use crate::wire::{QueueStart, QueueStarted};
use axum::Json;
use axum::extract::State;
use concord_address::Domain;

pub(crate) async fn post(
    State(shared): App,
    Body(body): Body<QueueStart>,
) -> Result<Json<QueueStarted>, ApiError> {
    let Ok(domain @ Domain::Name(_)) = body.domain.parse::<Domain>() else {
        return Err(ApiError::Invalid(format!("'{}' is not a domain", body.domain)));
    };
    let domain = domain.to_string();
    match shared.api.routing.start_domain(&domain, body.below).await? {
        Some(deliveries) => Ok(Json(QueueStarted { domain, deliveries })),
        None => Err(ApiError::Invalid(format!(
            "mail for {domain} does not wait to be asked for; 'wait-for-etrn' in \
             etc/internet-mail.toml makes it wait, and 'concord queue retry' tries other mail now"
        ))),
    }
}
