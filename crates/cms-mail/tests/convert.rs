//! Messages to hosts and back.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use concord_address::{Domain, SmtpAddress};
use concord_cms_mail::convert::{
    Envelope, FileManner, Inbound, InboundRules, Loss, Outbound, OutboundRules, People, Told,
    inbound, outbound, undelivered_note,
};
use concord_cms_mail::netdata::{self, Acknowledgement, FileName, Outcome};
use concord_cms_mail::note::{self, Layout, NoteAddress, NoteForm, NoteRules};
use concord_cms_mail::{
    Arrived, Device, FileTypes, HostAddress, Records, SpoolFile, TextRules, Undelivered, read_lines,
};
use concord_ebcdic::{CodePage, Substitution};
use concord_message::{Disposition, ReportKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_parser::{MessageParser, MimeHeaders};

struct Book;

impl People for Book {
    fn host(&self, address: &SmtpAddress) -> Option<HostAddress> {
        match address.to_string().as_str() {
            "jane@example.com" => HostAddress::new("EXCH", "JANE").ok(),
            "john@vm.example" => HostAddress::new("VMSP6", "JOHNDOE").ok(),
            _ => None,
        }
    }

    fn internet(&self, address: &HostAddress) -> Option<SmtpAddress> {
        match address.to_string().as_str() {
            "EXCH(JANE)" => "jane@example.com".parse().ok(),
            _ => None,
        }
    }
}

fn host(text: &str) -> HostAddress {
    text.parse().unwrap()
}

const FOUND: &str = "2026-11-29T05:00:00Z";

fn sent(message: &str) -> Outbound {
    let envelope = Envelope {
        sender: host("EXCH(JANE)"),
        recipient: host("VMSP6(JOHNDOE)"),
        acknowledge: Some(b"id-1".to_vec()),
        reference: None,
        accepted: FOUND.parse().unwrap(),
    };
    let rules = OutboundRules {
        manner: FileManner::Separate,
        text: TextRules {
            page: CodePage::Cp1141,
            substitution: Substitution::Transliterate,
            columns: 78,
        },
        layout: Layout::profs(),
        zone: TimeZone::UTC,
        types: FileTypes::default(),
    };
    let message = message.replace('\n', "\r\n");
    outbound(message.as_bytes(), &envelope, &Book, &rules).unwrap().unwrap()
}

fn took(records: Records, page: CodePage, form: NoteForm) -> Option<Inbound> {
    let file = SpoolFile {
        origin: Some(host("VMSP6(JOHNDOE)")),
        name: "JOHNDOE".into(),
        kind: "NOTE".into(),
        records,
        ..SpoolFile::default()
    };
    took_file(&file, page, form)
}

fn took_file(file: &SpoolFile, page: CodePage, form: NoteForm) -> Option<Inbound> {
    let notes = NoteRules { form, ..NoteRules::default() };
    let arrived = file.open(page, &notes).unwrap();
    let domain: Domain = "example.com".parse().unwrap();
    let rules = InboundRules {
        people: &Book,
        domain: &domain,
        zone: &TimeZone::UTC,
        page,
        types: &FileTypes::default(),
        notes: &notes,
    };
    inbound(file, &arrived, &rules, "NODE 7", FOUND.parse().unwrap())
}

const THREE_FILES: &str = "\
From: Jane Roe <jane@example.com>
To: John <john@vm.example>, Else <else@example.org>
Cc: jane@example.com
Bcc: hidden@example.org
Date: Sat, 21 Nov 2026 06:50:00 +0000
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Hello =
--b
Content-Type: text/plain; charset=utf-8; name=\"A$B.LISTING\"
Content-Disposition: attachment; filename=\"A$B.LISTING\"

one
\ttwo
--b
Content-Type: application/zip
Content-Disposition: attachment; filename=data.zip
Content-Transfer-Encoding: base64

AAECAwQ=
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename=\"no ending and a very long name\"
Content-Transfer-Encoding: base64

/wA=
--b--
";

/// Q215494, Q118532. T62.
#[test]
fn a_message_with_three_files_is_four_transmissions_the_note_first() {
    let out = sent(THREE_FILES);
    let names: Vec<String> = out
        .transmissions
        .iter()
        .map(|one| match &one.files[0].name {
            FileName::Cms(name) => name.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["Note", "A$B LISTING A", "DATA ZIP A", "NO_ENDIN FILE A"]);
    for one in &out.transmissions {
        assert_eq!(one.origin, Some(host("EXCH(JANE)")));
        assert_eq!(one.recipients, [host("VMSP6(JOHNDOE)")]);
        netdata::write(one).unwrap();
    }
    let text = &out.transmissions[1].files[0].records;
    assert_eq!(read_lines(text, CodePage::Cp1141), ["one", "        two"]);
    assert_eq!(out.transmissions[2].files[0].records.joined(), [0, 1, 2, 3, 4]);
    let asked: Vec<bool> = out.transmissions.iter().map(|one| one.acknowledge.is_some()).collect();
    assert_eq!(asked, [true, false, false, false]);
    assert_eq!((out.losses, out.unsaid.count), (vec![], 0));
}

/// Q178082.
#[test]
fn the_note_has_the_heading_without_blind_copies() {
    let out = sent(THREE_FILES);
    let lines = read_lines(&out.transmissions[0].files[0].records, CodePage::Cp1141);
    assert!(!lines.join("\n").contains("hidden"));
    let rules = NoteRules { form: NoteForm::Profs, ..NoteRules::default() };
    let note = note::read(&lines, &rules).unwrap();
    assert_eq!(note.subject, "Grüße");
    assert_eq!(note.from.unwrap().name, "Jane Roe");
    let to: Vec<NoteAddress> = note.to.iter().filter_map(|one| one.address.clone()).collect();
    assert_eq!(
        to,
        [
            NoteAddress::Host(host("VMSP6(JOHNDOE)")),
            NoteAddress::Internet("else@example.org".into()),
        ]
    );
    assert_eq!(note.copies.len(), 1);
    assert_eq!(note.text, ["Hello ="]);
}

#[test]
fn characters_that_the_host_does_not_have_are_told_in_the_note() {
    let out = sent(
        "From: jane@example.com\nSubject: x\nContent-Type: text/plain; charset=utf-8\n\nПривет\n",
    );
    assert_eq!(out.losses, [Loss::Characters]);
    let lines = read_lines(&out.transmissions[0].files[0].records, CodePage::Cp1141);
    assert_eq!(
        &lines[lines.len() - 3..],
        ["??????".to_owned(), "--".to_owned(), format!("[{}]", Loss::Characters.sentence()),]
    );
}

#[test]
fn a_message_comes_back_as_it_went() {
    let out = sent(THREE_FILES);
    let files: Vec<_> = out.transmissions.iter().flat_map(|one| one.files.clone()).collect();
    let all = netdata::Transmission { files, ..out.transmissions[0].clone() };
    let came = took(netdata::write(&all).unwrap(), CodePage::Cp1141, NoteForm::Profs).unwrap();
    assert_eq!(came.acknowledge.as_deref(), Some(&b"id-1"[..]));
    let message = MessageParser::new().parse(&came.message).unwrap();
    assert_eq!(message.subject(), Some("Grüße"));
    assert_eq!(message.date().unwrap().to_timestamp(), 1_795_243_800);
    assert_eq!(message.body_text(0).unwrap().trim(), "Hello =");
    let names: Vec<&str> = message.attachments().filter_map(|one| one.attachment_name()).collect();
    assert_eq!(names, ["A$B.LISTING", "DATA.ZIP", "NO_ENDIN.FILE"]);
    assert_eq!(message.attachment(1).unwrap().contents(), [0, 1, 2, 3, 4]);
    let cc: Vec<_> = message.cc().unwrap().iter().filter_map(|one| one.address()).collect();
    assert_eq!(cc, ["jane@example.com"]);
    // A sender that the directory does not have can be answered.
    let sender = came.sender.unwrap().to_string();
    assert_eq!(sender, "IMCEAPROFS-VMSP6+2EJOHNDOE@example.com");
    let from = message.from().unwrap().first().unwrap().address().unwrap();
    assert_eq!(from, sender);
}

#[test]
fn the_same_file_is_the_same_message_every_time() {
    let out = sent(THREE_FILES);
    let cards = || netdata::write(&out.transmissions[0]).unwrap();
    let one = took(cards(), CodePage::Cp1141, NoteForm::Profs);
    assert_eq!(one, took(cards(), CodePage::Cp1141, NoteForm::Profs));
}

/// Q192932, Q224597. T85.
#[test]
fn cards_without_anything_else_are_a_file_with_a_subject_and_the_time_of_arrival() {
    let records: Records = [[0xC1; 80]].into_iter().collect();
    let file =
        SpoolFile { name: "CARDS".into(), kind: "DATA".into(), records, ..SpoolFile::default() };
    let came = took_file(&file, CodePage::Cp037, NoteForm::Cms).unwrap();
    let message = MessageParser::new().parse(&came.message).unwrap();
    assert_eq!(message.subject(), Some("NO SUBJECT"));
    let found: Timestamp = FOUND.parse().unwrap();
    assert_eq!(message.date().unwrap().to_timestamp(), found.as_second());
    assert_eq!(message.attachment(0).unwrap().attachment_name(), Some("CARDS.DATA"));
    assert_eq!(came.sender, None);
    let entered = Some("1993-11-13T21:52:42Z".parse().unwrap());
    let came = took_file(&SpoolFile { entered, ..file }, CodePage::Cp037, NoteForm::Cms).unwrap();
    let message = MessageParser::new().parse(&came.message).unwrap();
    assert_eq!(message.date().unwrap().to_rfc3339(), "1993-11-13T21:52:42Z");
}

/// Q236335.
#[test]
fn names_without_an_address_are_shown_in_the_message_and_cannot_be_answered() {
    let text =
        "From: A --N\nTo: Everybody in Sales\nSubject: s\n--------------------------------\nx";
    let rules =
        TextRules { page: CodePage::Cp037, substitution: Substitution::Refuse, columns: 80 };
    let records = concord_cms_mail::write_lines(text.lines(), &rules).unwrap().records;
    let file = SpoolFile {
        origin: Some(host("N(A)")),
        records,
        device: Device::Punch,
        ..SpoolFile::default()
    };
    let rules = NoteRules { form: NoteForm::Profs, ..NoteRules::default() };
    let Ok(Arrived::Note(note)) = file.open(CodePage::Cp037, &rules) else { panic!("no note") };
    assert_eq!(note.to[0].address, None);
    let came = took_file(&file, CodePage::Cp037, NoteForm::Profs).unwrap();
    let text = String::from_utf8(came.message).unwrap();
    let to = text.lines().find(|line| line.starts_with("To:")).unwrap();
    assert!(to.contains("Everybody in Sales") && to.contains(":;") && !to.contains('@'), "{to}");
}

/// Q188819, Q186580. T73.
#[test]
fn both_sentences_of_hosts_are_one_report_with_one_code() {
    for line in [
        "BADUSER unknown at NODE1; 05/13/93 22:27:06 not received.",
        "NODE1 cannot deliver 05/13/93 22:27:06 to BADUSER.",
    ] {
        let said = Undelivered::read(line).unwrap();
        let Some(Told::Delivery(report)) = Told::undelivered(&said) else { panic!("{line}") };
        assert_eq!(
            (report.action, report.status.to_string().as_str()),
            (ReportKind::Failed, "5.1.1")
        );
        assert_eq!(report.final_recipient.to_string(), "PROFS:NODE1.BADUSER");
        assert_eq!(report.diagnostic.as_deref(), Some(line));
    }
}

#[test]
fn an_acknowledgement_says_that_a_note_was_read_or_thrown_away() {
    for (outcome, expected) in
        [(Outcome::Received, Disposition::Displayed), (Outcome::Deleted, Disposition::Deleted)]
    {
        let said = Acknowledgement {
            from: Some(host("VMSP6(JOHNDOE)")),
            to: None,
            sent: None,
            acknowledged: None,
            subject: FileName::Note,
            outcome,
            echo: None,
        };
        let recipient = host("VMSP6(JOHNDOE)");
        let read = Told::Read { recipient, disposition: expected };
        assert_eq!(Told::acknowledged(&said), Some(read));
    }
}

#[test]
fn a_report_for_a_hosts_user_has_the_hosts_own_sentence() {
    let report = "From: <>\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n\
        --b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: message/delivery-status\n\n\
        Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; bad@example.com\n\
        Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user\n\n--b--\n";
    let parsed = concord_message::parse(report.replace('\n', "\r\n").as_bytes()).unwrap();
    let when = "05/13/93 22:27:06";
    let (us, them) = (host("EXCH(MAILER)"), host("VMSP6(JOHNDOE)"));
    let known = [Some(host("EXCH(BAD)"))];
    let note = undelivered_note(&parsed, &known, &us, &them, "the plan", when);
    assert_eq!(
        note.text,
        ["BAD unknown at EXCH; 05/13/93 22:27:06 not received.", "  5.1.1 550 no such user",]
    );
    assert!(Undelivered::find(&note.text).is_some());
    let note = undelivered_note(&parsed, &[None], &us, &them, "the plan", when);
    assert_eq!(note.text[0], "bad@example.com: 05/13/93 22:27:06 not received.");
}

/// Q189789, Q189790: they made the connector restart for ever.
#[test]
fn blank_names_are_no_names() {
    let out = sent(
        "From: \"   \" <jane@example.com>\nReply-To: \" \" <nobody>\nTo: \"  \" <john@vm.example>, \" \" <x@y.example>\nSubject:  \n\nx\n",
    );
    let lines = read_lines(&out.transmissions[0].files[0].records, CodePage::Cp1141);
    let rules = NoteRules { form: NoteForm::Profs, ..NoteRules::default() };
    let note = note::read(&lines, &rules).unwrap();
    assert!(note.people().chain(&note.from).all(|one| one.name.is_empty()));
    assert_eq!((note.to.len(), note.subject.as_str()), (2, ""));
}

/// Q216767, Q239920: the envelope was made of the heading. T103.
#[test]
fn a_message_whose_heading_names_nobody_reaches_its_recipient() {
    for heading in ["", "Apparently-To: john@vm.example\n", "Cc: jane@example.com\n"] {
        let out = sent(&format!("From: jane@example.com\n{heading}Subject: x\n\ntext\n"));
        assert_eq!(out.transmissions[0].recipients, [host("VMSP6(JOHNDOE)")]);
    }
}

/// Q177599: such items were sent as raw RTF.
#[test]
fn a_message_of_html_alone_is_plain_text_for_the_host() {
    let out = sent(
        "From: jane@example.com\nSubject: x\nContent-Type: text/html; charset=utf-8\n\n<p>Hello <b>John</b></p>\n",
    );
    let lines = read_lines(&out.transmissions[0].files[0].records, CodePage::Cp1141);
    let text = lines.join("\n");
    assert!(text.contains("Hello John") && !text.contains('<'), "{text}");
}

/// T94.
#[test]
fn a_message_within_a_message_is_a_file_of_text_and_its_files_are_files() {
    let inner = THREE_FILES.trim_end();
    let out = sent(&format!(
        "From: jane@example.com\nSubject: outer\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: text/plain\n\nsee\n\
         --o\nContent-Type: message/rfc822\n\n{inner}\n--o--\n"
    ));
    assert_eq!(out.losses, [Loss::Flattened]);
    assert_eq!(out.transmissions.len(), 5);
    let lines = read_lines(&out.transmissions[1].files[0].records, CodePage::Cp1141);
    assert_eq!(lines[0], "From: Jane Roe <jane@example.com>");
    assert!(lines.iter().any(|line| line == "Hello ="));
}

/// Q97084: HP Desk wanted it there.
#[test]
fn the_full_name_stands_behind_the_address_for_users_of_profs() {
    let out = sent(
        "From: Jane Roe <jane@example.com>\nTo: John Doe <john@vm.example>\nSubject: x\n\nx\n",
    );
    let lines = read_lines(&out.transmissions[0].files[0].records, CodePage::Cp1141);
    assert!(lines.contains(&"To:   JOHNDOE  --VMSP6    John Doe".to_owned()), "{lines:?}");
}

/// Q177557: mail to users of several nodes missed some of them.
#[test]
fn transmissions_of_all_recipients_together_name_each_once() {
    let recipients: Vec<HostAddress> =
        ["N1(A)", "N2(A)", "N1(B)", "N3(C)"].iter().map(|one| host(one)).collect();
    let all = netdata::Transmission {
        recipients: recipients.clone(),
        ..netdata::Transmission::default()
    };
    let named: Vec<HostAddress> = all.separate().flat_map(|one| one.recipients).collect();
    assert_eq!(named, recipients);
}

#[test]
fn a_text_that_looks_like_the_boundary_does_not_cut_the_message() {
    let hex: String = "NODE 7".bytes().map(|octet| format!("{octet:02x}")).collect();
    let out = sent(THREE_FILES);
    let mut files: Vec<_> = out.transmissions.iter().flat_map(|one| one.files.clone()).collect();
    let lines = ["", "0", "1", "11"].map(|more| format!("--=_vm_{hex}_{more}"));
    let rules =
        TextRules { page: CodePage::Cp1141, substitution: Substitution::Refuse, columns: 80 };
    let lines = concord_cms_mail::write_lines(lines.iter().map(String::as_str), &rules).unwrap();
    files[0].records.extend(lines.records.iter());
    files[1].records.extend(lines.records.iter());
    let all = netdata::Transmission { files, ..out.transmissions[0].clone() };
    let came = took(netdata::write(&all).unwrap(), CodePage::Cp1141, NoteForm::Profs).unwrap();
    let message = MessageParser::new().parse(&came.message).unwrap();
    assert_eq!(message.attachments().count(), 3);
    assert!(message.body_text(0).unwrap().contains(&format!("--=_vm_{hex}_11")));
}

#[test]
fn the_editors_options_ask_for_an_acknowledgement_as_a_header_does() {
    for (option, asked) in [("ACK", Some(Vec::new())), ("NOACK", None)] {
        let text = format!("OPTIONS: {option} LOG\n\nFrom: A at N\nTo: C at D\n\nx");
        let rules =
            TextRules { page: CodePage::Cp037, substitution: Substitution::Refuse, columns: 80 };
        let records = concord_cms_mail::write_lines(text.lines(), &rules).unwrap().records;
        let file = netdata::NetdataFile::varying(FileName::Note, records);
        let sent = netdata::Transmission {
            origin: Some(host("N(A)")),
            recipients: vec![host("D(C)")],
            files: vec![file],
            ..netdata::Transmission::default()
        };
        let came = took(netdata::write(&sent).unwrap(), CodePage::Cp037, NoteForm::Cms).unwrap();
        assert_eq!(came.acknowledge, asked, "{option}");
    }
}

#[test]
fn answers_go_where_the_message_asks_if_that_is_not_its_sender() {
    for (asked, expected) in [
        ("jane@example.com", None),
        ("Desk <desk@example.com>", Some(NoteAddress::Internet("desk@example.com".into()))),
        ("john@vm.example", Some(NoteAddress::Host(host("VMSP6(JOHNDOE)")))),
    ] {
        let out = sent(&format!("From: jane@example.com\nReply-To: {asked}\nSubject: x\n\nx\n"));
        let lines = read_lines(&out.transmissions[0].files[0].records, CodePage::Cp1141);
        let rules = NoteRules { form: NoteForm::Profs, ..NoteRules::default() };
        let note = note::read(&lines, &rules).unwrap();
        assert_eq!(note.reply_to.and_then(|one| one.address), expected, "{asked}");
    }
}
