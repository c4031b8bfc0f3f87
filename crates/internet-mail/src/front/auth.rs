//! AUTH, relayed: the core knows the users, this service never sees whether a
//! password is right before the core says so.

use super::session::Front;
use concord_connector::{AUTHENTICATED_AS, CoreSession, SubmitError};
use concord_smtp::{Reply, decode_sasl, encode_sasl};
use concord_smtp_tokio::{AuthStep, ClientError, Phase};
use metrics::counter;

impl Front {
    /// Carries one step to the core and its answer back.
    pub(super) async fn relay_auth(
        &mut self,
        mechanism: &str,
        response: Option<&[u8]>,
        first: bool,
    ) -> AuthStep {
        if first {
            if let Err(refusal) = self.limit_logins() {
                return AuthStep::Refused(refusal);
            }
            // A session of its own: it will be somebody's.
            self.release();
            match self.session_for_auth().await {
                Ok(core) => self.core = Some(core),
                Err(error) => return AuthStep::Refused(unavailable(&error)),
            }
        }
        let Some(core) = &mut self.core else { return AuthStep::Refused(temporary()) };
        self.authenticating = true;
        let line = match (first, response) {
            (true, None) => format!("AUTH {mechanism}"),
            (true, Some(initial)) => format!("AUTH {mechanism} {}", encode_sasl(initial)),
            (false, None) => String::new(),
            // An empty response is an empty line here, unlike an initial one.
            (false, Some([])) => String::new(),
            (false, Some(response)) => encode_sasl(response),
        };
        match core.command(&line, Phase::Auth).await {
            Ok(reply) => self.auth_answer(reply),
            Err(error) => {
                self.forget_login();
                AuthStep::Refused(unavailable(&error.into()))
            }
        }
    }

    fn auth_answer(&mut self, reply: Reply) -> AuthStep {
        match reply.code {
            334 => match decode_sasl(reply.text.as_bytes()) {
                Some(challenge) => AuthStep::Challenge(challenge),
                None => {
                    self.forget_login();
                    AuthStep::Refused(temporary())
                }
            },
            235 => {
                counter!("concord_smtp_auth_total", "result" => "ok").increment(1);
                self.authenticating = false;
                self.authenticated = true;
                self.known.user = reply.text.strip_prefix(AUTHENTICATED_AS).map(str::to_owned);
                AuthStep::Done(reply)
            }
            _ => {
                counter!("concord_smtp_auth_total", "result" => "refused").increment(1);
                tracing::info!(client = %self.client, %reply, "authentication refused");
                if !reply.is_temporary() {
                    self.login_failed();
                }
                self.forget_login();
                AuthStep::Refused(reply)
            }
        }
    }

    async fn session_for_auth(&self) -> Result<CoreSession, SubmitError> {
        let mut core = self.service.core.fresh().await?;
        if core.capabilities().extensions.xforward {
            let line = self.forward().to_string();
            let reply = core.command(&line, Phase::Envelope).await?;
            if !reply.is_ok() {
                return Err(ClientError::Refused { phase: Phase::Envelope, reply }.into());
            }
        }
        Ok(core)
    }
}

fn unavailable(error: &SubmitError) -> Reply {
    tracing::warn!(%error, "cannot relay AUTH to the core");
    temporary()
}

/// RFC 4954 section 6: 454 is a temporary failure.
fn temporary() -> Reply {
    Reply::new(454, (4, 7, 0), "cannot check passwords at the moment, try again later")
}
