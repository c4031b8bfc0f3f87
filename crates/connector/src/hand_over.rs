//! A whole message for the core.

use crate::submit::{ALREADY_TAKEN, CoreSession, Submissions};
use bytes::Bytes;
use concord_base::Fault as _;
use concord_smtp::{MailCommand, RcptCommand, Reply, Xforward};
use concord_smtp_tokio::{BodyMode, ClientError, Phase};

/// Octets handed over at a time.
const PIECE: usize = 64 << 10;

/// A message for the core.
#[derive(Debug)]
pub struct Submission {
    /// What the core is told of where it comes from.
    pub forward: Xforward,
    /// The reverse-path and its parameters.
    pub mail: MailCommand,
    /// The forward-paths and theirs.
    pub rcpts: Vec<RcptCommand>,
    /// RFC 5322 octets.
    pub octets: Bytes,
}

/// What the core said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// The core has it.
    Taken {
        /// To each recipient; those whose reply is not 250 are refused.
        replies: Vec<Reply>,
        /// It had it already, under the same key.
        repeated: bool,
    },
    /// Nobody got it, and never will: the reply to each recipient.
    Refused(Vec<Reply>),
    /// Not now; the words are for the operator.
    Later(String),
    /// The session broke within the message: nobody knows whether the core has
    /// it, and the core may have died of it. One with a key can be tried again.
    Broken(String),
}

impl Submissions {
    /// Hands a message to the core, for all of its recipients or for none: one
    /// who has to wait must not make the others get it twice.
    pub async fn hand_over(&self, submission: &Submission) -> Submitted {
        let (session, was_idle) = match self.get().await {
            Ok(taken) => taken,
            Err(error) => return Submitted::Later(error.to_string()),
        };
        let first = self.transact(session, submission).await;
        let outcome = match first {
            // The core had closed it while it was idle.
            Err(error) if was_idle && !within_message(&error) => match self.fresh().await {
                Ok(session) => self.transact(session, submission).await,
                Err(error) => return Submitted::Later(error.to_string()),
            },
            outcome => outcome,
        };
        outcome.unwrap_or_else(|error| {
            tracing::warn!(code = error.code(), %error, "the session to the core failed");
            match within_message(&error) {
                true => Submitted::Broken(error.to_string()),
                false => Submitted::Later(error.to_string()),
            }
        })
    }

    async fn transact(
        &self,
        mut session: CoreSession,
        submission: &Submission,
    ) -> Result<Submitted, ClientError> {
        let Submission { forward, mail, rcpts, octets } = submission;
        let envelope = session.envelope(Some(forward), mail, rcpts).await?;
        if let Some(reply) = envelope.rcpts.iter().find(|reply| reply.is_temporary()) {
            let said = on_one_line(reply);
            if envelope.mail.is_ok() && reply.code != 421 {
                session.reset().await?;
                self.put(session);
            }
            return Ok(Submitted::Later(said));
        }
        if envelope.accepted() == 0 {
            if envelope.mail.is_ok() {
                session.reset().await?;
            }
            self.put(session);
            return Ok(Submitted::Refused(envelope.rcpts));
        }
        if let Some(refusal) = session.begin_body(BodyMode::Auto).await? {
            return Ok(Submitted::Later(on_one_line(&refusal)));
        }
        let mut rest = octets.clone();
        while !rest.is_empty() {
            session.body(rest.split_to(rest.len().min(PIECE))).await?;
        }
        let reply = session.finish_body().await?.into_iter().next();
        self.put(session);
        Ok(match reply {
            Some(reply) if reply.is_ok() => Submitted::Taken {
                replies: envelope.rcpts,
                repeated: reply.text.starts_with(ALREADY_TAKEN),
            },
            Some(reply) if reply.is_permanent() => Submitted::Refused(vec![reply; rcpts.len()]),
            Some(reply) => Submitted::Later(on_one_line(&reply)),
            None => Submitted::Later("the core gave no answer".to_owned()),
        })
    }
}

fn within_message(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Io { phase: Phase::Body | Phase::Final, .. }
            | ClientError::Closed(Phase::Body | Phase::Final)
            | ClientError::TimedOut(Phase::Body | Phase::Final)
    )
}

/// Code, enhanced status and words of a reply on one line.
pub fn on_one_line(reply: &Reply) -> String {
    let status = reply.status_or_generic();
    format!("{} {status} {}", reply.code, reply.text.replace('\n', " "))
}
