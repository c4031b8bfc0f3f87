//! Mail comes in and goes out.

use crate::{ALICE, BOB, SOON, wait_for_messages};
use concord_testkit::{Concord, Finished, Result, Sample, Sink, run_with_input, wait_until};
use std::process::Command;

/// Sends with smtplib and reads with imaplib: what comes back must end with
/// the very octets that were sent, behind the trace lines of the server.
const PYTHON: &str = r#"
import imaplib, smtplib, ssl, sys, time
smtp, submission, imap, imaps = map(int, sys.argv[1:5])
sent = (b"From: Stranger <stranger@elsewhere.test>\r\nTo: alice@example.test\r\n"
        b"Subject: byte for byte\r\nMessage-ID: <bytes@elsewhere.test>\r\n\r\n"
        b".one dot\r\n..two dots\r\n\ttab and trailing space \r\n\r\n"
        + "gr\u00fc\u00dfe \u6587\u5b57\r\n".encode() + b"last line\r\n")
s = smtplib.SMTP("127.0.0.1", smtp)
s.ehlo()
assert s.has_extn("8bitmime") and s.has_extn("pipelining") and s.has_extn("size"), s.esmtp_features
s.sendmail("stranger@elsewhere.test", ["alice@example.test"], sent, mail_options=["BODY=8BITMIME"])
s.quit()
def read(c):
    c.login("alice@example.test", "demo")
    for _ in range(200):
        if int(c.select("INBOX")[1][0]): break
        time.sleep(0.05)
    kind, data = c.fetch("1", "(BODY.PEEK[] RFC822.SIZE)")
    got = data[0][1]
    assert kind == "OK" and got.endswith(sent), got
    head = got[:-len(sent)]
    assert head.startswith(b"Return-Path: <stranger@elsewhere.test>\r\n"), head
    assert b"\r\nReceived: " in head, head
    assert b"RFC822.SIZE %d" % len(got) in data[0][0] + data[1] if isinstance(data[1], bytes) else data[0][0], data
    c.logout()
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
read(imaplib.IMAP4("127.0.0.1", imap))
read(imaplib.IMAP4_SSL("127.0.0.1", imaps, ssl_context=context))
c = imaplib.IMAP4("127.0.0.1", imap); c.starttls(context); read(c)
s = smtplib.SMTP("127.0.0.1", submission)
s.starttls(context=context)
s.login("alice@example.test", "demo")
s.sendmail("alice@example.test", ["bob@example.test"], b"From: alice@example.test\r\nTo: bob@example.test\r\nSubject: over TLS\r\n\r\nhello\r\n")
s.quit()
print("read back", len(sent), "octets")
"#;

fn python(server: &Concord) -> Result<Finished> {
    let ports =
        ["smtp", "submission", "imap", "imaps"].map(|l| server.address(l).port().to_string());
    run_with_input(Command::new("python3").arg("-").args(ports), PYTHON.as_bytes(), SOON * 2)
}

#[test]
fn demo_receives_and_reads_byte_for_byte() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let done = python(&server)?.ok()?;
    assert!(done.stdout.contains("read back"), "{done:?}");
    let messages = wait_for_messages(&server, BOB, 1)?;
    assert!(String::from_utf8_lossy(&messages[0]).contains("Subject: over TLS\r\n"));
    Ok(())
}

#[test]
fn submission_as_alice_to_bob() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let sample = Sample::new("one@example.test", ALICE, BOB).eight_bit().size(20_000).octets();
    let reply = server.submission(ALICE)?.send_with(ALICE, "BODY=8BITMIME", &[BOB], &sample)?;
    assert_eq!(reply.code, 250, "{reply:?}");
    // It is there as soon as it is acknowledged, without any waiting.
    let messages = server.imap(BOB)?.messages("INBOX")?;
    assert_eq!(messages.len(), 1);
    assert!(messages[0].ends_with(&sample), "the body changed on its way");
    Ok(())
}

#[test]
fn submission_asks_for_a_login_and_takes_no_foreign_sender() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let mut session = concord_testkit::Smtp::connect(server.address("submission"))?;
    session.hello()?;
    assert_eq!(session.command(&format!("MAIL FROM:<{ALICE}>"))?.code, 530);
    assert!(session.login(ALICE, "wrong").is_err());
    session.login(ALICE, concord_testkit::PASSWORD)?;
    session.must(&format!("MAIL FROM:<{ALICE}>"))?;
    session.must(&format!("RCPT TO:<{BOB}>"))?;
    session.must("RSET")?;
    // Who is logged in may not send as somebody else. The core judges MAIL with
    // the first RCPT.
    session.must(&format!("MAIL FROM:<{BOB}>"))?;
    assert_eq!(session.command(&format!("RCPT TO:<{BOB}>"))?.code, 553);
    Ok(())
}

#[test]
fn stranger_goes_through_smart_host() -> Result<()> {
    let sink = Sink::start()?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    let to = "someone@stranger.test";
    let sample = Sample::new("out@example.test", ALICE, to).eight_bit().octets();
    let reply = server.submission(ALICE)?.send_with(ALICE, "BODY=8BITMIME", &[to], &sample)?;
    assert_eq!(reply.code, 250, "{reply:?}");
    wait_until("the smart host to get it", SOON, || Ok(sink.count() > 0))?;
    server.wait_queue_empty(SOON)?;
    let taken = sink.messages();
    assert_eq!(taken.len(), 1, "delivered once");
    assert_eq!((taken[0].from.as_str(), taken[0].to.as_slice()), (ALICE, &[to.to_owned()][..]));
    assert!(taken[0].octets.ends_with(&sample), "the body changed on its way");
    assert!(!taken[0].octets.starts_with(b"Return-Path:"), "only final delivery adds it");
    Ok(())
}

#[test]
fn relay_for_strangers_is_refused() -> Result<()> {
    let sink = Sink::start()?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    let mut session = server.smtp()?;
    session.hello()?;
    for (from, to) in [
        ("a@stranger.test", "victim@elsewhere.test"),
        // Claiming to be one of us opens nothing.
        (ALICE, "victim@elsewhere.test"),
        ("", "victim@elsewhere.test"),
        ("a@stranger.test", "victim%elsewhere.test@example.test"),
        ("a@stranger.test", "@example.test:victim@elsewhere.test"),
        ("a@stranger.test", "\"victim@elsewhere.test\"@example.test"),
        ("a@stranger.test", "IMCEASMTP-victim+40elsewhere+2Etest@example.test"),
    ] {
        session.must(&format!("MAIL FROM:<{from}>"))?;
        let reply = session.command(&format!("RCPT TO:<{to}>"))?;
        assert!((500..600).contains(&reply.code), "{from} to {to}: {reply:?}");
        session.must("RSET")?;
    }
    assert_eq!(sink.count(), 0);
    Ok(())
}

#[test]
fn unknown_recipient_is_refused_at_rcpt() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let mut session = server.smtp()?;
    session.hello()?;
    session.must("MAIL FROM:<a@stranger.test>")?;
    let reply = session.command("RCPT TO:<nobody@example.test>")?;
    assert_eq!(reply.code, 550, "{reply:?}");
    assert!(reply.text().starts_with("5.1.1"), "{reply:?}");
    // The others of the same message are not harmed.
    session.must("RCPT TO:<alice@example.test>")?;
    session.must("DATA")?;
    session.write(b"Subject: still for alice\r\n\r\nhello\r\n.\r\n")?;
    assert_eq!(session.reply()?.code, 250);
    assert_eq!(server.imap(ALICE)?.count("INBOX")?, 1);
    Ok(())
}
