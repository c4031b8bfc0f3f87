//! An answer in lines of JSON, sent while they are made.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use serde::Serialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::sync::mpsc;

/// Lines on their way; a slow reader slows the work, and nothing swells.
const LINES: usize = 64;

/// Where the work puts its lines, and the answer that sends them. Putting fails
/// when nobody listens any more.
pub(crate) fn lines<T: Serialize + Send + 'static>() -> (mpsc::Sender<T>, Response) {
    let (put, told) = mpsc::channel(LINES);
    let body = Body::new(Lines(told));
    (put, ([(CONTENT_TYPE, "application/jsonl")], body).into_response())
}

/// A body of one JSON line a value.
struct Lines<T>(mpsc::Receiver<T>);

impl<T: Serialize> hyper::body::Body for Lines<T> {
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
