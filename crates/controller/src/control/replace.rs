//! `POST /v1/replace`

use super::{Access, Failure, envelope};
use crate::controller::{Happening, Successor};
use crate::error::ControllerError;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::oneshot;

pub(super) async fn replace(
    State(access): State<Access>,
    Json(successor): Json<Successor>,
) -> Result<Response, Failure> {
    let failure = access.ask(|reply| Happening::Replace(successor, reply)).await??;
    Ok((StatusCode::ACCEPTED, Body::new(Outcome(Some(failure)))).into_response())
}

/// A body that ends when the process is another program's: then the kernel
/// closes the connection in the middle of it. If that fails, it is the error.
struct Outcome(Option<oneshot::Receiver<ControllerError>>);

impl hyper::body::Body for Outcome {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(failure) = &mut self.0 else { return Poll::Ready(None) };
        let failed = ready!(Pin::new(failure).poll(context));
        self.0 = None;
        let error = failed.unwrap_or(ControllerError::Stopping);
        // This shape always has a JSON form.
        let text = serde_json::to_vec(&envelope(&error)).unwrap_or_default();
        Poll::Ready(Some(Ok(Frame::data(text.into()))))
    }
}
