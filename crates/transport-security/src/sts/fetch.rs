//! Fetching a policy (RFC 8461 section 3.3).

use super::policy::{PolicyMistake, StsPolicy};
use crate::error::CertificateProblem;
use crate::limits::{FETCH_TIME, MAX_POLICY};
use bytes::Bytes;
use concord_base::{Fault, Retry};
use concord_tls::server_name;
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::{Request, Response, StatusCode, body::Incoming, header};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Where a policy is on its host.
pub const WELL_KNOWN: &str = "/.well-known/mta-sts.txt";

/// The host that has a domain's policy.
pub fn policy_host(domain: &str) -> String {
    format!("mta-sts.{domain}")
}

/// Why a policy was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The policy host has no address, or the DNS did not answer.
    #[error("{host} has no address: {cause}")]
    NoAddress {
        /// `mta-sts.` and the domain.
        host: String,
        /// The resolver's words.
        cause: String,
    },
    /// No connection.
    #[error("cannot connect to {host}: {cause}")]
    Connect {
        /// `mta-sts.` and the domain.
        host: String,
        /// The system's words.
        cause: String,
    },
    /// The web server's certificate is wrong.
    #[error("the certificate of {host}: {problem}")]
    Certificate {
        /// `mta-sts.` and the domain.
        host: String,
        /// What is wrong with it.
        problem: CertificateProblem,
    },
    /// HTTP broke.
    #[error("{host} did not answer as a web server does: {cause}")]
    Http {
        /// `mta-sts.` and the domain.
        host: String,
        /// The library's words.
        cause: String,
    },
    /// Another status than 200. Redirections are not followed (section 3.3).
    #[error("{host} answered with status {status}")]
    Status {
        /// `mta-sts.` and the domain.
        host: String,
        /// The status.
        status: u16,
    },
    /// Another media type than text/plain.
    #[error("{host} sent '{kind}' instead of text/plain")]
    MediaType {
        /// `mta-sts.` and the domain.
        host: String,
        /// Its type.
        kind: String,
    },
    /// [`FETCH_TIME`]
    #[error("{0} took longer than {limit} s", limit = FETCH_TIME.as_secs())]
    Slow(String),
    /// What was sent is no policy.
    #[error("the policy that {host} sent is not used: {mistake}")]
    Policy {
        /// `mta-sts.` and the domain.
        host: String,
        /// What is wrong with it.
        mistake: PolicyMistake,
    },
}

impl Fault for FetchError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoAddress { .. } => "transport-security.sts-no-address",
            Self::Connect { .. } => "transport-security.sts-connect",
            Self::Certificate { .. } => "transport-security.sts-certificate",
            Self::Http { .. } => "transport-security.sts-http",
            Self::Status { .. } => "transport-security.sts-status",
            Self::MediaType { .. } => "transport-security.sts-media-type",
            Self::Slow(_) => "transport-security.sts-slow",
            Self::Policy { .. } => "transport-security.sts-policy",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Temporary
    }
}

/// Fetches a domain's policy from its policy host at one of `addresses`, which
/// are tried in order. `config` checks certificates. Does not block.
///
/// # Errors
/// [`FetchError`]: of the last address that was tried.
pub async fn fetch(
    domain: &str,
    addresses: &[SocketAddr],
    config: Arc<ClientConfig>,
) -> Result<StsPolicy, FetchError> {
    let host = policy_host(domain);
    let work = async {
        let mut last =
            FetchError::NoAddress { host: host.clone(), cause: "it does not exist".to_owned() };
        for address in addresses {
            match from_address(&host, *address, Arc::clone(&config)).await {
                Err(error @ FetchError::Connect { .. }) => last = error,
                other => return other,
            }
        }
        Err(last)
    };
    timeout(FETCH_TIME, work).await.unwrap_or_else(|_| Err(FetchError::Slow(host.clone())))
}

async fn from_address(
    host: &str,
    address: SocketAddr,
    config: Arc<ClientConfig>,
) -> Result<StsPolicy, FetchError> {
    let no_connection =
        |e: std::io::Error| FetchError::Connect { host: host.to_owned(), cause: e.to_string() };
    let broken = |e: hyper::Error| FetchError::Http { host: host.to_owned(), cause: e.to_string() };
    let tcp = TcpStream::connect(address).await.map_err(no_connection)?;
    let name = server_name(host)
        .map_err(|e| FetchError::NoAddress { host: host.to_owned(), cause: e.to_string() })?;
    let tls = TlsConnector::from(config).connect(name, tcp).await.map_err(|error| {
        match CertificateProblem::of(&error) {
            Some(problem) => FetchError::Certificate { host: host.to_owned(), problem },
            None => no_connection(error),
        }
    })?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(tls)).await.map_err(broken)?;
    let request = Request::get(WELL_KNOWN)
        .header(header::HOST, host)
        .header(header::USER_AGENT, "concord")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|e| FetchError::Http { host: host.to_owned(), cause: e.to_string() })?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        read(host, response).await
    };
    tokio::pin!(answer, connection);
    tokio::select! {
        biased;
        result = &mut answer => result,
        ended = &mut connection => match ended {
            // Everything that it said may be read already.
            Ok(()) => answer.await,
            Err(error) => Err(broken(error)),
        },
    }
}

async fn read(host: &str, response: Response<Incoming>) -> Result<StsPolicy, FetchError> {
    let status = response.status();
    if status != StatusCode::OK {
        return Err(FetchError::Status { host: host.to_owned(), status: status.as_u16() });
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind.map_or("", |kind| kind.to_str().unwrap_or("?"));
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("text/plain") {
        let kind = essence.chars().take(60).collect();
        return Err(FetchError::MediaType { host: host.to_owned(), kind });
    }
    let body = Limited::new(response.into_body(), MAX_POLICY).collect().await;
    let octets = body
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                FetchError::Policy { host: host.to_owned(), mistake: PolicyMistake::TooLong }
            } else {
                FetchError::Http { host: host.to_owned(), cause: error.to_string() }
            }
        })?
        .to_bytes();
    StsPolicy::parse(&octets)
        .map_err(|mistake| FetchError::Policy { host: host.to_owned(), mistake })
}
