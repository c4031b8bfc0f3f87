//! Accepting IMAP, POP3 and LDAP clients.

use concord_imap::ImapServer;
use concord_ldap::LdapServer;
use concord_pop3::Pop3Server;
use concord_proxy_protocol::Proxies;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// After a failed accept (no file descriptors), so that it does not spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// What clients' commands get to finish at a stop.
const DRAIN: Duration = Duration::from_secs(5);

/// A protocol that clients speak.
#[derive(Clone)]
pub(crate) enum Protocol {
    Imap(Arc<ImapServer>),
    Pop3(Arc<Pop3Server>),
    Ldap(Arc<LdapServer>),
}

impl Protocol {
    /// As the listener is called in the settings.
    fn listener(&self, implicit_tls: bool) -> &'static str {
        match (self, implicit_tls) {
            (Self::Imap(_), false) => "imap",
            (Self::Imap(_), true) => "imaps",
            (Self::Pop3(_), false) => "pop3",
            (Self::Pop3(_), true) => "pop3s",
            (Self::Ldap(_), false) => "ldap",
            (Self::Ldap(_), true) => "ldaps",
        }
    }

    async fn serve(self, stream: TcpStream, peer: SocketAddr, tls: bool, stop: CancellationToken) {
        match self {
            Self::Imap(server) => server.serve_connection(stream, peer, tls, stop).await,
            Self::Pop3(server) => server.serve_connection(stream, peer, tls, stop).await,
            Self::Ldap(server) => server.serve_connection(stream, peer, tls, stop).await,
        }
    }
}

/// Serves until `shutdown`, then gives sessions a moment to say goodbye.
pub(crate) async fn serve(
    listener: TcpListener,
    protocol: Protocol,
    implicit_tls: bool,
    proxies: Arc<Proxies>,
    shutdown: CancellationToken,
) {
    let sessions = TaskTracker::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (protocol, proxies) = (protocol.clone(), Arc::clone(&proxies));
                    let stop = shutdown.clone();
                    sessions.spawn(session(stream, peer, protocol, implicit_tls, proxies, stop));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a client");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
        }
    }
    sessions.close();
    // Idle clients are told; those that do not listen are cut off.
    let _ = tokio::time::timeout(DRAIN, sessions.wait()).await;
}

async fn session(
    mut stream: TcpStream,
    peer: SocketAddr,
    protocol: Protocol,
    implicit_tls: bool,
    proxies: Arc<Proxies>,
    stop: CancellationToken,
) {
    let listener = protocol.listener(implicit_tls);
    let ends = tokio::select! {
        biased;
        // At a stop clients that are known already are told so by their protocol.
        ends = proxies.identify(listener, &mut stream, peer) => ends,
        () = stop.cancelled() => return,
    };
    if let Some(ends) = ends {
        protocol.serve(stream, ends.client, implicit_tls, stop).await;
    }
}

/// The same for LDAP by a socket of this machine.
pub(crate) async fn serve_local(
    listener: UnixListener,
    server: Arc<LdapServer>,
    shutdown: CancellationToken,
) {
    let sessions = TaskTracker::new();
    let own_user = rustix::process::geteuid().as_raw();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let server = Arc::clone(&server);
                    sessions.spawn(server.serve_local(stream, own_user, shutdown.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a client");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            },
        }
    }
    sessions.close();
    let _ = tokio::time::timeout(DRAIN, sessions.wait()).await;
}
