//! What has been published against mail servers, against the whole server. The
//! mailboxes say whether it worked.

use crate::{ALICE, BOB, SOON, wait_for_messages};
use concord_testkit::{Concord, PASSWORD, Result, Sink, Smtp};
use std::fmt::Write as _;

/// Ends of data that some server somewhere takes for one (SEC Consult, "SMTP
/// Smuggling", 2023; CVE-2023-51764, -51765, -51766, CVE-2024-27305).
const FALSE_ENDS: &[&str] = &[
    "\n.\n",
    "\n.\r\n",
    "\n.\r",
    "\r.\r",
    "\r.\r\n",
    "\r.\n",
    "\r\n.\n",
    "\r\n.\r",
    "\r\r\n.\r\r\n",
    "\r\n.\r\r\n",
    "\r\n\0.\r\n",
    "\r\n.\0\r\n",
    "\r\n. \r\n",
    "\r\n.\t\r\n",
    "\n\n.\n\n",
    "\u{85}.\u{85}",
    "\u{2028}.\u{2028}",
];

/// Another transaction, as it would stand behind a false end.
const SMUGGLED: &str = "MAIL FROM:<smuggled@attacker.test>\r\nRCPT TO:<bob@example.test>\r\n\
    DATA\r\nFrom: smuggled@attacker.test\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n";

const HEAD: &str = "EHLO attacker.test\r\nMAIL FROM:<stranger@attacker.test>\r\n\
    RCPT TO:<alice@example.test>\r\n";

/// Says everything at once, and reads until the server has nothing to say.
fn say(server: &Concord, text: &str) -> Result<String> {
    let mut session = server.smtp()?;
    session.write(text.as_bytes())?;
    session.half_close()?;
    let mut said = String::new();
    loop {
        // Behind STARTTLS an alert follows, which is no reply.
        let Ok(reply) = session.reply() else { return Ok(said) };
        if reply.code == 0 {
            return Ok(said);
        }
        writeln!(said, "{} {}", reply.code, reply.text())?;
    }
}

/// A message that is surely the last one of what was tried.
fn close_the_round(server: &Concord) -> Result<usize> {
    let mut session = server.smtp()?;
    session.hello()?;
    let last = b"Subject: last\r\n\r\nlast\r\n";
    session.send_with("stranger@attacker.test", "", &[BOB], last)?;
    Ok(wait_for_messages(server, BOB, 1)?.len())
}

#[test]
fn smuggled_messages_reach_nobody() -> Result<()> {
    let server = Concord::start(|_| {})?;
    for end in FALSE_ENDS {
        let outer = format!("Subject: outer\r\n\r\nouter{end}{SMUGGLED}QUIT\r\n");
        let said = say(&server, &format!("{HEAD}DATA\r\n{outer}"))?;
        let taken = said.lines().filter(|line| line.contains("queued as")).count();
        assert!(taken <= 1, "{end:?}: {said}");
        // By BDAT nothing within is an end.
        let chunk = format!("Subject: outer\r\n\r\nouter{end}{SMUGGLED}");
        let said = say(&server, &format!("{HEAD}BDAT {} LAST\r\n{chunk}QUIT\r\n", chunk.len()))?;
        let taken = said.lines().filter(|line| line.contains("queued as")).count();
        assert!(taken <= 1, "{end:?} by BDAT: {said}");
    }
    assert_eq!(close_the_round(&server)?, 1, "bob has what nobody sent him");
    for message in server.imap(ALICE)?.messages("INBOX")? {
        assert!(message.starts_with(b"Return-Path: <stranger@attacker.test>\r\n"));
    }
    Ok(())
}

/// What we send on has one end too, whatever a user wrote.
#[test]
fn a_user_smuggles_nothing_through_us_to_another_host() -> Result<()> {
    let sink = Sink::start()?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    let mut taken = 0;
    for end in FALSE_ENDS {
        let body = format!("Subject: outer\r\n\r\nouter{end}{SMUGGLED}");
        let mut session = server.submission(ALICE)?;
        session.must(&format!("MAIL FROM:<{ALICE}>"))?;
        session.must("RCPT TO:<someone@elsewhere.test>")?;
        session.write(format!("BDAT {} LAST\r\n{body}", body.len()).as_bytes())?;
        taken += usize::from(session.reply()?.is_positive());
    }
    server.wait_queue_empty(SOON)?;
    let got = sink.messages();
    assert!(taken > 0 && got.len() == taken, "{taken} went in, {} came out", got.len());
    assert!(got.iter().all(|m| m.from == ALICE && m.to == ["someone@elsewhere.test"]));
    Ok(())
}

#[test]
fn commands_of_other_protocols_and_before_tls_are_not_carried_out() -> Result<()> {
    let server = Concord::start(|_| {})?;
    // A browser that was made to post to port 25.
    let post = format!("POST / HTTP/1.1\r\nHost: mx\r\n\r\n{HEAD}DATA\r\nx\r\n.\r\n");
    let said = say(&server, &post)?;
    assert!(said.starts_with("421 "), "{said}");
    // CVE-2011-0411: what came with STARTTLS is not said under TLS.
    let said = say(&server, &format!("EHLO a.test\r\nSTARTTLS\r\n{SMUGGLED}"))?;
    assert!(!said.contains("queued as"), "{said}");
    // Strangers do not say who they are on behalf of others.
    for trusted in ["XFORWARD ADDR=127.0.0.1 SOURCE=LOCAL", "XCLIENT ADDR=127.0.0.1 LOGIN=alice"] {
        let said = say(&server, &format!("EHLO a.test\r\n{trusted}\r\nQUIT\r\n"))?;
        assert!(said.lines().any(|line| line.starts_with('5')), "{trusted}: {said}");
    }
    // A transaction that was opened is not the one behind RSET or EHLO.
    for again in ["RSET", "EHLO b.test"] {
        let said = say(&server, &format!("{HEAD}{again}\r\nDATA\r\nx\r\n.\r\nQUIT\r\n"))?;
        assert!(!said.contains("queued as"), "{again}: {said}");
    }
    assert_eq!(close_the_round(&server)?, 1);
    assert_eq!(server.imap(ALICE)?.messages("INBOX")?.len(), 0);
    Ok(())
}

/// RFC 3461 section 4: what is encoded in ENVID and ORCPT is text of the
/// client's. It comes back in reports, and makes no line there.
#[test]
fn no_header_is_injected_into_a_report() -> Result<()> {
    let server = Concord::start(|_| {})?;
    let mut session = Smtp::connect(server.address("submission"))?;
    session.hello()?;
    session.login(ALICE, PASSWORD)?;
    let mut refused = 0;
    for envid in ["x+0D+0AX-Injected:+20yes", "x+0AX-Injected:+20yes", "plain"] {
        let mail = session.command(&format!("MAIL FROM:<{ALICE}> RET=HDRS ENVID={envid}"))?;
        if !mail.is_positive() {
            refused += 1;
            continue;
        }
        let original = "rfc822;b+0D+0AX-Injected:+20yes@example.test";
        let rcpt = format!("RCPT TO:<{BOB}> NOTIFY=SUCCESS");
        if !session.command(&format!("{rcpt} ORCPT={original}"))?.is_positive() {
            session.must(&rcpt)?;
        }
        session.must("DATA")?;
        session.write(b"Subject: x\r\nX-Injected-Not: x\r\n\r\nx\r\n.\r\n")?;
        assert!(session.reply()?.is_positive());
    }
    for report in wait_for_messages(&server, ALICE, 3 - refused)? {
        let report = String::from_utf8_lossy(&report).into_owned();
        assert!(report.contains("report-type=delivery-status"), "{report}");
        assert!(!report.lines().any(|line| line.starts_with("X-Injected:")), "{report}");
    }
    Ok(())
}
