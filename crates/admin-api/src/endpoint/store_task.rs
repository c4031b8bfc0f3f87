//! `POST /v1/store/{verify,compact,rebuild-index}`: long work, told of in lines
//! of JSON while it goes on.

use crate::ApiError;
use crate::api::State as App;
use crate::maintenance::{MaintenanceTask, Progress};
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// Lines on their way; a slow reader slows the work, and nothing swells.
const LINES: usize = 64;

pub(crate) async fn post(task: MaintenanceTask, State(shared): App) -> Response {
    let (lines, told) = mpsc::channel(LINES);
    let maintenance = shared.api.maintenance.clone();
    tokio::spawn(async move {
        let last = match maintenance.run(task, lines.clone()).await {
            Ok(outcome) => Progress::Done(outcome),
            Err(error) => Progress::Failed(ApiError::from(error).body()),
        };
        // Nobody listens any more if this fails.
        let _ = lines.send(last).await;
    });
    ([(CONTENT_TYPE, "application/jsonl")], Body::new(Lines(told))).into_response()
}

/// A body of one JSON line a piece of news.
struct Lines(mpsc::Receiver<Progress>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(news) = ready!(self.0.poll_recv(context)) else { return Poll::Ready(None) };
        // These shapes always have a JSON form.
        let mut line = serde_json::to_vec(&news).unwrap_or_default();
        line.push(b'\n');
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(line)))))
    }
}
