//! Letters on their way to the core.

use super::bring::Arrival;
use super::letter::Letter;
use crate::shared::{Shared, words};
use bytes::Bytes;
use concord_base::Fault as _;
use concord_connector::{ALREADY_TAKEN, CoreSession};
use concord_smtp::Reply;
use concord_smtp_tokio::{BodyMode, ClientError};

/// Octets handed over at a time.
const PIECE: usize = 64 << 10;

/// What the core said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Submitted {
    /// The core has it for those whose reply is 250; the others are refused.
    Taken(Vec<Reply>),
    /// It had it already.
    Repeated,
    /// Nobody got it, and never will: the replies.
    Refused(Vec<Reply>),
    /// Not now; or nobody knows. It can be tried again in any case, under the same
    /// key.
    Later(String),
}

impl Shared {
    /// Hands a letter to the core.
    pub(super) async fn submit(&self, arrival: &Arrival, letter: &Letter) -> Submitted {
        let (session, was_idle) = match self.submissions.get().await {
            Ok(taken) => taken,
            Err(error) => return Submitted::Later(error.to_string()),
        };
        let first = self.transact(session, arrival, letter).await;
        // The core had closed it while it was idle.
        let outcome = match (first, was_idle) {
            (Err(_), true) => match self.submissions.fresh().await {
                Ok(session) => self.transact(session, arrival, letter).await,
                Err(error) => return Submitted::Later(error.to_string()),
            },
            (outcome, _) => outcome,
        };
        outcome.unwrap_or_else(|error| {
            tracing::warn!(code = error.code(), %error, "the session to the core failed");
            Submitted::Later(error.to_string())
        })
    }

    async fn transact(
        &self,
        mut session: CoreSession,
        arrival: &Arrival,
        letter: &Letter,
    ) -> Result<Submitted, ClientError> {
        let octets = [self.trace(arrival, letter), letter.octets.clone()].concat();
        let mut rest = Bytes::from(octets);
        let (forward, mail, rcpts) = (letter.forward(arrival), letter.mail(&rest), letter.rcpts());
        let envelope = session.envelope(Some(&forward), &mail, &rcpts).await?;
        let later = envelope.rcpts.iter().find(|reply| reply.is_temporary());
        if let Some(reply) = later {
            // For all or for nobody: one who waits must not make the others get it
            // twice.
            let said = words(reply);
            if envelope.mail.is_ok() && reply.code != 421 {
                session.reset().await?;
                self.submissions.put(session);
            }
            return Ok(Submitted::Later(said));
        }
        if envelope.accepted() == 0 {
            if envelope.mail.is_ok() {
                session.reset().await?;
            }
            self.submissions.put(session);
            let refused = match envelope.mail.is_ok() {
                true => envelope.rcpts,
                false if envelope.mail.is_temporary() => {
                    return Ok(Submitted::Later(words(&envelope.mail)));
                }
                false => vec![envelope.mail.clone(); letter.recipients.len()],
            };
            return Ok(Submitted::Refused(refused));
        }
        if let Some(refusal) = session.begin_body(BodyMode::Auto).await? {
            return Ok(Submitted::Later(words(&refusal)));
        }
        while !rest.is_empty() {
            session.body(rest.split_to(rest.len().min(PIECE))).await?;
        }
        let reply = session.finish_body().await?.into_iter().next();
        self.submissions.put(session);
        Ok(match reply {
            Some(reply) if reply.is_ok() && reply.text.starts_with(ALREADY_TAKEN) => {
                Submitted::Repeated
            }
            Some(reply) if reply.is_ok() => Submitted::Taken(envelope.rcpts),
            Some(reply) if reply.is_permanent() => {
                Submitted::Refused(vec![reply; letter.recipients.len()])
            }
            Some(reply) => Submitted::Later(words(&reply)),
            None => Submitted::Later("the core gave no answer".to_owned()),
        })
    }
}
