//! This crate and the testkit's gateway, which has a strict reader of its own,
//! understand each other.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests, and what they share

use concord_groupwise_api::model::{
    Action, Address, Alias, Attachment, Body, BusyAnswer, BusySearch, Directory, Entry, EntryKind,
    Item, Message, Operation, Priority, Span, Status, StatusEvent, StatusRequest, Value, busy_id,
    probe_id,
};
use concord_groupwise_api::{
    Characters, CodePage, Moment, Notice, Reading, Unfinished, layout, read, write,
};
use concord_testkit::{
    AddressStyle, GatewayPage, GroupWise, GroupWiseSettings, GwFile, GwOutgoing, Knobs, Slow,
};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);
const BOB: &str = "GWDOM.GWPO.bob";
const NORDIC: Characters = Characters::new(CodePage::Cp850);

struct Link {
    gateway: GroupWise,
    scratch: tempfile::TempDir,
    characters: Characters,
    number: u32,
}

impl Link {
    fn new(knobs: Knobs) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let settings = GroupWiseSettings { knobs, ..GroupWiseSettings::default() };
        let gateway = GroupWise::start(scratch.path(), settings).unwrap();
        gateway.add_user(BOB, "Bob", "Børge");
        Self { gateway, scratch, characters: NORDIC, number: 0 }
    }

    fn nordic() -> Self {
        Self::new(Knobs { page: GatewayPage::Cp850, ..Knobs::default() })
    }

    fn path(&self, directory: &str, name: &str) -> PathBuf {
        self.scratch.path().join(directory).join(name)
    }

    fn put_content(&self, name: &str, octets: &[u8]) {
        std::fs::write(self.path(layout::ATT_IN, name), octets).unwrap();
    }

    /// Puts a header in as a connector has to: whole, by a rename.
    fn put(&mut self, message: &Message) -> String {
        let written = write(message, self.characters);
        assert_eq!((written.replaced, written.tidied), (0, 0));
        self.number += 1;
        let name = layout::header_name(self.number);
        let unfinished = self.path(layout::ATT_IN, &layout::unfinished_name(self.number));
        std::fs::write(&unfinished, &written.octets).unwrap();
        std::fs::rename(unfinished, self.path(layout::API_IN, &name)).unwrap();
        name
    }

    fn put_accepted(&mut self, message: &Message) -> String {
        let name = self.put(message);
        self.gateway.settle(LIMIT).unwrap();
        assert_eq!(self.gateway.problems(), []);
        name
    }

    /// Takes what is complete in `API_OUT`, oldest name first.
    fn take(&self) -> Vec<concord_groupwise_api::Header> {
        let mut headers = Vec::new();
        for path in self.gateway.files(layout::API_OUT).unwrap() {
            match read(&std::fs::read(&path).unwrap(), self.characters) {
                Reading::Complete(header) => {
                    headers.push(*header);
                    std::fs::remove_file(path).unwrap();
                }
                Reading::NotReady(_) => {}
                Reading::Bad(defect) => panic!("{defect}"),
            }
        }
        headers
    }

    fn wait_one(&self) -> concord_groupwise_api::Header {
        let until = Instant::now() + LIMIT;
        loop {
            let mut headers = self.take();
            if let Some(header) = headers.pop() {
                assert!(headers.is_empty(), "one was expected: {headers:?}");
                return header;
            }
            assert!(Instant::now() < until, "nothing came");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn ann() -> Address {
    let mut ann = Address::new("EXCHANGE", "US", "ann");
    ann.token = "^íaddrEXCHANGE.US.ann^ístrqNone, all; of\\it".into();
    ann
}

fn bob() -> Address {
    Address::new("GWDOM", "GWPO", "bob")
}

fn mail() -> Item {
    Item {
        id: "Q0123456789ABCDEF.1;gwcnt=0001".into(),
        from: Some(ann()),
        from_text: "Ann Ångström".into(),
        to: vec![bob()],
        all_to: vec![bob(), ann()],
        to_text: "Bob Børge, Ann".into(),
        subject: "Æ; Ø, Å \\ and so on".into(),
        ..Item::default()
    }
}

// Q263641, and escapes in every text.
#[test]
fn mail_reaches_the_mailbox_with_content_and_reports_come_back() {
    let mut link = Link::nordic();
    link.put_content("1.bdy", &CodePage::Cp850.encode("Grüße aus Ærø").octets);
    link.put_content("1.001", b"one");
    link.put_content("1.002", b"");
    let attachment = |stored: &str, name: &str, size| Attachment {
        stored: stored.into(),
        name: name.into(),
        size: Some(size),
        modified: None,
        conversion_allowed: stored == "1.001",
    };
    let item = Item {
        body: Some(Body { stored: "1.bdy".into(), page: CodePage::Cp850 }),
        attachments: vec![
            attachment("1.001", "Bericht, größer; neu.txt", 3),
            attachment("1.002", "empty", 0),
        ],
        priority: Priority::High,
        status_request: StatusRequest { delivered: true, opened: true, everything: false },
        ..mail()
    };
    link.put_accepted(&Message::Item(item.clone()));
    let got = &link.gateway.mailbox(BOB)[0];
    assert_eq!((got.subject.as_str(), got.body.as_str()), (item.subject.as_str(), "Grüße aus Ærø"));
    assert_eq!(got.from_text, "Ann Ångström");
    assert_eq!(got.token, ann().token);
    assert_eq!(got.all_to.len(), 2);
    assert_eq!(got.to_text, "Bob Børge, Ann");
    assert_eq!(got.priority, "High");
    let files: Vec<_> = got.files.iter().map(|f| (f.name.as_str(), f.octets.as_slice())).collect();
    assert_eq!(files, [("Bericht, größer; neu.txt", &b"one"[..]), ("empty", b"")]);
    assert!(link.gateway.files(layout::ATT_IN).unwrap().is_empty(), "the gateway cleans up");

    let Message::Status(delivered) = link.wait_one().message else { panic!() };
    assert_eq!(delivered.of, item.id);
    assert_eq!(delivered.events[0].action, Action::Delivered);
    assert!(delivered.events[0].time.is_some());
    assert_eq!(delivered.from.unwrap().object, "bob");
    assert_eq!(delivered.to[0].token, ann().token);
    link.gateway.open(BOB, 0).unwrap();
    let Message::Status(opened) = link.wait_one().message else { panic!() };
    assert_eq!((opened.of, opened.events[0].action), (item.id, Action::Opened));
}

#[test]
fn an_unknown_user_brings_a_report_and_an_unknown_domain_a_refused_file() {
    let mut link = Link::nordic();
    link.gateway.turn(|knobs| knobs.other_status_words = true);
    let mut item = mail();
    item.to = vec![Address::new("GWDOM", "GWPO", "nobody")];
    link.put_accepted(&Message::Item(item.clone()));
    let Message::Status(status) = link.wait_one().message else { panic!() };
    assert_eq!(status.events[0].action, Action::Undeliverable);
    assert_eq!(status.events[0].detail, "Unknown user");
    item.to = vec![Address::new("NOWHERE", "GWPO", "x")];
    let name = link.put(&Message::Item(item.clone()));
    link.gateway.settle(LIMIT).unwrap();
    let refused = std::fs::read(link.path(layout::GWPROB, &name)).unwrap();
    let Reading::Complete(header) = read(&refused, NORDIC) else { panic!() };
    assert_eq!(header.message, Message::Item(item));
    assert!(header.diagnostics[0].text.contains("Unknown destination in address string"));
}

// Q222538, Q222550: a gateway that is set to GroupWise addressing.
#[test]
fn a_gateway_in_groupwise_style_refuses_components_and_its_mail_is_read() {
    let mut link = Link::nordic();
    link.gateway.turn(|knobs| knobs.style = AddressStyle::GroupWise);
    let name = link.put(&Message::Item(mail()));
    link.gateway.settle(LIMIT).unwrap();
    let refused = std::fs::read(link.path(layout::GWPROB, &name)).unwrap();
    let Reading::Complete(header) = read(&refused, NORDIC) else { panic!() };
    let unknown: Vec<_> =
        header.diagnostics.iter().filter_map(|d| d.unknown_keyword.as_deref()).collect();
    assert_eq!(unknown[..4], ["WPD", "WPPO", "WPU", "CDBA"]);
    assert_eq!(header.diagnostics[0].line, Some(5));

    let item = GwOutgoing {
        to: vec!["EXCHANGE.US.ann".into(), "EXCHANGE.US.c.d".into()],
        subject: "x".into(),
        ..GwOutgoing::default()
    };
    link.gateway.send(BOB, &item);
    let header = link.wait_one();
    assert!(matches!(header.notices[..], [Notice::DottedAddresses { .. }]));
    let Message::Item(item) = header.message else { panic!() };
    assert_eq!(item.from, Some(bob()));
    assert_eq!(item.to[1].object, "c.d");
}

#[test]
fn mail_from_a_user_is_read_with_content_and_a_status_reaches_its_sender() {
    let mut link = Link::nordic();
    link.gateway.turn(|knobs| knobs.fold_ids = Some(9));
    let file = |octets: &[u8]| GwFile { name: "Comments".into(), octets: octets.to_vec() };
    let item = GwOutgoing {
        to: vec!["EXCHANGE.US.ann".into()],
        copies: vec!["EXCHANGE.US.cid".into(), "GWDOM.GWPO.eve".into()],
        blind_copies: vec!["EXCHANGE.US.dan".into()],
        subject: "Møde; kl. 9".into(),
        body: "Ærlig talt".into(),
        files: vec![file(b"first"), file(b"second")],
        priority: "High".into(),
        security: "Confidential".into(),
        status_request: "All Information".into(),
        list_members: vec!["GWDOM.GWPO.x".into()],
        ..GwOutgoing::default()
    };
    let id = link.gateway.send(BOB, &item);
    let header = link.wait_one();
    assert_eq!(header.notices, []);
    let Message::Item(got) = header.message else { panic!() };
    assert_eq!(got.id, id);
    assert_eq!(got.subject, item.subject);
    assert_eq!(got.from.as_ref().unwrap().display_name(), "Bob Børge");
    // The envelope has only our people; the heading has everybody.
    assert_eq!((got.to.len(), got.copies.len(), got.blind_copies.len()), (1, 1, 1));
    assert_eq!((got.all_to.len(), got.all_copies.len()), (2, 2));
    assert!(got.status_request.everything);
    let body = std::fs::read(link.path(layout::ATT_OUT, &got.body.unwrap().stored)).unwrap();
    assert_eq!(CodePage::Cp850.decode(&body), "Ærlig talt");
    // Q253347, Q254540: equal names are different files.
    let content: Vec<_> = got
        .attachments
        .iter()
        .map(|a| (a.name.as_str(), std::fs::read(link.path(layout::ATT_OUT, &a.stored)).unwrap()))
        .collect();
    assert_eq!(content, [("Comments", b"first".to_vec()), ("Comments", b"second".to_vec())]);

    link.put_accepted(&Message::Status(Status {
        kind: got.kind,
        id: String::new(),
        of: id.clone(),
        from: Some(ann()),
        from_text: String::new(),
        to: vec![got.from.unwrap()],
        subject: got.subject,
        sent: None,
        events: vec![StatusEvent {
            action: Action::Undeliverable,
            time: Moment::parse("1/2/2003 4:05 +2"),
            detail: "550 5.1.1 no such user; really".into(),
        }],
        body: None,
    }));
    let statuses = link.gateway.statuses(&id);
    assert_eq!(statuses[0].action, "Undeliverable");
    assert_eq!(statuses[0].reason, "550 5.1.1 no such user; really");
}

// Q242232, Q253349: a header is looked at while the gateway still writes it.
#[test]
fn a_header_that_is_written_slowly_is_not_ready_until_it_is() {
    let link = Link::nordic();
    link.gateway.turn(|knobs| {
        knobs.slow = Some(Slow { pieces: 20, rest: Duration::from_millis(15) });
    });
    link.gateway
        .send(BOB, &GwOutgoing { to: vec!["EXCHANGE.US.ann".into()], ..GwOutgoing::default() });
    let (mut unfinished, until) = (0, Instant::now() + LIMIT);
    loop {
        assert!(Instant::now() < until);
        let Some(path) = link.gateway.files(layout::API_OUT).unwrap().pop() else { continue };
        match read(&std::fs::read(path).unwrap(), NORDIC) {
            Reading::NotReady(_) => unfinished += 1,
            Reading::Complete(_) => break,
            Reading::Bad(defect) => panic!("{defect}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(unfinished > 5, "{unfinished}");
}

// Q245431 and Q234388: what is to be noticed by its age.
#[test]
fn an_empty_header_stays_not_ready_and_a_body_without_header_stays_alone() {
    let link = Link::nordic();
    let item = GwOutgoing { to: vec!["EXCHANGE.US.ann".into()], ..GwOutgoing::default() };
    link.gateway.turn(|knobs| knobs.empty_header = true);
    link.gateway.send(BOB, &item);
    link.gateway.settle(LIMIT).unwrap();
    let path = link.gateway.files(layout::API_OUT).unwrap().remove(0);
    assert_eq!(read(&std::fs::read(&path).unwrap(), NORDIC), Reading::NotReady(Unfinished::Empty));
    assert!(std::fs::File::open(&path).unwrap().try_lock().is_err(), "it is locked");
    link.gateway.turn(|knobs| knobs.orphan_body = true);
    link.gateway.send(BOB, &item);
    link.gateway.settle(LIMIT).unwrap();
    assert_eq!(link.gateway.files(layout::API_OUT).unwrap().len(), 1);
    assert_eq!(link.gateway.files(layout::ATT_OUT).unwrap().len(), 2);
}

fn user(operation: Operation, object: &str) -> Entry {
    let mut entry = Entry::new(EntryKind::User, operation, "EXCHANGE", "US", object);
    entry.visibility = Value::Text("System".into());
    entry.last_name = Value::Nothing;
    entry.first_name = Value::Text("Åse; A".into());
    entry.aliases = Some(vec![
        Alias { kind: "exchange".into(), external_name: format!("{object}@EXCHANGE") },
        Alias { kind: "SMTP".into(), external_name: format!("{object}@example.org") },
    ]);
    entry
}

// Q222506, Q214648, Q241086.
#[test]
fn a_directory_is_loaded_listed_changed_and_a_change_of_nobody_refused() {
    let mut link = Link::nordic();
    let list = Message::Directory(Directory::list_users("EXCHANGE", "US"));
    link.put_accepted(&list);
    let Message::Directory(empty) = link.wait_one().message else { panic!() };
    assert!(empty.nothing_found && empty.entries.is_empty());
    assert_eq!(empty.query.unwrap().post_office, "US");

    link.put_accepted(&Message::Directory(Directory::add_post_office("EXCHANGE", "US")));
    assert!(link.gateway.has_post_office("exchange", "us"));
    let entries = vec![user(Operation::Add, "ann"), user(Operation::Add, "cid")];
    link.put_accepted(&Message::Directory(Directory { entries, ..Directory::default() }));
    link.put_accepted(&list);
    let Message::Directory(answer) = link.wait_one().message else { panic!() };
    assert_eq!(answer.entries.len(), 2);
    assert_eq!(answer.entries[0].object, "ann");
    assert_eq!(answer.entries[0].first_name, Value::Text("Åse; A".into()));
    assert_eq!(answer.entries[0].last_name, Value::Unsaid);
    assert_eq!(answer.entries[0].aliases, user(Operation::Add, "ann").aliases);

    let entries = vec![user(Operation::Delete, "cid"), user(Operation::Modify, "nobody")];
    link.put(&Message::Directory(Directory { entries, ..Directory::default() }));
    link.gateway.settle(LIMIT).unwrap();
    assert_eq!(link.gateway.problems().len(), 1);
    assert_eq!(link.gateway.objects("EXCHANGE").len(), 1);
}

// Q222186: what a connector must not take for the directory.
#[test]
fn answers_can_be_swapped_cut_and_short() {
    let mut link = Link::nordic();
    for n in 0..100 {
        link.gateway.add_user(&format!("GWDOM.GWPO.u{n}"), "", "");
    }
    link.gateway.turn(|knobs| knobs.swap_answers = true);
    let first = link.put(&Message::Directory(Directory::list_users("EXCHANGE", "US")));
    let second = link.put(&Message::Directory(Directory::get_everything()));
    link.gateway.settle(LIMIT).unwrap();
    let written: Vec<String> = link
        .gateway
        .log()
        .iter()
        .filter_map(|l| l.strip_prefix("Processing outbound message ").map(str::to_owned))
        .collect();
    assert_eq!(written, [second, first]);
    link.take();
    let everything = Message::Directory(Directory::get_everything());
    link.gateway.turn(|knobs| knobs.shrink_answer = Some(10));
    link.put_accepted(&everything);
    let Message::Directory(short) = link.wait_one().message else { panic!() };
    assert_eq!(short.entries.len(), 10);
    link.gateway.turn(|knobs| knobs.truncate_answer = true);
    let name = link.put_accepted(&everything);
    let cut = std::fs::read(link.path(layout::API_OUT, &name)).unwrap();
    assert_eq!(read(&cut, NORDIC), Reading::NotReady(Unfinished::NoEnd));
}

// Q229821: a gateway set to Synchronization.
#[test]
fn a_gateway_that_synchronises_sends_changes_and_answers_nothing() {
    let mut link = Link::nordic();
    link.gateway.turn(|knobs| knobs.synchronisation = true);
    link.put_accepted(&Message::Directory(Directory::get_everything()));
    assert_eq!(link.gateway.traffic().1, 0);
    link.gateway.add_user("GWDOM.GWPO.eve", "Eve", "");
    let Message::Directory(update) = link.wait_one().message else { panic!() };
    assert_eq!(
        (update.entries[0].operation, update.entries[0].object.as_str()),
        (Operation::Add, "eve")
    );
    assert_eq!(update.query, None);
}

// Q199302, Q260690.
#[test]
fn busy_times_are_asked_for_in_both_directions_and_a_probe_returns() {
    let mut link = Link::nordic();
    link.gateway.set_busy(
        BOB,
        &[("26/11/98 09:00", "26/11/98 10:30"), ("27/11/98 13:00", "27/11/98 14:00")],
    );
    let (begin, end) =
        (Moment::parse("26/11/1998 1:5 +0").unwrap(), Moment::parse("25/1/1999 1:5 +0").unwrap());
    let id = busy_id(7, begin.local, end.local, begin.local);
    let about = Address { token: "GWDOM.GWPO.bob".into(), ..bob() };
    let search = BusySearch { id: id.clone(), from: ann(), about, begin, end };
    link.put_accepted(&Message::Search(search.clone()));
    let Message::BusyAnswer(answer) = link.wait_one().message else { panic!() };
    assert_eq!((answer.answers, answer.busy.len()), (id, 2));
    assert_eq!(answer.to[0].token, ann().token);
    assert_eq!(answer.about.unwrap().token, "GWDOM.GWPO.bob");

    let me = Address::new("EXCHANGE", "US", "FB-PROBE");
    let probe = BusySearch {
        id: probe_id(begin.local, begin.local),
        from: me.clone(),
        about: me,
        begin,
        end: begin,
    };
    link.put_accepted(&Message::Search(probe));
    let Message::Search(echo) = link.wait_one().message else { panic!() };
    assert!(echo.is_probe());

    let unknown = BusySearch { about: Address::new("GWDOM", "GWPO", "nobody"), ..search };
    link.put_accepted(&Message::Search(unknown));
    assert_eq!(link.gateway.abends(), 1);

    let id = link.gateway.ask_busy(BOB, "EXCHANGE.US.ann", "1/1/2001 0:00", "2/1/2001 0:00");
    let Message::Search(asked) = link.wait_one().message else { panic!() };
    assert_eq!((asked.id.as_str(), asked.about.object.as_str()), (id.as_str(), "ann"));
    let busy = vec![Span { begin, end }];
    link.put_accepted(&Message::BusyAnswer(BusyAnswer {
        id: String::new(),
        answers: asked.id,
        to: vec![asked.from],
        about: Some(asked.about),
        busy,
    }));
    let answer = link.gateway.busy_answer(&id).unwrap();
    assert_eq!(answer, [("26/11/1998 1:05 +0".to_owned(), "25/1/1999 1:05 +0".to_owned())]);
}

#[test]
fn thousands_of_messages_and_users_pass_in_seconds() {
    let mut link = Link::nordic();
    for n in 0..10_000 {
        link.gateway.add_user(&format!("GWDOM.GWPO.u{n}"), "User", &n.to_string());
    }
    let begun = Instant::now();
    for n in 0..2_000 {
        let item = Item { id: n.to_string(), subject: n.to_string(), ..mail() };
        link.put(&Message::Item(item));
        let to = vec!["EXCHANGE.US.ann".into()];
        let item = GwOutgoing { to, subject: n.to_string(), ..GwOutgoing::default() };
        link.gateway.send(BOB, &item);
    }
    link.put(&Message::Directory(Directory::get_everything()));
    link.gateway.settle(Duration::from_secs(60)).unwrap();
    assert_eq!(link.gateway.mailbox(BOB).len(), 2_000);
    let headers = link.take();
    assert_eq!(headers.len(), 2_001);
    let users = headers.iter().find_map(|header| match &header.message {
        Message::Directory(directory) => Some(directory.entries.len()),
        _ => None,
    });
    assert_eq!(users, Some(10_001));
    eprintln!("2,000 messages each way and 10,001 users: {:?}", begun.elapsed());
}
