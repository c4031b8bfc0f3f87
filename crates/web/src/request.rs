//! What of a request decides its answer.

use concord_address::{Domain, SmtpAddress};
use hyper::http::request::Parts;
use hyper::{Method, header};

/// Longer paths and queries are none of ours.
const MAX_TARGET: usize = 2_048;

/// What of a request decides its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The host that the client meant, lower case; none if that is no name.
    pub(crate) host: Option<String>,
    query: Vec<(String, String)>,
}

impl Asked {
    /// None if the target is too long.
    pub(crate) fn of(parts: &Parts) -> Option<Self> {
        let uri = &parts.uri;
        let query = uri.query().unwrap_or_default();
        if uri.path().len() + query.len() > MAX_TARGET {
            return None;
        }
        let named = uri.host().map(str::to_owned).or_else(|| {
            let text = parts.headers.get(header::HOST)?.to_str().ok()?;
            // An address in brackets is no name anyway.
            Some(text.rsplit_once(':').map_or(text, |(host, _)| host).to_owned())
        });
        let host = named
            .and_then(|name| name.trim_end_matches('.').parse::<Domain>().ok())
            .and_then(|domain| domain.name().map(str::to_ascii_lowercase));
        let query = url::form_urlencoded::parse(query.as_bytes());
        Some(Self {
            method: parts.method.clone(),
            path: uri.path().to_owned(),
            host,
            query: query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        })
    }

    /// A parameter of the query; names in any case, for programs differ.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The address that a program sets up.
    pub(crate) fn address(&self) -> Option<SmtpAddress> {
        let text = self.parameter("emailaddress").or_else(|| self.parameter("email"))?;
        text.parse().ok()
    }

    /// The domain that the documents are for: of the address, else of the host,
    /// without a service's label in front.
    pub(crate) fn domain(&self, hostname: &str) -> String {
        if let Some(address) = self.address() {
            return address.domain().to_string();
        }
        let host = self.host.as_deref().unwrap_or(hostname);
        let is_service = host.eq_ignore_ascii_case(hostname)
            || ["autoconfig.", "autodiscover."].iter().any(|label| host.starts_with(label));
        match host.split_once('.') {
            Some((_, domain)) if is_service && domain.contains('.') => domain.to_owned(),
            _ => host.to_owned(),
        }
    }
}
