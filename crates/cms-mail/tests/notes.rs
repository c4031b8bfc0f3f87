//! Notes as hosts write them, in their own words and layout.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use concord_cms_mail::note::{
    self, Answer, CopiesFrom, DateOrder, Layout, Note, NoteAddress, NoteDate, NoteError, NoteForm,
    NoteRules, Person, Release, Separator,
};
use concord_cms_mail::{
    Arrived, CarriageControl, Device, HostAddress, Place, Records, SpoolFile, TextRules, lines,
    read_lines, write_lines,
};
use concord_ebcdic::{CodePage, Substitution};
use jiff::tz::TimeZone;

fn split(text: &str) -> Vec<String> {
    lines(text).map(str::to_owned).collect()
}

fn profs(release: Release) -> NoteRules {
    NoteRules { form: NoteForm::Profs, release, ..NoteRules::default() }
}

fn host(node: &str, user: &str) -> Person {
    Person::host(HostAddress::new(node, user).unwrap())
}

fn named(name: &str, node: &str, user: &str) -> Person {
    Person { name: name.into(), ..host(node, user) }
}

#[test]
fn a_note_of_cms_is_read_with_sender_date_and_text() {
    let text = "Date: 13 November 93, 22:52:42 CET\nFrom: CMS1     at ALIJKU11\n\
                To:   MEA at FINFILES\n\nHello,\n\nthis is it.\n\n";
    let note = note::read(&split(text), &NoteRules::default()).unwrap();
    assert_eq!(note.from, Some(host("ALIJKU11", "CMS1")));
    assert_eq!(note.to, [host("FINFILES", "MEA")]);
    let sent = note.date.unwrap().instant(&TimeZone::UTC).unwrap();
    assert_eq!(sent.to_string(), "1993-11-13T21:52:42Z");
    assert_eq!(note.text, ["Hello,", "", "this is it."]);
    assert_eq!(note.acknowledge, None);
}

#[test]
fn the_editors_options_are_skipped_and_ask_for_an_acknowledgement() {
    for (option, asked) in [("ACK", true), ("NOACK", false)] {
        let text = format!(
            "OPTIONS: {option}    LOG    SHORT     NOTEBOOK ALL CLASS A\n\n\n\n\
             From: A at B\nTo: C at D\nX-Odd: kept\nSubject: a subject\n that goes on\n\ntext"
        );
        let note = note::read(&split(&text), &NoteRules::default()).unwrap();
        assert_eq!(note.acknowledge, Some(asked));
        assert_eq!(note.subject, "a subject that goes on");
        assert_eq!(note.others, [("X-Odd".to_owned(), "kept".to_owned())]);
        assert_eq!(note.text, ["text"]);
    }
}

#[test]
fn addressees_stand_on_one_line_or_on_several_with_names_before_or_behind() {
    let text = "From: John Doe  JOHNDOE at VMSP6\nTo: A at N1, B at N2\n      C at N3 D at N4\n\
                cc: Jane <jane@example.com>\n\nx";
    let note = note::read(&split(text), &NoteRules::default()).unwrap();
    assert_eq!(note.from, Some(named("John Doe", "VMSP6", "JOHNDOE")));
    assert_eq!(note.to, [host("N1", "A"), host("N2", "B"), host("N3", "C"), host("N4", "D")]);
    let jane = NoteAddress::Internet("jane@example.com".into());
    assert_eq!(note.copies, [Person { name: "Jane".into(), address: Some(jane) }]);
}

/// Q107105: the text that the reader of PROFS had.
#[test]
fn a_note_of_profs_in_the_reader_is_read() {
    let text = "MSG:FROM: JOHNDOE --VMSP6    TO: ADMIN   --PROFS30  05/13/93  22:27:06\n\
                To: ADMIN   --PROFS30\n\nFROM:\nSubject: the plan\n\nHere it is.\nJohn";
    let file = SpoolFile { records: ebcdic(text), ..SpoolFile::default() };
    let Ok(Arrived::Note(note)) = file.open(CodePage::Cp037, &NoteRules::default()) else {
        panic!("no note")
    };
    assert_eq!(note.from, Some(host("VMSP6", "JOHNDOE")));
    assert_eq!(note.to, [host("PROFS30", "ADMIN")]);
    assert_eq!(note.subject, "the plan");
    assert_eq!(note.date.clone().unwrap().text, "05/13/93 22:27:06");
    assert_eq!(note.text, ["", "Here it is.", "John"]);
}

/// Q115457: what a gateway wrote for PROFS.
#[test]
fn a_date_behind_the_sender_is_read() {
    let text = format!(
        "From: ADMIN   --PCNODE   Date and Time   08-24-93 19:15:20\nTo: MARKEEF  -VMNODE\n{}\nx",
        "-".repeat(78)
    );
    let note = note::read(&split(&text), &profs(Release::Two)).unwrap();
    assert_eq!(note.from, Some(host("PCNODE", "ADMIN")));
    assert_eq!(note.to, [host("VMNODE", "MARKEEF")]);
    let sent = note.date.unwrap().instant(&TimeZone::UTC).unwrap();
    assert_eq!(sent.to_string(), "1993-08-24T19:15:20Z");
    assert_eq!(note.text, ["x"]);
}

/// Q176680: people whom a quoted note named got copies of what was sent on.
#[test]
fn copies_in_a_quoted_note_are_nobodys() {
    let text = "From: A --N\nTo: B --N\ncc: NEW --N\nSubject: fwd\n\
                --------------------------------\nsee below\n\n\
                *** Forwarding note from OLD --N 05/13/93 22:27 ***\nTo: X --N\ncc: OLD1 --N\n\ntext";
    for release in [Release::One, Release::Two] {
        let note = note::read(&split(text), &profs(release)).unwrap();
        assert_eq!(note.copies, [host("N", "NEW")], "{release:?}");
    }
}

/// Q182279: release 1 puts the list at the foot, and a note that was sent on still
/// has its old one there. T70.
#[test]
fn a_list_at_the_foot_is_the_notes_only_if_it_is_not_the_quoted_ones() {
    let head = "From: A --N\nTo: B --N\nSubject: s\n--------------------------------\nhello\n";
    let forwarded = "*** Forwarding note from OLD --N 05/13/93 22:27 ***\nold text\n";
    let (old, new) = ("\ncc: OLD1 --N\n     OLD2 --N\n", "\ncc: NEW1 --N\n    NEW2 --N\n");
    let read = |text: String| note::read(&split(&text), &profs(Release::One)).unwrap();
    let plain = read(format!("{head}{new}"));
    assert_eq!(plain.copies, [host("N", "NEW1"), host("N", "NEW2")]);
    assert_eq!(
        (plain.copies_from, plain.text.as_slice()),
        (CopiesFrom::Foot, &["hello".into()][..])
    );
    assert!(read(format!("{head}{forwarded}{old}")).copies.is_empty());
    let both = read(format!("{head}{forwarded}{old}{new}"));
    assert_eq!(both.copies, [host("N", "NEW1"), host("N", "NEW2")]);
    assert!(both.text.iter().any(|line| line.contains("OLD2")), "the quoted text stays");
    // Answers to everybody do not go to a list that may be somebody else's.
    let me = host("N", "B");
    assert!(both.reply(&me, Answer::Everybody).copies.is_empty());
    assert_eq!(both.reply(&me, Answer::EverybodyAndFoot).copies.len(), 2);
    // A list that is followed by text is text.
    assert!(read(format!("{head}{new}more text\n")).copies.is_empty());
}

/// Q236335: they were discarded, and To was empty. T71.
#[test]
fn names_without_an_address_are_shown_and_never_answered() {
    let text = "From: A --N\nTo: Everybody in Sales, B --N\ncc: The Board\nSubject: s\n\
                --------------------------------\nx";
    let note = note::read(&split(text), &profs(Release::Two)).unwrap();
    let names: Vec<&str> = note.people().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["Everybody in Sales", "", "The Board"]);
    let answer = note.reply(&host("N", "ME"), Answer::Everybody);
    assert_eq!((answer.to, answer.copies), (vec![host("N", "A")], vec![host("N", "B")]));
    let written = note.write(&Layout::profs()).join("\n");
    assert!(written.contains("Everybody in Sales") && written.contains("The Board"), "{written}");
}

#[test]
fn an_answer_goes_where_the_note_asks_and_keeps_its_subject() {
    let note = Note {
        from: Some(host("N", "A")),
        reply_to: Some(host("N", "DESK")),
        subject: "the plan".into(),
        ..Note::default()
    };
    let me = host("N", "ME");
    let answer = note.reply(&me, Answer::Sender);
    assert_eq!(
        (answer.to.as_slice(), answer.subject.as_str()),
        (&[host("N", "DESK")][..], "Re: the plan")
    );
    let again = Note { from: Some(me.clone()), ..answer }.reply(&host("N", "A"), Answer::Sender);
    assert_eq!((again.to, again.subject.as_str()), (vec![me], "Re: the plan"));
}

/// Q200472: a row of dashes under the subject, or the line that is set, which is
/// not repeated and is cut at the margin.
#[test]
fn the_line_under_the_subject_is_dashes_or_what_is_set() {
    let note = Note { subject: "s".into(), text: vec!["t".into()], ..Note::default() };
    assert_eq!(note.write(&Layout::profs())[1], "-".repeat(78));
    let separator = Separator::Line("=+".repeat(60));
    let layout = Layout { separator, margin: 40, ..Layout::profs() };
    let written = note.write(&layout);
    assert_eq!(written, ["Subject: s", &"=+".repeat(20), "t"]);
    let last_line = Some("=+".repeat(20));
    let rules = NoteRules { last_line, ..profs(Release::Two) };
    assert_eq!(note::read(&written, &rules), Ok(note));
}

/// Q193122: an empty note stopped the flow. T67.
#[test]
fn an_empty_file_and_an_empty_note_are_told_apart_from_mail_and_stop_nothing() {
    let empty = SpoolFile::default();
    assert_eq!(empty.open(CodePage::Cp037, &NoteRules::default()), Ok(Arrived::Empty));
    let blank = SpoolFile { records: [[0x40; 80]].into_iter().collect(), ..SpoolFile::default() };
    assert_eq!(blank.open(CodePage::Cp037, &NoteRules::default()), Ok(Arrived::Cards));
    assert_eq!(note::read(&[], &NoteRules::default()), Err(NoteError::Empty));
    let wide: Records = [[0xC1; 132]].into_iter().collect();
    let print = SpoolFile {
        device: Device::Print,
        carriage: CarriageControl::None,
        records: wide,
        ..SpoolFile::default()
    };
    let listing = Arrived::Listing(vec!["A".repeat(132)]);
    assert_eq!(print.open(CodePage::Cp037, &NoteRules::default()), Ok(listing));
}

/// Q221565: RSCS takes the user id SYSTEM for nobody.
#[test]
fn a_file_for_nobody_has_no_destination_and_no_empty_one() {
    assert!(HostAddress::new("NODE", "").is_err());
    assert!(HostAddress::new("NODE", "        ").is_err());
}

#[test]
fn text_without_a_heading_is_no_note_and_says_where() {
    let error = note::read(&split("\nhello\n"), &NoteRules::default());
    assert_eq!(error, Err(NoteError::NoHeading(Place::start(1))));
}

/// Q224597: mail was of 1601.
#[test]
fn a_note_without_a_date_has_none_and_no_odd_one() {
    for date in ["", "Date:\n", "Date: soon\n"] {
        let text = format!("{date}From: A at B\nTo: C at D\n\nx");
        let note = note::read(&split(&text), &NoteRules::default()).unwrap();
        assert_eq!(note.date.and_then(|date| date.instant(&TimeZone::UTC)), None, "{date}");
    }
}

/// Q178082: the person was in To at the host.
#[test]
fn a_written_note_names_those_of_its_heading_and_nobody_else() {
    let note = Note { to: vec![host("N", "SEEN")], ..Note::default() };
    assert!(!note.write(&Layout::cms()).join("\n").contains("HIDDEN"));
    let people: Vec<&Person> = note.people().collect();
    assert_eq!(people, [&host("N", "SEEN")]);
}

fn ebcdic(text: &str) -> Records {
    let rules =
        TextRules { page: CodePage::Cp037, substitution: Substitution::Refuse, columns: 132 };
    write_lines(lines(text), &rules).unwrap().records
}

/// Q196615, Q194872: letters of the country and the euro.
#[test]
fn national_letters_and_the_euro_reach_the_host_and_come_back() {
    let text = ["Grüße aus Köln, 5 €, Ärger mit [Klammern]"];
    for page in [CodePage::Cp1141, CodePage::Cp1148, CodePage::Cp1147] {
        let rules = TextRules { page, substitution: Substitution::Refuse, columns: 80 };
        let written = write_lines(text, &rules).unwrap();
        assert_eq!(read_lines(&written.records, page), text);
    }
    let rules = TextRules {
        page: CodePage::Cp500,
        ..TextRules {
            page: CodePage::Cp500,
            substitution: Substitution::Transliterate,
            columns: 80,
        }
    };
    let written = write_lines(text, &rules).unwrap();
    assert_eq!(read_lines(&written.records, CodePage::Cp500)[0], text[0].replace('€', "EUR"));
    assert_eq!(written.unsaid.count, 1);
}

mod round_trips {
    use super::*;
    use proptest::prelude::*;

    fn part() -> impl Strategy<Value = String> {
        "[A-Z$#][A-Z0-9$#]{0,7}".prop_filter("a word of the heading", |one| one != "AT")
    }

    fn person() -> impl Strategy<Value = Person> {
        let host = (part(), part(), "([A-Z][a-z]{2,8}( [A-Z][a-z]{2,8})?)?")
            .prop_map(|(node, user, name)| named(&name, &node, &user));
        let internet = ("[a-z]{1,8}@[a-z]{1,8}\\.example", "([A-Z][a-z]{2,8})?").prop_map(
            |(address, name)| Person { name, address: Some(NoteAddress::Internet(address)) },
        );
        let bare =
            "[A-Z][a-z]{2,8} [A-Z][a-z]{2,8}".prop_map(|name| Person { name, address: None });
        prop_oneof![3 => host, 1 => internet, 1 => bare]
    }

    prop_compose! {
        fn note()(
            from in person(),
            to in prop::collection::vec(person(), 1..20),
            copies in prop::collection::vec(person(), 0..5),
            subject in "([A-Za-z]{1,30}( [A-Za-z]{1,30}){0,6})?",
            seconds in 0_i64..4_000_000_000,
            text in prop::collection::vec("[a-z .,:-]{0,70}", 0..10),
        ) -> Note {
            let at = jiff::Timestamp::from_second(seconds).unwrap();
            let mut text: Vec<String> = text.iter().map(|l| l.trim_end().to_owned()).collect();
            let end = text.iter().rposition(|line| !line.is_empty());
            text.truncate(end.map_or(0, |at| at + 1));
            Note {
                date: Some(NoteDate::write(at, &TimeZone::UTC)),
                from: Some(from), to, copies, subject, text,
                ..Note::default()
            }
        }
    }

    proptest! {
        #[test]
        fn a_note_that_was_written_is_read_again(note in note()) {
            for (layout, form) in [(Layout::cms(), NoteForm::Cms), (Layout::profs(), NoteForm::Profs)] {
                let rules = TextRules {
                    page: CodePage::Cp1047, substitution: Substitution::Refuse, columns: layout.margin,
                };
                let lines = note.write(&layout);
                let written = write_lines(lines.iter().map(String::as_str), &rules).unwrap();
                prop_assert_eq!(written.broken, 0);
                let rules = NoteRules { form, order: DateOrder::MonthFirst, ..NoteRules::default() };
                let read = note::read(&read_lines(&written.records, CodePage::Cp1047), &rules);
                prop_assert_eq!(read, Ok(note.clone()));
            }
        }
    }
}
