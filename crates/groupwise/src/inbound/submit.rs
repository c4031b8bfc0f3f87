//! Messages for the core.

use crate::link::{Link, words};
use bytes::Bytes;
use concord_base::Fault as _;
use concord_connector::CoreSession;
use concord_smtp::{MailCommand, RcptCommand, Reply, Xforward};
use concord_smtp_tokio::{BodyMode, ClientError, Phase};

/// Octets handed over at a time.
const PIECE: usize = 64 << 10;
/// Characters of an id that the core is told in XFORWARD.
const MAX_IDENT: usize = 100;

/// A message for the core.
#[derive(Debug)]
pub(super) struct Letter {
    pub mail: MailCommand,
    pub rcpts: Vec<RcptCommand>,
    pub octets: Bytes,
    /// The sender's system's id of it.
    pub ident: String,
}

/// What the core said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Submitted {
    /// The core has it for those whose reply is 250; the others are refused.
    Taken(Vec<Reply>),
    /// Nobody got it, and never will: the replies.
    Refused(Vec<Reply>),
    /// Not now.
    Later(String),
    /// The session broke within the message: nobody knows whether the core has
    /// it, and the core may have died of it.
    Broken(String),
}

impl Link {
    /// Hands a message to the core.
    pub(super) async fn submit(&self, letter: &Letter) -> Submitted {
        let (session, was_idle) = match self.session().await {
            Ok(taken) => taken,
            Err(error) => return Submitted::Later(error.to_string()),
        };
        match self.transact(session, letter).await {
            // The core had closed it while it was idle.
            Err(error) if was_idle && !within_message(&error) => {
                match self.submissions.fresh().await {
                    Ok(session) => self.judged(self.transact(session, letter).await),
                    Err(error) => Submitted::Later(error.to_string()),
                }
            }
            outcome => self.judged(outcome),
        }
    }

    fn judged(&self, outcome: Result<Submitted, ClientError>) -> Submitted {
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
        letter: &Letter,
    ) -> Result<Submitted, ClientError> {
        let forward = Xforward {
            helo: Some(self.settings.gateway_domain.clone()).filter(|name| !name.is_empty()),
            proto: Some("GROUPWISE".to_owned()),
            ident: Some(letter.ident.chars().take(MAX_IDENT).collect::<String>())
                .filter(|ident| !ident.is_empty()),
            source: Some("REMOTE".to_owned()),
            ..Xforward::default()
        };
        let envelope = session.envelope(Some(&forward), &letter.mail, &letter.rcpts).await?;
        let later = envelope.rcpts.iter().find(|reply| reply.is_temporary());
        if let Some(reply) = later {
            // For all or for nobody: one who waits must not make the others
            // get it twice.
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
            return Ok(Submitted::Refused(envelope.rcpts));
        }
        if let Some(refusal) = session.begin_body(BodyMode::Auto).await? {
            return Ok(Submitted::Later(words(&refusal)));
        }
        let mut rest = letter.octets.clone();
        while !rest.is_empty() {
            session.body(rest.split_to(rest.len().min(PIECE))).await?;
        }
        let reply = session.finish_body().await?.into_iter().next();
        self.submissions.put(session);
        Ok(match reply {
            Some(reply) if reply.is_ok() => Submitted::Taken(envelope.rcpts),
            Some(reply) if reply.is_permanent() => {
                Submitted::Refused(vec![reply; letter.rcpts.len()])
            }
            Some(reply) => Submitted::Later(words(&reply)),
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
