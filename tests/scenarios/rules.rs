//! Rules of mailboxes.

use crate::{ALICE, BOB, SOON, rows, text};
use concord_testkit::{Concord, Result, Sample, Sink, wait_for, wait_until};

const STRANGER: &str = "stranger@elsewhere.test";

fn concord(server: &Concord, args: &[&str]) -> Result<String> {
    Ok(server.command(args)?.ok()?.stdout)
}

/// A message with this `Cc`.
fn copied(id: &str, from: &str, to: &str, cc: &str) -> Vec<u8> {
    let mut message = format!("Cc: {cc}\r\n").into_bytes();
    message.extend(Sample::new(id, from, to).octets());
    message
}

fn from_the_internet(server: &Concord, to: &[&str], message: &[u8]) -> Result<()> {
    let mut session = server.smtp()?;
    session.hello()?;
    let reply = session.send(STRANGER, to, message)?;
    assert_eq!(reply.code, 250, "{reply:?}");
    Ok(())
}

fn from_alice(server: &Concord, to: &[&str], message: &[u8]) -> Result<()> {
    let reply = server.submission(ALICE)?.send(ALICE, to, message)?;
    assert_eq!(reply.code, 250, "{reply:?}");
    Ok(())
}

fn wait_in(server: &Concord, mailbox: &str, folder: &str, count: u32) -> Result<()> {
    wait_until(&format!("{count} messages in {folder}"), SOON, || {
        let mut imap = server.imap(mailbox)?;
        // Until the first message comes the folder is not there.
        Ok(imap.count(folder).is_ok_and(|found| found == count))
    })
}

/// T65: Q195583, Q259616.
#[test]
fn a_rule_for_my_name_in_cc_fires_for_internet_mail() -> Result<()> {
    let mut server = Concord::start(|_| {})?;
    concord(&server, &["mailbox", "set", "bob", "--add-address", "robert@example.test"])?;
    concord(&server, &["mailbox", "set", "bob", "--add-address", "NOTES:Bob B/Acme@ACME"])?;
    concord(&server, &["list", "add", "staff", "--member", "bob", "--member", "alice"])?;
    let added = concord(
        &server,
        &[
            "rule",
            "add",
            "bob",
            "My copies",
            "--when",
            "cc-me",
            "--move-to",
            "Copies",
            "--mark-read",
        ],
    )?;
    assert!(added.contains("rule 'My copies' of bob: added"), "{added}");
    // From the Internet, by both addresses, whichever of them the envelope has.
    let one = copied("i1@x.test", STRANGER, "a@elsewhere.test", BOB);
    from_the_internet(&server, &[BOB], &one)?;
    let two = copied("i2@x.test", STRANGER, "a@elsewhere.test", "Bob <Robert@Example.test>");
    from_the_internet(&server, &[BOB], &two)?;
    wait_in(&server, BOB, "Copies", 2)?;
    // From a user here, and through a list.
    from_alice(&server, &["robert@example.test"], &copied("l1@x.test", ALICE, ALICE, BOB))?;
    let list = "staff@example.test";
    from_the_internet(
        &server,
        &[list],
        &copied("l2@x.test", STRANGER, list, "robert@example.test"),
    )?;
    wait_in(&server, BOB, "Copies", 4)?;
    // What names him in To, or not at all, stays in the inbox.
    from_the_internet(&server, &[BOB], &copied("n1@x.test", STRANGER, BOB, ALICE))?;
    from_the_internet(&server, &[list], &Sample::new("n2@x.test", STRANGER, list).octets())?;
    wait_in(&server, BOB, "INBOX", 2)?;
    let mut imap = server.imap(BOB)?;
    imap.select("Copies")?;
    let fetched = imap.fetch_all("INTERNALDATE")?;
    assert!(fetched.iter().all(|f| f.text.contains("\\Seen")), "{fetched:?}");
    assert_eq!(server.imap(ALICE)?.count("INBOX")?, 2, "the list's other member has no rules");
    let story = rows(&server.json(&["trace", "i1@x.test"])?);
    let events = story[0]["events"].as_array().cloned().unwrap_or_default();
    let stored = events.iter().find(|e| text(e, "event") == "stored").unwrap();
    assert_eq!(text(stored, "detail"), "in Copies as UID 1, by 'My copies'");
    server.stop()
}

#[test]
fn rules_survive_a_restart_and_a_rebuild() -> Result<()> {
    let mut server = Concord::start(|_| {})?;
    concord(
        &server,
        &[
            "rule",
            "add",
            "bob",
            "Far",
            "--when",
            "from=@elsewhere.test",
            "--move-to",
            "Far/Away",
            "--flag",
        ],
    )?;
    let send = |server: &Concord, n: u32| {
        let message = Sample::new(&format!("r{n}@x.test"), STRANGER, BOB).octets();
        from_the_internet(server, &[BOB], &message)
    };
    send(&server, 1)?;
    wait_in(&server, BOB, "Far/Away", 1)?;
    let seen = |server: &Concord| -> Result<Vec<String>> {
        let mut imap = server.imap(BOB)?;
        let status = imap.must("STATUS \"Far/Away\" (UIDVALIDITY UIDNEXT MESSAGES UNSEEN)")?;
        let mut lines: Vec<String> = status.into_iter().map(|line| line.text).collect();
        imap.select("Far/Away")?;
        lines.extend(imap.fetch_all("INTERNALDATE")?.into_iter().map(|f| f.text));
        lines.retain(|line| line.starts_with('*') || line.contains("FLAGS"));
        Ok(lines)
    };
    let before = seen(&server)?;
    assert!(before.iter().any(|line| line.contains("\\Flagged")), "{before:?}");
    server.stop()?;
    server.command(&["store", "rebuild"])?.ok()?;
    server.up()?;
    assert_eq!(seen(&server)?, before);
    assert_eq!(rows(&server.json(&["rule", "list", "bob"])?).len(), 1);
    send(&server, 2)?;
    wait_in(&server, BOB, "Far/Away", 2)?;
    // A folder that its owner removes is made again with the next message.
    server.imap(BOB)?.must("DELETE \"Far/Away\"")?;
    send(&server, 3)?;
    wait_in(&server, BOB, "Far/Away", 1)?;
    assert_eq!(server.imap(BOB)?.count("INBOX")?, 0);
    server.stop()
}

#[test]
fn rules_are_changed_in_order_and_tried_out() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let add = |name: &str, rest: &[&str]| {
        concord(&server, &[&["rule", "add", BOB, name], rest].concat()).map(drop)
    };
    add("Plans", &["--when", "subject=plan|budget", "--move-to", "Plans"])?;
    add(
        "Read",
        &["--when", "from=alice@example.test", "--when", "report", "--any", "--mark-read"],
    )?;
    add(
        "Boss",
        &[
            "--when",
            "from=alice@example.test",
            "--unless",
            "cc-me",
            "--move-to",
            "Boss",
            "--stop",
            "--position",
            "1",
        ],
    )?;
    let names = || -> Result<Vec<String>> {
        let listed = rows(&server.json(&["rule", "list", "bob"])?);
        Ok(listed.iter().map(|rule| text(rule, "name").to_owned()).collect())
    };
    assert_eq!(names()?, ["Boss", "Plans", "Read"]);
    let message = Sample::new("o1@x.test", ALICE, BOB).subject("The Plan").octets();
    let message = String::from_utf8_lossy(&message).into_owned();
    let test = |message: &str| -> Result<String> {
        let tested = server.command_with_input(&["rule", "test", "bob", "-"], message)?;
        Ok(tested.ok()?.stdout)
    };
    let tested = test(&message)?;
    assert!(
        tested.contains("Boss: fires\n  when from=alice@example.test: yes\n  unless cc-me: no"),
        "{tested}"
    );
    assert!(tested.contains("Plans: is not asked, because an earlier rule stops"), "{tested}");
    assert!(tested.contains("the message goes into Boss"), "{tested}");
    from_alice(&server, &[BOB], message.as_bytes())?;
    wait_in(&server, BOB, "Boss", 1)?;
    // Disabled, the rules behind it are asked; of two folders the first counts.
    concord(&server, &["rule", "set", "bob", "boss", "--enabled", "no"])?;
    from_alice(&server, &[BOB], message.as_bytes())?;
    wait_in(&server, BOB, "Plans", 1)?;
    let mut imap = server.imap(BOB)?;
    imap.select("Plans")?;
    assert!(
        imap.fetch_all("INTERNALDATE")?[0].text.contains("\\Seen"),
        "both rules did their part"
    );
    concord(
        &server,
        &[
            "rule",
            "set",
            "bob",
            "Boss",
            "--enabled",
            "yes",
            "--stop",
            "no",
            "--position",
            "3",
            "--name",
            "Chief",
            "--unless",
            "none",
        ],
    )?;
    assert_eq!(names()?, ["Plans", "Read", "Chief"]);
    let tested = test("To: <garbage\nSubject: x\nnot a field\n\nx\n")?;
    assert!(tested.contains("the message cannot be read well enough"), "{tested}");
    assert!(tested.contains("the message goes into INBOX\n"), "{tested}");
    concord(&server, &["rule", "remove", "bob", "plans"])?;
    assert_eq!(names()?, ["Read", "Chief"]);
    for (args, says) in [
        (&["rule", "remove", "bob", "plans"][..], "there is no rule 'plans'; 'concord rule list'"),
        (&["rule", "add", "bob", "READ", "--flag"], "there is a rule 'READ' already"),
        (&["rule", "add", "bob", "x"], "does nothing"),
        (&["rule", "add", "bob", "x", "--flag", "--when", "colour=red"], "no condition 'colour'"),
        (&["rule", "add", "bob", "x", "--move-to", "a//b"], "a level is empty"),
        (&["rule", "add", "nobody", "x", "--flag"], "there is no mailbox 'nobody'"),
        (&["rule", "set", "bob", "Read"], "nothing was said of how"),
        (&["rule", "test", "bob", "/nonexistent"], "cannot read the message /nonexistent"),
    ] {
        let refused = server.command(args)?;
        assert!(refused.code != Some(0) && refused.stderr.contains(says), "{args:?} {refused:?}");
    }
    Ok(())
}

/// A report about one's own mail is mail like other mail.
#[test]
fn a_report_is_filed_by_a_rule() -> Result<()> {
    let sink = Sink::judging(|line| match line.starts_with("RCPT") {
        true => concord_testkit::Answer::Say("550 5.1.1 gone".into()),
        false => concord_testkit::Answer::Take,
    })?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    concord(
        &server,
        &["rule", "add", "alice", "Reports", "--when", "report", "--move-to", "Reports"],
    )?;
    let to = "far@stranger.test";
    from_alice(&server, &[to], &Sample::new("b1@x.test", ALICE, to).octets())?;
    let report = wait_for("the report", SOON, || {
        let mut imap = server.imap(ALICE)?;
        if imap.count("Reports").is_err() {
            return Ok(None);
        }
        Ok(imap.messages("Reports")?.pop())
    })?;
    assert!(String::from_utf8_lossy(&report).contains("Action: failed"));
    assert_eq!(server.imap(ALICE)?.count("INBOX")?, 0);
    Ok(())
}
