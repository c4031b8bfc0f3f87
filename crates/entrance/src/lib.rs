//! What servers do before the first line: they give a seat,
//! make the TLS handshake, and count. Floor: protocol.

mod seats;

pub use seats::{ClientSeat, Seats};

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

/// What a session reads and writes: a connection, or TLS over one.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// How the figures of a protocol are called.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// Connections that were taken in, by how they began.
    pub connections: &'static str,
    /// Sessions that are open now.
    pub sessions: &'static str,
}

/// The entrance of one server, shared by all of its listeners.
pub struct Entrance {
    figures: Figures,
    tls: Option<TlsAcceptor>,
    handshake_time: Duration,
    seats: Arc<Semaphore>,
    next_session: AtomicU64,
}

/// A session's seat, given back when it is dropped.
#[derive(Debug)]
pub struct Seat {
    sessions: &'static str,
    _permit: OwnedSemaphorePermit,
}

impl fmt::Debug for Entrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrance").field("figures", &self.figures).finish_non_exhaustive()
    }
}

impl Entrance {
    /// For so many connections at once. Without `tls` no handshake succeeds.
    pub fn new(
        figures: Figures,
        max_connections: usize,
        tls: Option<TlsAcceptor>,
        handshake_time: Duration,
    ) -> Self {
        let seats = Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS)));
        Self { figures, tls, handshake_time, seats, next_session: AtomicU64::new(1) }
    }

    /// The number of the next session, for the log.
    pub fn number(&self) -> u64 {
        self.next_session.fetch_add(1, Ordering::Relaxed)
    }

    /// A seat for a connection that began so (`none`, `implicit`, `local`); none
    /// if all are taken.
    pub fn seat(&self, began: &'static str) -> Option<Seat> {
        metrics::counter!(self.figures.connections, "tls" => began).increment(1);
        let permit = Arc::clone(&self.seats).try_acquire_owned().ok()?;
        metrics::gauge!(self.figures.sessions).increment(1.0);
        Some(Seat { sessions: self.figures.sessions, _permit: permit })
    }

    /// Whether there is a certificate.
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The TLS handshake, within its time.
    pub async fn handshake(&self, stream: Box<dyn Io>) -> Option<Box<dyn Io>> {
        let acceptor = self.tls.as_ref()?;
        match tokio::time::timeout(self.handshake_time, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Some(Box::new(stream)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "TLS handshake broke off");
                None
            }
            Err(_) => {
                tracing::debug!("TLS handshake timed out");
                None
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        metrics::gauge!(self.sessions).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entrance(seats: usize) -> Entrance {
        let figures = Figures { connections: "test_connections_total", sessions: "test_sessions" };
        Entrance::new(figures, seats, None, Duration::from_secs(1))
    }

    #[test]
    fn seats_are_bounded_and_come_back() {
        let entrance = entrance(1);
        let seat = entrance.seat("none").unwrap();
        assert!(entrance.seat("implicit").is_none());
        drop(seat);
        assert!(entrance.seat("none").is_some());
        assert_ne!(entrance.number(), entrance.number());
    }

    #[tokio::test]
    async fn without_a_certificate_there_is_no_handshake() {
        let entrance = entrance(1);
        let (ours, _theirs) = tokio::io::duplex(64);
        assert!(!entrance.has_tls());
        assert!(entrance.handshake(Box::new(ours)).await.is_none());
    }
}
