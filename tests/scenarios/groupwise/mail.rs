//! Mail both ways, with reports.

use super::{ALICE, ALICE_THERE, Pair, U1, U1_HERE, settings, to_alice};
use crate::{SOON, rows};
use concord_testkit::{
    GatewayPage, GroupWiseSettings, GwFile, GwOutgoing, Knobs, Result, Site, wait_for, wait_until,
};
use std::time::Duration;

/// Rows 1.5 G1, G3, G4; T103; Q253347.
#[test]
fn mail_answers_files_and_reports_go_both_ways() -> Result<()> {
    let pair = Pair::start()?;
    let message = format!(
        "From: Alice <{ALICE}>\nTo: <{U1_HERE}>\nSubject: Lunch\nMessage-ID: <lunch@example.test>\n\
         Date: Fri, 07 Aug 2026 12:00:00 +0200\nDisposition-Notification-To: <{ALICE}>\n\
         MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\nAt one?\n--b\nContent-Type: application/octet-stream\n\
         Content-Disposition: attachment; filename=menu.bin\nContent-Transfer-Encoding: base64\n\n\
         AAECAw==\n--b--\n"
    );
    let mut smtp = pair.submission()?;
    smtp.must(&format!("MAIL FROM:<{ALICE}> ENVID=alice-1"))?;
    smtp.must(&format!("RCPT TO:<{U1_HERE}> NOTIFY=SUCCESS,FAILURE"))?;
    smtp.must("DATA")?;
    smtp.write(message.replace('\n', "\r\n").as_bytes())?;
    smtp.must("\r\n.")?;
    let mail = pair.gw.wait_mail(U1, "Alice's mail", SOON, |mail| mail.subject == "Lunch")?;
    assert_eq!(mail.from.to_string(), ALICE_THERE);
    assert_eq!(mail.from_text, "Alice");
    assert!(mail.body.starts_with("At one?"), "{}", mail.body);
    assert_eq!(mail.files, [GwFile { name: "menu.bin".into(), octets: vec![0, 1, 2, 3] }]);
    // The delivery report that she asked for.
    let report = pair.alice_gets("message/delivery-status")?;
    assert!(report.contains("Action: delivered"), "{report}");
    assert!(report.contains("Original-Envelope-Id: alice-1"), "{report}");
    // The read receipt.
    pair.gw.open(U1, 0)?;
    let receipt = pair.alice_gets("message/disposition-notification")?;
    assert!(receipt.contains("Original-Message-ID: <lunch@example.test>"), "{receipt}");
    assert!(receipt.contains("displayed"), "{receipt}");
    // The answer.
    pair.gw.reply(U1, 0, "Yes, at one.\r\n")?;
    let answer = pair.alice_gets("Yes, at one.")?;
    assert!(answer.contains("Una One") && answer.contains(U1_HERE), "{answer}");
    assert!(pair.gw.problems().is_empty(), "{:?}", pair.gw.problems());
    // Tracking tells every hop.
    let story = rows(&pair.site.json(&["trace", "lunch@example.test"])?);
    let told = story[0].to_string();
    assert!(told.contains("gw1") && told.contains("the gateway has it as"), "{told}");
    // Nothing is left in the gateway's directories.
    wait_until("empty directories", SOON, || {
        let left = ["API_OUT", "ATT_OUT", "ATT_IN"].map(|name| pair.gw.files(name));
        Ok(left.into_iter().flatten().flatten().next().is_none())
    })
}

/// T25, T26: GroupWise's user is told too; a long subject is no hindrance.
#[test]
fn a_groupwise_sender_is_told_of_delivery_reading_and_failure() -> Result<()> {
    let pair = Pair::start()?;
    let subject = "s".repeat(2_000);
    let files = vec![GwFile { name: "Zahlen;1.txt".into(), octets: b"1,2".to_vec() }];
    let item = GwOutgoing { status_request: "All Information".into(), files, ..to_alice(&subject) };
    let id = pair.gw.send(U1, &item);
    let message = pair.alice_gets("About sss")?;
    assert!(message.contains("Disposition-Notification-To") && message.contains("Zahlen;1.txt"));
    let told = |id: &str, action: &str| {
        wait_for(&format!("{action} at the sender"), SOON, || {
            Ok(pair.gw.statuses(id).into_iter().find(|status| status.action == action))
        })
    };
    assert_eq!(told(&id, "Delivered")?.from.to_string(), ALICE_THERE);
    // Alice's program says that she has read it.
    let number: String = id.bytes().map(|octet| format!("{octet:02x}")).collect();
    pair.alice_sends(
        &[U1_HERE],
        &format!(
            "From: <{ALICE}>\nTo: <{U1_HERE}>\nSubject: Read: {}\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n\
             --b\nContent-Type: text/plain\n\nread\n--b\n\
             Content-Type: message/disposition-notification\n\n\
             Final-Recipient: rfc822; {ALICE}\n\
             Original-Message-ID: <gw.{number}@mail.example.test>\n\
             Disposition: manual-action/MDN-sent-manually; displayed\n\n--b--\n",
            &subject[..20]
        ),
    )?;
    told(&id, "Opened")?;
    // Nobody has this address.
    let item = GwOutgoing { to: vec!["EXCHANGE.FIRST.nobody".into()], ..to_alice("lost") };
    let id = pair.gw.send(U1, &item);
    let status = told(&id, "Undeliverable")?;
    assert!(!status.reason.is_empty(), "{status:?}");
    assert_eq!(status.from.object, "nobody");
    assert!(pair.gw.problems().is_empty(), "{:?}", pair.gw.problems());
    Ok(())
}

/// A message to somebody whom GroupWise does not know comes back.
#[test]
fn a_sender_here_hears_what_groupwise_could_not_deliver() -> Result<()> {
    let pair = Pair::start()?;
    let target = "GWISE:GWDOM.GWPO.gone";
    pair.site.ok(&[
        "contact",
        "add",
        "gone",
        "--target",
        target,
        "--address",
        "gone@example.test",
    ])?;
    pair.alice_sends(
        &["gone@example.test"],
        &format!("From: <{ALICE}>\nTo: <gone@example.test>\nSubject: hello\n\nhello\n"),
    )?;
    let report = pair.alice_gets("Action: failed")?;
    assert!(report.contains("Unknown user"), "{report}");
    let listed = pair.site.json(&["queue", "list"])?;
    assert!(rows(&listed).is_empty(), "{listed}");
    Ok(())
}

/// T31, T35, T37, T25: Q234398, Q263641, Q279805. What is said in
/// one zone and code page arrives in the other.
#[test]
fn meetings_letters_and_times_survive_zone_and_code_page() -> Result<()> {
    let site = Site::installed()?;
    let knobs = Knobs { page: GatewayPage::Cp850, ..Knobs::default() };
    let pair = Pair::with(site, GroupWiseSettings { hours_ahead: 2, knobs, ..settings() })?;
    let set = ["connector", "set", "gw1", "--setting", "code-page=850"];
    // POSIX's sign is the other way round: two hours ahead of UTC.
    pair.site.ok(&[&set[..], &["--setting", "time-zone=Etc/GMT-2"]].concat())?;
    // Taken over within seconds.
    std::thread::sleep(Duration::from_secs(7));
    let letters = "Æ Ø Å in Zimmer Süd";
    let invitation = format!(
        "From: Alice <{ALICE}>\nTo: <{U1_HERE}>\nSubject: {letters}\nMessage-ID: <m@example.test>\n\
         MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n\
         --b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{letters}\n\
         --b\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\nBEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n\
         METHOD:REQUEST\nBEGIN:VEVENT\nUID:meet-1@example.test\nDTSTAMP:20260801T000000Z\n\
         DTSTART:20261028T090000Z\nDTEND:20261028T100000Z\nLOCATION:Zimmer Süd\n\
         SUMMARY:{letters}\nORGANIZER:mailto:{ALICE}\nATTENDEE:mailto:{U1_HERE}\n\
         END:VEVENT\nEND:VCALENDAR\n--b--\n"
    );
    let mut smtp = pair.submission()?;
    smtp.must(&format!("MAIL FROM:<{ALICE}> BODY=8BITMIME SMTPUTF8"))?;
    smtp.must(&format!("RCPT TO:<{U1_HERE}> NOTIFY=SUCCESS"))?;
    smtp.must("DATA")?;
    smtp.write(invitation.replace('\n', "\r\n").as_bytes())?;
    smtp.must("\r\n.")?;
    let item = pair.gw.wait_mail(U1, "the invitation", SOON, |mail| mail.kind == "APPT")?;
    assert_eq!((item.subject.as_str(), item.location.as_str()), (letters, "Zimmer Süd"));
    assert!(item.body.contains(letters), "{}", item.body);
    // The delivery report's time is the gateway's clock, applied once.
    let report = pair.alice_gets("Action: delivered")?;
    let at = report.lines().find_map(|line| line.strip_prefix("Last-Attempt-Date: ")).unwrap();
    let date = report.lines().find_map(|line| line.strip_prefix("Date: ")).unwrap();
    assert_eq!(at.get(..19), date.get(..19), "the same hour: {at} and {date}");
    // He accepts.
    pair.gw.act(U1, 0, "Accepted")?;
    let reply = pair.alice_gets("METHOD:REPLY")?;
    assert!(
        reply.contains("PARTSTAT=ACCEPTED") && reply.contains("meet-1@example.test"),
        "{reply}"
    );
    assert!(reply.contains(&format!("mailto:{U1_HERE}")), "{reply}");
    // And calls one himself, at eleven of his time.
    pair.gw.send(
        U1,
        &GwOutgoing {
            kind: "Appt".into(),
            begin: "28/10/2026 11:00".into(),
            end: "28/10/2026 12:00".into(),
            location: "Zimmer Süd".into(),
            ..to_alice("his-meeting")
        },
    );
    let request = pair.alice_gets("Subject: his-meeting")?;
    assert!(request.contains("DTSTART:20261028T090000Z"), "{request}");
    Ok(())
}
