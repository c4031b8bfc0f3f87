//! How every part of Concord finds its name servers.
//!
//! What is asked, for how long and what is kept is each caller's own; see
//! `ResolverBuilder::options_mut`. Floor: ground.

use concord_base::{Fault, Retry};
use concord_tls::TlsError;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use std::net::SocketAddr;

/// The name server of a machine without `/etc/resolv.conf`, by resolv.conf(5).
const OWN_MACHINE: ([u8; 4], u16) = ([127, 0, 0, 1], 53);

/// A resolver that is not set up yet.
pub type Builder = ResolverBuilder<TokioRuntimeProvider>;

/// A resolver cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ResolverError {
    /// The machine does not say which name servers it asks.
    #[error(
        "cannot read /etc/resolv.conf: {0}; correct it, or name the servers in internet-mail.nameservers"
    )]
    Configuration(NetError),
    /// The resolver refuses its options.
    #[error("cannot set up the resolver: {0}")]
    Options(NetError),
    /// There is no TLS.
    #[error("cannot set up the resolver: {0}")]
    Tls(#[from] TlsError),
}

impl Fault for ResolverError {
    fn code(&self) -> &'static str {
        match self {
            Self::Configuration(_) => "resolver.configuration",
            Self::Options(_) => "resolver.options",
            Self::Tls(error) => error.code(),
        }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Configuration(_) => Retry::Operator,
            Self::Options(_) => Retry::Bug,
            Self::Tls(error) => error.retry(),
        }
    }
}

/// For these name servers, or those of `/etc/resolv.conf` if there are none.
///
/// # Errors
/// [`ResolverError::Configuration`]
pub fn builder(servers: &[SocketAddr]) -> Result<Builder, ResolverError> {
    if servers.is_empty() {
        TokioResolver::builder_tokio().map_err(ResolverError::Configuration)
    } else {
        Ok(with_servers(servers))
    }
}

/// The same for a service, which has to start all the same: without a
/// configuration it asks this machine, and says so.
pub fn service_builder(servers: &[SocketAddr]) -> Builder {
    builder(servers).unwrap_or_else(|error| {
        tracing::warn!(code = error.code(), %error, "asking 127.0.0.1 for names");
        with_servers(&[SocketAddr::from(OWN_MACHINE)])
    })
}

/// A resolver that speaks no TLS. Must be called within a tokio runtime.
///
/// # Errors
/// [`ResolverError::Options`], [`ResolverError::Tls`]
pub fn build(builder: Builder) -> Result<TokioResolver, ResolverError> {
    let tls = concord_tls::trusting_nobody()?;
    builder.with_tls_config(tls).build().map_err(ResolverError::Options)
}

fn with_servers(servers: &[SocketAddr]) -> Builder {
    let servers = servers.iter().map(|server| {
        let on_port = |mut connection: ConnectionConfig| {
            connection.port = server.port();
            connection
        };
        let connections = vec![on_port(ConnectionConfig::udp()), on_port(ConnectionConfig::tcp())];
        NameServerConfig::new(server.ip(), true, connections)
    });
    let config = ResolverConfig::from_parts(None, Vec::new(), servers.collect());
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::time::Duration;

    /// Answers one question with 192.0.2.7.
    fn answer_once(socket: &UdpSocket) {
        let mut octets = [0_u8; 512];
        let (length, from) = socket.recv_from(&mut octets).unwrap();
        let mut said = octets[..length].to_vec();
        // RFC 1035 section 4.1.1: a response, recursion available, one answer
        // and no record of EDNS.
        said[2] |= 0x80;
        said[3] = 0x80;
        said[6..12].copy_from_slice(&[0, 1, 0, 0, 0, 0]);
        let end = 12 + said[12..].iter().position(|octet| *octet == 0).unwrap() + 5;
        said.truncate(end);
        said.extend_from_slice(&[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7]);
        socket.send_to(&said, from).unwrap();
    }

    #[tokio::test]
    async fn the_servers_that_are_named_are_asked_on_their_ports() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut builder = builder(&[socket.local_addr().unwrap()]).unwrap();
        builder.options_mut().edns0 = false;
        let resolver = build(builder).unwrap();
        let answering = tokio::task::spawn_blocking(move || answer_once(&socket));
        let found = resolver.ipv4_lookup("mail.example.test.").await.unwrap();
        answering.await.unwrap();
        let addresses: Vec<String> =
            found.answers().iter().map(|record| record.data.to_string()).collect();
        assert_eq!(addresses, ["192.0.2.7"]);
    }
}
