//! The filters' part in the session of one client.

use crate::chain::Link;
use crate::config::OnFailure;
use crate::edit::{apply_edits, moved};
use crate::facts::{ClientFacts, CurrentMessage, Envelope, QueueFacts, TlsFacts};
use crate::fault::FilterFault;
use crate::limits::MAX_WORDS;
use crate::milter::{Asked, Member, Said};
use crate::rspamd::{self, Request};
use crate::spec::What;
use crate::telemetry;
use crate::verdict::{Action, Note, Opinion, Verdict};
use bytes::Bytes;
use concord_smtp::Reply;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What the filters are told about one client, and what they say.
///
/// The order is that of SMTP: [`FilterSession::helo`] (again behind STARTTLS),
/// then for each message [`FilterSession::mail`], [`FilterSession::rcpt`] for
/// each recipient, and [`FilterSession::message`] or
/// [`FilterSession::abort`]; [`FilterSession::end`] at last. A session that is
/// dropped without its end only closes its connections.
///
/// Every call ends within the filters' times. Calls must not be dropped half
/// way and the session used further; end it then.
pub struct FilterSession {
    links: Arc<[Link]>,
    facts: ClientFacts,
    seats: Vec<Seat>,
    envelope: Envelope,
}

/// One filter's state for this client.
#[derive(Default)]
struct Seat {
    member: Member,
    /// It failed, and this message goes on without it.
    failed: Option<FilterFault>,
}

impl FilterSession {
    pub(crate) fn new(links: Arc<[Link]>, facts: ClientFacts) -> Self {
        let seats = links.iter().map(|_| Seat::default()).collect();
        Self { links, facts, seats, envelope: Envelope::default() }
    }

    /// The client said HELO or EHLO, with this TLS. A reply is the answer to
    /// give instead of ours; without one go on. A filter that fails here says
    /// so at MAIL.
    pub async fn helo(&mut self, name: &str, tls: Option<TlsFacts>) -> Option<Reply> {
        name.clone_into(&mut self.facts.helo);
        self.facts.tls = tls;
        self.envelope = Envelope::default();
        for (link, seat) in self.links.iter().zip(&mut self.seats) {
            let What::Milter(place) = &link.spec.what else { continue };
            let asked = Asked { place, times: link.spec.times, kept: &link.kept };
            if let Said::Refuse(reply) = seat.member.helo(asked, &self.facts).await {
                telemetry::refused(&link.spec.name, "helo");
                return Some(reply);
            }
        }
        None
    }

    /// The client said MAIL: the reverse-path without brackets, the parameters
    /// as they stood (`SIZE=100`), and who logged in. A reply is the answer to
    /// give (then there is no message); without one go on.
    pub async fn mail(
        &mut self,
        path: &str,
        parameters: &[String],
        user: Option<&str>,
    ) -> Option<Reply> {
        let user = user.map(str::to_owned);
        self.envelope = Envelope { sender: path.to_owned(), user, recipients: Vec::new() };
        self.seats.iter_mut().for_each(|seat| seat.failed = None);
        for (link, seat) in self.links.iter().zip(&mut self.seats) {
            let What::Milter(place) = &link.spec.what else { continue };
            let asked = Asked { place, times: link.spec.times, kept: &link.kept };
            let said = seat.member.mail(asked, &self.facts, &self.envelope, parameters).await;
            if let Some(reply) = stand(link, seat, said, "mail") {
                self.abort();
                return Some(reply);
            }
        }
        None
    }

    /// The client said RCPT: the forward-path without brackets, and the
    /// parameters. A reply refuses this recipient alone; without one it is one.
    pub async fn rcpt(&mut self, path: &str, parameters: &[String]) -> Option<Reply> {
        for (link, seat) in self.links.iter().zip(&mut self.seats) {
            let What::Milter(place) = &link.spec.what else { continue };
            if seat.failed.is_some() {
                continue;
            }
            let asked = Asked { place, times: link.spec.times, kept: &link.kept };
            let said = seat.member.rcpt(asked, path, parameters).await;
            if let Some(reply) = stand(link, seat, said, "rcpt") {
                return Some(reply);
            }
        }
        self.envelope.recipients.push(path.to_owned());
        None
    }

    /// The last recipient is none after all (somebody else refused it). rspamd
    /// does not hear of it; milters heard of it already, as with Sendmail.
    pub fn withdraw_recipient(&mut self) {
        self.envelope.recipients.pop();
    }

    /// The message whole, with CRLF and without stuffed dots. Afterwards the
    /// next MAIL may come.
    pub async fn message(&mut self, message: &Bytes, queue: &QueueFacts) -> Verdict {
        let mut verdict = Verdict {
            action: Action::Accept,
            edits: Vec::new(),
            message: message.clone(),
            sender: None,
            add_recipients: Vec::new(),
            remove_recipients: Vec::new(),
            notes: Vec::new(),
        };
        let mut own = 0..queue.own_fields;
        for (link, seat) in self.links.iter().zip(&mut self.seats) {
            let begun = Instant::now();
            let judged = match seat.failed.take() {
                Some(fault) => Err(fault),
                None => {
                    let current = CurrentMessage {
                        message: &verdict.message,
                        queue_id: &queue.queue_id,
                        own: own.clone(),
                    };
                    let judged = judge(link, seat, &self.facts, &self.envelope, &current);
                    judged.await.inspect_err(|fault| {
                        telemetry::failed(&link.spec.name, fault, effect(link))
                    })
                }
            };
            let milter = matches!(link.spec.what, What::Milter(_));
            let time = if milter { seat.member.spent() } else { begun.elapsed() };
            let before = verdict.edits.len();
            if !verdict.take(link, judged, time) {
                break;
            }
            own = moved(own, verdict.edits.get(before..).unwrap_or_default());
        }
        verdict.forget_edits_unless_taken();
        self.abort();
        verdict
    }

    /// The message is over without its content: RSET, or somebody else refused
    /// it. Waits for nothing.
    pub fn abort(&mut self) {
        self.envelope = Envelope::default();
        for seat in &mut self.seats {
            seat.member.abort();
        }
    }

    /// The client is gone. Connections to milters are kept for the next.
    pub async fn end(mut self) {
        for (link, seat) in self.links.iter().zip(&mut self.seats) {
            let What::Milter(place) = &link.spec.what else { continue };
            seat.member.end(Asked { place, times: link.spec.times, kept: &link.kept }).await;
        }
    }
}

impl std::fmt::Debug for FilterSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FilterSession").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// What a filter's words at MAIL or RCPT mean; a reply to give, if any.
fn stand(
    link: &Link,
    seat: &mut Seat,
    said: Result<Said, FilterFault>,
    command: &'static str,
) -> Option<Reply> {
    match said {
        // A message that will be dropped goes on to its end.
        Ok(Said::Continue | Said::Done | Said::Discard) => None,
        Ok(Said::Refuse(reply)) => {
            telemetry::refused(&link.spec.name, command);
            Some(reply)
        }
        Err(fault) => {
            telemetry::failed(&link.spec.name, &fault, effect(link));
            seat.failed = Some(fault);
            (link.spec.on_failure == OnFailure::Defer).then(not_available)
        }
    }
}

const fn effect(link: &Link) -> &'static str {
    match link.spec.on_failure {
        OnFailure::Accept => "accept",
        OnFailure::Defer => "defer",
        OnFailure::Quarantine => "quarantine",
    }
}

/// Which filter it is and why is the administrator's business.
fn not_available() -> Reply {
    Reply::new(451, (4, 7, 1), "a content filter is not available; try again later")
}

async fn judge(
    link: &Link,
    seat: &mut Seat,
    facts: &ClientFacts,
    envelope: &Envelope,
    current: &CurrentMessage<'_>,
) -> Result<Opinion, FilterFault> {
    let times = link.spec.times;
    match &link.spec.what {
        What::Milter(place) => {
            let asked = Asked { place, times, kept: &link.kept };
            seat.member.message(asked, current).await
        }
        What::Rspamd { host, port, path, password } => {
            let (password, queue_id) = (password.as_deref(), current.queue_id);
            let request = Request { host, port: *port, path, password, facts, envelope, queue_id };
            rspamd::ask(request, current.message, times).await
        }
        What::Header(rule) => Ok(rule.judge(current.message)),
        What::Attachment(rule) => {
            let (rule, message) = (Arc::clone(rule), current.message.clone());
            // Unpacking takes long enough to hold up other sessions.
            let judging = tokio::task::spawn_blocking(move || rule.judge(&message));
            match tokio::time::timeout(times.total, judging).await {
                Ok(Ok(opinion)) => opinion,
                Ok(Err(_)) => Err(FilterFault::Died),
                Err(_) => Err(FilterFault::TotalTime { stage: "message" }),
            }
        }
    }
}

impl Verdict {
    /// Takes one filter's opinion in; false if nobody else need be asked.
    fn take(&mut self, link: &Link, judged: Result<Opinion, FilterFault>, time: Duration) -> bool {
        let name = &link.spec.name;
        let failed = judged.is_err();
        let opinion = judged.unwrap_or_else(|fault| on_failure(link, &fault));
        let what: String = opinion.what.chars().take(MAX_WORDS).collect();
        tracing::debug!(filter = %name, ?time, score = opinion.score, "{what}");
        let result = match &opinion.action {
            _ if failed => "failed",
            Action::Accept if opinion.edits.is_empty() => "accepted",
            Action::Accept => "changed",
            Action::Refuse(_) => "refused",
            Action::Defer(_) => "deferred",
            Action::Discard => "discarded",
            Action::Quarantine { .. } => "quarantined",
        };
        telemetry::message(name, result, time);
        let (score, symbols) = (opinion.score, opinion.symbols);
        self.notes.push(Note { filter: Arc::clone(name), what, score, symbols, time });
        match opinion.action {
            Action::Accept => {}
            // The first reason stands.
            Action::Quarantine { .. } if self.action != Action::Accept => {}
            Action::Quarantine { reason } => {
                self.action = Action::Quarantine { reason: format!("{name}: {reason}") };
            }
            last => {
                self.action = last;
                return false;
            }
        }
        self.message = apply_edits(&self.message, &opinion.edits);
        self.edits.extend(opinion.edits);
        self.sender = opinion.sender.or(self.sender.take());
        self.remove_recipients.extend(opinion.remove_recipients);
        self.add_recipients.extend(opinion.add_recipients);
        true
    }

    fn forget_edits_unless_taken(&mut self) {
        if !matches!(self.action, Action::Accept | Action::Quarantine { .. }) {
            self.edits.clear();
            self.sender = None;
            self.add_recipients.clear();
            self.remove_recipients.clear();
        }
    }
}

fn on_failure(link: &Link, fault: &FilterFault) -> Opinion {
    let what = format!("failed, so {}: {fault}", effect(link));
    Opinion::new(
        match link.spec.on_failure {
            OnFailure::Accept => Action::Accept,
            OnFailure::Defer => Action::Defer(not_available()),
            OnFailure::Quarantine => Action::Quarantine { reason: format!("failed: {fault}") },
        },
        what,
    )
}
