//! What follows from an attempt: answers, and the reports that go with them.

use crate::dead_end;
use crate::filing;
use crate::report::{self, About, Reported};
use crate::submission::Submission as Shared;
use crate::times;
use concord_base::{MessageId, StorageError, Timestamp};
use concord_directory::DirectoryError;
use concord_mail_policy::Policy;
use concord_message::ReportKind;
use concord_transport::{
    Administer, Answer, AnswerOutcome, Claim, Delivery, Group, PeerAnswer, QueuedMessage,
    RetryPolicy, ReversePath, TransportError, Urgency,
};
use std::sync::Arc;
use std::time::Duration;

/// After a crash and when no connector could be reached: soon, but not at once.
const AFTER_CRASH: Duration = Duration::from_secs(1);
/// Between tries to write answers that could not be written.
const ANSWER_AGAIN: Duration = Duration::from_secs(1);
/// Tries to write answers; after them the deliveries stay claimed until the
/// next start of the core, which loses nothing.
const ANSWER_TRIES: u32 = 60;

/// What an attempt says of one delivery.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    Delivered(PeerAnswer),
    Relayed(PeerAnswer),
    Deferred(PeerAnswer),
    /// The destination as a whole is not there; nobody was told of the message.
    Unreached(PeerAnswer),
    Failed(PeerAnswer),
    Crashed(PeerAnswer),
    /// Never left the core.
    Released(PeerAnswer),
    /// Not tried, and old.
    Waits(PeerAnswer),
}

struct Settled {
    answer: Answer,
    report: Option<ReportKind>,
}

/// What judges the deliveries of a claim.
struct Judge {
    now: Timestamp,
    times: RetryPolicy,
    /// When the destination is tried again, if it could not be reached.
    rests_until: Option<Timestamp>,
    /// Senders there hear nothing of success (Q216162).
    policy: Arc<Policy>,
}

impl Judge {
    async fn new(shared: &Shared, group: &Group, urgency: Urgency) -> Self {
        let policy = shared.config.policy.current();
        let times = match shared.routing.routes().await {
            Ok(routes) => times::of_group(shared, &routes, group, urgency),
            Err(error) => {
                tracing::error!(%error, "the connectors cannot be read");
                shared.config.retry.clone()
            }
        };
        Self { now: shared.clock.now(), times, rests_until: None, policy }
    }

    /// The rules of RFC 3461 section 5 and of the retry schedule.
    fn decide(&self, message: &QueuedMessage, delivery: &Delivery, verdict: Verdict) -> Settled {
        let now = self.now;
        let reader = delivery.reverse_path(&message.sender).0.as_ref();
        let told = reader.map(ToString::to_string);
        let fail = delivery.notify.failure && told.is_some();
        let late = self.times.delayed(message.received, now)
            && delivery.notify.delay
            && !delivery.delay_reported
            && told.is_some();
        let expired = self.times.expired(message.received, now);
        let (outcome, answer, report) = match verdict {
            Verdict::Delivered(answer) => (AnswerOutcome::Delivered, answer, None),
            Verdict::Relayed(answer) => {
                let wanted = delivery.notify.success
                    && reader.is_some_and(|a| times::hears_of_success(&self.policy, a));
                (AnswerOutcome::Relayed, answer, wanted.then_some(ReportKind::Relayed))
            }
            Verdict::Failed(answer) => {
                (AnswerOutcome::Failed, answer, fail.then_some(ReportKind::Failed))
            }
            Verdict::Deferred(answer)
            | Verdict::Unreached(answer)
            | Verdict::Released(answer)
            | Verdict::Waits(answer)
                if expired =>
            {
                let text = format!("not delivered in time; the last answer was: {}", answer.text);
                // RFC 3463 X.4.7: delivery time expired
                let answer = PeerAnswer { status: (5, 4, 7), text, ..answer };
                (AnswerOutcome::Expired, answer, fail.then_some(ReportKind::Failed))
            }
            Verdict::Deferred(answer) | Verdict::Unreached(answer) => {
                let own = self.times.next_attempt(delivery.attempts.saturating_add(1), now);
                let next_attempt = self.rests_until.unwrap_or(own);
                let outcome = AnswerOutcome::Deferred { next_attempt, delay_reported: late };
                (outcome, answer, late.then_some(ReportKind::Delayed))
            }
            Verdict::Waits(answer) => {
                (AnswerOutcome::Delayed, answer, late.then_some(ReportKind::Delayed))
            }
            Verdict::Crashed(answer) => {
                (AnswerOutcome::Crashed { next_attempt: now + AFTER_CRASH }, answer, None)
            }
            Verdict::Released(answer) => (AnswerOutcome::Released, answer, None),
        };
        let reported_to = report.and(told);
        let answer = Answer { delivery: delivery.id, outcome, answer: Some(answer), reported_to };
        Settled { answer, report }
    }
}

/// What an attempt says of its destination.
fn note_destination(shared: &Shared, claim: &Claim, verdicts: &[Verdict], judge: &mut Judge) {
    let unreached = verdicts.iter().find_map(|verdict| match verdict {
        Verdict::Unreached(answer) => Some(answer),
        _ => None,
    });
    if let Some(answer) = unreached {
        let failures = claim.destination.failures.saturating_add(1);
        let until = judge.times.next_attempt(failures, judge.now);
        judge.rests_until = Some(until);
        shared.queue.unreached(&claim.group, judge.now, until, answer.clone());
        shared.on_demand.ended(&claim.group);
        // attempts that found a destination not to be there
        metrics::counter!("destinations_unreached_total").increment(1);
        return;
    }
    // A connector's own words say nothing of the destination, unless it took it.
    let is_evidence = |verdict: &Verdict| match verdict {
        Verdict::Delivered(_) | Verdict::Relayed(_) => true,
        Verdict::Deferred(answer) | Verdict::Failed(answer) => answer.host.is_some(),
        _ => false,
    };
    if verdicts.iter().any(is_evidence) {
        shared.queue.reached(&claim.group);
    }
}

fn metric(outcome: &AnswerOutcome) -> &'static str {
    match outcome {
        AnswerOutcome::Delivered => "delivered",
        AnswerOutcome::Stored { .. } => "stored",
        AnswerOutcome::Relayed => "relayed",
        AnswerOutcome::Deferred { .. } => "deferred",
        AnswerOutcome::Delayed => "delayed",
        AnswerOutcome::Failed => "failed",
        AnswerOutcome::Expired => "expired",
        AnswerOutcome::Crashed { .. } => "crashed",
        AnswerOutcome::Released => "released",
    }
}

/// Writes the answers of an attempt, and the reports, in one commit.
pub(super) async fn settle(
    shared: &Shared,
    connector: &str,
    claim: &Claim,
    verdicts: Vec<Verdict>,
) {
    let message = &claim.message;
    let mut judge = Judge::new(shared, &claim.group, message.options.urgency).await;
    note_destination(shared, claim, &verdicts, &mut judge);
    let settled: Vec<Settled> = message
        .deliveries
        .iter()
        .zip(verdicts)
        .map(|(delivery, verdict)| judge.decide(message, delivery, verdict))
        .collect();
    for s in &settled {
        // attempts by what became of them; `released`: the connector was down
        metrics::counter!("deliveries_total", "connector" => connector.to_owned(), "outcome" => metric(&s.answer.outcome))
            .increment(1);
    }
    write(shared, message, &judge.times, settled).await;
    if shared.queue.waiting(&claim.group) == 0 {
        shared.on_demand.ended(&claim.group);
    }
}

/// Judges deliveries that were not tried by their age.
pub(super) async fn aged(shared: &Shared, claim: &Claim) {
    let waits = |delivery: &Delivery| {
        let never = || PeerAnswer {
            code: 0,
            status: (4, 4, 0),
            host: None,
            text: super::aged::NEVER_TRIED.to_owned(),
        };
        Verdict::Waits(delivery.last_answer.clone().unwrap_or_else(never))
    };
    let verdicts = claim.message.deliveries.iter().map(waits).collect();
    settle(shared, &claim.group.connector, claim, verdicts).await;
}

async fn write(
    shared: &Shared,
    message: &QueuedMessage,
    times: &RetryPolicy,
    settled: Vec<Settled>,
) {
    for attempt in 1..=ANSWER_TRIES {
        let reports = match reports(shared, message, times, &settled).await {
            Ok(reports) => reports,
            Err(error) => {
                tracing::error!(%error, attempt, "a report cannot be addressed");
                tokio::time::sleep(ANSWER_AGAIN).await;
                continue;
            }
        };
        let answers = settled.iter().map(|s| s.answer.clone()).collect();
        match shared.queue.answer(answers, reports).await {
            Ok(()) => return,
            Err(TransportError::Storage(concord_base::StorageError::Stopping)) => return,
            Err(error) => {
                tracing::error!(%error, attempt, "answers cannot be written");
                tokio::time::sleep(ANSWER_AGAIN).await;
            }
        }
    }
}

/// One report per kind and reader, for all its recipients.
async fn reports(
    shared: &Shared,
    message: &QueuedMessage,
    times: &RetryPolicy,
    settled: &[Settled],
) -> Result<Vec<concord_transport::Submission>, DirectoryError> {
    let now = shared.clock.now();
    let until = message.received + times.expire_after;
    let mut readers: Vec<&ReversePath> = Vec::new();
    for delivery in &message.deliveries {
        let reader = delivery.reverse_path(&message.sender);
        if !readers.contains(&reader) {
            readers.push(reader);
        }
    }
    let kinds = [ReportKind::Failed, ReportKind::Delayed, ReportKind::Relayed];
    let mut written = Vec::new();
    let each = readers.iter().flat_map(|reader| kinds.map(|kind| (*reader, kind)));
    for (reader, kind) in each.collect::<Vec<_>>() {
        let Some(about) = About::queued(message, reader) else { continue };
        let recipients: Vec<Reported<'_>> = message
            .deliveries
            .iter()
            .zip(settled)
            .filter(|(_, s)| s.report == Some(kind))
            .filter(|(delivery, _)| delivery.reverse_path(&message.sender) == reader)
            .map(|(delivery, s)| Reported {
                address: &delivery.address,
                original: delivery.original.as_deref(),
                kind,
                answer: s.answer.answer.as_ref(),
                will_retry_until: (kind == ReportKind::Delayed).then_some(until),
            })
            .collect();
        if recipients.is_empty() {
            continue;
        }
        written.extend(report::write(&about, &recipients, now, shared).await?);
    }
    Ok(written)
}

/// Gives back a claim that was not tried.
pub(super) async fn release(shared: &Shared, connector: &str, claim: &Claim, why: &str) {
    let answer = PeerAnswer { code: 0, status: (4, 3, 2), host: None, text: why.to_owned() };
    let verdicts = vec![Verdict::Released(answer); claim.message.deliveries.len()];
    settle(shared, connector, claim, verdicts).await;
}

/// Deliveries of a connector that takes none any more: they wait until some
/// connector carries their addresses.
pub(super) async fn no_way(shared: &Shared, connector: &str, claim: Claim, why: &str) {
    let waits = |delivery: &Delivery| {
        // RFC 3463 X.4.4: unable to route.
        let text = format!("{why} {}", delivery.address);
        Verdict::Deferred(PeerAnswer { code: 0, status: (4, 4, 4), host: None, text })
    };
    let verdicts = claim.message.deliveries.iter().map(waits).collect();
    settle(shared, connector, &claim, verdicts).await;
}

/// What an administrator let go goes into its mailboxes now.
async fn let_go(shared: &Shared, claim: &Claim) -> Result<(), DirectoryError> {
    let judge = Judge::new(shared, &claim.group, claim.message.options.urgency).await;
    let mut answers = Vec::new();
    for delivery in &claim.message.deliveries {
        let found = shared.directory.lookup(&delivery.address).await?;
        let mailbox = found.filter(|object| object.kind().has_folders());
        let outcome = match mailbox {
            Some(object) => {
                let filing = filing::of_waiting(shared, &object, &claim.message).await?;
                Some(AnswerOutcome::Stored { mailbox: object.id.into(), filing })
            }
            None => None,
        };
        let gone = PeerAnswer {
            code: 550,
            status: (5, 1, 1),
            host: None,
            text: "the mailbox was removed while the message was put aside".to_owned(),
        };
        let verdict = match outcome {
            Some(outcome) => Settled {
                answer: Answer { delivery: delivery.id, outcome, answer: None, reported_to: None },
                report: None,
            },
            None => judge.decide(&claim.message, delivery, Verdict::Failed(gone)),
        };
        answers.push(verdict);
    }
    write(shared, &claim.message, &judge.times, answers).await;
    Ok(())
}

/// Deliveries that nobody can take, and those that were put aside and are let go.
pub(super) async fn unroutable(shared: &Shared, claim: Claim) {
    if claim.group.group == dead_end::PUT_ASIDE {
        if let Err(error) = let_go(shared, &claim).await {
            tracing::error!(%error, "what was let go cannot be delivered; it is tried again");
            release(shared, "core", &claim, "the directory cannot be read").await;
        }
        return;
    }
    let (status, text) = dead_end::words(&claim.group.group);
    let answer = PeerAnswer { code: 550, status, host: None, text };
    let verdicts = vec![Verdict::Failed(answer); claim.message.deliveries.len()];
    settle(shared, "core", &claim, verdicts).await;
}

/// An administrator returns a message to its sender.
pub(crate) async fn return_to_sender(
    shared: &Shared,
    administer: &dyn Administer,
    message: MessageId,
) -> Result<(), TransportError> {
    let queued = administer.show_queued(message).await?;
    let answer = PeerAnswer {
        code: 550,
        status: (5, 0, 0),
        host: None,
        text: "returned by the administrator without being delivered".to_owned(),
    };
    let now = shared.clock.now();
    let policy = shared.config.policy.current();
    let judge = Judge { now, times: shared.config.retry.clone(), rests_until: None, policy };
    let settled: Vec<Settled> = queued
        .deliveries
        .iter()
        .map(|delivery| judge.decide(&queued, delivery, Verdict::Failed(answer.clone())))
        .collect();
    let reports =
        reports(shared, &queued, &judge.times, &settled).await.map_err(|error| match error {
            DirectoryError::Storage(error) => TransportError::from(error),
            other => StorageError::Bug(other.to_string()).into(),
        })?;
    let answers = settled.into_iter().map(|s| s.answer).collect();
    shared.queue.answer(answers, reports).await
}
