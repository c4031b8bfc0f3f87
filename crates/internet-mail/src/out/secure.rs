//! What TLS a destination needs, found out before and counted afterwards.

use super::OutService;
use super::error::OutError;
use super::plan::Plan;
use super::route::{Destination, Target};
use concord_base::Fault as _;
use concord_mail_authentication::report::TlsFailureKind;
use concord_mail_policy::DomainTls;
use concord_smtp::TlsWish;
use concord_transport_security::sts::{
    FetchError, Kept, Next, Sts, StsPolicy, StsRecord, fetch, next, policy_host,
};
use concord_transport_security::{
    Applied, HostMandate, Mandate, SecurityError, SessionFailure, Wishes,
};
use metrics::counter;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The whole of a fetch with its names; a fetch alone has 30 s.
const FETCH: Duration = Duration::from_secs(45);

/// What counts for all hosts of a destination.
pub(super) struct Secure {
    /// The domain, or the host that stands for it.
    domain: String,
    tls: Option<DomainTls>,
    names: Vec<String>,
    routed: bool,
    wish: Option<TlsWish>,
    sts: Sts,
    /// The way from the domain to its hosts is signed, or the administrator's.
    signed: bool,
}

impl Secure {
    fn mandate(&self) -> Mandate<'_> {
        let wishes = Wishes {
            tls: self.tls,
            names: &self.names,
            routed: self.routed,
            require_tls: self.wish == Some(TlsWish::Require),
            tls_optional: self.wish == Some(TlsWish::Optional),
        };
        Mandate::new(&self.domain, wishes, &self.sts)
    }
}

impl OutService {
    /// Finds out what counts for a plan's hosts: the administrator's values, what
    /// the sender wants, and the domain's MTA-STS.
    pub(super) async fn secure(&self, plan: &Plan) -> Secure {
        let mut secure = Secure {
            domain: plan.domain.name().unwrap_or_default().to_owned(),
            tls: Some(plan.tls),
            names: plan.tls_names.clone(),
            routed: true,
            wish: plan.wish,
            sts: Sts::None,
            signed: true,
        };
        match &plan.destination {
            Destination::Hosts(_) => {}
            Destination::Domain(domain) => {
                secure.routed = false;
                secure.signed = self.dns.mx_is_signed(domain).await;
                secure.sts = self.sts(domain).await;
            }
            // Nobody publishes anything for an address.
            Destination::Literal(_) => secure.signed = false,
        }
        self.count_fetch(&secure);
        secure
    }

    /// What is asked of a host.
    pub(super) async fn asked(
        &self,
        secure: &Secure,
        target: &Target,
    ) -> Result<HostMandate, SecurityError> {
        use concord_transport_security::TlsaAnswer;
        let mandate = secure.mandate();
        let literal = target.host.parse::<IpAddr>().is_ok() || target.host.starts_with('[');
        let (tlsa, base) = if !mandate.wants_tlsa() || literal || !secure.signed {
            let answer = if self.dns.validates().await {
                TlsaAnswer::Insecure
            } else {
                TlsaAnswer::NoDnssec
            };
            (answer, target.host.clone())
        } else {
            self.dns.tlsa(&target.host, target.address.port()).await
        };
        // The policy names hosts as the MX records do; records are at the name
        // that aliases lead to.
        let name = if matches!(tlsa, TlsaAnswer::Records(_)) { &base } else { &target.host };
        let name = if literal { name.trim_matches(['[', ']']) } else { name };
        let asked = mandate.host(name, &tlsa);
        if let Err(error) = &asked {
            self.count_failure(&mandate.applied_to_all(), error, target, None);
        }
        asked
    }

    /// The MTA-STS of a domain, fetched anew where that is due.
    async fn sts(&self, domain: &str) -> Sts {
        let record = self.dns.sts_record(domain).await;
        if record == StsRecord::Absent && self.policies.kept(domain).is_none() {
            return Sts::None;
        }
        // One fetch for all messages that wait for it.
        let turn = self.turns.of(domain);
        let _turn = turn.lock().await;
        let now = self.clock.now();
        let failed = self.policies.failed(domain);
        let last = failed.as_ref().map(|(id, at, _)| (id.as_str(), *at));
        let trouble = failed.as_ref().map(|(_, _, error)| Arc::clone(error));
        match next(&record, self.policies.kept(domain), last, now) {
            Next::Nothing => Sts::None,
            Next::Use(kept) => Sts::Policy { kept, trouble },
            Next::Wait => trouble.map_or(Sts::None, Sts::Unfetched),
            Next::Fetch { id, otherwise } => match self.fetch(domain).await {
                Ok(policy) => {
                    counter!("concord_outbound_sts_fetches_total", "result" => "ok").increment(1);
                    let kept = Kept { id, fetched: now, policy };
                    Sts::Policy { kept: self.keep(domain, kept).await, trouble: None }
                }
                Err(error) => {
                    counter!("concord_outbound_sts_fetches_total", "result" => "failed")
                        .increment(1);
                    tracing::warn!(domain, code = error.code(), %error, "no new MTA-STS policy");
                    let error = Arc::new(error);
                    self.policies.fail(domain, &id, Arc::clone(&error), now);
                    match otherwise {
                        Some(kept) => Sts::Policy { kept, trouble: Some(error) },
                        None => Sts::Unfetched(error),
                    }
                }
            },
        }
    }

    async fn fetch(&self, domain: &str) -> Result<StsPolicy, FetchError> {
        let host = policy_host(domain);
        let work = async {
            let no_address = |cause| FetchError::NoAddress { host: host.clone(), cause };
            let found = self.dns.addresses(&host).await.map_err(|e| no_address(e.to_string()))?;
            let sockets: Vec<SocketAddr> =
                found.into_iter().map(|ip| SocketAddr::new(ip, self.config.policy_port)).collect();
            let config = self.peers.web().map_err(|e| no_address(e.to_string()))?;
            fetch(domain, &sockets, config).await
        };
        timeout(FETCH, work).await.unwrap_or_else(|_| Err(FetchError::Slow(host.clone())))
    }

    /// Keeps a policy, on the disk if there is a place for it.
    async fn keep(&self, domain: &str, kept: Kept) -> Arc<Kept> {
        let (policies, name, copy) = (Arc::clone(&self.policies), domain.to_owned(), kept.clone());
        let written = tokio::task::spawn_blocking(move || policies.keep(&name, copy)).await;
        match written {
            Ok(Ok(kept)) => return kept,
            Ok(Err(error)) => {
                tracing::error!(domain, %error, "an MTA-STS policy is kept in memory only");
            }
            Err(error) => tracing::error!(domain, %error, "an MTA-STS policy was not kept"),
        }
        self.policies.kept(domain).unwrap_or_else(|| Arc::new(kept))
    }

    /// Counts a policy that could not be fetched (RFC 8460 section 4.3.2.2).
    fn count_fetch(&self, secure: &Secure) {
        let (applied, error) = match &secure.sts {
            Sts::Unfetched(error) => (Applied::unfetched(&secure.domain), error),
            Sts::Policy { kept, trouble: Some(error) } => {
                (Applied::sts(&secure.domain, &kept.policy), error)
            }
            _ => return,
        };
        let kind = match **error {
            FetchError::Certificate { .. } => TlsFailureKind::StsWebpkiInvalid,
            FetchError::Policy { .. } => TlsFailureKind::StsPolicyInvalid,
            _ => TlsFailureKind::StsPolicyFetchError,
        };
        let failure = SessionFailure {
            kind,
            sending_ip: None,
            mx_host: None,
            receiving_ip: None,
            reason: error.code().to_owned(),
        };
        self.sessions.failure(&applied, failure, self.clock.now());
    }

    /// Counts a host that may not be used, or a session that failed.
    pub(super) fn count_failure(
        &self,
        applied: &Applied,
        error: &SecurityError,
        target: &Target,
        from: Option<IpAddr>,
    ) {
        counter!("concord_outbound_tls_refused_total", "code" => error.code()).increment(1);
        self.count_failed(applied, error.kind(), error.code(), target, from);
    }

    /// The same, where nothing was refused.
    pub(super) fn count_failed(
        &self,
        applied: &Applied,
        kind: TlsFailureKind,
        reason: &str,
        target: &Target,
        from: Option<IpAddr>,
    ) {
        let failure = SessionFailure {
            kind,
            sending_ip: from,
            mx_host: Some(target.host.clone()),
            receiving_ip: Some(target.address.ip()),
            reason: reason.to_owned(),
        };
        self.sessions.failure(applied, failure, self.clock.now());
    }

    /// Writes the counts of TLS sessions.
    pub(crate) async fn write_counts(&self) {
        let (sessions, now) = (Arc::clone(&self.sessions), self.clock.now());
        match tokio::task::spawn_blocking(move || sessions.flush(now)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(code = error.code(), %error, "counts of TLS sessions not written");
            }
            Err(error) => tracing::error!(%error, "counts of TLS sessions not written"),
        }
    }
}

impl From<SecurityError> for OutError {
    fn from(error: SecurityError) -> Self {
        Self::Security(Box::new(error))
    }
}
