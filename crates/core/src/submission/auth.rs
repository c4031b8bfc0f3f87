//! AUTH on the submission socket, relayed here by connectors.

use super::handler::Handler;
use concord_connector::AUTHENTICATED_AS;
use concord_sasl::{LoginNames, Mechanism, Outcome, ServerSession, authenticate_step};
use concord_smtp::Reply;
use concord_smtp_tokio::AuthStep;

impl Handler {
    pub(super) async fn auth_step(
        &mut self,
        mechanism: &str,
        response: Option<&[u8]>,
        first: bool,
    ) -> AuthStep {
        if first {
            self.sasl = Mechanism::from_name(mechanism).map(ServerSession::new);
        }
        let Some(session) = &mut self.sasl else {
            return AuthStep::Refused(Reply::new(504, (5, 5, 4), "mechanism not supported"));
        };
        let shared = &self.shared;
        match authenticate_step(
            session,
            response,
            &*shared.directory,
            &shared.gate,
            LoginNames::Own,
        )
        .await
        {
            Outcome::Challenge(octets) => AuthStep::Challenge(octets),
            Outcome::Success(mailbox) => {
                let text = format!("{AUTHENTICATED_AS}{}", mailbox.name);
                self.login = Some(mailbox);
                self.sasl = None;
                AuthStep::Done(Reply::new(235, (2, 7, 0), text))
            }
            Outcome::Failed => {
                self.sasl = None;
                // logins that were refused on the submission socket
                metrics::counter!("submission_login_failures_total").increment(1);
                AuthStep::Refused(Reply::new(535, (5, 7, 8), "wrong user name or password"))
            }
            Outcome::Unavailable(error) => {
                self.sasl = None;
                tracing::warn!(%error, "a login could not be checked");
                AuthStep::Refused(Reply::new(
                    454,
                    (4, 7, 0),
                    "cannot check the login now; try later",
                ))
            }
        }
    }
}
