//! What an administrator does with the queue.

use crate::{ALICE, SOON, rows, text};
use concord_testkit::{Answer, Concord, Result, Sample, Sink, wait_for, wait_until};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A smart host that puts everything off until it is opened.
fn gated_sink() -> Result<(Sink, Arc<AtomicBool>)> {
    let open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&open);
    let sink = Sink::judging(move |line| match gate.load(Ordering::SeqCst) {
        false if line.starts_with("RCPT") => Answer::Say("451 4.2.1 come back later".into()),
        _ => Answer::Take,
    })?;
    Ok((sink, open))
}

fn queued(server: &Concord) -> Result<Vec<Value>> {
    Ok(rows(&server.json(&["queue", "list"])?))
}

fn state(message: &Value) -> &str {
    text(&message["deliveries"][0], "state")
}

#[test]
fn queue_hold_release_delete() -> Result<()> {
    let (sink, open) = gated_sink()?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    let mut session = server.submission(ALICE)?;
    for name in ["kept", "deleted"] {
        let to = format!("{name}@stranger.test");
        let sample = Sample::new(&format!("{name}@example.test"), ALICE, &to).octets();
        assert_eq!(session.send(ALICE, &[&to], &sample)?.code, 250);
    }
    let list = wait_for("both to be put off", SOON, || {
        let list = queued(&server)?;
        let tried = list.iter().filter(|m| m["deliveries"][0]["attempts"].as_u64() > Some(0));
        Ok((tried.count() == 2).then_some(list))
    })?;
    let answer = &list[0]["deliveries"][0]["last_answer"];
    assert!(text(answer, "text").contains("come back later"), "{answer}");
    for message in &list {
        server.command(&["queue", "hold", text(message, "queue_id")])?.ok()?;
    }
    // Held means held, also when the other side is ready.
    open.store(true, Ordering::SeqCst);
    wait_until("both to be held", SOON, || {
        Ok(queued(&server)?.iter().all(|m| state(m) == "held"))
    })?;
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(sink.count(), 0, "a held message was delivered");
    let id = |name: &str| {
        let found = list.iter().find(|m| text(m, "message_id").starts_with(name));
        found.map(|m| text(m, "queue_id").to_owned()).unwrap_or_default()
    };
    let shown = server.json(&["queue", "show", &id("kept")])?;
    assert_eq!(text(&shown, "sender"), ALICE, "{shown}");
    server.command(&["queue", "delete", &id("deleted")])?.ok()?;
    server.command(&["queue", "release", &id("kept")])?.ok()?;
    wait_until("the released one to arrive", SOON, || Ok(sink.count() == 1))?;
    server.wait_queue_empty(SOON)?;
    assert_eq!(sink.messages()[0].to, ["kept@stranger.test"]);
    let unknown = server.command(&["queue", "show", &id("deleted")])?;
    assert_ne!(unknown.code, Some(0));
    Ok(())
}

#[test]
fn queue_retry_does_not_wait_for_the_schedule() -> Result<()> {
    let (sink, open) = gated_sink()?;
    let host = sink.address();
    let server = Concord::start(|c| {
        c.smart_host(host);
        c.set("queue", "retry-schedule", "[\"1 h\"]");
    })?;
    let to = "later@stranger.test";
    let sample = Sample::new("later@example.test", ALICE, to).octets();
    assert_eq!(server.submission(ALICE)?.send(ALICE, &[to], &sample)?.code, 250);
    let message = wait_for("a first attempt", SOON, || {
        let list = queued(&server)?;
        Ok(list.into_iter().find(|m| m["deliveries"][0]["attempts"].as_u64() > Some(0)))
    })?;
    open.store(true, Ordering::SeqCst);
    server.command(&["queue", "retry", text(&message, "queue_id")])?.ok()?;
    wait_until("the delivery", SOON, || Ok(sink.count() == 1))?;
    server.wait_queue_empty(SOON)
}

#[test]
fn queue_return_sends_it_back() -> Result<()> {
    let (sink, _gate) = gated_sink()?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    let to = "back@stranger.test";
    let sample = Sample::new("back@example.test", ALICE, to).octets();
    assert_eq!(server.submission(ALICE)?.send(ALICE, &[to], &sample)?.code, 250);
    let message = wait_for("the queue", SOON, || Ok(queued(&server)?.into_iter().next()))?;
    server.command(&["queue", "return", text(&message, "queue_id")])?.ok()?;
    let report = crate::wait_for_messages(&server, ALICE, 1)?.remove(0);
    assert!(String::from_utf8_lossy(&report).contains("Action: failed"));
    server.wait_queue_empty(SOON)
}
