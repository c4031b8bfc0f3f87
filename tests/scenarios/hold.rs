//! A release on trial: up, but no mail moves.

use crate::{ALICE, SOON, rows, text, wait_for_messages};
use concord_testkit::{Concord, Result, wait_for};
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Long enough that a service which did not wait would have greeted.
const A_WHILE: Duration = Duration::from_millis(500);

fn is_silent(address: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(A_WHILE))?;
    let read = stream.read(&mut [0; 1]);
    assert!(read.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock), "{address}");
    Ok(stream)
}

#[test]
fn a_held_server_is_ready_and_moves_no_mail_until_the_hold_is_gone() -> Result<()> {
    let mut server = Concord::start(|_| {})?;
    server.stop()?;
    let hold = server.root().join("run/hold");
    std::fs::write(&hold, "")?;
    server.set_env(&[("CONCORD_HOLD", "1")]);
    server.spawn()?;
    wait_for("services that are ready", SOON, || {
        let Ok(list) = server.json(&["service", "list"]) else { return Ok(None) };
        let ready = rows(&list).iter().filter(|s| text(s, "state") == "ready").count();
        Ok((ready == 3).then_some(()))
    })?;
    let mut waiting = Vec::new();
    for listener in ["smtp", "submission", "imap", "pop3"] {
        waiting.push(is_silent(server.address(listener))?);
    }
    server.json(&["mailbox", "list"])?;
    let refused = server.command(&["domain", "add", "other.test"])?;
    assert!(refused.stderr.contains("an update is under way"), "{}", refused.stderr);
    std::fs::remove_file(&hold)?;
    for mut stream in waiting {
        stream.set_read_timeout(Some(SOON))?;
        stream.read_exact(&mut [0; 1])?;
    }
    server.wait_ready(SOON)?;
    let mut session = server.smtp()?;
    session.hello()?;
    let reply = session.send("x@elsewhere.test", &[ALICE], b"Subject: x\r\n\r\nx\r\n")?;
    assert!(reply.is_positive(), "{}", reply.text());
    wait_for_messages(&server, ALICE, 1)?;
    server.stop()
}

#[test]
fn a_hold_that_nobody_asked_for_is_removed_and_told() -> Result<()> {
    let mut server = Concord::start(|_| {})?;
    server.stop()?;
    let hold = server.root().join("run/hold");
    std::fs::write(&hold, "")?;
    server.up()?;
    assert!(!hold.exists());
    assert!(server.log().text().contains("removed a hold"), "{}", server.log().text());
    server.stop()
}
