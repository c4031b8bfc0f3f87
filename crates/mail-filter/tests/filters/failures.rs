//! A filter that fails has the effect that is set, and no other.

use crate::fake::{Does, Fake, Script, octets};
use crate::{begin, chain, client, judged, message, queue, tls};
use concord_mail_filter::{Action, Verdict};
use concord_milter::{Edit, Response};
use concord_smtp::Reply;
use std::time::{Duration, Instant};

/// Every command that waits for an answer.
const STAGES: &[u8] = b"OCHMRTLNBE";

fn change() -> Response {
    Response::Edit(Edit::AddHeader { name: octets("X-Half"), value: octets("done") })
}

/// Every way to fail at a stage.
fn failures(stage: u8) -> Vec<Does> {
    let before = || if stage == b'E' { vec![change()] } else { Vec::new() };
    vec![Does::Dies(before()), Does::Hangs(before()), Does::Babbles]
}

/// A session as a server has it: a reply at any step ends it.
async fn outcome(fake: &Fake, on_failure: &str) -> Result<Verdict, Reply> {
    let chain = chain(&fake.config(on_failure));
    let mut session = chain.session(client());
    let replies = [
        session.helo("client.example.com", tls()).await,
        session.mail("ann@example.com", &[], None).await,
        session.rcpt("bob@example.test", &[]).await,
    ];
    if let Some(reply) = replies.into_iter().flatten().next() {
        session.end().await;
        return Err(reply);
    }
    let verdict = session.message(&message("hello", "hello"), &queue()).await;
    session.end().await;
    Ok(verdict)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_dies_at_any_stage_has_its_stated_default_and_no_other_effect() {
    for stage in STAGES.iter().copied() {
        for does in failures(stage) {
            for on_failure in ["accept", "defer", "quarantine"] {
                let fake = Fake::start(Script::at(stage, does.clone())).await;
                let begun = Instant::now();
                let outcome = outcome(&fake, on_failure).await;
                let at = format!("{} with {on_failure}", char::from(stage));
                assert!(begun.elapsed() < Duration::from_secs(3), "{at} took too long");
                match (on_failure, outcome) {
                    ("defer", Err(reply)) => {
                        assert_eq!(reply.code, 451, "{at}");
                        assert!(b"OCHMR".contains(&stage), "{at}");
                    }
                    (_, Err(reply)) => panic!("{at} refused: {reply}"),
                    (_, Ok(verdict)) => {
                        let action = &verdict.action;
                        match on_failure {
                            "accept" => assert_eq!(*action, Action::Accept, "{at}"),
                            "defer" => assert!(matches!(action, Action::Defer(r) if r.code == 451)),
                            _ => assert!(matches!(action, Action::Quarantine { .. }), "{at}"),
                        }
                        assert!(verdict.edits.is_empty(), "{at} left a change behind");
                        assert_eq!(verdict.message, message("hello", "hello"), "{at}");
                        assert!(verdict.notes[0].what.starts_with("failed"), "{at}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_filter_that_nobody_runs_is_a_failure_of_a_moment() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config =
        format!("[[filter]]\nname = \"gone\"\nkind = \"milter\"\naddress = \"127.0.0.1:{free}\"\n");
    let mut session = chain(&config).session(client());
    assert_eq!(session.helo("h.example", None).await, None, "only a message is refused");
    assert_eq!(session.mail("a@example.com", &[], None).await.map(|r| r.code), Some(451));
    session.end().await;
}

#[tokio::test]
async fn signs_of_life_do_not_outlast_the_total_time() {
    let fake = Fake::start(Script::at(b'E', Does::Works)).await;
    let begun = Instant::now();
    let verdict = judged(&chain(&fake.config("quarantine")), &message("a", "b")).await;
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(600), "a sign of life begins the wait anew: {took:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    let Action::Quarantine { reason } = verdict.action else { panic!("{:?}", verdict.action) };
    assert!(reason.contains("total-time"), "{reason}");
}

#[tokio::test]
async fn a_kept_connection_serves_the_next_client_and_a_dead_one_is_replaced() {
    let fake = Fake::start(Script { sessions: Some(2), ..Script::default() }).await;
    let chain = chain(&fake.config("defer"));
    for _ in 0..3 {
        let verdict = judged(&chain, &message("a", "b")).await;
        assert_eq!(verdict.action, Action::Accept, "{:?}", verdict.notes);
        // The fake needs a moment to close the connection after two sessions.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let letters = fake.letters();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert_eq!(letters[0].matches('C').count(), 2);
    assert_eq!(letters[1].matches('C').count(), 1);
}

#[tokio::test]
async fn a_connection_that_dies_within_a_message_is_not_tried_anew() {
    // The first session leaves a kept connection, on which the second dies.
    let script = Script::at(b'R', Does::Dies(Vec::new()));
    let fake = Fake::start(script).await;
    let chain = chain(&fake.config("defer"));
    let mut session = chain.session(client());
    assert_eq!(session.helo("h.example", None).await, None);
    assert_eq!(session.mail("a@example.com", &[], None).await, None);
    let verdict = session.message(&message("a", "b"), &queue()).await;
    assert_eq!(verdict.action, Action::Accept, "{:?}", verdict.notes);
    session.end().await;
    let mut session = chain.session(client());
    assert_eq!(session.helo("h.example", None).await, None);
    assert_eq!(session.mail("a@example.com", &[], None).await, None);
    assert_eq!(session.rcpt("b@example.test", &[]).await.map(|r| r.code), Some(451));
    session.end().await;
    assert_eq!(fake.letters().len(), 1);
}

#[tokio::test]
async fn the_message_behind_a_failed_one_is_filtered_again() {
    let fake = Fake::start(Script::at(b'T', Does::Dies(Vec::new()))).await;
    let chain = chain(&fake.config("accept"));
    let mut session = chain.session(client());
    for _ in 0..2 {
        begin(&mut session).await;
        let verdict = session.message(&message("a", "b"), &queue()).await;
        assert_eq!(verdict.action, Action::Accept);
    }
    session.end().await;
    assert_eq!(fake.letters().len(), 2, "a second connection was made");
}
