//! Where is my message.

use crate::{ALICE, SOON, rows, text};
use concord_testkit::{Answer, Concord, Result, Sample, Sink, wait_until};
use std::sync::atomic::{AtomicUsize, Ordering};

#[test]
fn trace_tells_the_whole_story() -> Result<()> {
    let tries = AtomicUsize::new(0);
    let sink = Sink::judging(move |line| {
        if line.starts_with("RCPT") && tries.fetch_add(1, Ordering::SeqCst) == 0 {
            return Answer::Say("451 4.7.1 greylisted for a second".into());
        }
        Answer::Take
    })?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    let to = ["far@stranger.test", "bob@example.test"];
    let sample = Sample::new("story@example.test", ALICE, to[0]).subject("a story").octets();
    let reply = server.submission(ALICE)?.send(ALICE, &to, &sample)?;
    assert_eq!(reply.code, 250, "{reply:?}");
    wait_until("the second attempt", SOON, || Ok(sink.count() == 1))?;
    server.wait_queue_empty(SOON)?;

    let by_id = rows(&server.json(&["trace", "story@example.test"])?);
    assert_eq!(by_id.len(), 1, "{by_id:?}");
    let story = &by_id[0];
    let queue_id = text(story, "queue_id");
    assert!(reply.text().contains(queue_id), "250 named the queue id: {reply:?}, {queue_id}");
    assert_eq!(text(story, "sender"), ALICE);
    let events = story["events"].as_array().cloned().unwrap_or_default();
    let find = |event: &str, who: &str| {
        events.iter().find(|e| text(e, "event") == event && text(e, "recipient").contains(who))
    };
    assert_eq!(text(&events[0], "event"), "received", "{events:?}");
    assert!(find("stored", "bob@").is_some(), "{events:?}");
    assert!(find("queued", "far@").is_some(), "{events:?}");
    let deferred = find("deferred", "far@").unwrap_or_else(|| panic!("{events:?}"));
    assert!(text(deferred, "detail").contains("greylisted for a second"), "{deferred}");
    let done = find("delivered", "far@").or_else(|| find("relayed", "far@"));
    let done = done.unwrap_or_else(|| panic!("{events:?}"));
    assert!(text(done, "detail").contains("taken"), "the peer's words: {done}");
    for question in [queue_id, to[0], ALICE] {
        let found = rows(&server.json(&["trace", question])?);
        assert!(found.iter().any(|s| text(s, "queue_id") == queue_id), "{question}: {found:?}");
    }
    let human = server.command(&["trace", "story@example.test"])?.ok()?;
    assert!(human.stdout.contains("greylisted for a second"), "{}", human.stdout);
    Ok(())
}
