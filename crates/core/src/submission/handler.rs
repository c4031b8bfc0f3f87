//! One session of the submission server.

use super::journal;
use super::recipients::{From, Recipients, Routed};
use super::reply::{store_reply, transport_reply};
use super::serve::Submission;
use super::size;
use crate::on_demand::{self, Asked};
use crate::{dead_end, filing, report};
use bytes::Bytes;
use concord_address::{SmtpAddress, TypedAddress};
use concord_base::QueueId;
use concord_connector::ALREADY_TAKEN;
use concord_directory::{INTERNET_MAIL, Object};
use concord_mail_policy::Client;
use concord_message::HeaderScan;
use concord_rules::Reader;
use concord_sasl::ServerSession;
use concord_smtp::{BodyType, EtrnCommand, MailCommand, RcptCommand, Reply, Return, Xforward};
use concord_smtp_tokio::{AuthStep, DataReply, HelloInfo, SmtpHandler};
use concord_store::BodyWriter;
use concord_transport::{Arrival, EnvelopeOptions, ReturnContent, ReversePath, TlsWish};
use std::sync::Arc;

/// A message that is coming in.
struct Incoming {
    writer: Box<dyn BodyWriter>,
    scan: HeaderScan,
    scanned: bool,
    return_path_octets: u32,
    copies: Vec<journal::Copy>,
    /// If somebody who gets the message may have rules.
    rules: Option<Reader>,
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
    from: From,
    recipients: Recipients,
    incoming: Option<Incoming>,
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

/// The answer for a message that the connector brought before under a key: it did
/// not hear that it was taken.
async fn taken_before(
    shared: &Submission,
    connector: &str,
    key: &str,
) -> Result<Option<Reply>, Reply> {
    let taken = shared.queue.taken(connector, key).await.map_err(transport_reply)?;
    let text = |message| format!("{ALREADY_TAKEN}{}", QueueId(message));
    Ok(taken.map(|message| Reply::new(250, (2, 0, 0), text(message))))
}

/// Who sends. A user may send only as himself, and on behalf of those whose
/// delegate he is.
pub(crate) async fn may_send_as(
    shared: &Submission,
    login: Option<Arc<Object>>,
    from: Option<&SmtpAddress>,
    unknown: From,
) -> Result<From, Reply> {
    let Some(from) = from else { return Ok(unknown) };
    let found = shared.directory.lookup(&TypedAddress::from(from.clone())).await;
    let found = found.map_err(|error| Reply::from_fault(&error))?;
    let Some(login) = login else { return Ok(From { object: found, ..unknown }) };
    let allowed = found
        .as_ref()
        .is_some_and(|object| object.id == login.id || object.policy.delegates.contains(&login.id));
    if allowed {
        return Ok(From { object: found, ..unknown });
    }
    let name = &login.name;
    let text = format!("<{from}> is not an address of {name}, nor of one whose delegate he is");
    Err(Reply::new(553, (5, 7, 1), text))
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
            from: From::default(),
            recipients: Recipients::default(),
            incoming: None,
        }
    }

    /// Whether the connector itself wrote the message: a report of its own.
    /// Connectors say `REMOTE` of all that others hand them.
    fn is_of_connector(&self) -> bool {
        self.client.source.as_deref() == Some("LOCAL")
    }

    /// Whether this client may send to other systems.
    fn may_relay(&self) -> bool {
        let address = |text: &Option<String>| text.as_ref().and_then(|a| a.parse().ok());
        let client = Client {
            address: address(&self.client.addr),
            interface: address(&self.client.destaddr),
            user: self.login.as_ref().map(|login| login.name.as_str()),
        };
        self.source.trusted
            || self.is_of_connector()
            || self.shared.config.policy.current().relay.decide(&client).may_relay()
    }

    fn arrival(&self) -> Arrival {
        Arrival {
            connector: self.source.connector.clone(),
            client: self.client.addr.clone(),
            helo: self.client.helo.clone(),
            protocol: self.client.proto.clone(),
            login: self.login.as_ref().map(|mailbox| mailbox.name.clone()),
            key: self.client.key.clone(),
        }
    }

    /// What is known of the sender without looking.
    fn unknown_sender(&self, mail: &MailCommand) -> From {
        From {
            object: self.login.clone(),
            proven: self.login.is_some() || self.source.trusted || self.is_of_connector(),
            null: mail.from.0.is_none(),
            octets: mail.size,
            may_relay: self.may_relay(),
        }
    }

    async fn commit(&mut self) -> Result<Reply, Reply> {
        if let Some(key) = &self.client.key
            && let Some(reply) = taken_before(&self.shared, &self.source.connector, key).await?
        {
            return Ok(reply);
        }
        let gone = || Reply::new(451, (4, 3, 0), "the message got lost on its way; send it again");
        let incoming = self.incoming.take().ok_or_else(gone)?;
        let mail = self.mail.take().ok_or_else(gone)?;
        let recipients = std::mem::take(&mut self.recipients);
        let facts = incoming.scan.finish();
        if facts.received > self.shared.config.max_hops {
            return Err(Reply::new(554, (5, 4, 6), "too many hops: the message is looping"));
        }
        let body = incoming.writer.finish().await.map_err(|e| store_reply(&e))?;
        let octets = body.octets.saturating_sub(u64::from(incoming.return_path_octets));
        let from = std::mem::take(&mut self.from);
        if let Some(limit) = from.object.as_ref().and_then(|o| o.policy.send_limit)
            && octets > limit.0
        {
            let text = format!("you may send messages of at most {} octets", limit.0);
            return Err(Reply::new(552, (5, 2, 3), text));
        }
        if !from.proven {
            size::from_outside(&self.shared, Some(octets))?;
        }
        let Routed { copies: routed, ruled } =
            recipients.route(&self.shared, &from, octets).await?;
        if routed.is_empty() {
            return Ok(Reply::new(250, (2, 0, 0), "the lists have no members; nobody gets it"));
        }
        let routed = if facts.auto_replied {
            let routes = self.shared.routing.routes().await;
            let routes = routes.map_err(|error| Reply::from_fault(&error))?;
            dead_end::automatic_reply(routed, &self.shared.config.policy.current(), &routes)
        } else {
            routed
        };
        let mut routed = match &self.client.hold {
            Some(_) => dead_end::put_aside(routed),
            None => routed,
        };
        if let Some(reader) = incoming.rules {
            let read = reader.finish();
            let filed = filing::file(&self.shared, &mut routed, &ruled, &read).await;
            filed.map_err(|error| Reply::from_fault(&error))?;
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
                // RFC 8689 section 4.2: of both the parameter counts.
                tls: match mail.tls {
                    Some(concord_smtp::TlsWish::Require) => Some(TlsWish::Require),
                    _ => facts.tls_optional.then_some(TlsWish::Optional),
                },
                urgency: facts.urgency,
            },
            recipients: routed,
            header_message_id: facts.message_id,
            subject: facts.subject,
            body,
            return_path_octets: incoming.return_path_octets,
            hold: self.client.hold.take(),
        };
        for copy in incoming.copies {
            copy.finish(&self.shared).await?;
        }
        let held = submission.hold.is_some();
        let success = report::of_local_success(&submission, &self.shared.config.policy.current());
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
        let what = if held { "put aside as" } else { "queued as" };
        Ok(Reply::new(250, (2, 0, 0), format!("{what} {queue_id}")))
    }
}

#[async_trait::async_trait]
impl SmtpHandler for Handler {
    async fn hello(&mut self, hello: &HelloInfo) -> Result<(), Reply> {
        self.hello = hello.name.to_ascii_lowercase();
        Ok(())
    }

    async fn xforward(&mut self, attributes: &Xforward) -> Reply {
        if self.mail.is_some() {
            // In a transaction only this can be news.
            self.client.hold.clone_from(&attributes.hold);
        } else {
            // Each command names a client anew: sessions are shared by many.
            self.client = attributes.clone();
        }
        Reply::new(250, (2, 0, 0), "ok")
    }

    async fn auth(&mut self, mechanism: &str, response: Option<&[u8]>, first: bool) -> AuthStep {
        self.auth_step(mechanism, response, first).await
    }

    async fn auth_cancelled(&mut self) {
        self.sasl = None;
    }

    async fn mail(&mut self, mail: &MailCommand) -> Reply {
        match find_source(&self.shared, &self.hello).await {
            Ok(source) => self.source = source,
            Err(refusal) => return refusal,
        }
        let unknown = self.unknown_sender(mail);
        let (shared, login) = (Arc::clone(&self.shared), self.login.clone());
        match may_send_as(&shared, login, mail.from.0.as_ref(), unknown).await {
            Ok(from) => self.from = from,
            Err(refusal) => return refusal,
        }
        if !self.from.proven
            && let Err(refusal) = size::from_outside(&self.shared, mail.size)
        {
            return refusal;
        }
        let reply = match &mail.from.0 {
            Some(from) => format!("<{from}> sender ok"),
            None => "<> sender ok".to_owned(),
        };
        self.mail = Some(mail.clone());
        Reply::new(250, (2, 1, 0), reply)
    }

    async fn rcpt(&mut self, rcpt: &RcptCommand) -> Reply {
        let shared = Arc::clone(&self.shared);
        self.recipients.add(rcpt, &self.from, &shared).await
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
        let nobody = ReversePath(None);
        let facts = journal::Facts {
            from: &self.from,
            sender: &self.mail.as_ref().map_or(nobody, |mail| ReversePath(mail.from.0.clone())),
            recipients: &self.recipients,
            arrival: &self.arrival(),
            octets: expected,
        };
        let copies = journal::begin(&self.shared, &facts).await?;
        let line = match sender {
            Some(from) => format!("Return-Path: <{from}>\r\n"),
            None => "Return-Path: <>\r\n".to_owned(),
        };
        let return_path_octets = u32::try_from(line.len()).unwrap_or(0);
        writer.write(Bytes::from(line)).await.map_err(|e| store_reply(&e))?;
        let scan = HeaderScan::new();
        let rules = self.recipients.may_be_ruled().then(Reader::new);
        self.incoming =
            Some(Incoming { writer, scan, scanned: false, return_path_octets, copies, rules });
        Ok(())
    }

    async fn data(&mut self, chunk: Bytes) -> Result<(), Reply> {
        let Some(incoming) = &mut self.incoming else { return Ok(()) };
        if !incoming.scanned {
            incoming.scanned = incoming.scan.feed(&chunk);
        }
        if let Some(reader) = &mut incoming.rules {
            reader.feed(&chunk);
        }
        for copy in &mut incoming.copies {
            copy.write(chunk.clone()).await?;
        }
        incoming.writer.write(chunk).await.map_err(|e| store_reply(&e))
    }

    async fn end_data(&mut self) -> DataReply {
        let reply = self.commit().await.unwrap_or_else(|refusal| refusal);
        self.reset().await;
        DataReply::One(reply)
    }

    /// RFC 1985 section 5.
    async fn etrn(&mut self, etrn: &EtrnCommand) -> Reply {
        let node = &etrn.domain;
        match on_demand::start(&self.shared, node, etrn.below).await {
            Ok(Asked::NotHeld) => {
                Reply::new(459, (4, 7, 1), format!("mail for {node} does not wait to be asked for"))
            }
            Ok(Asked::Started(0)) => {
                Reply::new(251, (2, 0, 0), format!("no messages wait for {node}"))
            }
            Ok(Asked::Started(waiting)) => {
                let text = format!("{waiting} pending messages for node {node} started");
                Reply::new(253, (2, 0, 0), text)
            }
            Err(error) => {
                tracing::warn!(%error, "mail that waits cannot be started");
                Reply::new(458, (4, 3, 0), format!("unable to queue messages for node {node}"))
            }
        }
    }

    async fn reset(&mut self) {
        self.mail = None;
        self.recipients = Recipients::default();
        self.incoming = None;
        // It is one message's: the next one has another, or none.
        self.client.key = None;
    }
}
