//! What follows from an attempt: answers, and the reports that go with them.

use crate::report::{self, About, Reported};
use crate::submission::Submission as Shared;
use concord_base::{MessageId, StorageError};
use concord_directory::DirectoryError;
use concord_message::ReportKind;
use concord_transport::{
    Administer, Answer, AnswerOutcome, Claim, Delivery, PeerAnswer, QueuedMessage, TransportError,
};
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
    Failed(PeerAnswer),
    Crashed(PeerAnswer),
    /// Never left the core.
    Released(PeerAnswer),
}

struct Settled {
    answer: Answer,
    report: Option<ReportKind>,
}

/// The rules of RFC 3461 section 5 and of the retry schedule.
fn decide(
    shared: &Shared,
    message: &QueuedMessage,
    delivery: &Delivery,
    verdict: Verdict,
) -> Settled {
    let now = shared.clock.now();
    let retry = &shared.config.retry;
    let told = message.sender.0.as_ref().map(ToString::to_string);
    let fail = delivery.notify.failure && told.is_some();
    let expired = retry.expired(message.received, now);
    let (outcome, answer, report) = match verdict {
        Verdict::Delivered(answer) => (AnswerOutcome::Delivered, answer, None),
        Verdict::Relayed(answer) => {
            let wanted = delivery.notify.success && told.is_some();
            (AnswerOutcome::Relayed, answer, wanted.then_some(ReportKind::Relayed))
        }
        Verdict::Failed(answer) => {
            (AnswerOutcome::Failed, answer, fail.then_some(ReportKind::Failed))
        }
        Verdict::Deferred(answer) | Verdict::Released(answer) if expired => {
            let text = format!("not delivered in time; the last answer was: {}", answer.text);
            // RFC 3463 X.4.7: delivery time expired
            let answer = PeerAnswer { status: (5, 4, 7), text, ..answer };
            (AnswerOutcome::Expired, answer, fail.then_some(ReportKind::Failed))
        }
        Verdict::Deferred(answer) => {
            let late = retry.delayed(message.received, now)
                && delivery.notify.delay
                && !delivery.delay_reported
                && told.is_some();
            let next_attempt = retry.next_attempt(delivery.attempts.saturating_add(1), now);
            let outcome = AnswerOutcome::Deferred { next_attempt, delay_reported: late };
            (outcome, answer, late.then_some(ReportKind::Delayed))
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

fn metric(outcome: &AnswerOutcome) -> &'static str {
    match outcome {
        AnswerOutcome::Delivered => "delivered",
        AnswerOutcome::Relayed => "relayed",
        AnswerOutcome::Deferred { .. } => "deferred",
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
    let settled: Vec<Settled> = message
        .deliveries
        .iter()
        .zip(verdicts)
        .map(|(delivery, verdict)| decide(shared, message, delivery, verdict))
        .collect();
    for s in &settled {
        // attempts by what became of them; `released`: the connector was down
        metrics::counter!("deliveries_total", "connector" => connector.to_owned(), "outcome" => metric(&s.answer.outcome))
            .increment(1);
    }
    write(shared, message, settled).await;
}

async fn write(shared: &Shared, message: &QueuedMessage, settled: Vec<Settled>) {
    for attempt in 1..=ANSWER_TRIES {
        let reports = match reports(shared, message, &settled).await {
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

/// One report per kind, for all its recipients.
async fn reports(
    shared: &Shared,
    message: &QueuedMessage,
    settled: &[Settled],
) -> Result<Vec<concord_transport::Submission>, DirectoryError> {
    let Some(about) = About::queued(message) else { return Ok(Vec::new()) };
    let now = shared.clock.now();
    let until = message.received + shared.config.retry.expire_after;
    let mut written = Vec::new();
    for kind in [ReportKind::Failed, ReportKind::Delayed, ReportKind::Relayed] {
        let recipients: Vec<Reported<'_>> = message
            .deliveries
            .iter()
            .zip(settled)
            .filter(|(_, s)| s.report == Some(kind))
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

/// Deliveries that nobody can take.
pub(super) async fn unroutable(shared: &Shared, claim: Claim) {
    let answer = PeerAnswer {
        code: 550,
        status: (5, 1, 1),
        host: None,
        text: "nobody here has this address any more, and no connector carries it".to_owned(),
    };
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
    let settled: Vec<Settled> = queued
        .deliveries
        .iter()
        .map(|delivery| decide(shared, &queued, delivery, Verdict::Failed(answer.clone())))
        .collect();
    let reports = reports(shared, &queued, &settled).await.map_err(|error| match error {
        DirectoryError::Storage(error) => TransportError::from(error),
        other => StorageError::Bug(other.to_string()).into(),
    })?;
    let answers = settled.into_iter().map(|s| s.answer).collect();
    shared.queue.answer(answers, reports).await
}
