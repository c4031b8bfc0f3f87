//! Reports to senders.

use crate::{ALICE, SOON, wait_for_messages};
use concord_testkit::{Answer, Concord, Result, Sample, Sink, run_with_input};
use std::process::Command;

/// What Python's own parser makes of a report.
const PYTHON: &str = r#"
import email, email.policy, sys
m = email.message_from_file(open(sys.argv[1], newline=""), policy=email.policy.default)
assert m.get_content_type() == "multipart/report", m.get_content_type()
assert m.get_param("report-type") == "delivery-status", m["content-type"]
text, status, original = m.iter_parts()
assert text.get_content_type() == "text/plain", text.get_content_type()
assert status.get_content_type() == "message/delivery-status", status.get_content_type()
assert original.get_content_type() in ("text/rfc822-headers", "message/rfc822"), original.get_content_type()
fields = status.get_payload()
assert len(fields) == 2, fields
per_message, recipient = fields
assert per_message["Reporting-MTA"] == "dns; mail.example.test", per_message.items()
assert recipient["Final-Recipient"].lower() == "rfc822; gone@stranger.test", recipient.items()
assert recipient["Action"] == "failed", recipient.items()
assert recipient["Status"] == "5.1.1", recipient.items()
assert "nobody here has this name" in recipient["Diagnostic-Code"], recipient.items()
assert recipient["Remote-MTA"], recipient.items()
assert m["Auto-Submitted"] == "auto-replied" or m["Auto-Submitted"] == "auto-generated", m.items()
assert m["Return-Path"] == "<>", m.items()
assert "bounced@example.test" in original.as_string(), original.as_string()
assert "gone@stranger.test" in text.get_content(), text.get_content()
print("understood")
"#;

#[test]
fn bounce_is_a_report_that_clients_read() -> Result<()> {
    let sink = Sink::judging(|line| match line.contains("<gone@") {
        true => Answer::Say("550 5.1.1 nobody here has this name".into()),
        false => Answer::Take,
    })?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    let to = ["gone@stranger.test", "there@stranger.test"];
    let sample = Sample::new("bounced@example.test", ALICE, to[0]).octets();
    let reply = server.submission(ALICE)?.send(ALICE, &to, &sample)?;
    assert_eq!(reply.code, 250, "{reply:?}");
    let report = wait_for_messages(&server, ALICE, 1)?.remove(0);
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), &report)?;
    let mut python = Command::new("python3");
    python.arg("-").arg(file.path());
    let read = run_with_input(&mut python, PYTHON.as_bytes(), SOON)?.ok();
    let read = read.map_err(|e| e.during(&String::from_utf8_lossy(&report)))?;
    assert_eq!(read.stdout.trim(), "understood");
    server.wait_queue_empty(SOON)?;
    assert_eq!(sink.count(), 1, "the other recipient got it");
    assert_eq!(server.imap(ALICE)?.count("INBOX")?, 1, "one report, and none about the report");
    Ok(())
}

#[test]
fn success_is_reported_when_it_was_asked_for() -> Result<()> {
    let sink = Sink::start()?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    let mut session = server.submission(ALICE)?;
    session.must(&format!("MAIL FROM:<{ALICE}> RET=HDRS ENVID=QQ314159"))?;
    session.must("RCPT TO:<bob@example.test> NOTIFY=SUCCESS ORCPT=rfc822;bob@example.test")?;
    session.must("DATA")?;
    session.write(b"Subject: tell me\r\nMessage-ID: <tell@example.test>\r\n\r\nhello\r\n.\r\n")?;
    assert_eq!(session.reply()?.code, 250);
    let report = wait_for_messages(&server, ALICE, 1)?.remove(0);
    let report = String::from_utf8_lossy(&report);
    for part in ["Action: delivered", "Original-Envelope-Id: QQ314159", "Status: 2."] {
        assert!(report.contains(part), "no '{part}' in\n{report}");
    }
    Ok(())
}
