//! Messages through the testkit's gateway and back, by files.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests, and what they share

use concord_address::{Domain, SmtpAddress};
use concord_groupwise::convert::{
    Arrived, Envelope, Gathered, Inbound, People, SentKey, Told, inbound, item_id, outbound, told,
};
use concord_groupwise_api::model::{Action, Address, Message as Said};
use concord_groupwise_api::{Characters, CodePage, Reading, layout, read, write};
use concord_testkit::{
    GatewayPage, GroupWise, GroupWiseSettings, GwFile, GwOutgoing, Knobs, NameClash,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_parser::{MessageParser, MimeHeaders};
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);
const LINK: Characters = Characters::new(CodePage::Cp850);
const BOB: &str = "GWDOM.GWPO.bob";

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

struct Link {
    gateway: GroupWise,
    scratch: tempfile::TempDir,
    number: u32,
}

impl Link {
    fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let knobs = Knobs { page: GatewayPage::Cp850, ..Knobs::default() };
        let settings = GroupWiseSettings { knobs, hours_ahead: 2, ..GroupWiseSettings::default() };
        let gateway = GroupWise::start(scratch.path(), settings).unwrap();
        gateway.add_user(BOB, "Bob", "Børge");
        Self { gateway, scratch, number: 0 }
    }

    fn send(&mut self, message: &str) {
        let recipient: SmtpAddress = "bob@gw.example".parse().unwrap();
        let envelope = Envelope {
            key: SentKey { queue_id: "Q1".into(), recipient, meeting: None },
            sender: Address::new("EXCHANGE", "US", "ann"),
            recipient: Address::new("GWDOM", "GWPO", "bob"),
            notify_success: true,
        };
        let message = message.replace('\n', "\r\n");
        let converted = outbound(message.as_bytes(), &envelope, &Town, &domain()).unwrap();
        self.number += 1;
        let (said, content) = converted.place(self.number, LINK);
        let root = self.scratch.path();
        for one in content {
            std::fs::write(root.join(layout::ATT_IN).join(one.name), one.octets).unwrap();
        }
        let unfinished = root.join(layout::ATT_IN).join(layout::unfinished_name(self.number));
        std::fs::write(&unfinished, write(&said, LINK).octets).unwrap();
        let name = layout::header_name(self.number);
        std::fs::rename(unfinished, root.join(layout::API_IN).join(name)).unwrap();
        self.gateway.settle(LIMIT).unwrap();
        assert_eq!(self.gateway.problems(), []);
    }

    /// The next complete header, with its content; both are gone afterwards.
    fn next(&self) -> (Said, Gathered) {
        let until = Instant::now() + LIMIT;
        loop {
            for path in self.gateway.files(layout::API_OUT).unwrap() {
                let Reading::Complete(header) = read(&std::fs::read(&path).unwrap(), LINK) else {
                    continue;
                };
                std::fs::remove_file(path).unwrap();
                let gathered = match &header.message {
                    Said::Item(item) => Gathered {
                        body: item.body.as_ref().and_then(|body| self.content(&body.stored)),
                        attachments: item
                            .attachments
                            .iter()
                            .map(|file| self.content(&file.stored))
                            .collect(),
                    },
                    _ => Gathered::default(),
                };
                return (header.message, gathered);
            }
            assert!(Instant::now() < until, "nothing came");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn content(&self, name: &str) -> Option<Vec<u8>> {
        assert!(layout::is_plain_name(name));
        let path = self.scratch.path().join(layout::ATT_OUT).join(name);
        let octets = std::fs::read(&path).ok()?;
        std::fs::remove_file(path).unwrap();
        Some(octets)
    }

    fn next_message(&self) -> Inbound {
        let (Said::Item(item), gathered) = self.next() else { panic!() };
        let (domain, zone) = (domain(), TimeZone::fixed(jiff::tz::offset(2)));
        let found = Timestamp::UNIX_EPOCH;
        inbound(&item, &gathered, &Arrived { people: &Town, domain: &domain, zone: &zone, found })
    }

    fn next_told(&self) -> Told {
        let (Said::Status(status), _) = self.next() else { panic!() };
        told(&status, &TimeZone::fixed(jiff::tz::offset(2))).remove(0)
    }
}

// Q263641, Q279805.
#[test]
fn a_letter_is_delivered_opened_and_answered() {
    let mut link = Link::new();
    link.send("From: Ann <ann@example.org>\nTo: bob@gw.example\nSubject: =?utf-8?q?M=C3=B8de=3B_9?=\nMessage-ID: <1@example.org>\nDisposition-Notification-To: ann@example.org\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nÆrlig, talt; \\ok\n");
    let mail = &link.gateway.mailbox(BOB)[0];
    assert_eq!((mail.subject.as_str(), mail.body.as_str()), ("Møde; 9", "Ærlig, talt; \\ok\r\n"));
    let Told::Delivery { key, recipient } = link.next_told() else { panic!() };
    assert_eq!((key.queue_id.as_str(), key.recipient.local_part()), ("Q1", "bob"));
    let said = recipient.last_attempt.unwrap().seconds();
    assert!((said - Timestamp::now().as_second()).abs() < 60, "in the gateway's zone: {said}");
    link.gateway.open(BOB, 0).unwrap();
    assert!(matches!(link.next_told(), Told::Read { .. }));
    let id = link.gateway.reply(BOB, 0, "Ja, gerne").unwrap();
    let reply = link.next_message();
    assert_eq!(reply.recipients[0].to_string(), "ann@example.org");
    let message = MessageParser::new().parse(&reply.message).unwrap();
    assert_eq!(message.subject(), Some("Re: Møde; 9"));
    assert_eq!(item_id(message.message_id().unwrap(), &domain()), Some(id));
    assert_eq!(message.body_text(0), Some("Ja, gerne".into()));
}

// Q253347, Q254540: two messages of one second with files of one name.
#[test]
fn equal_names_keep_their_own_content_however_the_gateway_makes_room() {
    for clash in [NameClash::Rename, NameClash::Wait] {
        let link = Link::new();
        link.gateway.turn(|knobs| knobs.clash = clash);
        for n in 0..5 {
            let octets = format!("comment {n}").into_bytes();
            link.gateway.send(
                BOB,
                &GwOutgoing {
                    to: vec!["EXCHANGE.US.ann".into()],
                    subject: n.to_string(),
                    files: vec![GwFile { name: "Comments".into(), octets }],
                    ..GwOutgoing::default()
                },
            );
        }
        for _ in 0..5 {
            let one = link.next_message();
            let message = MessageParser::new().parse(&one.message).unwrap();
            let file = message.attachment(0).unwrap();
            assert_eq!(file.attachment_name(), Some("Comments"));
            let expected = format!("comment {}", message.subject().unwrap());
            assert_eq!(file.contents(), expected.as_bytes(), "{clash:?}");
            assert_eq!(one.losses, []);
        }
    }
}

#[test]
fn a_meeting_is_accepted_by_somebody_in_groupwise() {
    let mut link = Link::new();
    link.send("From: Ann <ann@example.org>\nTo: bob@gw.example\nSubject: Standup\nMIME-Version: 1.0\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\n\nBEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:m1\nDTSTAMP:19981001T000000Z\nDTSTART:19981028T100000Z\nDTEND:19981028T110000Z\nLOCATION:Zimmer Süd\nEND:VEVENT\nEND:VCALENDAR\n");
    assert!(matches!(link.next_told(), Told::Delivery { .. }));
    let item = &link.gateway.mailbox(BOB)[0];
    assert_eq!((item.kind.as_str(), item.location.as_str()), ("APPT", "Zimmer Süd"));
    assert_eq!(
        (item.begin.as_str(), item.end.as_str()),
        ("28/10/1998 10:00 +0", "28/10/1998 11:00 +0")
    );
    link.gateway.act(BOB, 0, "Accepted").unwrap();
    let Told::Answered { key, action } = link.next_told() else { panic!() };
    assert_eq!((key.meeting.as_deref(), action), (Some("m1"), Action::Accepted));
}
