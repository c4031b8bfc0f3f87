//! Mail both ways, with files and reports.

use super::{ALICE, BOB, NOTHING};
use crate::rows;
use concord_testkit::{Result, VmPair, wait_until};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);

/// Every octet, so that no code page leaves it alone.
fn file() -> (Vec<u8>, String) {
    let octets: Vec<u8> = (0..=255_u8).cycle().take(3_000).collect();
    (octets.clone(), in_base64(&octets))
}

fn in_base64(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for (number, three) in octets.chunks(3).enumerate() {
        let all = three.iter().fold(0_u32, |sum, octet| (sum << 8) | u32::from(*octet));
        let all = all << (8 * (3 - three.len()));
        for place in 0..4 {
            let digit = DIGITS[((all >> (18 - 6 * place)) & 63) as usize];
            out.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
        if number % 19 == 18 {
            out.push('\n');
        }
    }
    out
}

/// What a message's base64 part says, white space left out.
fn base64_of(message: &str) -> String {
    let (_, rest) = message.split_once("base64").unwrap();
    let (_, body) = rest.split_once("\r\n\r\n").unwrap();
    let (body, _) = body.split_once("\r\n--").unwrap();
    body.split_whitespace().collect()
}

/// Issue 6, what it must show, 1. T62 (Q215494, Q118532): the note first, its files
/// behind it, tied together.
#[test]
fn a_note_its_files_the_answer_and_reports_go_from_server_to_server() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    let (_, base64) = file();
    let message = format!(
        "From: Alice Adams <{ALICE}>\nTo: Bob Brown <{BOB}>\nSubject: Lunch\n\
         Message-ID: <lunch@example.test>\nDate: Fri, 07 Aug 2026 12:00:00 +0200\n\
         Disposition-Notification-To: <{ALICE}>\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=b\n\n\
         --b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\
         At one, in the Café?\n--b\nContent-Type: application/octet-stream\n\
         Content-Disposition: attachment; filename=MENU.BIN\nContent-Transfer-Encoding: base64\n\n\
         {base64}\n--b--\n"
    );
    let mut smtp = pair.a.submission()?;
    smtp.must(&format!("MAIL FROM:<{ALICE}> ENVID=alice-1"))?;
    smtp.must(&format!("RCPT TO:<{BOB}> NOTIFY=SUCCESS,FAILURE"))?;
    smtp.must("DATA")?;
    smtp.write(message.replace('\n', "\r\n").as_bytes())?;
    smtp.must("\r\n.")?;
    // The note, with people as users of PROFS know them.
    let note = pair.b.gets("Subject: Lunch")?;
    assert!(note.contains("Alice Adams") && note.contains(ALICE) && note.contains(BOB), "{note}");
    assert!(note.contains("[  MENU BIN]"), "the note names its files: {note}");
    assert!(note.contains("Caf=C3=A9") || note.contains("Café"), "{note}");
    // The file, octet for octet, which refers to the note.
    let attached = pair.b.gets("MENU.BIN\"")?;
    assert_eq!(base64_of(&attached), base64.split_whitespace().collect::<String>());
    let header = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim().to_owned()
    };
    let id = header(&note, "Message-ID:");
    assert!(!id.is_empty());
    assert_eq!(header(&attached, "In-Reply-To:"), id);
    // The acknowledgement of the host became the receipt that she asked for.
    let receipt = pair.a.gets("message/disposition-notification")?;
    assert!(receipt.contains("Original-Message-ID: <lunch@example.test>"), "{receipt}");
    assert!(receipt.contains("displayed") && receipt.contains(BOB), "{receipt}");
    // The answer.
    pair.b.send(
        &[ALICE],
        &format!("From: Bob Brown <{BOB}>\nTo: <{ALICE}>\nSubject: Re: Lunch\nIn-Reply-To: {id}\n\nYes.\n"),
    )?;
    let answer = pair.a.gets("Subject: Re: Lunch")?;
    assert!(answer.contains("Bob Brown") && answer.contains(BOB), "{answer}");
    // Tracking tells every hop.
    let story = rows(&pair.a.site.json(&["trace", "lunch@example.test"])?)[0].to_string();
    assert!(story.contains("acknowledged 2 files for NODEB(BOB)"), "{story}");
    let story = pair.b.site.json(&["trace", id.trim_matches(['<', '>'])])?.to_string();
    assert!(story.contains("NODEA") && story.contains("NJE"), "{story}");
    wait_until("empty queues", SOON, || {
        let a = rows(&pair.a.site.json(&["queue", "list"])?).is_empty();
        Ok(a && rows(&pair.b.site.json(&["queue", "list"])?).is_empty())
    })
}

/// A report of delivery without a wish to hear of reading.
#[test]
fn a_host_that_acknowledges_makes_a_delivery_report() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    let mut smtp = pair.a.submission()?;
    smtp.must(&format!("MAIL FROM:<{ALICE}> ENVID=alice-2"))?;
    smtp.must(&format!("RCPT TO:<{BOB}> NOTIFY=SUCCESS"))?;
    smtp.must("DATA")?;
    smtp.must(&format!("From: <{ALICE}>\r\nTo: <{BOB}>\r\nSubject: told\r\n\r\nx\r\n."))?;
    let report = pair.a.gets("message/delivery-status")?;
    assert!(report.contains("Original-Envelope-Id: alice-2"), "{report}");
    assert!(report.contains("Action: delivered") && report.contains("NODEB.BOB"), "{report}");
    Ok(())
}

/// Q166640: reports from hosts could be neither moved nor deleted.
#[test]
fn a_report_from_a_host_can_be_moved_and_deleted() -> Result<()> {
    let pair = VmPair::start(NOTHING)?;
    let mut smtp = pair.a.submission()?;
    smtp.must(&format!("MAIL FROM:<{ALICE}>"))?;
    smtp.must(&format!("RCPT TO:<{BOB}> NOTIFY=SUCCESS"))?;
    smtp.must("DATA")?;
    smtp.must(&format!("From: <{ALICE}>\r\nTo: <{BOB}>\r\nSubject: kept\r\n\r\nx\r\n."))?;
    let report = pair.a.gets("message/delivery-status")?;
    let mut mailbox = pair.a.mailbox()?;
    assert_eq!(mailbox.select("INBOX")?, 1);
    mailbox.must("CREATE Receipts")?;
    mailbox.must("MOVE 1 Receipts")?;
    assert_eq!(mailbox.count("INBOX")?, 0);
    assert_eq!(mailbox.messages("Receipts")?, [report.into_bytes()]);
    mailbox.must("STORE 1 +FLAGS (\\Deleted)")?;
    mailbox.must("EXPUNGE")?;
    assert_eq!(mailbox.count("Receipts")?, 0);
    Ok(())
}

/// All files in the note's own transmission.
#[test]
fn files_travel_in_the_note_where_that_is_set() -> Result<()> {
    let together: &[&str] = &["nodes=* files=together"];
    let pair = VmPair::start([together, together])?;
    let (_, base64) = file();
    pair.a.send(
        &[BOB],
        &format!(
            "From: <{ALICE}>\nTo: <{BOB}>\nSubject: one piece\nMIME-Version: 1.0\n\
             Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhere it is\n--b\n\
             Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\
             Content-Disposition: attachment; filename=ALL.BIN\n\n{base64}\n--b--\n"
        ),
    )?;
    let came = pair.b.gets("Subject: one piece")?;
    assert!(came.contains("here it is") && came.contains("ALL.BIN"), "{came}");
    assert_eq!(base64_of(&came), base64.split_whitespace().collect::<String>());
    Ok(())
}

/// Hosts with a mailer get Internet messages in a batch (BSMTP).
#[test]
fn a_mailer_gets_and_sends_messages_as_they_are() -> Result<()> {
    for carrier in ["netdata", "cards"] {
        let batch = format!("nodes=* form=mailer carrier={carrier}");
        let settings: &[&str] = &[&batch];
        let pair = VmPair::start([settings, settings])?;
        let long = "word ".repeat(60);
        pair.a.send(
            &[BOB],
            &format!(
                "From: Zoë <{ALICE}>\nTo: <{BOB}>\nSubject: Grüße\nX-Kept: yes\nMIME-Version: 1.0\n\
                 Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\
                 .Schöne Grüße [und] {{mehr}} {long}\n"
            ),
        )?;
        let came = pair.b.gets("X-Kept: yes")?;
        assert!(came.contains("Sch=C3=B6ne Gr=C3=BC=C3=9Fe [und] {mehr}"), "{carrier}: {came}");
    }
    Ok(())
}
