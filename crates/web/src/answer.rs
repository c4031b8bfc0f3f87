//! Which document a request gets.

use crate::config::WebConfig;
use crate::request::Asked;
use bytes::Bytes;
use concord_base::Timestamp;
use concord_client_setup::{
    AutodiscoverError, AutodiscoverRequest, MAX_REQUEST, autoconfig, autodiscover,
    autodiscover_error, profile, redirect,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::{Method, Request, Response, StatusCode, header};

/// Where the authority looks (RFC 8555 section 8.3).
const ACME: &str = "/.well-known/acme-challenge/";
/// RFC 8461 section 3.2.
const MTA_STS: &str = "/.well-known/mta-sts.txt";
/// Thunderbird asks `autoconfig.DOMAIN` for the first and DOMAIN for the second.
const AUTOCONFIG: [&str; 2] =
    ["/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"];
/// Outlook asks for it in any letter case.
const AUTODISCOVER: &str = "/autodiscover/autodiscover.xml";
const AUTODISCOVER_JSON: &str = "/autodiscover/autodiscover.json";
/// For links on the organisation's own pages: `?emailaddress=...`.
const APPLE: &str = "/mail/apple.mobileconfig";

const XML: &str = "text/xml; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

pub(crate) type Answer = Response<Full<Bytes>>;

/// Whether a request came within TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// As the listener is called in the settings.
    pub(crate) fn listener(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The answer to a request. Never fails: whatever is wrong is an answer too.
pub(crate) async fn answer(
    config: &WebConfig,
    scheme: Scheme,
    request: Request<Incoming>,
) -> Answer {
    let (parts, body) = request.into_parts();
    let Some(asked) = Asked::of(&parts) else {
        return plain(StatusCode::URI_TOO_LONG, "the address is too long\n");
    };
    let wants_body = asked.method == Method::POST && asked.path.eq_ignore_ascii_case(AUTODISCOVER);
    let body = if wants_body {
        match whole(body).await {
            Some(body) => body,
            None => return plain(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large\n"),
        }
    } else {
        Bytes::new()
    };
    choose(config, scheme, &asked, &body)
}

async fn whole(body: impl Body<Data = Bytes, Error = hyper::Error>) -> Option<Bytes> {
    let collected = Limited::new(body, MAX_REQUEST).collect().await;
    collected.ok().map(http_body_util::Collected::to_bytes)
}

/// Pure but for the clock in an error of Autodiscover.
pub(crate) fn choose(config: &WebConfig, scheme: Scheme, asked: &Asked, body: &[u8]) -> Answer {
    let path = asked.path.as_str();
    let reads = asked.method == Method::GET || asked.method == Method::HEAD;
    if path.eq_ignore_ascii_case(AUTODISCOVER) {
        // Whoever sends an address without TLS is led to where there is some.
        return match scheme {
            Scheme::Http => lead(config, AUTODISCOVER),
            Scheme::Https => outlook(config, asked, body),
        };
    }
    if !reads {
        let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are for that\n");
        answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
        return answer;
    }
    if let Some(token) = path.strip_prefix(ACME) {
        return match config.challenges.http(token) {
            Some(text) => document("application/octet-stream", text),
            None => nothing(),
        };
    }
    if AUTOCONFIG.contains(&path) {
        return document(XML, autoconfig(&config.service, &asked.domain(&config.hostname)));
    }
    let lower = path.to_ascii_lowercase();
    match scheme {
        Scheme::Http if [MTA_STS, APPLE].contains(&path) => nothing_without_tls(config, path),
        Scheme::Http if lower.starts_with(AUTODISCOVER_JSON) => lead(config, AUTODISCOVER_JSON),
        Scheme::Http => nothing(),
        Scheme::Https => secure(config, asked, &lower),
    }
}

/// What is there within TLS only.
fn secure(config: &WebConfig, asked: &Asked, lower: &str) -> Answer {
    let path = asked.path.as_str();
    if path == MTA_STS {
        // RFC 8461 section 3.3: the policy is of the host's own domain.
        let ours = asked.host.as_deref().is_some_and(|host| host.starts_with("mta-sts."));
        return match &config.policy {
            Some(policy) if ours => document("text/plain", policy.to_text()),
            _ => nothing(),
        };
    }
    if path == APPLE {
        let Some(address) = asked.address() else {
            let text = "write the address behind it: ?emailaddress=alice@example.com\n";
            return plain(StatusCode::BAD_REQUEST, text);
        };
        return match profile(&config.service, &address) {
            Some(text) => {
                let mut answer = document("application/x-apple-aspen-config", text);
                let name =
                    header::HeaderValue::from_static("attachment; filename=\"mail.mobileconfig\"");
                answer.headers_mut().insert(header::CONTENT_DISPOSITION, name);
                answer
            }
            None => nothing(),
        };
    }
    if lower.starts_with(AUTODISCOVER_JSON) {
        let protocol = asked.parameter("protocol").unwrap_or_default();
        return match redirect(protocol, &config.hostname) {
            Some(text) => document("application/json", text),
            None => {
                let text = serde_json::json!({
                    "ErrorCode": "InvalidProtocol",
                    "ErrorMessage": "this server has AutodiscoverV1 only",
                });
                with(StatusCode::BAD_REQUEST, "application/json", text.to_string())
            }
        };
    }
    nothing()
}

fn outlook(config: &WebConfig, asked: &Asked, body: &[u8]) -> Answer {
    let parsed = match asked.method {
        Method::POST => AutodiscoverRequest::parse(body),
        _ => Err(AutodiscoverError::Invalid),
    };
    match parsed {
        Ok(request) => document(XML, autodiscover(&config.service, &request)),
        Err(error) => {
            let now = config.clock.now();
            let id = now.0.rem_euclid(1 << 31).to_string();
            document(XML, autodiscover_error(error, &time_of_day(now), &id))
        }
    }
}

/// `HH:MM:SS.mmm`, UTC.
fn time_of_day(at: Timestamp) -> String {
    let millis = at.0.rem_euclid(86_400_000);
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    format!("{:02}:{:02}:{:02}.{rest:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

fn lead(config: &WebConfig, path: &str) -> Answer {
    let mut answer = plain(StatusCode::FOUND, "it is within TLS\n");
    if let Ok(to) = format!("https://{}{path}", config.hostname).parse() {
        answer.headers_mut().insert(header::LOCATION, to);
    }
    answer
}

fn nothing_without_tls(config: &WebConfig, path: &str) -> Answer {
    // RFC 8461 section 3.3 forbids to follow redirections for a policy.
    if path == MTA_STS { nothing() } else { lead(config, path) }
}

fn nothing() -> Answer {
    plain(StatusCode::NOT_FOUND, "nothing is here\n")
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    with(status, TEXT, text.to_owned())
}

fn document(kind: &'static str, text: String) -> Answer {
    with(StatusCode::OK, kind, text)
}

pub(crate) fn with(status: StatusCode, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let fixed = header::HeaderValue::from_static;
    headers.insert(header::CONTENT_TYPE, fixed(kind));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    headers.insert(header::CACHE_CONTROL, fixed("no-cache"));
    answer
}

#[cfg(test)]
mod tests;
