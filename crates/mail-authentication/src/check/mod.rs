//! The checks of one message that arrives.

mod arc;
mod dkim;
mod dmarc;
mod spf;
mod spf_syntax;

use crate::dns;
use crate::error::AuthenticationError;
use crate::limits;
use crate::results::{Arc, ArcResult, Author, Iprev, IprevResult, Results};
use hickory_resolver::TokioResolver;
use mail_auth::{AuthenticatedMessage, MessageAuthenticator, Parameters};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A message that arrives, and who brings it.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// The client.
    pub ip: IpAddr,
    /// What the client called itself in EHLO or HELO.
    pub helo: &'a str,
    /// The reverse-path without angle brackets; empty for `<>`.
    pub reverse_path: &'a str,
    /// The message: header, empty line, body; lines end with CRLF.
    pub message: &'a [u8],
}

/// Checks messages. Cheap to clone; clones share the cache of names.
#[derive(Clone)]
pub struct Checker {
    library: MessageAuthenticator,
    resolver: TokioResolver,
    host: String,
    time: Duration,
}

impl std::fmt::Debug for Checker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker").field("host", &self.host).finish_non_exhaustive()
    }
}

impl Checker {
    /// A checker that asks these name servers, or those of `/etc/resolv.conf`
    /// if there are none. `host` is our own name. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// The resolver cannot be set up.
    pub fn new(servers: &[SocketAddr], host: &str) -> Result<Self, AuthenticationError> {
        let resolver = dns::resolver(servers)?;
        Ok(Self {
            library: MessageAuthenticator(resolver.clone()),
            resolver,
            host: host.to_owned(),
            time: limits::MAX_CHECK_TIME,
        })
    }

    /// The same with another bound for the time of one check as a whole.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Checks a message. Ends within the bound of time whatever the DNS does:
    /// what is not known by then is `temperror`. Asks at most
    /// [`limits::MAX_LOOKUPS`] questions for each mechanism and identity.
    pub async fn check(&self, arrival: &Arrival<'_>) -> Results {
        let deadline = Instant::now() + self.time;
        let parsed = self.parse(arrival.message);
        let watch = dns::Watch::new(arrival.ip);
        let (spf_helo, spf, dkim, arc, iprev) = tokio::join!(
            spf::helo(self, arrival, deadline),
            spf::mail_from(self, arrival, deadline),
            dkim::check(self, parsed.as_ref(), &watch, deadline),
            self.arc(parsed.as_ref(), arrival.ip, deadline),
            self.iprev(arrival.ip, deadline),
        );
        let author = parsed.as_ref().map_or(Author::Missing, author);
        let dmarc = dmarc::check(
            self,
            dmarc::Basis { arrival, parsed: parsed.as_ref(), author: &author, spf: &spf },
            &dkim.outputs,
            deadline,
        )
        .await;
        Results {
            ip: arrival.ip,
            helo: arrival.helo.to_owned(),
            reverse_path: arrival.reverse_path.to_owned(),
            host: self.host.clone(),
            iprev,
            spf_helo,
            spf,
            dkim: dkim.found,
            arc,
            author,
            dmarc,
        }
    }

    /// The SPF check alone, for RCPT time, when there is no message yet: HELO
    /// and reverse-path. `arrival.message` is not looked at.
    pub async fn check_spf(&self, arrival: &Arrival<'_>) -> (crate::Spf, crate::Spf) {
        let deadline = Instant::now() + self.time;
        tokio::join!(spf::helo(self, arrival, deadline), spf::mail_from(self, arrival, deadline))
    }

    /// Of the addresses in a DMARC record's `rua`, those that a report on
    /// `domain` may go to: within the domain, or published by the receiver at
    /// `domain._report._dmarc.receiver` (RFC 7489 section 7.1). Nothing at all
    /// if the DNS does not answer; ask again later then.
    ///
    /// # Errors
    /// The DNS did not answer for one of them.
    pub async fn report_addresses(
        &self,
        domain: &str,
        wanted: &[(String, u64)],
    ) -> Result<Vec<(String, u64)>, AuthenticationError> {
        dmarc::report_addresses(self, domain, wanted).await
    }

    /// The mail addresses that a domain wants reports on TLS at (RFC 8460 section
    /// 3); empty if it wants none. Addresses of web servers are left out.
    ///
    /// # Errors
    /// The DNS did not answer.
    pub async fn tls_report_addresses(
        &self,
        domain: &str,
    ) -> Result<Vec<String>, AuthenticationError> {
        let domain = a_labels(domain);
        match dns::texts(&self.resolver, &format!("_smtp._tls.{domain}")).await {
            Ok(texts) => Ok(crate::report::tls_report_addresses(&texts)),
            Err(dns::NoText::Absent) => Ok(Vec::new()),
            Err(dns::NoText::Unanswered) => Err(AuthenticationError::ReportAddress(domain)),
        }
    }

    fn parse<'m>(&self, message: &'m [u8]) -> Option<AuthenticatedMessage<'m>> {
        // Not strict: signatures with `l=` are judged, not dropped.
        let mut parsed = AuthenticatedMessage::parse_with_opts(message, None, false)?;
        parsed.dkim_headers.truncate(limits::MAX_SIGNATURES);
        parsed.errors.truncate(limits::MAX_SIGNATURES);
        dkim::mend_body_hashes(&mut parsed);
        Some(parsed)
    }

    async fn arc(
        &self,
        parsed: Option<&AuthenticatedMessage<'_>>,
        ip: IpAddr,
        deadline: Instant,
    ) -> Arc {
        match parsed {
            Some(message) => arc::check(self, message, ip, deadline).await,
            None => Arc { result: ArcResult::None, sets: Vec::new() },
        }
    }

    async fn iprev(&self, ip: IpAddr, deadline: Instant) -> Iprev {
        let watch = dns::Watch::new(ip);
        let parameters = Parameters::new(ip)
            .with_ptr_cache(&watch)
            .with_ipv4_cache(&watch)
            .with_ipv6_cache(&watch);
        let found = timeout_at(deadline, self.library.verify_iprev(parameters)).await;
        let Ok(found) = found else {
            return Iprev { result: IprevResult::TempError, name: None };
        };
        let result = match found.result {
            mail_auth::IprevResult::Pass => IprevResult::Pass,
            mail_auth::IprevResult::Fail(_) => IprevResult::Fail,
            mail_auth::IprevResult::TempError(_) => IprevResult::TempError,
            // The library has the same word for an address without a name and
            // for a name without an address; the second is a failure.
            mail_auth::IprevResult::PermError(_) if found.ptr.is_some() => IprevResult::Fail,
            mail_auth::IprevResult::PermError(_) | mail_auth::IprevResult::None => {
                IprevResult::PermError
            }
        };
        let first = found.ptr.as_ref().and_then(|names| names.first());
        let name = (result == IprevResult::Pass)
            .then(|| first.map(|name| name.trim_end_matches('.').to_owned()))
            .flatten();
        Iprev { result, name }
    }
}

/// Who the message says that wrote it.
fn author(message: &AuthenticatedMessage<'_>) -> Author {
    let mut domains: Vec<String> = Vec::new();
    for address in message.froms() {
        if let Some((_, domain)) = address.rsplit_once('@') {
            let domain = a_labels(domain);
            if !domain.is_empty() && !domains.contains(&domain) {
                domains.push(domain);
            }
        }
    }
    match domains.len() {
        0 => Author::Missing,
        1 => domains.pop().map_or(Author::Missing, Author::Domain),
        _ => Author::Several(domains),
    }
}

/// A domain in lower case with A-labels; as it is if it is no domain.
pub(crate) fn a_labels(domain: &str) -> String {
    let domain = domain.trim_end_matches('.');
    idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase())
}
