//! Who is believed, and the header at the beginning of a connection.

use crate::error::ProxyError;
use crate::header::{Header, missing, read};
use concord_base::{Fault, Network};
use metrics::counter;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

/// A proxy sends its header with the first segment (section 2); Postfix and
/// HAProxy wait as long or less.
const HEADER_TIME: Duration = Duration::from_secs(5);
/// Connections that wait for their header at once: they are no sessions yet, so
/// no other bound counts them. A proxy's header is there with its connection.
const MOST_WAITING: usize = 256;

/// Both ends of a connection, as the client sees it. IPv4 addresses within IPv6
/// ones are IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// The client.
    pub client: SocketAddr,
    /// What it connected to: our side, or the proxy's. `None` if the system does
    /// not say.
    pub to: Option<SocketAddr>,
}

impl Endpoints {
    /// The ends of the socket.
    pub fn of(stream: &TcpStream, peer: SocketAddr) -> Self {
        Self { client: plain(peer), to: stream.local_addr().ok().map(plain) }
    }
}

fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Proxies that are believed when they say who the client is. The default is
/// nobody.
#[derive(Debug)]
pub struct Proxies {
    networks: Vec<Network>,
    waiting: Semaphore,
}

impl Default for Proxies {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Proxies {
    /// Those of these networks.
    pub fn new(networks: Vec<Network>) -> Self {
        Self { networks, waiting: Semaphore::new(MOST_WAITING) }
    }

    /// Whether a connection from there begins with a header.
    pub fn contains(&self, peer: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(peer))
    }

    /// Who the client of an accepted connection is: the other side, or whom the
    /// header names if the other side is a proxy. `None` if a proxy did not say
    /// it; that is logged and counted, and the connection is to be closed.
    /// `listener` is its name in log and figures.
    ///
    /// Waits at most 5 s; may be dropped, and the connection with it.
    pub async fn identify(
        &self,
        listener: &'static str,
        stream: &mut TcpStream,
        peer: SocketAddr,
    ) -> Option<Endpoints> {
        let ends = Endpoints::of(stream, peer);
        if !self.contains(ends.client.ip()) {
            return Some(ends);
        }
        let found = self.header(stream).await;
        // headers of proxies, by what they were: client, own (the proxy's own
        // connection), or the code of the error
        let result = match &found {
            Ok(Header::Client { .. }) => "client",
            Ok(Header::Own) => "own",
            Err(error) => error.code(),
        };
        counter!("concord_proxy_headers_total", "listener" => listener, "result" => result)
            .increment(1);
        let proxy = ends.client;
        match found {
            Ok(Header::Own) => Some(ends),
            Ok(Header::Client { client, to }) => {
                tracing::debug!(listener, %proxy, %client, "a proxy's client");
                Some(Endpoints { client, to: Some(to) })
            }
            // Probes of load balancers do that every other second.
            Err(error @ ProxyError::Unused) => {
                tracing::debug!(listener, %proxy, %error, "a proxy's connection is closed");
                None
            }
            Err(error) => {
                let code = error.code();
                tracing::warn!(listener, %proxy, code, %error, "a proxy's connection is closed");
                None
            }
        }
    }

    /// Reads the header and nothing behind it.
    async fn header<S>(&self, stream: &mut S) -> Result<Header, ProxyError>
    where
        S: AsyncRead + Unpin,
    {
        let too_many = |_| ProxyError::TooMany { most: MOST_WAITING };
        let _place = self.waiting.try_acquire().map_err(too_many)?;
        let late = |_| ProxyError::Late { within: HEADER_TIME };
        tokio::time::timeout(HEADER_TIME, receive(stream)).await.map_err(late)?
    }
}

async fn receive<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Header, ProxyError> {
    let mut head = Vec::new();
    loop {
        let more = missing(&head)?;
        if more == 0 {
            return read(&head);
        }
        let limit = u64::try_from(more).unwrap_or(0);
        let got = (&mut *stream).take(limit).read_buf(&mut head).await;
        let got = got.map_err(ProxyError::Broken)?;
        match (got, head.is_empty()) {
            (0, true) => return Err(ProxyError::Unused),
            (0, false) => return Err(ProxyError::CutOff),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
