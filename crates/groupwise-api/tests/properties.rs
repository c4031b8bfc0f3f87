//! What holds for any message and any input.

#![allow(clippy::indexing_slicing)] // tests, and what they share

use concord_groupwise_api::model::{
    Action, Address, Alias, Attachment, Body, BusyAnswer, BusySearch, Directory, Entry, EntryKind,
    Item, ItemKind, Message, Operation, PhoneCall, Priority, Query, Security, Span, Status,
    StatusEvent, StatusRequest, Task, Value,
};
use concord_groupwise_api::{Characters, CodePage, Moment, Reading, fuzz, read, write};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const PAGE: Characters = Characters::new(CodePage::Cp850);

/// Text that a file can carry, with everything that has a meaning in one.
fn text() -> impl Strategy<Value = String> {
    "[!-~äöüßæøÅé¡#;,\\\\\"=]([ -~äöüÆØ;,\\\\]{0,20}[!-~Å;,\\\\])?|"
}

fn some_text() -> impl Strategy<Value = String> {
    text().prop_map(|text| if text.is_empty() { "x".into() } else { text })
}

/// The gateway's own names: no controls, not empty.
fn id() -> impl Strategy<Value = String> {
    "[!-~]{1,40}"
}

fn moment() -> impl Strategy<Value = Moment> {
    (1..=28i8, 1..=12i8, 1970..=2069i16, 0..24i8, 0..60i8, 0..60i8, option::of(-12..=14i8))
        .prop_map(|(day, month, year, hour, minute, second, offset)| Moment {
            local: jiff::civil::datetime(year, month, day, hour, minute, second, 0),
            offset: offset.map(jiff::tz::offset),
        })
}

fn address() -> impl Strategy<Value = Address> {
    (vec(text(), 12), some_text()).prop_map(|(mut texts, object)| {
        let mut next = || texts.pop().unwrap_or_default();
        Address {
            domain: next(),
            post_office: next(),
            object,
            post_office_number: next(),
            object_number: next(),
            token: next(),
            foreign: next(),
            given_name: next(),
            surname: next(),
            department: next(),
            title: next(),
            telephone: next(),
            fax: next(),
        }
    })
}

fn addresses() -> impl Strategy<Value = Vec<Address>> {
    vec(address(), 0..3)
}

fn kind() -> impl Strategy<Value = ItemKind> {
    prop_oneof![
        Just(ItemKind::Mail),
        Just(ItemKind::Appointment),
        Just(ItemKind::Note),
        Just(ItemKind::Task),
        Just(ItemKind::Phone),
        Just(ItemKind::PassThrough)
    ]
}

fn body() -> impl Strategy<Value = Option<Body>> {
    let page =
        prop_oneof![Just(CodePage::Cp437), Just(CodePage::Cp850), Just(CodePage::Windows1252)];
    option::of((id(), page).prop_map(|(stored, page)| Body { stored, page }))
}

fn attachment() -> impl Strategy<Value = Attachment> {
    (id(), text(), option::of(any::<u64>()), option::of(moment()), any::<bool>()).prop_map(
        |(stored, name, size, modified, conversion_allowed)| Attachment {
            stored,
            name,
            size,
            modified,
            conversion_allowed,
        },
    )
}

fn item() -> impl Strategy<Value = Item> {
    let heads = (kind(), text(), text(), option::of(address()), vec(text(), 5));
    let lists = (addresses(), addresses(), addresses(), addresses(), addresses());
    let dates = vec(option::of(moment()), 5);
    let rest = (body(), vec(attachment(), 0..3), any::<(bool, bool, bool)>(), 0..3u8);
    (heads, lists, dates, rest, option::of(vec(some_text(), 4)), option::of(any::<u32>())).prop_map(
        |(heads, lists, dates, rest, call, rank)| {
            let texts = heads.4;
            let (delivered, opened, everything) = rest.2;
            Item {
                kind: heads.0,
                id: heads.1,
                answers: heads.2,
                from: heads.3,
                from_text: texts[0].clone(),
                to: lists.0,
                copies: lists.1,
                blind_copies: lists.2,
                all_to: lists.3,
                all_copies: lists.4,
                to_text: texts[1].clone(),
                copies_text: texts[2].clone(),
                subject: texts[3].clone(),
                sent: dates[0],
                distribute: dates[1],
                begin: dates[2],
                end: dates[3],
                respond_by: dates[4],
                location: texts[4].clone(),
                body: rest.0,
                attachments: rest.1,
                priority: [Priority::High, Priority::Normal, Priority::Low][usize::from(rest.3)],
                security: [Security::Normal, Security::Secret, Security::ForYourEyesOnly]
                    [usize::from(rest.3)],
                status_request: StatusRequest {
                    delivered: delivered || everything,
                    opened: opened || everything,
                    everything,
                },
                phone: call.map(|c| PhoneCall {
                    action: c[0].clone(),
                    caller: c[1].clone(),
                    company: c[2].clone(),
                    telephone: c[3].clone(),
                }),
                task: rank.map(|priority| Task { category: Some('A'), priority: Some(priority) }),
            }
        },
    )
}

fn status() -> impl Strategy<Value = Status> {
    let actions = prop_oneof![
        Just(Action::Delivered),
        Just(Action::Opened),
        Just(Action::Undeliverable),
        Just(Action::Declined)
    ];
    let event = (actions, option::of(moment()), text())
        .prop_map(|(action, time, detail)| StatusEvent { action, time, detail });
    (kind(), vec(text(), 3), id(), option::of(address()), addresses(), vec(event, 1..4), body())
        .prop_map(|(kind, texts, of, from, to, events, body)| Status {
            kind,
            id: texts[0].clone(),
            of,
            from,
            from_text: texts[1].clone(),
            to,
            subject: texts[2].clone(),
            sent: None,
            events,
            body,
        })
}

fn search() -> impl Strategy<Value = Message> {
    (id(), address(), address(), moment(), moment()).prop_map(|(id, from, about, begin, end)| {
        Message::Search(BusySearch { id, from, about, begin, end })
    })
}

fn answer() -> impl Strategy<Value = Message> {
    let span = moment().prop_map(|begin| Span { begin, end: begin });
    (text(), id(), addresses(), option::of(address()), vec(span, 0..4)).prop_map(
        |(id, answers, to, about, busy)| {
            Message::BusyAnswer(BusyAnswer { id, answers, to, about, busy })
        },
    )
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Unsaid),
        Just(Value::Nothing),
        // A lone backslash means nothing.
        some_text().prop_map(|t| Value::Text(if t == "\\" { "y".into() } else { t })),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let kinds = prop_oneof![
        Just(EntryKind::User),
        Just(EntryKind::Group),
        Just(EntryKind::Resource),
        Just(EntryKind::ExternalPostOffice)
    ];
    let operations = prop_oneof![
        Just(Operation::List),
        Just(Operation::Add),
        Just(Operation::Modify),
        Just(Operation::Delete)
    ];
    let alias =
        (some_text(), text()).prop_map(|(kind, external_name)| Alias { kind, external_name });
    (kinds, operations, vec(text(), 3), vec(value(), 11), option::of(vec(alias, 0..3))).prop_map(
        |(kind, operation, names, values, aliases)| Entry {
            kind,
            operation,
            domain: names[0].clone(),
            post_office: names[1].clone(),
            object: names[2].clone(),
            visibility: values[0].clone(),
            last_name: values[1].clone(),
            first_name: values[2].clone(),
            description: values[3].clone(),
            account_id: values[4].clone(),
            title: values[5].clone(),
            department: values[6].clone(),
            phone: values[7].clone(),
            fax: values[8].clone(),
            network_id: values[9].clone(),
            time_zone: values[10].clone(),
            aliases,
        },
    )
}

fn directory() -> impl Strategy<Value = Message> {
    let query = ("[A-Za-z]{0,8}", "[A-Za-z0-9]{0,8}", "[A-Za-z0-9]{0,8}")
        .prop_map(|(kind, domain, post_office)| Query { kind, domain, post_office });
    (text(), text(), any::<bool>(), vec(entry(), 0..4), option::of(query), any::<bool>()).prop_map(
        |(id, answers, everything, entries, query, nothing_found)| {
            Message::Directory(Directory { id, answers, everything, entries, query, nothing_found })
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        item().prop_map(Message::Item),
        status().prop_map(Message::Status),
        search(),
        answer(),
        directory()
    ]
}

/// Octets that steer the reader, more often than others.
fn steering() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"\r\n",
        b"\n",
        b"\n    ",
        b";",
        b",",
        b"\\",
        b"=",
        b"\"",
        b"#",
        b"-END-\n",
        b"To= ",
        b"WPU= x",
        b"Attach-File=",
        b"Current-File= a",
        b"-CONVERSION-ALLOWED-",
        b"DS-User=",
        b"Object= o",
        b"Gw-Alias=",
        b"Type= t",
        b"Msg-Type= Admin;\n",
        b"Status-Report=",
        b"Action= Read",
        b"Orig-Msg-Id= i",
        b"Subject= ",
        b"X=",
        b"\xa1\x00",
        b" word ",
    ];
    vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| {
        let mut octets = pieces.concat();
        octets.extend_from_slice(b"\n-END-\n");
        octets
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_is_read_as_the_same(message in message()) {
        let written = write(&message, PAGE);
        prop_assert_eq!((written.replaced, written.tidied), (0, 0));
        match read(&written.octets, PAGE) {
            Reading::Complete(header) => prop_assert_eq!(header.message, message),
            other => prop_assert!(false, "{:?}\n{}", other, PAGE.page.decode(&written.octets)),
        }
    }

    // No text of a sender can add a keyword, a recipient or a line.
    #[test]
    fn a_text_cannot_add_anything(evil in "[\\x00-\\x1f;,\\\\= #a-zA-Z\\-\u{85}\u{2028}]{0,60}") {
        let plain = Item { subject: "x".into(), from: Some(Address::new("D", "P", "u")), ..Item::default() };
        let mut item = plain.clone();
        item.subject = format!("x{evil}");
        item.from = Some(Address { given_name: format!("x{evil}"), ..Address::new("D", "P", "u") });
        let written = write(&Message::Item(item), PAGE);
        let Reading::Complete(header) = read(&written.octets, PAGE) else {
            return Err(TestCaseError::fail("not complete"));
        };
        let Message::Item(mut read) = header.message else {
            return Err(TestCaseError::fail("no item"));
        };
        prop_assert!(header.notices.is_empty());
        read.subject = "x".into();
        if let Some(from) = &mut read.from {
            from.given_name.clear();
        }
        prop_assert_eq!(read, plain);
    }

    #[test]
    fn any_input_is_complete_not_ready_or_bad(octets in steering()) {
        fuzz(&octets);
    }

    // T19 of the rules: headers with octets changed, cut out and doubled.
    #[test]
    fn a_damaged_header_is_complete_not_ready_or_bad(
        message in message(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 1..6),
    ) {
        let mut octets = write(&message, PAGE).octets;
        for (at, octet, how) in damage {
            let at = at.index(octets.len());
            match how {
                0 => octets[at] = octet,
                1 => octets.insert(at, b";,\\\n=\"# "[usize::from(octet % 8)]),
                2 => drop(octets.remove(at)),
                _ => octets.extend_from_within(at..),
            }
            if octets.is_empty() {
                break;
            }
        }
        fuzz(&octets);
    }

    #[test]
    fn any_octets_are_complete_not_ready_or_bad(octets in vec(any::<u8>(), 0..200)) {
        fuzz(&octets);
    }
}
