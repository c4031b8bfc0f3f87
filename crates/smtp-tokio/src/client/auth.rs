//! AUTH of a client (RFC 4954).

use super::error::{ClientError, Phase};
use super::session::SmtpClient;
use concord_smtp::{Reply, encode_sasl};
use tokio::io::{AsyncRead, AsyncWrite};

impl<S: AsyncRead + AsyncWrite + Unpin + Send> SmtpClient<S> {
    /// Authenticates with PLAIN (RFC 4616) or else LOGIN. The caller sees to
    /// TLS before.
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::NoMechanism`]
    pub async fn auth(&mut self, user: &str, password: &str) -> Result<(), ClientError> {
        let offers = |name: &str| self.capabilities.auth.iter().any(|m| m == name);
        let reply = if offers("PLAIN") {
            let secret = encode_sasl(format!("\0{user}\0{password}").as_bytes());
            self.command(&format!("AUTH PLAIN {secret}"), Phase::Auth).await?
        } else if offers("LOGIN") {
            self.auth_login(user, password).await?
        } else {
            return Err(ClientError::NoMechanism);
        };
        if reply.code == 235 {
            return Ok(());
        }
        Err(ClientError::Refused { phase: Phase::Auth, reply })
    }

    async fn auth_login(&mut self, user: &str, password: &str) -> Result<Reply, ClientError> {
        let mut reply = self.command("AUTH LOGIN", Phase::Auth).await?;
        for answer in [user, password] {
            if reply.code != 334 {
                return Ok(reply);
            }
            reply = self.command(&encode_sasl(answer.as_bytes()), Phase::Auth).await?;
        }
        Ok(reply)
    }
}
