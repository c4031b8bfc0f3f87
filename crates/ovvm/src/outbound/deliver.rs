//! One session of the core.

use super::files::{Recipient, Source, files};
use super::reports::{self, Report};
use super::send::{Sending, no_way, send};
use crate::settings::MailForm;
use crate::shared::Running;
use crate::spool::MAX_HOPS;
use crate::telemetry::OUT_RECIPIENTS;
use concord_address::SmtpAddress;
use concord_cms_mail::HostAddress;
use concord_cms_mail::convert::People as _;
use concord_connector::{DeliverWhole, Gathering, Outcome, Whole};
use concord_message::HeaderScan;
use concord_smtp::{ForwardPath, RcptCommand};
use jiff::Timestamp;
use mail_parser::{Message, MessageParser};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Recipients of one message whose files are on their way at once: as many as a
/// link has streams at most.
const AT_ONCE: usize = 7;
/// People whose addresses are looked up; a heading shows no more.
const MAX_NAMED: usize = 1_000;
/// The time of messages that do not say theirs: it must be the same each time,
/// and not zero (Q197115).
const NO_TIME: i64 = 946_684_800;

/// The way to the hosts for one session of the core.
pub(crate) struct ToHosts {
    running: Arc<Running>,
}

impl ToHosts {
    /// A session's way. Large messages wait in unnamed files in `runtime`.
    pub fn gathering(running: Arc<Running>, runtime: PathBuf) -> Gathering<Self> {
        let memory = running.shared.memory.clone();
        Gathering::new(Self { running }, runtime, memory)
    }

    /// What is to be known of a message.
    async fn source(
        &self,
        queue_id: String,
        octets: Arc<[u8]>,
        reverse_path: Option<SmtpAddress>,
        report: Option<&Report>,
    ) -> Result<Source, Outcome> {
        let shared = &self.running.shared;
        let facts = facts(&octets);
        let mut all = facts.named;
        // RFC 5321 section 4.5.5: a report comes from nobody.
        let from = reverse_path.clone().or_else(|| facts.from.filter(|_| report.is_none()));
        all.extend(from.clone());
        all.extend(report.map(Report::about).unwrap_or_default());
        let people = shared.book.at_hosts(&all).await.map_err(|error| Outcome::of_api(&error))?;
        let sender = match &from {
            Some(from) => people.host(from).unwrap_or_else(|| self.stranger(&queue_id)),
            None => shared.settings.postmaster.clone(),
        };
        Ok(Source {
            queue_id,
            octets,
            reverse_path,
            sender,
            people: Arc::new(people),
            at: facts.at,
            asks_receipt: facts.asks_receipt && report.is_none(),
            hops: facts.hops,
            domain: shared.host.to_string(),
        })
    }

    /// A sender whom hosts do not know is the message's own name at this node:
    /// who answers, answers the sender of that message, as long as it is
    /// remembered. The original made up addresses and kept tables of them
    /// (Q185900, Q295071).
    fn stranger(&self, queue_id: &str) -> HostAddress {
        let settings = &self.running.shared.settings;
        HostAddress::new(&settings.node.to_string(), queue_id)
            .unwrap_or_else(|_| settings.postmaster.clone())
    }
}

/// A message's files for one recipient, made and sent.
async fn carry(
    running: &Arc<Running>,
    source: Arc<Source>,
    recipient: Recipient,
    report: Option<Arc<Report>>,
) -> Outcome {
    let sending = Sending {
        queue_id: source.queue_id.clone(),
        recipient: recipient.host.clone(),
        at: source.at,
        hops: source.hops,
    };
    let maker = Arc::clone(running);
    let made = tokio::task::spawn_blocking(move || {
        let settings = &maker.shared.settings;
        match report {
            // Mailers understand reports as they are.
            Some(report) if settings.nodes.of(recipient.host.node()).form != MailForm::Mailer => {
                report.files(&source, &recipient, settings)
            }
            _ => files(&source, &recipient, settings),
        }
    });
    match made.await {
        Ok(Ok(files)) if files.is_empty() => Outcome::own(250, (2, 0, 0), "nothing was to be told"),
        Ok(Ok(files)) => send(running, &sending, files).await,
        Ok(Err(refusal)) => refusal,
        Err(_) => Outcome::own(554, (5, 6, 0), "the conversion of this message failed"),
    }
}

/// What a message's header says.
struct Facts {
    named: Vec<SmtpAddress>,
    from: Option<SmtpAddress>,
    at: Timestamp,
    asks_receipt: bool,
    hops: u16,
}

fn facts(octets: &[u8]) -> Facts {
    let hops = u16::try_from(HeaderScan::scan(octets).received).unwrap_or(MAX_HOPS).min(MAX_HOPS);
    let no_time = Timestamp::from_second(NO_TIME).unwrap_or(Timestamp::UNIX_EPOCH);
    let Some(message) = MessageParser::new().parse(octets) else {
        return Facts { named: Vec::new(), from: None, at: no_time, asks_receipt: false, hops };
    };
    let lists = [message.from(), message.to(), message.cc(), message.reply_to()];
    let all = lists.into_iter().flatten().flat_map(|list| list.iter());
    let named = all.filter_map(|one| one.address()?.parse().ok()).take(MAX_NAMED).collect();
    let from = message.from().and_then(|from| from.first()?.address()?.parse().ok());
    let asks_receipt = message.header("Disposition-Notification-To").is_some();
    Facts { named, from, at: time(&message).unwrap_or(no_time), asks_receipt, hops }
}

/// When the message came here, or was written; the same whenever it is asked.
fn time(message: &Message<'_>) -> Option<Timestamp> {
    let received = message.received().and_then(|line| line.date());
    let date = received.or_else(|| message.date().copied()).filter(|date| date.is_valid())?;
    Timestamp::from_second(date.to_timestamp()).ok()
}

/// Which links are active is said for each recipient: one that is down keeps
/// nobody from the others, and its node rests with the reason.
#[async_trait::async_trait]
impl DeliverWhole for ToHosts {
    type Recipient = Recipient;

    async fn recipient(&mut self, rcpt: &RcptCommand) -> Result<Recipient, Outcome> {
        let ForwardPath::Mailbox(address) = &rcpt.to else {
            return Err(Outcome::own(550, (5, 1, 1), "there is no postmaster among the hosts"));
        };
        let shared = &self.running.shared;
        let known = shared.book.at_hosts(std::slice::from_ref(address)).await;
        let Some(host) = known.map_err(|error| Outcome::of_api(&error))?.host(address) else {
            let text = format!("<{address}> is nobody's address at a host");
            return Err(Outcome::own(550, (5, 1, 1), text));
        };
        // The own node is this organisation: its people are in the directory, or
        // nowhere (Q186580).
        if shared.settings.is_own(host.node()) {
            let text = format!("{} unknown at {}", host.user(), host.node());
            return Err(Outcome::own(550, (5, 1, 1), text));
        }
        let Some(link) = shared.settings.route(host.node()) else { return Err(no_way(&host)) };
        let state = shared.links.of(link.partner);
        if !state.active {
            let text = format!("the link to {} is not active: {}", link.partner, state.why);
            return Err(Outcome::own(451, (4, 4, 1), text));
        }
        let notify_success = rcpt.notify.is_some_and(|notify| notify.success);
        Ok(Recipient { host, notify_success })
    }

    async fn deliver(&mut self, message: Whole<Recipient>) -> Result<Vec<Outcome>, Outcome> {
        let Whole { queue_id, sender, recipients, octets } = message;
        let report = reports::read(&octets).map(Arc::new);
        let source = self.source(queue_id, octets, sender, report.as_deref()).await?;
        let source = Arc::new(source);
        let mut tasks = JoinSet::new();
        let mut outcomes: Vec<Option<Outcome>> = vec![None; recipients.len()];
        let keep = |outcomes: &mut Vec<Option<Outcome>>, (at, outcome): (usize, Outcome)| {
            metrics::counter!(OUT_RECIPIENTS, "result" => outcome.result()).increment(1);
            if let Some(place) = outcomes.get_mut(at) {
                *place = Some(outcome);
            }
        };
        for (at, recipient) in recipients.into_iter().enumerate() {
            if tasks.len() >= AT_ONCE
                && let Some(Ok(done)) = tasks.join_next().await
            {
                keep(&mut outcomes, done);
            }
            let (running, source) = (Arc::clone(&self.running), Arc::clone(&source));
            let report = report.clone();
            tasks.spawn(async move { (at, carry(&running, source, recipient, report).await) });
        }
        while let Some(done) = tasks.join_next().await {
            if let Ok(done) = done {
                keep(&mut outcomes, done);
            }
        }
        let broken = || Outcome::own(554, (5, 6, 0), "the conversion of this message failed");
        Ok(outcomes.into_iter().map(|one| one.unwrap_or_else(broken)).collect())
    }
}
