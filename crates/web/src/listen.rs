//! Accepting clients, and how much of everything they get.

use crate::answer::{Answer, Scheme, answer};
use crate::config::WebConfig;
use crate::tls::Handshake;
use concord_entrance::{ClientSeat, Seats};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, server};
use hyper_util::rt::{TokioIo, TokioTimer};
use metrics::counter;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Documents are small and rarely asked for: many clients at once are no
/// clients of ours.
const MOST: usize = 256;
/// Of one address: browsers open six, authorities and mail servers one.
const MOST_PER_CLIENT: usize = 16;
/// TLS handshake of a slow client.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// From the connection, or the answer before, to the end of a request's head.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// A whole connection, however many requests it has.
const CONNECTION_TIME: Duration = Duration::from_secs(60);
/// The head of a request; ours are some hundred octets. hyper's least is 8 KiB.
const MAX_HEAD: usize = 16 << 10;
/// After a failed accept, so that a lasting cause does not burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What connections share.
pub(crate) struct Shared {
    pub(crate) config: WebConfig,
    pub(crate) handshake: Handshake,
    seats: Arc<Seats>,
}

impl Shared {
    pub(crate) fn new(config: WebConfig) -> Arc<Self> {
        let handshake = Handshake::new(config.tls.clone(), config.challenges.clone());
        Arc::new(Self { config, handshake, seats: Arc::new(Seats::new(MOST, MOST_PER_CLIENT)) })
    }

    /// A seat for a client, if one is left; counted either way.
    fn seat(&self, client: SocketAddr) -> Option<ClientSeat> {
        let seat = self.seats.take(client.ip());
        let result = if seat.is_some() { "accepted" } else { "too-many" };
        counter!("concord_web_connections_total", "result" => result).increment(1);
        seat
    }
}

/// Accepts clients of one listener until the stop.
pub(crate) async fn accept(
    listener: TcpListener,
    scheme: Scheme,
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a client");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let client = SocketAddr::new(client.ip().to_canonical(), client.port());
        if shared.config.proxies.contains(client.ip()) {
            tasks.spawn(proxied(stream, client, scheme, Arc::clone(&shared), stop.clone()));
        } else if let Some(seat) = shared.seat(client) {
            let (shared, stop) = (Arc::clone(&shared), stop.clone());
            tasks.spawn(seated(stream, client, scheme, seat, shared, stop));
        }
    }
}

/// A connection of a proxy, which takes a seat of its client.
async fn proxied(
    mut stream: TcpStream,
    proxy: SocketAddr,
    scheme: Scheme,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let listener = scheme.listener();
    let ends = tokio::select! {
        biased;
        () = stop.cancelled() => return,
        ends = shared.config.proxies.identify(listener, &mut stream, proxy) => ends,
    };
    let Some(client) = ends.map(|ends| ends.client) else { return };
    if let Some(seat) = shared.seat(client) {
        seated(stream, client, scheme, seat, shared, stop).await;
    }
}

async fn seated(
    stream: TcpStream,
    client: SocketAddr,
    scheme: Scheme,
    seat: ClientSeat,
    shared: Arc<Shared>,
    stop: CancellationToken,
) {
    let work = connection(stream, client, scheme, &shared, stop);
    if tokio::time::timeout(CONNECTION_TIME, work).await.is_err() {
        tracing::debug!(%client, "a connection took too long");
    }
    drop(seat);
}

async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    scheme: Scheme,
    shared: &Arc<Shared>,
    stop: CancellationToken,
) {
    // Answers are written whole; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    if scheme == Scheme::Http {
        return serve(stream, client, scheme, shared, stop).await;
    }
    match tokio::time::timeout(HANDSHAKE_TIME, shared.handshake.accept(stream)).await {
        Ok(Ok(Some(stream))) => serve(stream, client, scheme, shared, stop).await,
        Ok(Ok(None)) => tracing::info!(%client, "an authority was shown a challenge's certificate"),
        Ok(Err(error)) => tracing::debug!(%client, %error, "TLS handshake failed"),
        Err(_) => tracing::debug!(%client, "TLS handshake took too long"),
    }
}

async fn serve<S>(
    stream: S,
    client: SocketAddr,
    scheme: Scheme,
    shared: &Arc<Shared>,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = Arc::clone(shared);
        async move {
            let (method, path) = (request.method().clone(), request.uri().path().to_owned());
            let answer: Answer = answer(&shared.config, scheme, request).await;
            let status = answer.status().as_u16();
            tracing::debug!(%client, %method, path, status, "answered");
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%client, %error, "a connection broke");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn seats_are_bounded_and_come_back() {
        let seats = Arc::new(Seats::new(MOST, MOST_PER_CLIENT));
        let ip = |n: u16| IpAddr::from([192, 0, n.to_be_bytes()[0], n.to_be_bytes()[1]]);
        let mut taken: Vec<_> = (0..MOST_PER_CLIENT).map(|_| seats.take(ip(1)).unwrap()).collect();
        assert!(seats.take(ip(1)).is_none());
        taken.extend((2..).take(MOST - MOST_PER_CLIENT).map(|n| seats.take(ip(n)).unwrap()));
        assert!(seats.take(ip(999)).is_none());
        taken.clear();
        assert!(seats.take(ip(1)).is_some());
    }
}
