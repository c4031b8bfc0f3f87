//! Messages taken whole, as connectors that convert them need them.

use crate::{Collected, ConversionMemory, Deliver, Outcome};
use bytes::Bytes;
use concord_address::SmtpAddress;
use concord_smtp::{MailCommand, RcptCommand, Reply, Xforward};
use std::path::PathBuf;
use std::sync::Arc;

/// A message from the core, and who takes it.
#[derive(Debug)]
pub struct Whole<R> {
    /// The core's id of it.
    pub queue_id: String,
    /// The reverse-path.
    pub sender: Option<SmtpAddress>,
    /// What the connector made of each recipient that it took, in order.
    pub recipients: Vec<R>,
    /// RFC 5322 octets.
    pub octets: Arc<[u8]>,
}

/// One session's way to a foreign system that is given whole messages.
#[async_trait::async_trait]
pub trait DeliverWhole: Send {
    /// What the connector keeps of a recipient.
    type Recipient: Send;

    /// See [`Deliver::connected`].
    async fn connected(&mut self) -> Result<(), Reply> {
        Ok(())
    }

    /// Whether a message can be taken now; else the answer to MAIL.
    async fn ready(&mut self) -> Result<(), Outcome> {
        Ok(())
    }

    /// RCPT: the recipient, or why it is not taken.
    async fn recipient(&mut self, rcpt: &RcptCommand) -> Result<Self::Recipient, Outcome>;

    /// The message is complete: an outcome for each recipient, in order, or one
    /// for all of them. 2xx when the foreign system answers for it.
    async fn deliver(&mut self, message: Whole<Self::Recipient>) -> Result<Vec<Outcome>, Outcome>;
}

/// Gathers messages for a [`DeliverWhole`], within the memory of conversions.
pub struct Gathering<D: DeliverWhole> {
    inner: D,
    runtime: PathBuf,
    memory: ConversionMemory,
    queue_id: Option<String>,
    transaction: Transaction<D::Recipient>,
}

struct Transaction<R> {
    sender: Option<SmtpAddress>,
    recipients: Vec<R>,
    collected: Collected,
}

impl<R> Default for Transaction<R> {
    fn default() -> Self {
        Self { sender: None, recipients: Vec::new(), collected: Collected::default() }
    }
}

impl<D: DeliverWhole> Gathering<D> {
    /// A session's way. Large messages wait in unnamed files in `runtime`.
    pub fn new(inner: D, runtime: PathBuf, memory: ConversionMemory) -> Self {
        Self { inner, runtime, memory, queue_id: None, transaction: Transaction::default() }
    }

    async fn hand_over(&mut self) -> Result<Vec<Outcome>, Outcome> {
        let Transaction { sender, recipients, collected } = std::mem::take(&mut self.transaction);
        let queue_id = self.queue_id.take().ok_or_else(|| {
            let text = "the core did not say which message this is (XFORWARD IDENT)";
            Outcome::own(451, (4, 3, 0), text)
        })?;
        let _room = self.memory.room(collected.octets()).await;
        let octets = collected.into_octets();
        let octets = octets.map_err(|error| {
            Outcome::own(451, (4, 3, 1), format!("cannot read what was kept: {error}"))
        })?;
        let octets = Arc::from(octets);
        self.inner.deliver(Whole { queue_id, sender, recipients, octets }).await
    }
}

#[async_trait::async_trait]
impl<D: DeliverWhole> Deliver for Gathering<D> {
    async fn connected(&mut self) -> Result<(), Reply> {
        self.inner.connected().await
    }

    async fn forwarded(&mut self, attributes: &Xforward) {
        if attributes.ident.is_some() {
            self.queue_id.clone_from(&attributes.ident);
        }
    }

    async fn mail(&mut self, mail: &MailCommand) -> Outcome {
        if let Err(refusal) = self.inner.ready().await {
            return refusal;
        }
        self.transaction = Transaction { sender: mail.from.0.clone(), ..Transaction::default() };
        Outcome::own(250, (2, 1, 0), "ok")
    }

    async fn recipients(&mut self, rcpts: &[RcptCommand]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(rcpts.len());
        for rcpt in rcpts {
            outcomes.push(match self.inner.recipient(rcpt).await {
                Ok(recipient) => {
                    self.transaction.recipients.push(recipient);
                    Outcome::own(250, (2, 1, 5), "ok")
                }
                Err(refusal) => refusal,
            });
        }
        outcomes
    }

    async fn data(&mut self, piece: Bytes) -> Result<(), Outcome> {
        self.transaction.collected.add(&piece, &self.runtime).map_err(|error| {
            tracing::warn!(%error, "a message cannot be kept while it comes in");
            Outcome::own(451, (4, 3, 1), format!("cannot keep the message: {error}"))
        })
    }

    async fn finish(&mut self) -> Vec<Outcome> {
        let count = self.transaction.recipients.len();
        match self.hand_over().await {
            Ok(outcomes) => outcomes,
            Err(one) => vec![one; count],
        }
    }

    async fn reset(&mut self) {
        self.transaction = Transaction::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use concord_smtp::ForwardPath;

    /// Takes everybody but the postmaster, and says how much came.
    struct Counting;

    #[async_trait::async_trait]
    impl DeliverWhole for Counting {
        type Recipient = SmtpAddress;

        async fn recipient(&mut self, rcpt: &RcptCommand) -> Result<SmtpAddress, Outcome> {
            match &rcpt.to {
                ForwardPath::Mailbox(address) => Ok(address.clone()),
                ForwardPath::Postmaster => Err(Outcome::own(550, (5, 1, 1), "not here")),
            }
        }

        async fn deliver(&mut self, message: Whole<SmtpAddress>) -> Result<Vec<Outcome>, Outcome> {
            let said = |one: &SmtpAddress| {
                let text = format!("{} {one} {}", message.queue_id, message.octets.len());
                Outcome::own(250, (2, 0, 0), text)
            };
            Ok(message.recipients.iter().map(said).collect())
        }
    }

    fn gathering() -> Gathering<Counting> {
        Gathering::new(Counting, std::env::temp_dir(), ConversionMemory::default())
    }

    fn rcpts() -> Vec<RcptCommand> {
        let named = |text: &str| RcptCommand::new(text.parse::<SmtpAddress>().unwrap());
        let nobody = RcptCommand { to: ForwardPath::Postmaster, ..named("x@a.test") };
        vec![named("a@a.test"), nobody, named("b@a.test")]
    }

    #[tokio::test]
    async fn those_who_were_taken_get_the_whole_message() {
        let mut session = gathering();
        session.forwarded(&Xforward { ident: Some("Q1".into()), ..Xforward::default() }).await;
        assert_eq!(session.mail(&MailCommand::new(None)).await.reply().code, 250);
        let codes = session.recipients(&rcpts()).await;
        let codes: Vec<u16> = codes.iter().map(|outcome| outcome.reply().code).collect();
        assert_eq!(codes, [250, 550, 250]);
        for piece in ["one ", "two"] {
            session.data(Bytes::from(piece)).await.unwrap();
        }
        let said = session.finish().await;
        let said: Vec<&str> = said.iter().map(|outcome| &*outcome.reply().text).collect();
        assert_eq!(said, ["Q1 a@a.test 7", "Q1 b@a.test 7"]);
    }

    #[tokio::test]
    async fn a_message_that_the_core_does_not_name_waits_for_all() {
        let mut session = gathering();
        session.mail(&MailCommand::new(None)).await;
        session.recipients(&rcpts()).await;
        let outcomes = session.finish().await;
        assert_eq!(outcomes.iter().map(|o| o.reply().code).collect::<Vec<_>>(), [451, 451]);
    }
}
