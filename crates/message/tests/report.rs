//! Reports, read by others: mail-parser, Python's email package, ourselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use concord_base::{EnhancedStatus, Timestamp};
use concord_message::{
    Original, Report, ReportKind, ReportRecipient, Stamp, is_eight_bit, parse, render,
};
use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;
use std::io::Write;
use std::process::{Command, Stdio};

const ORIGINAL: &[u8] = b"From: alice@example.test\r\nTo: bob@example.org\r\n\
    Subject: Plans\r\nMessage-ID: <original@example.test>\r\n\r\nThe plans.\r\n";

fn recipient(address: &str) -> ReportRecipient {
    ReportRecipient {
        final_recipient: address.parse().unwrap(),
        original: Some(format!("rfc822;{address}")),
        action: ReportKind::Failed,
        status: EnhancedStatus::new(5, 1, 1),
        remote_mta: Some("mx.example.org [192.0.2.1]".into()),
        diagnostic: Some("550 5.1.1 <bob@example.org>: no such user".into()),
        last_attempt: Some(Timestamp::from_seconds(1_790_000_300)),
        will_retry_until: None,
    }
}

fn report() -> Report {
    Report {
        kind: ReportKind::Failed,
        reporting_mta: "mail.example.test".into(),
        arrival: Some(Timestamp::from_seconds(1_790_000_000)),
        queue_id: Some("Q000000A".into()),
        envelope_id: Some("env-1".into()),
        sender: Some("alice@example.test".parse().unwrap()),
        message_id: "original@example.test".into(),
        subject: "Plans".into(),
        recipients: vec![recipient("bob@example.org")],
        original: Original::Message(ORIGINAL.to_vec()),
        smtputf8: false,
    }
}

fn rendered(report: &Report) -> Vec<u8> {
    let from = "postmaster@mail.example.test".parse().unwrap();
    let stamp = Stamp {
        message_id: "report-1@mail.example.test",
        date: Timestamp::from_seconds(1_790_000_400),
        from: &from,
        boundary: "=_Q000000A",
    };
    render(report, &stamp)
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

#[test]
fn a_failure_report_reads_back_whole() {
    let octets = rendered(&report());
    let read = parse(&octets).unwrap();
    assert_eq!(read.reporting_mta.as_deref(), Some("mail.example.test"));
    assert_eq!(read.envelope_id.as_deref(), Some("env-1"));
    assert_eq!(read.arrival, Some(Timestamp::from_seconds(1_790_000_000)));
    assert_eq!(read.original_message_id.as_deref(), Some("original@example.test"));
    let [one] = read.recipients.as_slice() else { panic!("{read:?}") };
    assert_eq!(one.final_recipient, ("rfc822".into(), "bob@example.org".into()));
    assert_eq!(one.original_recipient, Some(one.final_recipient.clone()));
    assert_eq!((one.action, one.status), (ReportKind::Failed, EnhancedStatus::new(5, 1, 1)));
    assert_eq!(one.remote_mta.as_deref(), Some("mx.example.org"));
    assert_eq!(one.diagnostic.as_deref(), Some("550 5.1.1 <bob@example.org>: no such user"));
    assert_eq!(one.last_attempt, Some(Timestamp::from_seconds(1_790_000_300)));
}

#[test]
fn mail_parser_sees_three_parts_and_the_original() {
    let octets = rendered(&report());
    let message = MessageParser::new().parse(&octets).unwrap();
    assert_eq!(message.subject(), Some("Undeliverable: Plans"));
    assert_eq!(message.message_id(), Some("report-1@mail.example.test"));
    assert_eq!(message.references().as_text(), Some("original@example.test"));
    assert_eq!(message.header("Auto-Submitted").unwrap().as_text(), Some("auto-replied"));
    let ctype = message.content_type().unwrap();
    assert_eq!(ctype.attribute("report-type"), Some("delivery-status"));
    let words = message.body_text(0).unwrap();
    assert!(words.contains("<bob@example.org>") && words.contains("There is no such mailbox."));
    assert!(words.contains("mx.example.org [192.0.2.1] said:"));
    let inner = message.parts.iter().find_map(|part| part.message()).unwrap();
    assert_eq!(inner.subject(), Some("Plans"));
    assert_eq!(inner.raw_message(), ORIGINAL);
}

#[test]
fn each_kind_says_what_it_is() {
    for (kind, subject, words) in [
        (ReportKind::Failed, "Undeliverable: Plans", "will not be tried again"),
        (ReportKind::Delayed, "Delivery delayed: Plans", "need not send it again"),
        (ReportKind::Delivered, "Delivered: Plans", "was delivered to the recipients"),
        (ReportKind::Relayed, "Relayed: Plans", "sends no delivery reports"),
        (ReportKind::Expanded, "Delivered to a list: Plans", "goes on to their members"),
    ] {
        let mut report = report();
        report.kind = kind;
        report.recipients[0].action = kind;
        report.recipients[0].will_retry_until = Some(Timestamp::from_seconds(1_790_400_000));
        let octets = rendered(&report);
        let message = MessageParser::new().parse(&octets).unwrap();
        assert_eq!(message.subject(), Some(subject));
        let body = message.body_text(0).unwrap().replace("\r\n", " ").replace('\n', " ");
        assert!(body.contains(words), "{body}");
        let read = parse(&octets).unwrap();
        assert_eq!(read.recipients[0].action, kind);
        assert_eq!(read.recipients[0].will_retry_until.is_some(), kind == ReportKind::Delayed);
    }
}

#[test]
fn a_peer_cannot_add_headers_fields_or_parts() {
    let evil =
        "550 no\r\nBcc: victim@example.net\r\n\r\n--=_Q000000A\r\nX: \u{1b}[2J\0\u{7f}\u{202e}";
    let mut hostile = report();
    hostile.subject = evil.into();
    hostile.message_id = evil.into();
    hostile.queue_id = Some(evil.into());
    hostile.envelope_id = Some(evil.into());
    hostile.reporting_mta = evil.into();
    hostile.recipients[0].diagnostic = Some(evil.into());
    hostile.recipients[0].remote_mta = Some(evil.into());
    hostile.recipients[0].original = Some(evil.into());
    let octets = rendered(&hostile);
    assert!(octets.iter().all(|c| matches!(c, b'\r' | b'\n' | b'\t' | b' '..=b'~')));
    let message = MessageParser::new().parse(&octets).unwrap();
    assert!(message.header("Bcc").is_none() && message.header("X").is_none());
    assert_eq!(message.parts.len(), 4, "container and three parts");
    let status = text(message.parts[2].contents());
    let names: Vec<_> =
        status.lines().filter_map(|l| l.split_once(':')).map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "Original-Envelope-Id",
            "Reporting-MTA",
            "Arrival-Date",
            "Original-Recipient",
            "Final-Recipient",
            "Action",
            "Status",
            "Remote-MTA",
            "Diagnostic-Code",
            "Last-Attempt-Date",
            "Final-Log-ID",
        ]
    );
}

#[test]
fn addresses_beyond_ascii_go_out_in_both_forms() {
    let mut wide = report();
    wide.recipients = vec![recipient("jürgen@example.org")];
    wide.recipients[0].original = Some("utf-8;jürgen@example.org".into());
    let plain = rendered(&wide);
    assert!(!is_eight_bit(&plain), "without SMTPUTF8 a report is ASCII");
    assert!(text(&plain).contains("Final-Recipient: utf-8; j\\x{FC}rgen@example.org"));
    wide.smtputf8 = true;
    let global = rendered(&wide);
    assert!(text(&global).contains("Content-Type: message/global-delivery-status"));
    assert!(text(&global).contains("Final-Recipient: utf-8; jürgen@example.org"));
    let read = parse(&global).unwrap();
    assert_eq!(read.recipients[0].final_recipient.1, "jürgen@example.org");
}

#[test]
fn an_original_in_eight_bits_says_so() {
    let mut report = report();
    report.original = Original::Message("Subject: x\r\n\r\nGrüße\r\n".as_bytes().to_vec());
    let octets = rendered(&report);
    assert!(is_eight_bit(&octets));
    assert_eq!(text(&octets).matches("Content-Transfer-Encoding: 8bit").count(), 2);
}

#[test]
fn the_same_report_is_written_the_same() {
    assert_eq!(rendered(&report()), rendered(&report()));
}

/// What other mail systems wrote (shapes of Postfix, Exchange and sendmail).
#[test]
fn reports_of_others_are_read() {
    let theirs = "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\
        \r\n--x\r\n\r\nsorry\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n\
        Reporting-MTA: dns; mail.example.net\r\nX-Postfix-Queue-ID: ABC\r\n\r\n\
        Final-Recipient: RFC822; bob@example.net\r\nAction: failed (bad)\r\n\
        Status: 5.1.1 (no such user)\r\nDiagnostic-Code: smtp; 550 line one\r\n  line two\r\n\r\n\
        Final-Recipient: rfc822;carol@example.net\r\nAction: delayed\r\n\
        Will-Retry-Until: Fri, 13 Feb 2009 23:31:30 +0100\r\n--x\r\n\
        Content-Type: text/rfc822-headers\r\n\r\nMessage-Id: <a@b>\r\n\r\n--x--\r\n";
    let read = parse(theirs.as_bytes()).unwrap();
    assert_eq!(read.recipients.len(), 2);
    assert_eq!(read.recipients[0].diagnostic.as_deref(), Some("550 line one line two"));
    assert_eq!(read.recipients[1].status, EnhancedStatus::new(4, 0, 0));
    assert_eq!(
        read.recipients[1].will_retry_until,
        Some(Timestamp::from_seconds(1_234_567_890 - 3600))
    );
    assert_eq!(read.original_message_id.as_deref(), Some("a@b"));
    assert_eq!(parse(ORIGINAL), None);
    assert_eq!(parse(b""), None);
}

const SCRIPT: &str = r#"
import sys, email, email.policy
m = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
assert not m.defects, m.defects
kinds = [p.get_content_type() for p in m.walk()]
assert kinds[0] == "multipart/report", kinds
assert m.get_param("report-type") == "delivery-status"
status = [p for p in m.walk() if p.get_content_type().endswith("delivery-status")][0]
groups = status.get_payload()
if isinstance(groups, list):
    print(groups[0]["Reporting-MTA"], "|", groups[1]["Final-Recipient"], "|", groups[1]["Status"])
    print(groups[1]["Diagnostic-Code"])
for p in m.walk():
    assert not p.defects, (p.get_content_type(), p.defects)
print(m["Subject"])
print(" ".join(kinds))
"#;

fn python(octets: &[u8]) -> Option<String> {
    let mut child = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    child.stdin.take().unwrap().write_all(octets).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success(), "{}\n{}", String::from_utf8_lossy(&out.stderr), text(octets));
    Some(text(&out.stdout))
}

#[test]
fn python_reads_a_report() {
    let mut report = report();
    report.subject = "Grüße und Pläne".into();
    let Some(said) = python(&rendered(&report)) else {
        eprintln!("python3 is not here: not compared");
        return;
    };
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "dns; mail.example.test | rfc822; bob@example.org | 5.1.1");
    assert_eq!(lines[1], "smtp; 550 5.1.1 <bob@example.org>: no such user");
    assert_eq!(lines[2], "Undeliverable: Grüße und Pläne");
    let kinds: Vec<_> = lines[3].split(' ').collect();
    assert_eq!(kinds[..2], ["multipart/report", "text/plain"]);
    assert!(kinds.contains(&"message/delivery-status") && kinds.contains(&"message/rfc822"));
    report.original = Original::Header("Subject: \u{fc}\r\n\r\n".as_bytes().to_vec());
    assert!(python(&rendered(&report)).unwrap().contains("text/rfc822-headers"));
}

proptest! {
    #[test]
    fn nothing_said_breaks_a_report(said in any::<String>(), octets in proptest::collection::vec(any::<u8>(), 0..600), wide: bool) {
        let mut report = report();
        report.subject = said.clone();
        report.recipients[0].diagnostic = Some(said.clone());
        report.recipients[0].remote_mta = Some(said);
        report.original = Original::Message(octets);
        report.smtputf8 = wide;
        let octets = rendered(&report);
        for line in octets.split(|c| *c == b'\n') {
            prop_assert!(line.len() <= 999);
        }
        let read = parse(&octets).unwrap();
        prop_assert_eq!(read.recipients.len(), 1);
        prop_assert_eq!(read.recipients[0].status, EnhancedStatus::new(5, 1, 1));
    }

    #[test]
    fn fuzz_finds_nothing(octets in proptest::collection::vec(any::<u8>(), 0..4_000)) {
        concord_message::fuzz(&octets);
    }
}
