//! Messages to items and back.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests, and what they share

use concord_address::{Domain, SmtpAddress};
use concord_groupwise::convert::{
    Arrived, Content, Envelope, Gathered, Inbound, Loss, People, Reply, SentKey, Told, inbound,
    item_id, message_id, outbound, reply_calendar, status_of_report, told,
};
use concord_groupwise_api::model::{
    Action, Address, Attachment, Body, Item, ItemKind, Message as Said, PhoneCall, Priority,
    Security, Status, StatusEvent, StatusRequest,
};
use concord_groupwise_api::{Characters, CodePage, Moment, Reading, read, write};
use concord_message::{Disposition, ReportKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

const LINK: Characters = Characters::new(CodePage::Cp850);

/// Everybody at `gw.example` is in GWDOM.GWPO, everybody at `example.org` in
/// EXCHANGE.US.
struct Town;

impl People for Town {
    fn groupwise(&self, address: &SmtpAddress) -> Option<Address> {
        match address.domain().to_string().as_str() {
            "gw.example" => Some(Address::new("GWDOM", "GWPO", address.local_part())),
            "example.org" => Some(Address::new("EXCHANGE", "US", address.local_part())),
            _ => None,
        }
    }

    fn internet(&self, address: &Address) -> Option<SmtpAddress> {
        let domain = match address.domain.as_str() {
            "GWDOM" => "gw.example",
            "EXCHANGE" => "example.org",
            _ => return None,
        };
        format!("{}@{domain}", address.object).parse().ok()
    }
}

fn domain() -> Domain {
    "gw.example".parse().unwrap()
}

fn envelope(recipient: &str) -> Envelope {
    let recipient: SmtpAddress = recipient.parse().unwrap();
    Envelope {
        key: SentKey { queue_id: "Q1".into(), recipient: recipient.clone(), meeting: None },
        sender: Address::new("EXCHANGE", "US", "ann"),
        recipient: Town.groupwise(&recipient).unwrap(),
        notify_success: true,
    }
}

/// Converts, writes the header and reads it back, as the gateway would.
fn sent_to(recipient: &str, message: &str) -> (Item, Vec<Content>) {
    let message = message.replace('\n', "\r\n");
    let converted = outbound(message.as_bytes(), &envelope(recipient), &Town, &domain()).unwrap();
    let (said, content) = converted.place(7, LINK);
    let written = write(&said, LINK);
    let Reading::Complete(header) = read(&written.octets, LINK) else { panic!() };
    let Said::Item(item) = header.message else { panic!() };
    assert_eq!(header.notices, []);
    (item, content)
}

fn sent(message: &str) -> (Item, Vec<Content>) {
    sent_to("bob@gw.example", message)
}

fn text(content: &[Content]) -> String {
    CodePage::Cp850.decode(&content[0].octets)
}

const LETTER: &str = "From: Ann =?utf-8?q?=C3=85ngstr=C3=B6m?= <ann@example.org>\nTo: Bob <bob@gw.example>, eve@elsewhere.test\nCc: cid@gw.example\nSubject: =?utf-8?q?M=C3=B8de=3B_kl=2E_9?=\nDate: Wed, 28 Oct 1998 09:30:00 -0700\nMessage-ID: <1@example.org>\nImportance: high\nSensitivity: Private\nDisposition-Notification-To: ann@example.org\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n\u{c6}rlig talt\n";

#[test]
fn a_letter_becomes_mail_with_its_choices() {
    let (item, content) = sent(LETTER);
    assert_eq!(item.subject, "Møde; kl. 9");
    assert_eq!(item.from_text, "Ann Ångström");
    assert_eq!(item.to, [Address::new("GWDOM", "GWPO", "bob")]);
    assert_eq!(item.all_copies, [Address::new("GWDOM", "GWPO", "cid")]);
    assert_eq!(item.to_text, "Bob <bob@gw.example>, eve@elsewhere.test");
    assert_eq!((item.priority, item.security), (Priority::High, Security::Confidential));
    let asked = StatusRequest { delivered: true, opened: true, everything: false };
    assert_eq!(item.status_request, asked);
    // Q236459: the time goes with its offset.
    assert_eq!(item.sent.unwrap().to_string(), "28/10/1998 9:30 -7");
    assert_eq!(text(&content), "Ærlig talt\r\n");
    let key = SentKey::parse(&item.id).unwrap();
    assert_eq!(
        (key.queue_id.as_str(), key.recipient.to_string().as_str()),
        ("Q1", "bob@gw.example")
    );
}

// Q234405: members of lists and blind copies.
#[test]
fn a_copy_goes_as_copy_and_who_is_not_named_goes_blind() {
    let (item, _) = sent_to("cid@gw.example", LETTER);
    assert_eq!((item.to.len(), item.copies.len(), item.blind_copies.len()), (0, 1, 0));
    let (item, _) = sent_to("dan@gw.example", LETTER);
    assert_eq!((item.to.len(), item.copies.len(), item.blind_copies.len()), (0, 0, 1));
    assert!(!item.all_to.iter().any(|a| a.object == "dan"));
}

#[test]
fn text_is_made_of_html_and_what_the_page_lacks_is_said() {
    let (_, content) = sent(
        "From: ann@example.org\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<p>Hello <b>Bob</b></p><p>\u{65e5}</p>\n",
    );
    let text = text(&content);
    assert!(text.contains("Hello Bob"), "{text}");
    assert!(text.contains(Loss::Characters.sentence()), "{text}");
    assert!(!text.contains('<'), "{text}");
}

const NESTED: &str = "From: ann@example.org\nSubject: outer\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nsee below\n--b\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=\"../../etc/report.pdf\"\n\nPDF\n--b\nContent-Type: message/rfc822\n\nFrom: eve@example.org\nTo: ann@example.org\nSubject: inner\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: text/plain\n\ninner text\n--c\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=report.pdf\n\nsecond\n--c--\n\n--b--\n";

// Q254540: two files of one name. The format has no nesting.
#[test]
fn an_attached_message_becomes_text_and_files_and_names_may_be_equal() {
    let (item, content) = sent(NESTED);
    let names: Vec<&str> = item.attachments.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["report.pdf", "inner.txt", "report.pdf"]);
    let mut stored: Vec<&str> = content.iter().map(|c| c.name.as_str()).collect();
    stored.sort_unstable();
    stored.dedup();
    assert_eq!(stored.len(), 4, "every content has a name of its own");
    let inner = String::from_utf8(content[2].octets.clone()).unwrap();
    assert!(inner.starts_with("From: eve@example.org\r\nTo: ann@example.org\r\n"), "{inner}");
    assert!(inner.ends_with("inner text\r\n"), "{inner}");
    assert!(text(&content).contains(Loss::Flattened.sentence()));
    let sizes: Vec<_> = item.attachments.iter().map(|a| a.size.unwrap() as usize).collect();
    let octets: Vec<_> = content[1..].iter().map(|c| c.octets.len()).collect();
    assert_eq!(sizes, octets);
}

#[test]
fn messages_nested_too_deeply_are_left_out_and_said() {
    let mut message = String::from("From: a@example.org\nSubject: innermost\n\nx\n");
    for n in 0..20 {
        message = format!(
            "From: a@example.org\nSubject: s{n}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\nContent-Type: message/rfc822\n\n{message}\n--b{n}--\n"
        );
    }
    let (item, content) = sent(&message);
    assert!(item.attachments.len() <= 5);
    assert!(text(&content).contains(Loss::TooDeep.sentence()));
}

fn item() -> Item {
    let attachment = |stored: &str| Attachment {
        stored: stored.into(),
        name: "Comments".into(),
        size: None,
        modified: None,
        conversion_allowed: false,
    };
    Item {
        id: "3FCD7DD9.2A0A.000B.000".into(),
        from: Some(Address {
            given_name: "Bob".into(),
            surname: "Børge".into(),
            ..Address::new("GWDOM", "GWPO", "bob")
        }),
        to: vec![Address::new("EXCHANGE", "US", "ann"), Address::new("EXCHANGE", "US", "Ann")],
        blind_copies: vec![Address::new("EXCHANGE", "US", "dan")],
        all_to: vec![
            Address::new("EXCHANGE", "US", "ann"),
            Address::new("OTHER DOM", "P O", "x.y"),
        ],
        subject: "Smørrebrød".into(),
        sent: Moment::parse("26/11/1998 1:5 +2"),
        body: Some(Body { stored: "1.bdy".into(), page: CodePage::Cp850 }),
        attachments: vec![attachment("Comments"), attachment("Comments.001")],
        priority: Priority::Low,
        security: Security::ForYourEyesOnly,
        status_request: StatusRequest { delivered: true, opened: true, everything: false },
        ..Item::default()
    }
}

fn got(item: &Item, gathered: &Gathered) -> Inbound {
    let (domain, zone) = (domain(), TimeZone::UTC);
    let found = Timestamp::from_second(1_000_000_000).unwrap();
    inbound(item, gathered, &Arrived { people: &Town, domain: &domain, zone: &zone, found })
}

fn gathered() -> Gathered {
    Gathered {
        body: Some(CodePage::Cp850.encode("Ærlig talt\n=_gw_").octets),
        attachments: vec![Some(b"first".to_vec()), Some(vec![])],
    }
}

#[test]
fn an_item_becomes_a_message_that_is_the_same_every_time() {
    let one = got(&item(), &gathered());
    assert_eq!(one, got(&item(), &gathered()));
    assert_eq!(one.sender.as_ref().unwrap().to_string(), "bob@gw.example");
    let recipients: Vec<String> = one.recipients.iter().map(ToString::to_string).collect();
    assert_eq!(recipients.len(), 2, "each once: {recipients:?}");
    assert_eq!(one.envelope_id, item().id);
    assert!(one.notify_success);
    let message = MessageParser::new().parse(&one.message).unwrap();
    assert_eq!(message.subject(), Some("Smørrebrød"));
    assert_eq!(message.date().unwrap().to_timestamp(), 912_035_100);
    let from = message.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Bob Børge"), Some("bob@gw.example")));
    let id = message.message_id().unwrap();
    assert_eq!(item_id(id, &domain()), Some(item().id));
    assert_eq!(message.header_raw("Importance").map(str::trim), Some("low"));
    assert_eq!(message.header_raw("Sensitivity").map(str::trim), Some("Personal"));
    assert!(message.header_raw("Disposition-Notification-To").unwrap().contains("bob@gw.example"));
    assert!(message.body_text(0).unwrap().starts_with("Ærlig talt"));
    // Q253347, and the empty one of Q234388.
    let files: Vec<_> =
        message.attachments().map(|a| (a.attachment_name().unwrap(), a.contents())).collect();
    assert_eq!(files, [("Comments", &b"first"[..]), ("Comments", b"")]);
    // Blind copies are nowhere to be seen; strangers are encapsulated.
    let text = String::from_utf8_lossy(&one.message).into_owned();
    assert!(!text.contains("dan@"));
    assert!(text.contains("IMCEAGWISE-"), "{text}");
}

#[test]
fn what_was_lost_on_the_way_is_said_in_the_message() {
    let mut lost = gathered();
    lost.attachments[1] = None;
    let one = got(&Item { security: Security::Secret, ..item() }, &lost);
    assert_eq!(one.losses, [Loss::Missing, Loss::Security]);
    let message = MessageParser::new().parse(&one.message).unwrap();
    let text = message.body_text(0).unwrap().into_owned();
    assert!(text.contains(Loss::Missing.sentence()) && text.contains(Loss::Security.sentence()));
    assert_eq!(message.attachment_count(), 1);
}

#[test]
fn a_phone_message_says_who_called() {
    let call =
        PhoneCall { caller: "Eve".into(), telephone: "+45 1".into(), ..PhoneCall::default() };
    let item = Item { kind: ItemKind::Phone, phone: Some(call), ..item() };
    let one = got(&item, &gathered());
    let message = MessageParser::new().parse(&one.message).unwrap();
    let text = message.body_text(0).unwrap().into_owned();
    assert!(text.starts_with("Caller: Eve\r\nTelephone: +45 1\r\n\r\nÆrlig"), "{text}");
}

#[test]
fn an_answer_to_an_item_names_it() {
    let reply = format!(
        "From: ann@example.org\nTo: bob@gw.example\nSubject: Re: x\nIn-Reply-To: <{}>\n\nyes\n",
        message_id(&item().id, &domain())
    );
    assert_eq!(sent(&reply).0.answers, item().id);
}

#[test]
fn a_letter_there_and_back_keeps_what_both_sides_know() {
    let (item, content) = sent(LETTER);
    let back = got(&item, &Gathered { body: Some(content[0].octets.clone()), attachments: vec![] });
    let message = MessageParser::new().parse(&back.message).unwrap();
    let before = MessageParser::new().parse(LETTER.as_bytes()).unwrap();
    assert_eq!(message.subject(), before.subject());
    assert_eq!(message.date().unwrap().to_timestamp(), before.date().unwrap().to_timestamp());
    assert_eq!(message.from().unwrap().first(), before.from().unwrap().first());
    assert_eq!(message.body_text(0), Some("Ærlig talt\r\n".into()));
}

fn invitation(method: &str, event: &str) -> String {
    format!(
        "From: Ann <ann@example.org>\nTo: bob@gw.example\nSubject: Standup\nDate: Wed, 28 Oct 1998 09:30:00 +0000\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplease come\n--b\nContent-Type: text/calendar; method={method}; charset=utf-8\n\nBEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:{method}\nBEGIN:VEVENT\nUID:meeting/1;x\nDTSTAMP:19981001T000000Z\n{event}\nEND:VEVENT\nEND:VCALENDAR\n--b--\n"
    )
}

// Q234398, Q236459, Q271614: place and time are the same on both sides.
#[test]
fn a_meeting_becomes_an_appointment_with_place_and_time() {
    let event = "DTSTART;TZID=Europe/Berlin:19981028T100000\nDTEND;TZID=Europe/Berlin:19981028T113000\nLOCATION:Zimmer S\u{fc}d\\, oben\nSUMMARY:Standup";
    let (item, content) = sent(&invitation("REQUEST", event));
    assert_eq!(item.kind, ItemKind::Appointment);
    assert_eq!(item.location, "Zimmer Süd, oben");
    assert_eq!(item.begin.unwrap().to_string(), "28/10/1998 9:00 +0");
    assert_eq!(item.end.unwrap().to_string(), "28/10/1998 10:30 +0");
    assert_eq!((item.attachments.len(), text(&content).as_str()), (0, "please come\r\n"));
    let key = SentKey::parse(&item.id).unwrap();
    assert_eq!(key.meeting.as_deref(), Some("meeting/1;x"));

    let accepted = Status { of: item.id, ..status(Action::Accepted, "") };
    let Some(Told::Answered { key, action }) = told(&accepted, &TimeZone::UTC).pop() else {
        panic!()
    };
    let (ann, bob) = ("ann@example.org".parse().unwrap(), "bob@gw.example".parse().unwrap());
    let stamp = Timestamp::from_second(0).unwrap();
    let uid = key.meeting.unwrap();
    let reply = Reply { uid: &uid, organizer: &ann, attendee: &bob, action, stamp };
    let calendar = reply_calendar(&reply).unwrap();
    assert!(calendar.contains("METHOD:REPLY\r\n"));
    assert!(calendar.contains("UID:meeting/1\\;x\r\n"));
    assert!(calendar.contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@gw.example\r\n"));
}

// Q232349: GroupWise takes an update for another request.
#[test]
fn an_update_and_a_cancellation_say_so_in_the_subject() {
    let event = "DTSTART:19981028T100000Z\nDURATION:PT1H\nSEQUENCE:2\nRRULE:FREQ=WEEKLY";
    let (item, content) = sent(&invitation("REQUEST", event));
    assert_eq!((item.kind, item.subject.as_str()), (ItemKind::Appointment, "Updated: Standup"));
    assert_eq!(item.end.unwrap().to_string(), "28/10/1998 11:00 +0");
    assert!(text(&content).contains(Loss::Recurrence.sentence()));
    let (item, _) = sent(&invitation("CANCEL", "DTSTART:19981028T100000Z"));
    assert_eq!((item.kind, item.subject.as_str()), (ItemKind::Mail, "Canceled: Standup"));
}

#[test]
fn a_day_without_a_time_becomes_mail_that_names_it() {
    let (item, content) = sent(&invitation("REQUEST", "DTSTART;VALUE=DATE:19981028"));
    assert_eq!(item.kind, ItemKind::Mail);
    assert!(text(&content).starts_with("All day: 1998-10-28\r\n"), "{}", text(&content));
}

#[test]
fn an_appointment_becomes_a_request_and_its_answer_status() {
    let appointment = Item {
        kind: ItemKind::Appointment,
        begin: Moment::parse("28/10/1998 9:00 +2"),
        end: Moment::parse("28/10/1998 10:00 +2"),
        location: "Zimmer Süd; oben".into(),
        ..item()
    };
    let one = got(&appointment, &gathered());
    let message = MessageParser::new().parse(&one.message).unwrap();
    let calendar = message
        .parts
        .iter()
        .find(|p| p.content_type().is_some_and(|c| c.subtype() == Some("calendar")))
        .unwrap();
    let calendar = String::from_utf8(calendar.contents().to_vec()).unwrap().replace("\r\n ", "");
    for line in [
        "METHOD:REQUEST",
        "DTSTART:19981028T070000Z",
        "DTEND:19981028T080000Z",
        "ORGANIZER:mailto:bob@gw.example",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@example.org",
        "LOCATION:Zimmer Süd\\; oben",
    ] {
        assert!(calendar.lines().any(|l| l.trim_end() == line), "{line}\n{calendar}");
    }
    assert_eq!(message.attachments().filter(|a| a.attachment_name().is_some()).count(), 2);
    // RFC 2046 section 5.1.1: a boundary ends every line that begins with it.
    let boundaries: Vec<&str> = message
        .parts
        .iter()
        .filter_map(|part| part.content_type()?.attribute("boundary"))
        .collect();
    let [outer, inner] = boundaries[..] else { panic!("{boundaries:?}") };
    assert!(!inner.starts_with(outer) && !outer.starts_with(inner), "{boundaries:?}");

    let uid = message_id(&appointment.id, &domain());
    let answer = format!(
        "From: Ann <ann@example.org>\nTo: bob@gw.example\nSubject: Tentative\nDate: Wed, 28 Oct 1998 09:30:00 +0000\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REPLY\nBEGIN:VEVENT\nUID:{uid}\nDTSTAMP:19981001T000000Z\nDTSTART:19981028T070000Z\nATTENDEE;PARTSTAT=TENTATIVE:mailto:ann@example.org\nEND:VEVENT\nEND:VCALENDAR\n"
    );
    let answer = answer.replace('\n', "\r\n");
    let converted =
        outbound(answer.as_bytes(), &envelope("bob@gw.example"), &Town, &domain()).unwrap();
    let (Said::Status(status), _) = converted.place(1, LINK) else { panic!() };
    assert_eq!(status.of, appointment.id);
    // A tentative answer becomes acceptance with a note.
    assert_eq!(status.events[0].action, Action::Accepted);
    assert_eq!(status.events[0].detail, "Tentative");
    assert_eq!(status.to, [Address::new("GWDOM", "GWPO", "bob")]);
}

fn status(action: Action, time: &str) -> Status {
    Status {
        kind: ItemKind::Mail,
        id: String::new(),
        of: envelope("bob@gw.example").key.to_string(),
        from: None,
        from_text: String::new(),
        to: vec![],
        subject: String::new(),
        sent: None,
        events: vec![StatusEvent {
            action,
            time: Moment::parse(time),
            detail: "no such user".into(),
        }],
        body: None,
    }
}

// Q279805: a receipt's time was off by the offset, applied twice.
#[test]
fn times_of_reports_are_right_in_every_zone() {
    for hours in [2, -7] {
        let zone = TimeZone::fixed(jiff::tz::offset(hours));
        for (time, expected) in
            [("1/2/1999 12:00", 12 - i64::from(hours)), ("1/2/1999 12:00 +2", 10)]
        {
            let told = told(&status(Action::Delivered, time), &zone);
            let [Told::Delivery { recipient, .. }] = told.as_slice() else { panic!("{told:?}") };
            let at = Timestamp::from_second(recipient.last_attempt.unwrap().seconds()).unwrap();
            let midnight: Timestamp = "1999-02-01T00:00:00Z".parse().unwrap();
            assert_eq!((at.as_second() - midnight.as_second()) / 3600, expected);
        }
    }
}

#[test]
fn a_status_tells_the_right_kind_of_report() {
    let one = |action| told(&status(action, "1/2/1999 12:00"), &TimeZone::UTC).pop();
    let Some(Told::Delivery { key, recipient }) = one(Action::Undeliverable) else { panic!() };
    assert_eq!(key.queue_id, "Q1");
    assert_eq!(recipient.action, ReportKind::Failed);
    assert_eq!(recipient.diagnostic.as_deref(), Some("no such user"));
    assert!(matches!(
        one(Action::Opened),
        Some(Told::Read { disposition: Disposition::Displayed, .. })
    ));
    assert!(matches!(one(Action::Declined), Some(Told::Answered { action: Action::Declined, .. })));
    let foreign = Status { of: "3FCD7DD9.2A0A".into(), ..status(Action::Opened, "") };
    assert_eq!(told(&foreign, &TimeZone::UTC), []);
}

#[test]
fn a_report_becomes_status_for_the_item_of_its_envelope() {
    let report = concord_message::parse(b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nOriginal-Envelope-Id: 3FCD7DD9.2A0A\r\nReporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; ann@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user; sorry\r\n\r\n--b--\r\n").unwrap();
    let to = Address::new("GWDOM", "GWPO", "bob");
    let at = Moment::parse("1/2/1999 12:00 +0").unwrap();
    let from = [Town.groupwise(&"ann@example.org".parse().unwrap())];
    let [status] = status_of_report(&report, &from, &to, "x", at).try_into().unwrap();
    assert_eq!(status.of, "3FCD7DD9.2A0A");
    assert_eq!(status.events[0].action, Action::Undeliverable);
    assert_eq!(status.events[0].detail, "550 no such user; sorry");
    assert_eq!(status.from.as_ref().unwrap().object, "ann");
    let written = write(&Said::Status(status.clone()), LINK);
    let Reading::Complete(header) = read(&written.octets, LINK) else { panic!() };
    assert_eq!(header.message, Said::Status(status));
}

proptest! {
    #[test]
    fn any_octets_can_be_sent(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Some(converted) = outbound(&octets, &envelope("bob@gw.example"), &Town, &domain()) {
            let (said, _) = converted.place(1, LINK);
            let written = write(&said, LINK);
            prop_assert!(matches!(read(&written.octets, LINK), Reading::Complete(_)));
        }
    }

    #[test]
    fn any_calendar_can_be_sent(event in "([A-Z;=-]{0,20}:[ -~]{0,30}\n|DTSTART:[0-9T]{0,16}Z?\n|RRULE:FREQ=[A-Z]{0,8};BYMONTHDAY=[0-9]{0,2}\n|DURATION:-?P[0-9TDHMW]{0,20}\n){0,6}") {
        let message = invitation("REQUEST", &event).replace('\n', "\r\n");
        let converted = outbound(message.as_bytes(), &envelope("bob@gw.example"), &Town, &domain());
        prop_assert!(converted.is_some());
    }

    #[test]
    fn any_item_becomes_a_message_with_one_header(
        subject in "\\PC{0,40}", name in "\\PC{0,20}", id in "\\PC{0,40}", body in "\\PC{0,200}",
    ) {
        let mut item = Item { subject, id, from_text: name.clone(), ..item() };
        item.attachments[0].name = name;
        let gathered = Gathered { body: Some(CodePage::Cp850.encode(&body).octets), ..gathered() };
        let one = got(&item, &gathered);
        let message = MessageParser::new().parse(&one.message).unwrap();
        prop_assert_eq!(message.attachment_count(), 2);
        let known = ["Message-ID", "Date", "Subject", "From", "To", "Importance", "Sensitivity",
            "Disposition-Notification-To", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
        for header in message.headers() {
            prop_assert!(known.iter().any(|k| header.name().eq_ignore_ascii_case(k)), "{}", header.name());
        }
    }
}

// Found by fuzzing: mail-parser asserts in debug builds that this does not occur.
#[test]
fn messages_within_each_other_with_one_boundary_are_converted() {
    let message = "From: ann@example.org\nSubject: outer\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nkept\n--b\nContent-Type: message/rfc822\n\nFrom: eve@example.org\nSubject: inner\n--b\nContent-Type: message/rfc822\n\nFrom: eve@example.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: text/plain\n\ninner text\n--c--\n\n--b--\n";
    let (item, content) = sent(message);
    assert_eq!(item.subject, "outer");
    assert!(text(&content).starts_with("kept\r\n"));
}
