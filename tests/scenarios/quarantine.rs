//! A message that makes a service die.

use crate::{ALICE, SOON, rows, text};
use concord_testkit::{Concord, Result, Sample, Sink, wait_for, wait_until};
use serde_json::Value;

/// Debug builds of internet-mail abort when they are about to deliver to an
/// address that holds the value of `CONCORD_FAULT_ABORT_ON`.
const POISON: &str = "poison-pill";

/// Submits a message; again, if the service died in the middle of it.
fn submit(server: &Concord, id: &str, to: &str) -> Result<()> {
    wait_until("a message to be taken", SOON, || {
        let Ok(mut session) = server.submission(ALICE) else { return Ok(false) };
        let sample = Sample::new(id, ALICE, to).octets();
        Ok(session.send(ALICE, &[to], &sample).is_ok_and(|reply| reply.code == 250))
    })
}

#[test]
fn poison_message_is_quarantined_after_three_deaths() -> Result<()> {
    let sink = Sink::start()?;
    let host = sink.address();
    let server = Concord::builder()?
        .env("CONCORD_FAULT_ABORT_ON", POISON)
        .config(|c| {
            c.smart_host(host);
            c.endure_crashes();
        })
        .start()?;
    let poisoned = format!("{POISON}@stranger.test");
    submit(&server, "poison@example.test", &poisoned)?;
    // What stands behind it must flow, to the same domain and to another.
    let others = ["one@stranger.test", "two@stranger.test", "three@elsewhere.test"];
    for to in others {
        submit(&server, &format!("good-{to}"), to)?;
    }
    wait_until("the good messages at the smart host", SOON * 2, || {
        let taken: Vec<String> = sink.messages().into_iter().flat_map(|m| m.to).collect();
        Ok(others.iter().all(|to| taken.iter().any(|t| t == to)))
    })?;
    let quarantined = wait_for("the quarantine", SOON * 2, || {
        let list = rows(&server.json(&["queue", "list", "--quarantined"])?);
        Ok(list.into_iter().next())
    })?;
    assert_eq!(text(&quarantined, "message_id"), "poison@example.test");
    let delivery = &quarantined["deliveries"][0];
    assert_eq!(text(delivery, "state"), "quarantined");
    assert_eq!(delivery["crashes"], 3, "{delivery}");
    assert_ne!(delivery["last_answer"], Value::Null, "the evidence: {delivery}");
    // The 250 may have died with the service, and the message have been sent again.
    let story = rows(&server.json(&["trace", text(&quarantined, "queue_id")])?);
    let events: Vec<&str> = story[0]["events"]
        .as_array()
        .map(|events| events.iter().map(|e| text(e, "event")).collect())
        .unwrap_or_default();
    assert_eq!(events.iter().filter(|e| **e == "crashed").count(), 3, "{events:?}");
    assert!(events.contains(&"quarantined"), "{events:?}");
    assert!(!sink.messages().iter().any(|m| m.to.contains(&poisoned)));
    Ok(())
}
