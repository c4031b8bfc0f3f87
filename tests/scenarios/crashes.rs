//! Processes are killed in the worst moments.

use crate::{ALICE, BOB, SOON};
use concord_testkit::{
    Answer, Concord, Result, Sample, Sink, exists, kill, trouble, wait_for, wait_until,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A smart host that hangs over the first message it is given, long enough for
/// something to be killed, and takes every later one.
fn hanging_sink() -> Result<(Sink, Arc<AtomicUsize>)> {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let sink = Sink::judging(move |line| {
        if line.starts_with("DATA") && count.fetch_add(1, Ordering::SeqCst) == 0 {
            std::thread::sleep(Duration::from_secs(5));
            return Answer::Hang;
        }
        Answer::Take
    })?;
    Ok((sink, seen))
}

fn submit(server: &Concord, id: &str, to: &str) -> Result<()> {
    let sample = Sample::new(id, ALICE, to).octets();
    let reply = server.submission(ALICE)?.send(ALICE, &[to], &sample)?;
    if reply.code == 250 { Ok(()) } else { Err(trouble(format!("{reply:?}"))) }
}

fn killed_in_flight(victim: &str) -> Result<()> {
    let (sink, seen) = hanging_sink()?;
    let host = sink.address();
    let server = Concord::start(|c| {
        c.smart_host(host);
        c.endure_crashes();
    })?;
    submit(&server, "flight@example.test", "someone@stranger.test")?;
    wait_until(
        "the message to be at the smart host",
        SOON,
        || Ok(seen.load(Ordering::SeqCst) > 0),
    )?;
    let before = server.service(victim)?;
    kill(before)?;
    wait_until("the second attempt", SOON * 2, || Ok(sink.count() > 0))?;
    server.wait_queue_empty(SOON)?;
    assert_eq!(sink.count(), 1, "taken once");
    assert_ne!(server.service(victim)?, before, "a new process");
    assert!(!exists(before), "the old process is gone");
    // A crash over a message is evidence, but not yet a verdict.
    assert_eq!(server.imap(ALICE)?.count("INBOX")?, 0, "no report");
    Ok(())
}

#[test]
fn connector_killed_in_flight() -> Result<()> {
    killed_in_flight("internet-mail")
}

#[test]
fn core_killed_in_flight() -> Result<()> {
    killed_in_flight("core")
}

#[test]
fn core_killed_while_a_message_comes_in() -> Result<()> {
    let server = Concord::start(|c| c.endure_crashes())?;
    let mut session = server.smtp()?;
    session.hello()?;
    session.must("MAIL FROM:<a@stranger.test>")?;
    session.must(&format!("RCPT TO:<{BOB}>"))?;
    session.must("DATA")?;
    session.write(b"Subject: cut off\r\nMessage-ID: <cut@stranger.test>\r\n\r\nhalf of it\r\n")?;
    kill(server.service("core")?)?;
    let answer = session.write(b"and the rest\r\n.\r\n").and_then(|()| session.reply());
    if let Ok(reply) = &answer {
        assert!(reply.code == 0 || reply.code / 100 == 4, "no 250, no 5xx: {reply:?}");
    }
    let taken = wait_for("the core to take mail again", SOON, || {
        let Ok(mut session) = server.smtp() else { return Ok(None) };
        session.hello()?;
        let sample = Sample::new("after@stranger.test", "a@stranger.test", BOB).octets();
        let reply = session.send("a@stranger.test", &[BOB], &sample)?;
        Ok((reply.code == 250).then_some(reply))
    })?;
    assert!(taken.is_positive());
    let ids = server.imap(BOB)?.headers("INBOX", "Message-ID")?;
    assert_eq!(ids, ["after@stranger.test"], "only what was acknowledged is there");
    Ok(())
}

#[test]
fn controller_killed_leaves_no_child() -> Result<()> {
    let mut server = Concord::start(|_| {})?;
    submit(&server, "kept@example.test", BOB)?;
    let children = server.processes();
    assert!(children.len() >= 3, "controller, core and internet-mail: {children:?}");
    server.kill_controller()?;
    wait_until("the children to notice and stop", SOON, || Ok(server.processes().is_empty()))?;
    server.up()?;
    assert_eq!(server.imap(BOB)?.headers("INBOX", "Message-ID")?, ["kept@example.test"]);
    Ok(())
}

#[test]
fn controller_killed_and_started_at_once() -> Result<()> {
    let mut server = Concord::start(|_| {})?;
    let old: Vec<u32> = server.processes();
    server.kill_controller()?;
    // The children may not have noticed yet: the new controller clears them away.
    server.up()?;
    submit(&server, "new@example.test", BOB)?;
    wait_until("the old processes to end", SOON, || Ok(!old.iter().any(|pid| exists(*pid))))?;
    assert_eq!(server.imap(BOB)?.count("INBOX")?, 1);
    Ok(())
}
