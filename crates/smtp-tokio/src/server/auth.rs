//! AUTH of a server session (RFC 4954).

use super::handler::AuthStep;
use super::session::{Ended, Session};
use super::transport::deadline;
use concord_smtp::limits::MAX_AUTH_LINE;
use concord_smtp::{AuthCommand, Framed, Reply, decode_sasl, encode_sasl, frame_line};
use tokio::io::{AsyncRead, AsyncWrite};

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Session<'_, S> {
    pub(super) async fn auth(&mut self, auth: AuthCommand) -> Result<(), Ended> {
        if let Some(refusal) = self.refusal_of_auth(&auth.mechanism) {
            return self.refuse(refusal).await;
        }
        let initial = match auth.initial.as_deref().map(|text| decode_sasl(text.as_bytes())) {
            Some(None) => return self.refuse(not_base64()).await,
            Some(decoded) => decoded,
            None => None,
        };
        let mut step = self.handler.auth(&auth.mechanism, initial.as_deref(), true).await;
        loop {
            match step {
                AuthStep::Challenge(challenge) => {
                    let text =
                        if challenge.is_empty() { String::new() } else { encode_sasl(&challenge) };
                    self.say(&Reply::plain(334, text));
                    let response = match self.auth_line().await {
                        Ok(Ok(response)) => response,
                        // The client went away in the middle of it.
                        Err(ended) => {
                            self.handler.auth_cancelled().await;
                            return Err(ended);
                        }
                        Ok(Err(refusal)) => {
                            self.handler.auth_cancelled().await;
                            return self.refuse(refusal).await;
                        }
                    };
                    step = self.handler.auth(&auth.mechanism, Some(&response), false).await;
                }
                AuthStep::Done(reply) => {
                    self.authenticated = true;
                    self.say(&reply);
                    return Ok(());
                }
                AuthStep::Refused(reply) => return self.auth_refused(reply).await,
            }
        }
    }

    fn refusal_of_auth(&self, mechanism: &str) -> Option<Reply> {
        let profile = &self.profile;
        if !profile.extensions.auth || profile.mechanisms.is_empty() {
            return Some(Reply::new(502, (5, 5, 1), "AUTH is not offered"));
        }
        if self.authenticated {
            return Some(Reply::new(503, (5, 5, 1), "already authenticated"));
        }
        if profile.auth_needs_tls && !self.io.is_tls() {
            return Some(Reply::new(538, (5, 7, 11), "STARTTLS first"));
        }
        if !self.offered.auth {
            return Some(Reply::new(503, (5, 5, 1), "say EHLO first"));
        }
        if !profile.mechanisms.iter().any(|m| m == mechanism) {
            return Some(Reply::new(504, (5, 5, 4), "mechanism not offered"));
        }
        None
    }

    /// A response line, decoded.
    async fn auth_line(&mut self) -> Result<Result<Vec<u8>, Reply>, Ended> {
        let until = deadline(self.profile.timeouts.command);
        loop {
            let (answer, used) = match frame_line(&self.io.input, MAX_AUTH_LINE) {
                Framed::Line { line: b"*", used } => {
                    (Err(Reply::new(501, (5, 7, 0), "authentication cancelled")), used)
                }
                Framed::Line { line, used } => (decode_sasl(line).ok_or_else(not_base64), used),
                Framed::Bare { used } => (Err(not_base64()), used),
                Framed::TooLong => {
                    return self.cut_off(&Reply::new(500, (5, 5, 6), "line too long, closing"));
                }
                Framed::Partial => {
                    self.io.flush().await?;
                    self.io.read_command(until).await?;
                    continue;
                }
            };
            self.io.consume(used);
            return Ok(answer);
        }
    }

    async fn auth_refused(&mut self, reply: Reply) -> Result<(), Ended> {
        self.auth_failures = self.auth_failures.saturating_add(1);
        self.refuse(reply).await?;
        if self.auth_failures >= self.profile.max_auth_failures {
            let words = "too many failed authentications, closing";
            return self.cut_off(&Reply::new(421, (4, 7, 0), words));
        }
        Ok(())
    }
}

fn not_base64() -> Reply {
    Reply::new(501, (5, 5, 2), "not base64")
}
