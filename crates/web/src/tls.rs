//! TLS for browsers and mail programs, and for the authority (RFC 8737).

use concord_acme::{ACME_TLS_ALPN, Challenges};
use rustls::ServerConfig;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// What HTTPS is negotiated as.
const HTTP: &[u8] = b"http/1.1";

/// How a connection begins.
#[derive(Clone)]
pub(crate) struct Handshake {
    usual: Arc<ServerConfig>,
    challenges: Challenges,
}

impl Handshake {
    pub(crate) fn new(mut usual: ServerConfig, challenges: Challenges) -> Self {
        usual.alpn_protocols = vec![HTTP.to_vec()];
        Self { usual: Arc::new(usual), challenges }
    }

    /// The connection, or none if it was the authority's, which wants the
    /// handshake only.
    ///
    /// # Errors
    /// The handshake failed.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
    ) -> std::io::Result<Option<TlsStream<TcpStream>>> {
        let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await?;
        let hello = start.client_hello();
        let is_authority =
            hello.alpn().is_some_and(|mut all| all.any(|protocol| protocol == ACME_TLS_ALPN));
        if !is_authority {
            return start.into_stream(Arc::clone(&self.usual)).await.map(Some);
        }
        let key = hello.server_name().and_then(|name| self.challenges.tls(name));
        let Some(key) = key else {
            return Err(std::io::Error::other("no order waits for a challenge of that name"));
        };
        let mut config = concord_tls::config_with(key).map_err(std::io::Error::other)?;
        config.alpn_protocols = vec![ACME_TLS_ALPN.to_vec()];
        let mut stream = start.into_stream(Arc::new(config)).await?;
        stream.shutdown().await?;
        Ok(None)
    }
}
