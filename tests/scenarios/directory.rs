//! The directory's rules as mail meets them.

use crate::{ALICE, SOON, wait_for_messages};
use concord_testkit::{Answer, Concord, Result, Sample, Sink, wait_until};
use std::time::Duration;

const BOB: &str = "bob@example.test";
const BOSS: &str = "boss@example.test";

fn concord(server: &Concord, args: &[&str]) -> Result<String> {
    Ok(server.command(args)?.ok()?.stdout)
}

fn send(server: &Concord, from: &str, to: &[&str], id: &str) -> Result<u16> {
    let sample = Sample::new(id, from, to[0]).octets();
    Ok(server.submission(from)?.send(from, to, &sample)?.code)
}

fn count(server: &Concord, who: &str) -> Result<u32> {
    server.imap(who)?.count("INBOX")
}

#[test]
fn forwarded_mail_goes_on_and_a_circle_loses_nothing() -> Result<()> {
    let server = Concord::start(|_| {})?;
    server.add_mailbox(BOSS)?;
    concord(&server, &["mailbox", "set", "boss", "--forward-to", "bob", "--keep-copy"])?;
    assert_eq!(send(&server, ALICE, &[BOSS], "one@example.test")?, 250);
    wait_for_messages(&server, BOB, 1)?;
    assert_eq!(count(&server, BOSS)?, 1, "a copy is kept");
    concord(&server, &["mailbox", "set", "boss", "--forward-to", "bob"])?;
    concord(&server, &["mailbox", "set", "bob", "--forward-to", "boss"])?;
    assert_eq!(send(&server, ALICE, &[BOSS], "two@example.test")?, 250);
    wait_until("the circle", SOON, || Ok(count(&server, BOSS)? + count(&server, BOB)? == 3))?;
    Ok(())
}

#[test]
fn restrictions_limits_and_delegates_hold() -> Result<()> {
    let server = Concord::start(|_| {})?;
    server.add_mailbox(BOSS)?;
    concord(&server, &["list", "add", "staff", "--member", "alice"])?;
    concord(&server, &["mailbox", "set", "boss", "--accept-from", "staff"])?;
    assert_eq!(send(&server, ALICE, &[BOSS], "in@example.test")?, 250);
    let mut session = server.submission(BOB)?;
    session.must(&format!("MAIL FROM:<{BOB}>"))?;
    let refused = session.command(&format!("RCPT TO:<{BOSS}>"))?;
    assert!(refused.code == 550 && refused.text().contains("5.7.1"), "{refused:?}");
    // Who only claims an address over port 25 has proved nothing.
    let mut stranger = server.smtp()?;
    stranger.hello()?;
    stranger.must(&format!("MAIL FROM:<{ALICE}>"))?;
    assert_eq!(stranger.command(&format!("RCPT TO:<{BOSS}>"))?.code, 550);
    // Send on behalf.
    let mut session = server.submission(BOB)?;
    session.must(&format!("MAIL FROM:<{BOSS}>"))?;
    assert_eq!(session.command(&format!("RCPT TO:<{ALICE}>"))?.code, 553);
    concord(&server, &["mailbox", "set", "boss", "--delegate", "bob"])?;
    session.must("RSET")?;
    session.must(&format!("MAIL FROM:<{BOSS}>"))?;
    assert_eq!(session.command(&format!("RCPT TO:<{ALICE}>"))?.code, 250);
    // The delegate opens the mailbox with his own password; a stranger does not.
    let mut opened = server.imap("bob/boss")?;
    assert_eq!(opened.count("INBOX")?, 1);
    assert!(server.imap("alice/boss").is_err());
    // Sizes count the whole message.
    concord(&server, &["mailbox", "set", "bob", "--receive-limit", "2 KiB"])?;
    let mut session = server.submission(ALICE)?;
    session.must(&format!("MAIL FROM:<{ALICE}> SIZE=5000"))?;
    let large = session.command(&format!("RCPT TO:<{BOB}>"))?;
    assert!(large.code == 552 && large.text().contains("5.2.3"), "{large:?}");
    Ok(())
}

/// T107: Q173510.
#[test]
fn oversize_message_to_a_list_is_reported_to_its_owner_only() -> Result<()> {
    let server = Concord::start(|_| {})?;
    server.add_mailbox(BOSS)?;
    concord(&server, &["list", "add", "news", "--member", "bob"])?;
    concord(
        &server,
        &[
            "list",
            "set",
            "news",
            "--owner",
            "boss",
            "--report-to",
            "owner",
            "--receive-limit",
            "1 KiB",
        ],
    )?;
    let mut sample = Sample::new("large@example.test", ALICE, "news@example.test").octets();
    sample.extend(b"0123456789\r\n".repeat(200));
    let reply = server.submission(ALICE)?.send(ALICE, &["news@example.test"], &sample)?;
    assert_eq!(reply.code, 250, "{reply:?}");
    let report = wait_for_messages(&server, BOSS, 1)?.remove(0);
    let report = String::from_utf8_lossy(&report);
    assert!(report.contains("Status: 5.2.3"), "{report}");
    assert!(report.contains("large@example.test"), "{report}");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((count(&server, ALICE)?, count(&server, BOB)?), (0, 0));
    Ok(())
}

#[test]
fn member_of_a_list_that_bounces_is_reported_to_the_owner() -> Result<()> {
    let sink = Sink::judging(|_| Answer::Say("550 5.1.1 gone".into()))?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    concord(&server, &["contact", "add", "far", "--target", "far@stranger.test"])?;
    concord(&server, &["list", "add", "news", "--member", "far", "--member", "bob"])?;
    concord(&server, &["list", "set", "news", "--owner", "bob", "--report-to", "owner"])?;
    assert_eq!(send(&server, ALICE, &["news@example.test"], "n@example.test")?, 250);
    let all = wait_for_messages(&server, BOB, 2)?;
    let reports = all.iter().filter(|m| String::from_utf8_lossy(m).contains("Action: failed"));
    assert_eq!(reports.count(), 1);
    assert_eq!(count(&server, ALICE)?, 0);
    Ok(())
}

#[test]
fn public_folder_and_room_take_mail_and_their_owners_read_it() -> Result<()> {
    let server = Concord::start(|_| {})?;
    concord(&server, &["public-folder", "add", "plans", "--owner", "bob"])?;
    concord(&server, &["resource", "add", "board-room", "--capacity", "12", "--owner", "bob"])?;
    let to = ["plans@example.test", "board-room@example.test"];
    assert_eq!(send(&server, ALICE, &to, "both@example.test")?, 250);
    for name in ["bob/plans", "bob/board-room"] {
        let mut opened = server.imap(name)?;
        assert_eq!(opened.count("INBOX")?, 1, "{name}");
    }
    assert!(server.imap("alice/plans").is_err());
    let shown = concord(&server, &["resource", "show", "board-room"])?;
    assert!(shown.contains("capacity") && shown.contains("12"), "{shown}");
    Ok(())
}

#[test]
fn containers_hold_recipients_and_scope_address_spaces() -> Result<()> {
    let server = Concord::start(|_| {})?;
    concord(&server, &["container", "add", "Sales"])?;
    concord(&server, &["container", "add", "EMEA", "--within", "Sales"])?;
    concord(
        &server,
        &["mailbox", "set", "bob", "--container", "EMEA", "--attribute", "title=Head"],
    )?;
    let shown = concord(&server, &["mailbox", "show", "bob"])?;
    assert!(shown.contains("cn=bob,cn=EMEA,cn=Sales,cn=Recipients"), "{shown}");
    assert!(shown.contains("title = Head"), "{shown}");
    let refused = server.command(&["container", "remove", "Sales"])?;
    assert_ne!(refused.code, Some(0), "it is not empty");
    let route = concord(&server, &["route", BOB])?;
    assert!(route.contains("it is mailbox bob") && route.contains("into mailbox bob"), "{route}");
    let route = server.json(&["route", "someone@far.test", "--from", ALICE])?;
    assert_eq!(route["meaning"], "elsewhere");
    assert_eq!(route["copies"][0]["candidates"][0]["outcome"], "chosen");
    let route = server.json(&["route", "GWISE:DOM.PO.jane"])?;
    assert_eq!(route["copies"][0]["connector"], serde_json::Value::Null);
    Ok(())
}

#[test]
fn table_is_written_read_back_and_changes_only_what_it_says() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let scratch = tempfile::tempdir()?;
    let file = scratch.path().join("people.csv");
    let path = file.to_string_lossy().into_owned();
    let head = "Obj-Class,Mode,Directory Name,First Name,Last Name,Container,Target Address,Members,Password";
    let mut table = format!("{head}\ncontainer,,Sales,,,,,,\n");
    for number in 0..40 {
        table += &format!("mailbox,Create,user{number},Jane,Doe {number},Sales,,,\n");
    }
    table += "Remote,,far,,,,far@stranger.test,,\ndl,,everyone,,,,,user1%far,\n";
    table += "mailbox,Modify,nobody,,,,,,\n";
    std::fs::write(&file, &table)?;
    let dry = server.command(&["directory", "import", &path, "--dry-run"])?;
    assert!(dry.stdout.contains("43 would be added"), "{}{}", dry.stdout, dry.stderr);
    assert_eq!(server.json(&["contact", "list"])?.as_array().map(Vec::len), Some(0));
    let done = server.command(&["directory", "import", &path])?;
    assert_eq!(done.code, Some(1), "one line is wrong");
    assert!(
        done.stdout.contains("43 added") && done.stdout.contains("! line 45"),
        "{}",
        done.stdout
    );
    assert_eq!(send(&server, ALICE, &["everyone@example.test"], "all@example.test")?, 250);
    // Written and read back: nothing to do.
    concord(&server, &["directory", "export", "--output", &path])?;
    let again = server.command(&["directory", "import", &path, "--dry-run"])?;
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    // One edit changes one recipient.
    let written = std::fs::read_to_string(&file)?;
    std::fs::write(&file, written.replace("Doe 7\n", "DOE 7\n"))?;
    let edited = server.command(&["directory", "import", &path])?;
    assert!(edited.stdout.contains("~ mailbox user7"), "{}", edited.stdout);
    assert!(edited.stdout.contains("0 added, 1 changed, 0 removed"), "{}", edited.stdout);
    let broken = "Obj-Class,Directory Name\nmailbox,~DEL\n";
    std::fs::write(&file, broken)?;
    let refused = server.command(&["directory", "import", &path])?;
    assert!(refused.stdout.contains("! line 2"), "{}", refused.stdout);
    Ok(())
}
