//! The queue's and the tracking's contract.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // tests, and what they share

mod common;

use common::{Harness, submission, to_domain, to_mailbox};
use concord_base::{Clock, DeliveryId, MailboxId, QueueId, Timestamp};
use concord_directory::{Directory, DirectoryAct};
use concord_store::Store as _;
use concord_transport::{
    Administer, Ages, Answer, AnswerOutcome, Claim, ClaimLimits, DeliveryState, Group, PeerAnswer,
    Queue, QueueAct, QueueFilter, TraceKind, TraceQuery, TransportError, Urgency,
};
use std::time::Duration;

async fn claim(h: &Harness, limit: usize) -> Vec<Claim> {
    h.engine().claim("internet-mail", h.clock.now(), &ClaimLimits::most(limit)).await.unwrap()
}

fn answers(claim: &Claim, outcome: &AnswerOutcome) -> Vec<Answer> {
    let said = PeerAnswer {
        code: 250,
        status: (2, 0, 0),
        host: Some("mx.one.test [192.0.2.1]".into()),
        text: "fine".into(),
    };
    let answer = |d: &concord_transport::Delivery| Answer {
        delivery: d.id,
        outcome: outcome.clone(),
        answer: Some(said.clone()),
        reported_to: None,
    };
    claim.message.deliveries.iter().map(answer).collect()
}

#[tokio::test]
async fn deliveries_are_claimed_once_grouped_and_answered() {
    let h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    let to = vec![
        to_domain("a@one.test"),
        to_domain("b@one.test"),
        to_domain("c@two.test"),
        to_mailbox(alice),
    ];
    let message = h.engine().take_in(submission("x", to)).await.unwrap();
    let claims = claim(&h, 10).await;
    let mut shape: Vec<_> =
        claims.iter().map(|c| (c.group.group.clone(), c.message.deliveries.len())).collect();
    shape.sort();
    assert_eq!(shape, [("one.test".into(), 2), ("two.test".into(), 1)]);
    assert!(claim(&h, 10).await.is_empty());
    for c in &claims {
        h.engine().answer(answers(c, &AnswerOutcome::Delivered), vec![]).await.unwrap();
    }
    let gone = h.engine().show_queued(message).await;
    assert_eq!(gone, Err(TransportError::NotQueued(QueueId(message))));
    let story = h.engine().trace(&TraceQuery::Message(message), 1).await.unwrap().remove(0);
    let count = |k| story.events.iter().filter(|e| e.kind == k).count();
    assert_eq!(
        [TraceKind::Received, TraceKind::Queued, TraceKind::Stored, TraceKind::Delivered]
            .map(count),
        [1, 3, 1, 3]
    );
    assert!(
        story
            .events
            .iter()
            .any(|e| e.detail.contains("mx.one.test [192.0.2.1] said: 250 2.0.0 fine"))
    );
    for query in [
        TraceQuery::HeaderMessageId("x@test".into()),
        TraceQuery::Address("C@two.test".into()),
        TraceQuery::Address("sender@ELSEWHERE.test".into()),
    ] {
        assert_eq!(h.engine().trace(&query, 5).await.unwrap(), std::slice::from_ref(&story));
    }
}

#[tokio::test]
async fn a_busy_group_does_not_hold_up_another() {
    let h = Harness::new().await;
    for n in 0..50 {
        h.engine()
            .take_in(submission(&format!("slow{n}"), vec![to_domain("a@slow.test")]))
            .await
            .unwrap();
    }
    h.engine().take_in(submission("quick", vec![to_domain("a@quick.test")])).await.unwrap();
    let first = claim(&h, 1).await;
    assert_eq!(first[0].group.group, "slow.test");
    let next = claim(&h, 10).await;
    assert_eq!(next.iter().map(|c| c.message.subject.as_str()).collect::<Vec<_>>(), ["quick"]);
}

#[tokio::test]
async fn deferred_deliveries_come_back_when_due() {
    let h = Harness::new().await;
    let message = h.engine().take_in(submission("x", vec![to_domain("a@one.test")])).await.unwrap();
    let later = h.clock.now() + Duration::from_secs(60);
    let c = claim(&h, 1).await.remove(0);
    let outcome = AnswerOutcome::Deferred { next_attempt: later, delay_reported: true };
    h.engine().answer(answers(&c, &outcome), vec![]).await.unwrap();
    assert!(claim(&h, 1).await.is_empty());
    assert_eq!(h.engine().next_due("internet-mail", &ClaimLimits::most(1)), Some(later));
    let queued = h.engine().show_queued(message).await.unwrap();
    assert_eq!((queued.deliveries[0].attempts, queued.deliveries[0].delay_reported), (1, true));
    h.clock.advance(Duration::from_secs(61));
    assert_eq!(claim(&h, 1).await.len(), 1);
}

#[tokio::test]
async fn a_delivery_that_kills_its_connector_three_times_is_quarantined() {
    let h = Harness::new().await;
    let message =
        h.engine().take_in(submission("bad", vec![to_domain("a@one.test")])).await.unwrap();
    h.engine().take_in(submission("good", vec![to_domain("b@one.test")])).await.unwrap();
    let mut seen_suspect = 0;
    for _ in 0..3 {
        let c = claim(&h, 1).await.remove(0);
        assert_eq!(c.message.message, message);
        seen_suspect += u32::from(c.suspect);
        let crashed = AnswerOutcome::Crashed { next_attempt: h.clock.now() };
        h.engine().answer(answers(&c, &crashed), vec![]).await.unwrap();
    }
    assert_eq!(seen_suspect, 1, "the last attempt is made alone");
    assert_eq!(claim(&h, 5).await[0].message.subject, "good");
    let filter = QueueFilter { state: Some(DeliveryState::Quarantined), ..QueueFilter::default() };
    let listed = h.engine().list_queue(&filter).await.unwrap();
    assert_eq!((listed.len(), listed[0].deliveries[0].crashes), (1, 3));
    h.engine().act_on_queued(message, QueueAct::Release).await.unwrap();
    assert_eq!(h.engine().summary().await.unwrap().quarantined, 0);
}

#[tokio::test]
async fn what_was_in_flight_when_the_core_died_counts_against_it() {
    let mut h = Harness::new().await;
    let message = h.engine().take_in(submission("x", vec![to_domain("a@one.test")])).await.unwrap();
    for round in 1..=3 {
        h.clock.advance(Duration::from_secs(10));
        assert_eq!(claim(&h, 1).await.len(), 1, "round {round}");
        // An act behind the claim, so that it is in the log for sure.
        h.mailbox(&format!("m{round}")).await;
        h.reopen().await;
        assert_eq!(h.report.were_in_flight, 1);
    }
    let queued = h.engine().show_queued(message).await.unwrap();
    assert_eq!(queued.deliveries[0].state, DeliveryState::Quarantined);
}

#[tokio::test]
async fn deliveries_are_rerouted_unless_claimed_or_held() {
    let mut h = Harness::new().await;
    let to = ["a@one.test", "b@two.test", "c@three.test"].map(to_domain).to_vec();
    let moved = h.engine().take_in(submission("moved", to[..1].to_vec())).await.unwrap();
    let flying = h.engine().take_in(submission("flying", to[1..2].to_vec())).await.unwrap();
    let held = h.engine().take_in(submission("held", to[2..].to_vec())).await.unwrap();
    h.engine().act_on_queued(held, QueueAct::Hold).await.unwrap();
    let waits = |group: &str| group == "one.test";
    let limits = ClaimLimits { waits: &waits, ..ClaimLimits::most(5) };
    let claims = h.engine().claim("internet-mail", h.clock.now(), &limits).await.unwrap();
    assert_eq!(claims[0].message.message, flying);
    let waiting = h.engine().unclaimed("internet-mail", DeliveryId(0), 10).await.unwrap();
    assert_eq!(waiting.len(), 1, "neither what is claimed nor what is held");
    let group = Group { connector: "other".into(), group: "x".into() };
    let all = (1..=9).map(|id| (DeliveryId(id), group.clone())).collect();
    assert_eq!(h.engine().reroute(all).await.unwrap(), 1);
    let queued = h.engine().show_queued(moved).await.unwrap();
    assert_eq!(queued.deliveries[0].group, group);
    let story = h.engine().trace(&TraceQuery::Message(moved), 1).await.unwrap().remove(0);
    let last = story.events.last().unwrap();
    assert_eq!(last.kind, TraceKind::Rerouted);
    assert!(last.detail.contains("from internet-mail to other, x"), "{last:?}");
    // A replay arrives where the first run was.
    h.engine = None;
    concord_engine::offline::rebuild(&h.options()).unwrap();
    h.reopen().await;
    assert_eq!(h.engine().show_queued(moved).await.unwrap().deliveries, queued.deliveries);
    assert_eq!(h.engine().unclaimed("other", DeliveryId(0), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn administrators_hold_release_retry_and_delete() {
    let h = Harness::new().await;
    let message = h.engine().take_in(submission("x", vec![to_domain("a@one.test")])).await.unwrap();
    let engine = h.engine();
    engine.act_on_queued(message, QueueAct::Hold).await.unwrap();
    assert!(claim(&h, 1).await.is_empty());
    engine.act_on_queued(message, QueueAct::Release).await.unwrap();
    let c = claim(&h, 1).await.remove(0);
    let much_later = h.clock.now() + Duration::from_secs(10_000);
    let outcome = AnswerOutcome::Deferred { next_attempt: much_later, delay_reported: false };
    engine.answer(answers(&c, &outcome), vec![]).await.unwrap();
    engine.act_on_queued(message, QueueAct::Retry).await.unwrap();
    let c = claim(&h, 1).await.remove(0);
    engine.act_on_queued(message, QueueAct::Delete).await.unwrap();
    // The late answer is ignored.
    engine.answer(answers(&c, &AnswerOutcome::Delivered), vec![]).await.unwrap();
    let unknown = engine.act_on_queued(message, QueueAct::Hold).await;
    assert_eq!(unknown, Err(TransportError::NotQueued(QueueId(message))));
    let story = engine.trace(&TraceQuery::Message(message), 1).await.unwrap().remove(0);
    assert_eq!(story.events.last().unwrap().kind, TraceKind::Removed);
}

#[tokio::test]
async fn a_mailbox_that_vanished_meanwhile_leaves_a_delivery_to_report() {
    let h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    h.engine().change(DirectoryAct::Remove(alice.into())).await.unwrap();
    h.engine().take_in(submission("x", vec![to_mailbox(alice)])).await.unwrap();
    let claims = h.engine().claim("core", h.clock.now(), &ClaimLimits::most(5)).await.unwrap();
    assert_eq!(claims[0].group.group, "unroutable");
}

#[tokio::test]
async fn reports_are_taken_in_with_the_answer_that_caused_them() {
    let h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    let message = h.engine().take_in(submission("x", vec![to_domain("a@one.test")])).await.unwrap();
    let c = claim(&h, 1).await.remove(0);
    let report = submission("report", vec![to_mailbox(alice)]);
    h.engine().answer(answers(&c, &AnswerOutcome::Failed), vec![report]).await.unwrap();
    assert!(h.engine().show_queued(message).await.is_err());
    let picture = h.picture(&[alice]).await;
    assert!(picture.contains("unseen: 1"), "{picture}");
}

#[tokio::test]
async fn old_stories_are_forgotten_but_not_those_still_queued() {
    let h = Harness::new().await;
    let alice: MailboxId = h.mailbox("alice").await;
    let done = h.engine().take_in(submission("done", vec![to_mailbox(alice)])).await.unwrap();
    let waits =
        h.engine().take_in(submission("waits", vec![to_domain("a@one.test")])).await.unwrap();
    h.clock.advance(Duration::from_secs(3600));
    assert_eq!(h.engine().forget_stories(h.clock.now()).await.unwrap(), 1);
    assert!(h.engine().trace(&TraceQuery::Message(done), 1).await.unwrap().is_empty());
    assert_eq!(h.engine().trace(&TraceQuery::Message(waits), 1).await.unwrap().len(), 1);
    use concord_store::Store;
    assert!(h.engine().read(done, 0..5).await.is_ok(), "the message itself stays");
}

#[tokio::test]
async fn what_rests_is_shown_and_a_restart_tries_it_again() {
    let mut h = Harness::new().await;
    let first = h.engine().take_in(submission("a", vec![to_domain("a@dead.test")])).await.unwrap();
    let second = h.engine().take_in(submission("b", vec![to_domain("b@dead.test")])).await.unwrap();
    let c = claim(&h, 5).await.remove(0);
    assert_eq!(c.message.message, first);
    let until = h.clock.now() + Duration::from_secs(300);
    let why = PeerAnswer { code: 451, status: (4, 4, 1), host: None, text: "no answer".into() };
    h.engine().unreached(&c.group, h.clock.now(), until, why.clone());
    let outcome = AnswerOutcome::Deferred { next_attempt: until, delay_reported: false };
    h.engine().answer(answers(&c, &outcome), vec![]).await.unwrap();
    assert!(claim(&h, 5).await.is_empty());
    let shown = h.engine().show_queued(second).await.unwrap().deliveries.remove(0);
    assert_eq!((shown.next_attempt, shown.last_answer, shown.attempts), (until, Some(why), 0));
    // Nobody knows any more why it rested, but what was tried waits its time.
    h.reopen().await;
    let again = claim(&h, 5).await;
    assert_eq!((again.len(), again[0].message.message), (1, second));
    assert_eq!(again[0].destination.failures, 1, "from the delivery that was tried");
}

#[tokio::test]
async fn urgent_mail_is_claimed_first_also_after_a_restart_and_a_rebuild() {
    let mut h = Harness::new().await;
    for (name, urgency) in
        [("slow", Urgency::NonUrgent), ("plain", Urgency::Normal), ("quick", Urgency::Urgent)]
    {
        let mut submission = submission(name, vec![to_domain(&format!("a@{name}.test"))]);
        submission.options.urgency = urgency;
        h.engine().take_in(submission).await.unwrap();
    }
    for round in 0..3 {
        let claims = claim(&h, 5).await;
        let subjects: Vec<&str> = claims.iter().map(|c| c.message.subject.as_str()).collect();
        assert_eq!(subjects, ["quick", "plain", "slow"], "round {round}");
        for c in &claims {
            h.engine().answer(answers(c, &AnswerOutcome::Released), vec![]).await.unwrap();
        }
        if round == 0 { h.reopen().await } else { h.rebuild().await }
    }
}

#[tokio::test]
async fn a_sender_who_was_told_of_a_delay_at_rest_is_not_told_again() {
    let h = Harness::new().await;
    h.engine().take_in(submission("x", vec![to_domain("a@dead.test")])).await.unwrap();
    let group = Group { connector: "internet-mail".into(), group: "dead.test".into() };
    let now = h.clock.now();
    let why = PeerAnswer { code: 451, status: (4, 4, 1), host: None, text: "no answer".into() };
    h.engine().unreached(&group, now, now + Duration::from_secs(9_000), why);
    let ages = move |_: &Group, _| Ages { expired: Timestamp(0), delayed: Some(now) };
    let aged = h.engine().claim_aged(&ages, 10).await.unwrap();
    assert_eq!(aged.len(), 1);
    h.engine().answer(answers(&aged[0], &AnswerOutcome::Delayed), vec![]).await.unwrap();
    assert!(h.engine().claim_aged(&ages, 10).await.unwrap().is_empty());
    let listed = h.engine().list_queue(&QueueFilter::default()).await.unwrap();
    let delivery = &listed[0].deliveries[0];
    assert_eq!((delivery.attempts, delivery.delay_reported), (0, true));
}

/// T34, Q147051
#[tokio::test]
async fn twenty_five_thousand_queued_messages_are_counted_and_listed_to_the_last() {
    const COUNT: usize = 25_000;
    let mut h = Harness::new().await;
    let mut taking = tokio::task::JoinSet::new();
    for n in 0..COUNT {
        let engine = std::sync::Arc::clone(h.engine());
        let to = vec![to_domain(&format!("u@d{}.test", n % 100))];
        taking.spawn(async move { engine.take_in(submission(&format!("m{n}"), to)).await });
    }
    for taken in taking.join_all().await {
        taken.unwrap();
    }
    for round in ["before", "after a restart"] {
        assert_eq!(h.engine().summary().await.unwrap().queued, COUNT as u64, "{round}");
        let mut filter = QueueFilter::default();
        let mut seen = std::collections::HashSet::new();
        loop {
            let page = h.engine().list_queue(&filter).await.unwrap();
            let Some(last) = page.last() else { break };
            filter.after = Some(last.message);
            seen.extend(page.into_iter().map(|queued| queued.message));
        }
        assert_eq!(seen.len(), COUNT, "{round}");
        h.reopen().await;
    }
}

fn keyed(
    subject: &str,
    mailbox: MailboxId,
    connector: &str,
    key: &str,
) -> concord_transport::Submission {
    let mut submission = submission(subject, vec![to_mailbox(mailbox)]);
    submission.arrival.connector = connector.into();
    submission.arrival.key = Some(key.into());
    submission
}

#[tokio::test]
async fn a_message_that_comes_again_under_its_key_is_taken_once() {
    let mut h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    let first = h.engine().take_in(keyed("one", alice, "vm", "A.1")).await.unwrap();
    for _ in 0..2 {
        let again = h.engine().take_in(keyed("again", alice, "vm", "A.1")).await.unwrap();
        assert_eq!(again, first);
        h.reopen().await;
        assert_eq!(h.engine().taken("vm", "A.1").await.unwrap(), Some(first));
        h.rebuild().await;
    }
    let other = h.engine().take_in(keyed("two", alice, "vm2", "A.1")).await.unwrap();
    assert_ne!(other, first, "keys are each connector's own");
    let folders = h.engine().folders(alice).await.unwrap();
    assert_eq!(folders.iter().map(|folder| u64::from(folder.messages)).sum::<u64>(), 2);
}

#[tokio::test]
async fn keys_are_forgotten_when_they_are_old() {
    let h = Harness::new().await;
    let alice = h.mailbox("alice").await;
    let first = h.engine().take_in(keyed("one", alice, "vm", "A.1")).await.unwrap();
    h.clock.advance(concord_transport::KEYS_KEPT + Duration::from_secs(1));
    h.engine().take_in(keyed("two", alice, "vm", "A.2")).await.unwrap();
    assert_eq!(h.engine().taken("vm", "A.1").await.unwrap(), None);
    let anew = h.engine().take_in(keyed("one", alice, "vm", "A.1")).await.unwrap();
    assert_ne!(anew, first);
}
