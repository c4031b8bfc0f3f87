//! `GET` and `POST /v1/connectors/{name}/orders/{order}`: operators' orders in a
//! connector's own words.

use crate::api::State as App;
use crate::extract::{Body, Param, Query};
use crate::wire::{OrderAnswer, OrderError, OrderQuery};
use crate::{ApiError, find};
use axum::Json;
use axum::extract::State;
use concord_connector::wire::{MAX_ORDER, Order, Work};
use concord_directory::Kind;
use serde_json::Value;
use std::time::Duration;

type Which = Param<(String, String)>;

/// A question: it changes nothing, and is answered while changes are held.
pub(crate) async fn get(
    shared: App,
    Param((name, order)): Which,
    Query(query): Query<OrderQuery>,
) -> Result<Json<OrderAnswer>, ApiError> {
    let arguments = match query.arguments {
        Some(text) => {
            serde_json::from_str(&text).map_err(|error| ApiError::BadQuery(error.to_string()))?
        }
        None => Value::Null,
    };
    give(shared, &name, Order { order, question: true, arguments }, query.wait).await
}

/// An order.
pub(crate) async fn post(
    shared: App,
    Param((name, order)): Which,
    Query(query): Query<OrderQuery>,
    Body(arguments): Body<Value>,
) -> Result<Json<OrderAnswer>, ApiError> {
    if query.arguments.is_some() {
        return Err(ApiError::BadQuery("arguments of an order stand in its body".to_owned()));
    }
    give(shared, &name, Order { order, question: false, arguments }, query.wait).await
}

async fn give(
    State(shared): App,
    name: &str,
    order: Order,
    wait: Option<u64>,
) -> Result<Json<OrderAnswer>, ApiError> {
    let object = find::object(&shared, Kind::Connector, name).await?;
    let connector = object.name.clone();
    let Some((_, answer)) = shared.board.ask(&connector, Work::Order(order)) else {
        return Err(ApiError::ConnectorBusy { connector });
    };
    let seconds = wait.unwrap_or(MAX_ORDER).min(MAX_ORDER);
    let answer = tokio::time::timeout(Duration::from_secs(seconds), answer).await;
    let Ok(Ok(done)) = answer else {
        return Err(ApiError::ConnectorSilent { connector, seconds });
    };
    let error = done.error.map(|message| OrderError {
        // A connector that knows no orders has no codes for them.
        code: done.code.unwrap_or_else(|| "connector.order-refused".to_owned()),
        message,
    });
    let answer = error.is_none().then(|| done.answer.unwrap_or_default());
    Ok(Json(OrderAnswer { answer, error }))
}
