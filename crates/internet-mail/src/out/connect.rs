//! Making a connection: hosts in order, hello, TLS, login.

use super::OutService;
use super::error::OutError;
use super::plan::Plan;
use super::pool::Connection;
use super::route::Target;
use super::secure::Secure;
use crate::watch::Side;
use concord_base::Fault as _;
use concord_mail_authentication::report::TlsFailureKind;
use concord_smtp_tokio::{ClientError, HelloVerb, MaybeTls, Phase, SmtpClient, Tap};
use concord_tls::server_name;
use concord_transport_security::peer::{Noted, Seen};
use concord_transport_security::tlsa::TlsaMismatch;
use concord_transport_security::{Basis, CertificateProblem, Demand, HostMandate, SecurityError};
use metrics::counter;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

/// For one TCP connection. Dead hosts must not use up what others need.
const CONNECT: Duration = Duration::from_secs(30);
/// For a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);

type Client = SmtpClient<MaybeTls<TcpStream>>;

/// How a connection is protected, and why so.
#[derive(Debug, Clone)]
pub(crate) struct Protection {
    /// `None` is a connection without TLS.
    seen: Option<Seen>,
    demand: Demand,
    basis: Basis,
}

impl Protection {
    /// For metrics.
    fn word(&self) -> &'static str {
        match (&self.seen, &self.demand) {
            (None, _) => "clear",
            (_, Demand::Tlsa { .. }) => "tlsa",
            (_, Demand::Verify { .. } | Demand::Implicit { .. }) => "names",
            _ => "encrypted",
        }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(seen) = &self.seen else { return f.write_str("no TLS") };
        match &self.demand {
            Demand::Tlsa { .. } => write!(f, "{seen}, which matches its TLSA records"),
            Demand::Verify { .. } | Demand::Implicit { .. } => {
                write!(f, "{seen}, checked for {}", self.basis)
            }
            _ => write!(f, "{seen}, not checked"),
        }
    }
}

/// What is known of an attempt while it is made.
#[derive(Default)]
struct Progress {
    from: Option<IpAddr>,
    seen: Option<Seen>,
    noted: Option<Noted>,
}

/// What has been tried for a message.
#[derive(Debug, Clone)]
pub(super) struct Tries {
    /// Hosts that failed it.
    pub(super) failed: Vec<SocketAddr>,
    /// When no further host is tried: the core waits for the answer
    /// ([`concord_connector::core_timeouts`]).
    pub(super) until: Instant,
}

impl OutService {
    /// A connection to the first host that takes one and that is as the policy,
    /// the sender and the domain want it.
    pub(super) async fn connect(&self, plan: &Plan, tries: &Tries) -> Result<Connection, OutError> {
        let mut targets = self.targets(plan).await?;
        targets.retain(|target| !tries.failed.contains(&target.address));
        let mut last = OutError::NoMailHost(plan.destination.to_string());
        let count = targets.len();
        let secure = self.secure(plan).await;
        for (at, target) in targets.into_iter().enumerate() {
            let now = Instant::now();
            // A host that says nothing leaves time for those behind it (Q182821).
            let left = tries.until.saturating_duration_since(now);
            let share = share(left, count.saturating_sub(at));
            let until = now.checked_add(share).unwrap_or(now);
            let attempt = self.establish(plan, &target, &secure);
            let result = timeout_at(until, attempt).await.unwrap_or_else(|_| {
                let cause = "no answer in time".to_owned();
                Err(OutError::Connect { host: target.label(), cause })
            });
            match result {
                Ok(connection) => {
                    counter!("concord_outbound_connections_total", "result" => "ok").increment(1);
                    self.failing.well(target.address);
                    return Ok(connection);
                }
                Err(error) => {
                    counter!("concord_outbound_connections_total", "result" => "failed")
                        .increment(1);
                    tracing::info!(
                        host = target.label(), code = error.code(), %error, "host not usable"
                    );
                    let next = error.try_next();
                    last = error.or_temporary(last);
                    if !next {
                        break;
                    }
                    self.failing.note(target.address);
                    if Instant::now() >= tries.until {
                        break;
                    }
                }
            }
        }
        Err(last)
    }

    async fn establish(
        &self,
        plan: &Plan,
        target: &Target,
        secure: &Secure,
    ) -> Result<Connection, OutError> {
        let asked = self.asked(secure, target).await?;
        let mut progress = Progress::default();
        let mut client =
            match (self.session(plan, target, &asked, &mut progress).await, &asked.demand) {
                // RFC 7435: no worse than without TLS at all.
                (Err(error @ OutError::Handshake { .. }), Demand::Opportunistic) => {
                    tracing::info!(host = target.label(), %error, "going on without TLS");
                    progress.seen = None;
                    let clear = HostMandate { demand: Demand::Clear, ..asked.clone() };
                    self.session(plan, target, &clear, &mut progress).await?
                }
                (Err(OutError::Security(error)), _) => {
                    self.count_failure(&asked.applied, &error, target, progress.from);
                    return Err(OutError::Security(error));
                }
                (result, _) => result?,
            };
        self.count(&asked, target, &progress);
        if let Some(login) = &plan.login {
            let in_clear = matches!(client.stream(), MaybeTls::Plain(_));
            if in_clear && !target.address.ip().is_loopback() {
                return Err(OutError::LoginInClear { host: target.label() });
            }
            let login = login.read().await?;
            let fail = |cause| OutError::Session { host: target.label(), cause };
            client.auth(&login.user, &login.password).await.map_err(fail)?;
        }
        let protection =
            Protection { seen: progress.seen, demand: asked.demand, basis: asked.basis };
        counter!("concord_outbound_tls_total", "protection" => protection.word()).increment(1);
        tracing::info!(host = target.label(), %protection, "connected");
        Ok(Connection { client, host: target.label(), address: target.address, messages: 0 })
    }

    /// Counts a session for reports (RFC 8460 section 4.3): it went as the
    /// policy asks, or would not have if the policy were enforced.
    fn count(&self, asked: &HostMandate, target: &Target, progress: &Progress) {
        if asked.demand == Demand::Clear {
            return;
        }
        let failed = |kind, reason: &str| {
            self.count_failed(&asked.applied, kind, reason, target, progress.from);
        };
        if progress.seen.is_none() {
            return failed(TlsFailureKind::StarttlsNotSupported, "transport-security.no-tls");
        }
        if asked.outside {
            return failed(TlsFailureKind::ValidationFailure, "transport-security.not-in-policy");
        }
        match progress.noted.as_ref().and_then(|noted| noted.get()) {
            Some(Err(problem)) => failed(problem.kind(), "transport-security.certificate"),
            _ => self.sessions.success(&asked.applied, self.clock.now()),
        }
    }

    /// A greeted session, under TLS as it is asked for.
    async fn session(
        &self,
        plan: &Plan,
        target: &Target,
        asked: &HostMandate,
        progress: &mut Progress,
    ) -> Result<Client, OutError> {
        let fail = |cause| OutError::Session { host: target.label(), cause };
        let tcp = self.tcp(plan, target).await?;
        progress.from = tcp.local_addr().ok().map(|local| local.ip());
        let implicit = matches!(asked.demand, Demand::Implicit { .. });
        let stream = if implicit {
            self.handshake(tcp, target, asked, progress).await?
        } else {
            MaybeTls::Plain(tcp)
        };
        let domain = plan.domain.name().map(str::to_owned);
        let tap = self.hub.conversation(Side::Out, target.label(), domain);
        let mut client = self.greeted(stream, Arc::clone(&tap)).await.map_err(fail)?;
        if let Err(cause) = client.hello(HelloVerb::Ehlo, &self.config.hostname).await {
            if asked.demand.needs_tls() || asked.require_tls || !is_garbled(&cause) {
                return Err(fail(cause));
            }
            // Devices in between garble what they do not know (Q190366): the
            // same again, with nothing in it that came after 1982.
            tracing::info!(host = target.label(), %cause, "EHLO is not understood; saying HELO");
            let stream = MaybeTls::Plain(self.tcp(plan, target).await?);
            let mut client = self.greeted(stream, tap).await.map_err(fail)?;
            client.hello(HelloVerb::Helo, &self.config.hostname).await.map_err(fail)?;
            return Ok(client);
        }
        if !implicit && asked.demand != Demand::Clear {
            client = self.start_tls(client, target, asked, progress, tap).await?;
        }
        if asked.require_tls && !client.capabilities().extensions.requiretls {
            return Err(SecurityError::NoRequireTls { host: target.label() }.into());
        }
        Ok(client)
    }

    /// The session under TLS, or without where that is not offered and will do.
    async fn start_tls(
        &self,
        mut client: Client,
        target: &Target,
        asked: &HostMandate,
        progress: &mut Progress,
        tap: Arc<dyn Tap>,
    ) -> Result<Client, OutError> {
        let fail = |cause| OutError::Session { host: target.label(), cause };
        let no_tls = || SecurityError::NoTls { host: target.label(), basis: asked.basis.clone() };
        let needed = asked.demand.needs_tls();
        if !client.capabilities().extensions.starttls {
            return if needed { Err(no_tls().into()) } else { Ok(client) };
        }
        match client.starttls().await {
            Ok(()) => {}
            Err(ClientError::Refused { phase: Phase::StartTls, .. }) if needed => {
                return Err(no_tls().into());
            }
            Err(cause @ ClientError::Refused { phase: Phase::StartTls, .. }) => {
                tracing::info!(host = target.label(), %cause, "going on without TLS");
                return Ok(client);
            }
            Err(cause) => return Err(fail(cause)),
        }
        let MaybeTls::Plain(tcp) = client.into_stream() else { return Err(no_tls().into()) };
        let stream = self.handshake(tcp, target, asked, progress).await?;
        let timeouts = self.config.client_timeouts.clone();
        let mut client = SmtpClient::resume(stream, timeouts).tapped(Some(tap));
        client.hello(HelloVerb::Ehlo, &self.config.hostname).await.map_err(fail)?;
        Ok(client)
    }

    async fn greeted(
        &self,
        stream: MaybeTls<TcpStream>,
        tap: Arc<dyn Tap>,
    ) -> Result<Client, ClientError> {
        let timeouts = self.config.client_timeouts.clone();
        let (client, _) = SmtpClient::connect_tapped(stream, timeouts, Some(tap)).await?;
        Ok(client)
    }

    async fn tcp(&self, plan: &Plan, target: &Target) -> Result<TcpStream, OutError> {
        let fail = |cause: String| OutError::Connect { host: target.label(), cause };
        let source = plan.source(target.address.ip());
        let tcp = timeout(CONNECT, dial(target.address, source))
            .await
            .map_err(|_| fail("no answer".to_owned()))?
            .map_err(|e| fail(e.to_string()))?;
        // Envelopes are written whole; waiting for more would only delay them.
        let _ = tcp.set_nodelay(true);
        Ok(tcp)
    }

    async fn handshake(
        &self,
        tcp: TcpStream,
        target: &Target,
        asked: &HostMandate,
        progress: &mut Progress,
    ) -> Result<MaybeTls<TcpStream>, OutError> {
        // RFC 7672 section 8.1, RFC 8461 section 4.2: the host's name goes into SNI.
        let first = match &asked.demand {
            Demand::Tlsa { names, .. } => names.first(),
            _ => None,
        };
        let name = match server_name(first.unwrap_or(&target.host)) {
            Ok(name) => name,
            // An address literal.
            Err(_) => target.address.ip().into(),
        };
        let (config, noted) = self.peers.config(&asked.demand, asked.note.as_deref())?;
        let connecting = TlsConnector::from(config).connect(name, tcp);
        let tls = match timeout(HANDSHAKE, connecting).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(error)) => return Err(refused(target, asked, &error)),
            Err(_) => {
                let error = std::io::Error::other("no answer");
                return Err(refused(target, asked, &error));
            }
        };
        progress.seen = Some(Seen::of(tls.get_ref().1));
        progress.noted = Some(noted);
        Ok(MaybeTls::Tls(Box::new(tls.into())))
    }
}

/// Connects, from an address of ours if one is named.
async fn dial(to: SocketAddr, source: Option<IpAddr>) -> std::io::Result<TcpStream> {
    let Some(source) = source else { return TcpStream::connect(to).await };
    let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(SocketAddr::new(source, 0)).map_err(|error| {
        let text = format!("source-addresses: {source} is no address of this machine: {error}");
        std::io::Error::new(error.kind(), text)
    })?;
    socket.connect(to).await
}

/// Why a handshake failed.
fn refused(target: &Target, asked: &HostMandate, error: &std::io::Error) -> OutError {
    let (host, basis) = (target.label(), asked.basis.clone());
    match CertificateProblem::of(error) {
        Some(CertificateProblem::Tlsa(TlsaMismatch::NoMatch)) => {
            SecurityError::TlsaMismatch { host }.into()
        }
        Some(problem) => SecurityError::Certificate { host, basis, problem }.into(),
        None if asked.demand.needs_tls() => {
            SecurityError::Handshake { host, basis, cause: error.to_string() }.into()
        }
        None => OutError::Handshake { host, cause: error.to_string() },
    }
}

/// What one of so many hosts may take of the time that is left.
fn share(left: Duration, hosts: usize) -> Duration {
    left.checked_div(u32::try_from(hosts).unwrap_or(u32::MAX)).unwrap_or(left)
}

/// Whether the answer to EHLO was none, or none in SMTP.
fn is_garbled(cause: &ClientError) -> bool {
    matches!(
        cause,
        ClientError::Closed(Phase::Hello)
            | ClientError::Io { phase: Phase::Hello, .. }
            | ClientError::Protocol { phase: Phase::Hello, .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_hosts_leave_time_for_the_others() {
        let all = Duration::from_secs(300);
        assert_eq!(share(all, 2), Duration::from_secs(150));
        assert_eq!(share(Duration::from_secs(150), 1), Duration::from_secs(150));
        assert_eq!(share(all, 0), all);
    }
}
