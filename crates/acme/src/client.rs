//! HTTPS to the authority.

use crate::error::AcmeError;
use bytes::Bytes;
use concord_tls::{Roots, Verification, client_config};
use http_body_util::Limited;
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use std::pin::Pin;
use std::time::Duration;

/// A certificate chain is some ten kilobytes, everything else less.
const MAX_ANSWER: usize = 1 << 20;
/// One request and its answer; authorities answer within a second or two.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// HTTPS with a verified server, answers and waits bounded.
pub(crate) struct Https(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

impl Https {
    /// Blocks while it reads the roots.
    pub(crate) fn new(roots: &Roots) -> Result<Self, AcmeError> {
        let tls = client_config(&Verification::Verify(roots.clone())).map_err(AcmeError::Roots)?;
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config((*tls).clone())
            .https_only()
            .enable_http1()
            .build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }
}

impl HttpClient for Https {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let answer = self.0.request(request);
        Box::pin(async move {
            match tokio::time::timeout(REQUEST_TIME, answer).await {
                Ok(Ok(response)) => {
                    let (parts, body) = response.into_parts();
                    let body = Limited::new(body, MAX_ANSWER);
                    Ok(BytesResponse::from(Response::from_parts(parts, body)))
                }
                Ok(Err(error)) => Err(Error::Other(Box::new(error))),
                Err(_) => Err(Error::Other("no answer within 30 s".into())),
            }
        })
    }
}

/// An error with what is behind it.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}
