//! Internet mail is set up, looked at and ended while the server runs.

use crate::{ALICE, SOON};
use concord_testkit::{Concord, NameServer, Result, Sample, Zone, wait_until};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// A new domain by the wizard, its mail watched, and the way to retirement
/// (Q285090).
#[test]
fn a_domain_is_set_up_watched_and_retired_while_the_server_runs() -> Result<()> {
    let mut zone = Zone::default();
    zone.address("mail.example.test", "192.0.2.1".parse()?);
    zone.mx("new.test", 10, "mail.example.test.")?;
    let names = NameServer::start("127.0.0.1:0".parse()?, zone)?;
    let at = names.address().to_string();
    let server = Concord::start(|c| {
        c.set("internet-mail", "nameservers", format!("[\"{at}\"]"));
        c.set("server", "addresses", "[\"192.0.2.1\"]");
    })?;
    let sample = Sample::new("one@far.test", "x@far.test", "jane@new.test").octets();
    let refused = stranger(&server)?.send("x@far.test", &["jane@new.test"], &sample)?;
    assert_eq!(refused.code, 550, "{refused:?}");

    let setup = ["setup", "mail", "--domain", "new.test", "--administrator", ALICE, "--yes"];
    let said = server.command(&setup)?.ok()?.stdout;
    assert!(said.contains("new.test. IN MX 10 mail.example.test."), "{said}");
    let again = server.command(&setup)?.ok()?.stdout;
    assert!(again.contains("nothing to do"), "{again}");
    server.add_mailbox("jane@new.test")?;

    let mut watcher = Command::new(server.binary())
        .args(["internet-mail", "watch", "--domain", "new.test", "--lines", "3", "--root"])
        .arg(server.root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut welcome = String::new();
    BufReader::new(watcher.stderr.take().unwrap()).read_line(&mut welcome)?;
    assert!(welcome.contains("watching"), "{welcome}");
    wait_until("the connector takes the domain's mail", SOON, || {
        Ok(stranger(&server)?.send("x@far.test", &["jane@new.test"], &sample)?.code == 250)
    })?;
    let shown = watcher.wait_with_output()?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("< RCPT TO:<jane@new.test>"), "{shown}");
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert_eq!(server.imap("jane@new.test")?.messages("INBOX")?.len(), 1);
    // The core looks at the policy by itself, within a second.
    wait_until("the administrator has the new domain's postmaster", SOON, || {
        let answer = stranger(&server)?.send("x@far.test", &["postmaster@new.test"], &sample)?;
        Ok(answer.code == 250)
    })?;

    server.command(&["internet-mail", "mode", "drain"])?.ok()?;
    wait_until("nothing more comes from outside", SOON, || {
        Ok(stranger(&server)?.send("x@far.test", &["jane@new.test"], &sample)?.code == 450)
    })?;
    let status = ["internet-mail", "mode", "--status"];
    let left = server.command(&[&["--json"], &status[..]].concat())?;
    assert!(left.stdout.contains("new.test"), "mail still comes here: {left:?}");
    assert_eq!(left.code, Some(2), "{left:?}");
    names.change(|zone| {
        zone.clear("new.test");
    });
    server.command(&status)?.ok()?;
    Ok(())
}

/// Somebody who said hello.
fn stranger(server: &Concord) -> Result<concord_testkit::Smtp> {
    let mut session = server.smtp()?;
    session.hello()?;
    Ok(session)
}
