//! The index is only a view of the log.

use crate::{ALICE, BOB, rows, text};
use concord_testkit::{Answer, Concord, Result, Sample, Sink};

/// What a mailbox looks like to its reader: identities, flags, octets.
fn seen(server: &Concord, mailbox: &str) -> Result<Vec<String>> {
    let mut imap = server.imap(mailbox)?;
    let mut lines: Vec<String> = imap
        .must("LIST \"\" *")?
        .into_iter()
        .map(|l| l.text)
        .filter(|l| l.starts_with('*'))
        .collect();
    let validity = imap.must("STATUS INBOX (UIDVALIDITY UIDNEXT MESSAGES UNSEEN)")?;
    lines.extend(validity.into_iter().map(|l| l.text).filter(|l| l.starts_with('*')));
    imap.select("INBOX")?;
    for fetched in imap.fetch_all("BODY.PEEK[]")? {
        lines.push(format!("{} {}", fetched.text, String::from_utf8_lossy(&fetched.octets)));
    }
    Ok(lines)
}

#[test]
fn index_made_anew_from_the_log_shows_the_same() -> Result<()> {
    let sink = Sink::judging(|line| match line.starts_with("RCPT") {
        true => Answer::Say("451 4.2.1 come back later".into()),
        false => Answer::Take,
    })?;
    let host = sink.address();
    let mut server = Concord::start(|c| c.smart_host(host))?;
    server.add_mailbox("carol@example.test")?;
    let mut session = server.submission(ALICE)?;
    for n in 0..20 {
        let sample = Sample::new(&format!("r{n}@example.test"), ALICE, BOB).size(2_000).octets();
        assert_eq!(session.send(ALICE, &[BOB, "carol@example.test"], &sample)?.code, 250);
    }
    let waiting = Sample::new("waits@example.test", ALICE, "far@stranger.test").octets();
    assert_eq!(session.send(ALICE, &["far@stranger.test"], &waiting)?.code, 250);
    let mut imap = server.imap(BOB)?;
    imap.select("INBOX")?;
    imap.must("STORE 3:7 +FLAGS.SILENT (\\Seen \\Flagged)")?;
    imap.must("STORE 9 +FLAGS.SILENT (\\Deleted)")?;
    imap.must("EXPUNGE")?;
    imap.must("CREATE Kept")?;
    imap.must("MOVE 1:2 Kept")?;
    let before = (seen(&server, BOB)?, seen(&server, "carol@example.test")?);
    server.stop()?;
    server.command(&["store", "rebuild"])?.ok()?;
    server.up()?;
    let after = (seen(&server, BOB)?, seen(&server, "carol@example.test")?);
    assert_eq!(before, after);
    assert_eq!(server.imap(BOB)?.count("Kept")?, 2);
    let queue = rows(&server.json(&["queue", "list"])?);
    assert_eq!(queue.len(), 1);
    assert_eq!(text(&queue[0], "message_id"), "waits@example.test");
    let verified = server.command(&["store", "verify"])?;
    assert_eq!(verified.code, Some(0), "{verified:?}");
    Ok(())
}
