//! Accepting clients, and how many at once.

use crate::front::{Front, FrontService, Kind};
use concord_entrance::{ClientSeat, Seats};
use concord_proxy_protocol::Endpoints;
use concord_smtp_tokio::{ConnectionInfo, MaybeTls, Peer, serve};
use metrics::{counter, gauge};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// After a failed accept (no file descriptors, no memory) it waits, so that a
/// lasting cause does not burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A session's place; counted while it is held.
struct Place {
    _seat: ClientSeat,
}

impl Place {
    fn new(seat: ClientSeat) -> Self {
        gauge!("concord_smtp_sessions").increment(1.0);
        Self { _seat: seat }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        gauge!("concord_smtp_sessions").decrement(1.0);
    }
}

/// Accepts clients of one listener until the stop.
pub(crate) async fn accept(
    listener: TcpListener,
    kind: Kind,
    service: Arc<FrontService>,
    sessions: Arc<Seats>,
    tasks: TaskTracker,
    shutdown: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a client");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (service, shutdown) = (Arc::clone(&service), shutdown.clone());
        let ends = Endpoints::of(&stream, peer);
        if service.config.proxies.contains(ends.client.ip()) {
            let sessions = Arc::clone(&sessions);
            tasks.spawn(proxied(stream, peer, kind, service, sessions, shutdown));
        } else if let Some(place) = admit(&sessions, ends.client, &stream) {
            tasks.spawn(session(stream, ends, place, kind, service, shutdown));
        }
    }
}

/// A place for a client, who hears it if there is none.
fn admit(sessions: &Arc<Seats>, client: SocketAddr, stream: &TcpStream) -> Option<Place> {
    let place = sessions.take(client.ip()).map(Place::new);
    let result = if place.is_some() { "accepted" } else { "too-many" };
    counter!("concord_smtp_sessions_total", "result" => result).increment(1);
    if place.is_none() {
        // If its buffer is full it goes without words.
        let _ = stream.try_write(b"421 4.7.0 too many sessions, try again later\r\n");
    }
    place
}

/// A connection of a proxy, which takes a place of its client.
async fn proxied(
    mut stream: TcpStream,
    proxy: SocketAddr,
    kind: Kind,
    service: Arc<FrontService>,
    sessions: Arc<Seats>,
    shutdown: CancellationToken,
) {
    let ends = tokio::select! {
        biased;
        () = shutdown.cancelled() => return,
        ends = service.config.proxies.identify(kind.listener(), &mut stream, proxy) => ends,
    };
    let Some(ends) = ends else { return };
    if let Some(place) = admit(&sessions, ends.client, &stream) {
        session(stream, ends, place, kind, service, shutdown).await;
    }
}

async fn session(
    stream: TcpStream,
    ends: Endpoints,
    _place: Place,
    kind: Kind,
    service: Arc<FrontService>,
    shutdown: CancellationToken,
) {
    let client = ends.client;
    // Replies are written whole; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let connection = ConnectionInfo { peer: Peer::Ip(client), local: ends.to };
    let profile = service.profile(kind);
    let acceptor = service.tls.clone();
    let stream = match (&acceptor, kind) {
        (Some(acceptor), Kind::SubmissionTls) => {
            let patience = profile.timeouts.tls;
            match tokio::time::timeout(patience, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => MaybeTls::Tls(Box::new(stream.into())),
                Ok(Err(error)) => return tracing::debug!(%client, %error, "TLS handshake failed"),
                Err(_) => return tracing::debug!(%client, "TLS handshake took too long"),
            }
        }
        _ => MaybeTls::Plain(stream),
    };
    let mut front = Front::new(service, kind, client);
    let ended = serve(stream, connection, profile, acceptor, &mut front, shutdown).await;
    tracing::debug!(%client, ?ended, "session ended");
}
