//! Making a connection: hosts in order, hello, TLS, login.

use super::OutService;
use super::error::OutError;
use super::pool::Connection;
use super::route::{Destination, Target};
use crate::config::PeerTls;
use concord_smtp_tokio::{ClientError, HelloVerb, MaybeTls, Phase, SmtpClient};
use concord_tls::server_name;
use metrics::counter;
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

/// For one TCP connection. Dead hosts must not use up what others need.
const CONNECT: Duration = Duration::from_secs(30);
/// For a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// For all hosts of a destination together: the core waits for the answer
/// ([`concord_connector::core_timeouts`]).
const ESTABLISH: Duration = Duration::from_secs(300);

type Client = SmtpClient<MaybeTls<TcpStream>>;

impl OutService {
    /// A connection to the first host that takes one.
    pub(super) async fn connect(&self, destination: &Destination) -> Result<Connection, OutError> {
        let now = Instant::now();
        let until = now.checked_add(ESTABLISH).unwrap_or(now);
        let mut last = OutError::NoMailHost(destination.key());
        for target in self.targets(destination).await? {
            let attempt = self.establish(destination, &target);
            let result = timeout_at(until, attempt).await.unwrap_or_else(|_| {
                let cause = "no answer in time".to_owned();
                Err(OutError::Connect { host: target.label(), cause })
            });
            match result {
                Ok(connection) => {
                    counter!("concord_outbound_connections_total", "result" => "ok").increment(1);
                    return Ok(connection);
                }
                Err(error) => {
                    counter!("concord_outbound_connections_total", "result" => "failed")
                        .increment(1);
                    tracing::info!(host = target.label(), %error, "host not usable");
                    let next = error.try_next();
                    last = error;
                    if !next || Instant::now() >= until {
                        break;
                    }
                }
            }
        }
        Err(last)
    }

    async fn establish(
        &self,
        destination: &Destination,
        target: &Target,
    ) -> Result<Connection, OutError> {
        let smart =
            self.config.smart_host.as_ref().filter(|_| *destination == Destination::SmartHost);
        let mode = smart.map_or(PeerTls::Opportunistic, |s| s.tls);
        let mut client = match (self.session(target, mode).await, mode) {
            // RFC 7435: no worse than without TLS at all.
            (Err(OutError::Handshake { .. }), PeerTls::Opportunistic) => {
                self.session(target, PeerTls::Off).await?
            }
            (result, _) => result?,
        };
        if let Some(login) = smart.and_then(|s| s.login.as_ref()) {
            let in_clear = matches!(client.stream(), MaybeTls::Plain(_));
            if in_clear && !target.address.ip().is_loopback() {
                return Err(OutError::LoginInClear { host: target.label() });
            }
            let fail = |cause| OutError::Session { host: target.label(), cause };
            client.auth(&login.user, &login.password).await.map_err(fail)?;
        }
        Ok(Connection { client, host: target.label(), messages: 0 })
    }

    /// A greeted session, under TLS as the mode says.
    async fn session(&self, target: &Target, mode: PeerTls) -> Result<Client, OutError> {
        let fail = |cause| OutError::Session { host: target.label(), cause };
        let tcp = self.tcp(target).await?;
        let stream = if mode == PeerTls::Implicit {
            self.handshake(tcp, target, self.checked(target)?).await?
        } else {
            MaybeTls::Plain(tcp)
        };
        let timeouts = self.config.client_timeouts.clone();
        let (mut client, _) = SmtpClient::connect(stream, timeouts).await.map_err(fail)?;
        client.hello(HelloVerb::Ehlo, &self.config.hostname).await.map_err(fail)?;
        let tls = match mode {
            PeerTls::Implicit | PeerTls::Off => return Ok(client),
            PeerTls::Required => self.checked(target)?,
            PeerTls::Opportunistic => Arc::clone(&self.opportunistic),
        };
        if !client.capabilities().extensions.starttls {
            return match mode {
                PeerTls::Required => Err(OutError::NoTls { host: target.label() }),
                _ => Ok(client),
            };
        }
        match client.starttls().await {
            Ok(()) => {}
            Err(ClientError::Refused { phase: Phase::StartTls, .. })
                if mode == PeerTls::Opportunistic =>
            {
                return Ok(client);
            }
            Err(cause) => return Err(fail(cause)),
        }
        let MaybeTls::Plain(tcp) = client.into_stream() else {
            return Err(OutError::NoTls { host: target.label() });
        };
        let stream = self.handshake(tcp, target, tls).await?;
        let mut client = SmtpClient::resume(stream, self.config.client_timeouts.clone());
        client.hello(HelloVerb::Ehlo, &self.config.hostname).await.map_err(fail)?;
        Ok(client)
    }

    async fn tcp(&self, target: &Target) -> Result<TcpStream, OutError> {
        let fail = |cause: String| OutError::Connect { host: target.label(), cause };
        let connecting = timeout(CONNECT, TcpStream::connect(target.address));
        let tcp = connecting
            .await
            .map_err(|_| fail("no answer".to_owned()))?
            .map_err(|e| fail(e.to_string()))?;
        // Envelopes are written whole; waiting for more would only delay them.
        let _ = tcp.set_nodelay(true);
        Ok(tcp)
    }

    fn checked(&self, target: &Target) -> Result<Arc<ClientConfig>, OutError> {
        self.checked.clone().ok_or_else(|| OutError::NoTls { host: target.label() })
    }

    async fn handshake(
        &self,
        tcp: TcpStream,
        target: &Target,
        config: Arc<ClientConfig>,
    ) -> Result<MaybeTls<TcpStream>, OutError> {
        let fail = |cause: String| OutError::Handshake { host: target.label(), cause };
        let name = match server_name(&target.host) {
            Ok(name) => name,
            // An address literal.
            Err(_) => target.address.ip().into(),
        };
        let connector = TlsConnector::from(config);
        let tls = timeout(HANDSHAKE, connector.connect(name, tcp))
            .await
            .map_err(|_| fail("no answer".to_owned()))?
            .map_err(|e| fail(e.to_string()))?;
        Ok(MaybeTls::Tls(Box::new(tls.into())))
    }
}
