//! The API for the command line.

use crate::answer::{Answer, with};
use crate::config::WebConfig;
use crate::error::WebError;
use crate::wire::{CERTIFICATE, OrderOutcome, OrderRequest, Wish};
use concord_acme::{AcmeError, Outcome};
use concord_base::{Fault, Retry};
use concord_controller::{ErrorBody, ErrorEnvelope};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode, server};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A wish is some ten octets.
const MAX_BODY: usize = 4_096;
/// After a failed accept, as for other clients.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const JSON: &str = "application/json";

/// Serves administrators until the stop. An order that runs then is cut off; it
/// can be asked for again.
pub(crate) async fn serve(
    listener: UnixListener,
    config: Arc<WebConfig>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let (config, stop) = (Arc::clone(&config), stop.clone());
        tasks.spawn(async move {
            let service = service_fn(|request| {
                let config = Arc::clone(&config);
                async move { Ok::<_, Infallible>(answer(&config, request).await) }
            });
            let work =
                server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                ended = work => if let Err(error) = ended {
                    tracing::debug!(%error, "an administrator's connection broke");
                },
                () = stop.cancelled() => {}
            }
        });
    }
}

async fn answer(config: &WebConfig, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    if parts.uri.path() != CERTIFICATE || parts.method != Method::POST {
        let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
        return refusal(StatusCode::NOT_FOUND, &WebError::NoSuchPath { method, path });
    }
    let bad = |cause: String| refusal(StatusCode::BAD_REQUEST, &WebError::BadRequest(cause));
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return bad(error.to_string()),
    };
    match serde_json::from_slice::<OrderRequest>(&body) {
        Ok(request) => order(config, request.wish).await,
        Err(error) => bad(error.to_string()),
    }
}

async fn order(config: &WebConfig, wish: Wish) -> Answer {
    let Some(renewer) = &config.renewer else {
        return refusal(StatusCode::CONFLICT, &WebError::NoAuthority);
    };
    let wish = match wish {
        Wish::Order => concord_acme::Wish::Order,
        Wish::Renew => concord_acme::Wish::Renew,
        Wish::RenewNow => concord_acme::Wish::RenewNow,
    };
    match renewer.fulfil(wish).await {
        Ok(outcome) => json(StatusCode::OK, &told(outcome)),
        Err(error) => refusal(StatusCode::BAD_GATEWAY, &error),
    }
}

fn told(outcome: Outcome) -> OrderOutcome {
    match outcome {
        Outcome::Ordered(facts) => OrderOutcome {
            ordered: true,
            serial: Some(facts.serial),
            names: facts.names,
            not_after: Some(facts.not_after),
            due: None,
        },
        Outcome::NotDue(at) => OrderOutcome {
            ordered: false,
            serial: None,
            names: Vec::new(),
            not_after: None,
            due: Some(at),
        },
    }
}

/// The errors that this API tells.
trait Told: Fault {}
impl Told for WebError {}
impl Told for AcmeError {}

fn refusal(status: StatusCode, error: &impl Told) -> Answer {
    let retry = match error.retry() {
        Retry::Temporary => "temporary",
        Retry::Permanent => "permanent",
        Retry::Operator => "operator",
        Retry::Bug => "bug",
    };
    let error = ErrorBody {
        code: error.code().to_owned(),
        message: error.to_string(),
        advice: None,
        retry: retry.to_owned(),
    };
    json(status, &ErrorEnvelope { error })
}

fn json(status: StatusCode, value: &impl serde::Serialize) -> Answer {
    with(status, JSON, serde_json::to_string(value).unwrap_or_default())
}
