//! One session of the submission server.

use super::recipients::Recipients;
use super::serve::Submission;
use crate::report;
use bytes::Bytes;
use concord_base::{Fault as _, QueueId, StorageError};
use concord_directory::{INTERNET_MAIL, Object};
use concord_message::HeaderScan;
use concord_sasl::ServerSession;
use concord_smtp::{BodyType, MailCommand, RcptCommand, Reply, Return, Xforward};
use concord_smtp_tokio::{AuthStep, DataReply, HelloInfo, SmtpHandler};
use concord_store::{BodyWriter, StoreError};
use concord_transport::{Arrival, EnvelopeOptions, ReturnContent, ReversePath, TransportError};
use std::sync::Arc;

/// A message that is coming in.
struct Incoming {
    writer: Box<dyn BodyWriter>,
    scan: HeaderScan,
    scanned: bool,
    return_path_octets: u32,
}

/// Who brings a message.
#[derive(Default)]
struct Source {
    connector: String,
    /// A connector to one other system speaks for that system: its users may
    /// send to anyone. The one to the Internet speaks for strangers.
    trusted: bool,
}

pub(crate) struct Handler {
    pub(super) shared: Arc<Submission>,
    pub(super) sasl: Option<ServerSession>,
    pub(super) login: Option<Arc<Object>>,
    client: Xforward,
    /// What the connector called itself.
    hello: String,
    source: Source,
    mail: Option<MailCommand>,
    recipients: Recipients,
    incoming: Option<Incoming>,
}

/// What a client hears of trouble with the store. Paths and figures are for
/// the log: the client may be anybody.
fn store_reply(error: &StoreError) -> Reply {
    tracing::warn!(code = error.code(), %error, "a message could not be stored");
    match error {
        // RFC 5321 section 4.2.3: 452 is insufficient system storage.
        StoreError::Storage(StorageError::DiskFull { .. }) => {
            Reply::new(452, (4, 3, 1), "insufficient storage, try again later")
        }
        StoreError::Storage(
            StorageError::Stopping | StorageError::Busy { .. } | StorageError::InUse(_),
        ) => Reply::new(451, (4, 3, 2), "the mail store is busy, try again later"),
        StoreError::Storage(_) => {
            Reply::new(451, (4, 3, 0), "the message could not be stored, try again later")
        }
        other => Reply::from_fault(other),
    }
}

fn transport_reply(error: TransportError) -> Reply {
    match error {
        TransportError::Storage(error) => store_reply(&error.into()),
        other => Reply::from_fault(&other),
    }
}

/// The connector of the name that EHLO gave. Whoever has no connector's name
/// is taken for Internet mail, which has the fewest rights.
async fn find_source(shared: &Submission, hello: &str) -> Result<Source, Reply> {
    let routes = shared.routing.routes().await;
    let routes = routes.map_err(|error| Reply::from_fault(&error))?;
    let name = match routes.state(hello) {
        Some(_) => hello,
        None => INTERNET_MAIL,
    };
    if routes.state(name) == Some(false) {
        let text = format!("the connector {name} is disabled");
        return Err(Reply::new(451, (4, 3, 2), text));
    }
    let trusted = routes.component(name).is_some_and(|component| component != INTERNET_MAIL);
    Ok(Source { connector: name.to_owned(), trusted })
}

impl Handler {
    pub(super) fn new(shared: Arc<Submission>) -> Self {
        Self {
            shared,
            sasl: None,
            login: None,
            client: Xforward::default(),
            hello: String::new(),
            source: Source::default(),
            mail: None,
            recipients: Recipients::default(),
            incoming: None,
        }
    }

    /// Whether this client may send to other systems.
    fn may_relay(&self) -> bool {
        let address = self.client.addr.as_ref().and_then(|a| a.parse().ok());
        self.source.trusted
            || self.login.is_some()
            || address.is_some_and(|ip| (self.shared.config.may_relay)(ip))
    }

    fn arrival(&self) -> Arrival {
        Arrival {
            connector: self.source.connector.clone(),
            client: self.client.addr.clone(),
            helo: self.client.helo.clone(),
            protocol: self.client.proto.clone(),
            login: self.login.as_ref().map(|mailbox| mailbox.name.clone()),
        }
    }

    /// A user may send only as himself.
    fn check_sender(&self, mail: &MailCommand) -> Result<(), Reply> {
        let (Some(login), Some(from)) = (&self.login, &mail.from.0) else { return Ok(()) };
        let key = concord_address::TypedAddress::from(from.clone()).key();
        if login.proxies.iter().any(|proxy| proxy.address.key() == key) {
            return Ok(());
        }
        let text = format!("<{from}> is not an address of {}", login.name);
        Err(Reply::new(553, (5, 7, 1), text))
    }

    async fn commit(&mut self) -> Result<Reply, Reply> {
        let gone = || Reply::new(451, (4, 3, 0), "the message got lost on its way; send it again");
        let incoming = self.incoming.take().ok_or_else(gone)?;
        let mail = self.mail.take().ok_or_else(gone)?;
        let recipients = std::mem::take(&mut self.recipients);
        let facts = incoming.scan.finish();
        if facts.received > self.shared.config.max_hops {
            return Err(Reply::new(554, (5, 4, 6), "too many hops: the message is looping"));
        }
        let body = incoming.writer.finish().await.map_err(|e| store_reply(&e))?;
        let routed = recipients.route(&self.shared).await?;
        if routed.is_empty() {
            return Ok(Reply::new(250, (2, 0, 0), "the lists have no members; nobody gets it"));
        }
        let octets = body.octets;
        let submission = concord_transport::Submission {
            arrival: self.arrival(),
            received: self.shared.clock.now(),
            sender: ReversePath(mail.from.0),
            options: EnvelopeOptions {
                envelope_id: mail.envid,
                return_content: mail.ret.map(|ret| match ret {
                    Return::Full => ReturnContent::Full,
                    Return::Headers => ReturnContent::Headers,
                }),
                smtputf8: mail.smtputf8,
                eight_bit: mail.body == Some(BodyType::EightBit),
            },
            recipients: routed,
            header_message_id: facts.message_id,
            subject: facts.subject,
            body,
            return_path_octets: incoming.return_path_octets,
        };
        let success = report::of_local_success(&submission);
        let message = self.shared.queue.take_in(submission).await.map_err(transport_reply)?;
        let queue_id = QueueId(message);
        if let Some(success) = success
            && let Some(report) = success.finish(queue_id, &self.shared).await
        {
            // The message is safe: what follows is 250, whatever becomes of this.
            if let Err(error) = self.shared.queue.take_in(report).await {
                tracing::error!(%error, %queue_id, "a report of delivery could not be written");
            }
        }
        // messages taken in from connectors
        metrics::counter!("messages_received_total").increment(1);
        // octets of messages taken in from connectors
        metrics::counter!("messages_received_octets_total").increment(octets);
        Ok(Reply::new(250, (2, 0, 0), format!("queued as {queue_id}")))
    }
}

#[async_trait::async_trait]
impl SmtpHandler for Handler {
    async fn hello(&mut self, hello: &HelloInfo) -> Result<(), Reply> {
        self.hello = hello.name.to_ascii_lowercase();
        Ok(())
    }

    async fn xforward(&mut self, attributes: &Xforward) -> Reply {
        // Each command names a client anew: sessions are shared by many.
        self.client = attributes.clone();
        Reply::new(250, (2, 0, 0), "ok")
    }

    async fn auth(&mut self, mechanism: &str, response: Option<&[u8]>, first: bool) -> AuthStep {
        self.auth_step(mechanism, response, first).await
    }

    async fn auth_cancelled(&mut self) {
        self.sasl = None;
    }

    async fn mail(&mut self, mail: &MailCommand) -> Reply {
        if let Err(refusal) = self.check_sender(mail) {
            return refusal;
        }
        match find_source(&self.shared, &self.hello).await {
            Ok(source) => self.source = source,
            Err(refusal) => return refusal,
        }
        let reply = match &mail.from.0 {
            Some(from) => format!("<{from}> sender ok"),
            None => "<> sender ok".to_owned(),
        };
        self.mail = Some(mail.clone());
        Reply::new(250, (2, 1, 0), reply)
    }

    async fn rcpt(&mut self, rcpt: &RcptCommand) -> Reply {
        let may_relay = self.may_relay();
        let shared = Arc::clone(&self.shared);
        self.recipients.add(rcpt, may_relay, &shared).await
    }

    async fn begin_data(&mut self) -> Result<(), Reply> {
        if self.recipients.is_empty() {
            return Err(Reply::new(554, (5, 5, 1), "no recipients"));
        }
        let expected = self.mail.as_ref().and_then(|mail| mail.size);
        let mut writer =
            self.shared.store.begin_body(expected).await.map_err(|e| store_reply(&e))?;
        // RFC 5321 section 4.4: final delivery records the reverse-path.
        let sender = self.mail.as_ref().and_then(|mail| mail.from.0.as_ref());
        let line = match sender {
            Some(from) => format!("Return-Path: <{from}>\r\n"),
            None => "Return-Path: <>\r\n".to_owned(),
        };
        let return_path_octets = u32::try_from(line.len()).unwrap_or(0);
        writer.write(Bytes::from(line)).await.map_err(|e| store_reply(&e))?;
        let scan = HeaderScan::new();
        self.incoming = Some(Incoming { writer, scan, scanned: false, return_path_octets });
        Ok(())
    }

    async fn data(&mut self, chunk: Bytes) -> Result<(), Reply> {
        let Some(incoming) = &mut self.incoming else { return Ok(()) };
        if !incoming.scanned {
            incoming.scanned = incoming.scan.feed(&chunk);
        }
        incoming.writer.write(chunk).await.map_err(|e| store_reply(&e))
    }

    async fn end_data(&mut self) -> DataReply {
        let reply = self.commit().await.unwrap_or_else(|refusal| refusal);
        self.reset().await;
        DataReply::One(reply)
    }

    async fn reset(&mut self) {
        self.mail = None;
        self.recipients = Recipients::default();
        self.incoming = None;
    }
}
