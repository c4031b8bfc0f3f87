//! What operators order: links, messages, traces, replays.
//!
//! Nothing of it is kept beyond the settings in force: when new ones are taken
//! over, or the connector ends, traces and replays end, and counts begin anew.

mod console;
mod error;
mod links;
mod messages;
mod replay;
mod trace;
pub mod wire;

use crate::shared::Running;
use concord_base::Fault as _;
use concord_connector::wire::{Order, WorkDone};
pub(crate) use console::Console;
use error::OrderError;
use replay::Replays;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use trace::Traces;

/// Whoever orders something.
#[derive(Debug, Default)]
pub(crate) struct Operators {
    /// Messages of the hosts.
    pub console: Console,
    traces: Traces,
    replays: Replays,
}

/// Carries an order out; takes at most [`concord_connector::wire::MAX_ORDER`]
/// seconds.
pub(crate) async fn carry_out(running: &Arc<Running>, order: Order) -> WorkDone {
    let name = order.order.clone();
    match answer(running, order).await {
        Ok(answer) => WorkDone { answer: Some(answer), ..WorkDone::default() },
        Err(error) => {
            tracing::info!(code = error.code(), order = name, %error, "an order was not carried out");
            WorkDone {
                error: Some(error.to_string()),
                code: Some(error.code().to_owned()),
                ..WorkDone::default()
            }
        }
    }
}

async fn answer(running: &Arc<Running>, order: Order) -> Result<Value, OrderError> {
    let question = matches!(order.order.as_str(), wire::LINK_LIST | wire::LINK_QUERY | wire::TRACE);
    if order.question && !question {
        return Err(OrderError::Changes(order.order));
    }
    let operators = &running.shared.operators;
    match order.order.as_str() {
        wire::LINK_LIST => told(&order, &links::list(running)),
        wire::LINK_QUERY => told(&order, &links::query(running, &read(&order)?)?),
        wire::LINK_START => told(&order, &links::run(running, &read(&order)?, true).await?),
        wire::LINK_STOP => told(&order, &links::run(running, &read(&order)?, false).await?),
        wire::TELL => told(&order, &messages::tell(running, &read(&order)?).await?),
        wire::QUERY => told(&order, &messages::query(running, &read(&order)?).await?),
        wire::TRACE_BEGIN => told(&order, &operators.traces.begin(running, &read(&order)?).await?),
        wire::TRACE => told(&order, &operators.traces.part(&read(&order)?).await?),
        wire::TRACE_END => told(&order, &operators.traces.end(&read(&order)?)),
        wire::REPLAY_PART => told(&order, &operators.replays.part(read(&order)?)?),
        wire::REPLAY => told(&order, &replay::run(running, &read(&order)?).await?),
        _ => Err(OrderError::NoSuchOrder(order.order)),
    }
}

fn read<T: DeserializeOwned>(order: &Order) -> Result<T, OrderError> {
    let cause = |error: serde_json::Error| OrderError::Arguments {
        order: order.order.clone(),
        cause: error.to_string(),
    };
    T::deserialize(&order.arguments).map_err(cause)
}

fn told(order: &Order, answer: &impl Serialize) -> Result<Value, OrderError> {
    serde_json::to_value(answer).map_err(|error| OrderError::Arguments {
        order: order.order.clone(),
        cause: error.to_string(),
    })
}

/// A moment as the answers write it.
fn moment(at: concord_base::Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default().to_string()
}
