//! Files in the shapes that are known, in our own words, and what they mean.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests, and what they share

use concord_groupwise_api::model::{
    Action, Address, EntryKind, ItemKind, Message, Operation, Priority, Security, Value,
};
use concord_groupwise_api::{
    Characters, CodePage, Header, Notice, Reading, Reason, Unfinished, read, write,
};

fn reading(text: &str) -> Reading {
    read(&CodePage::Cp437.encode(text).octets, Characters::default())
}

fn header(text: &str) -> Header {
    match reading(&text.replace('\n', "\r\n")) {
        Reading::Complete(header) => *header,
        other => panic!("{other:?}\n{text}"),
    }
}

fn item(text: &str) -> concord_groupwise_api::model::Item {
    match header(text).message {
        Message::Item(item) => item,
        other => panic!("{other:?}"),
    }
}

const MAIL: &str = r#"Wpc-Api= 1.2;
Header-Char= T50;
Msg-Type= MAIL;
From=
    WPD= Exchange;
    WPPO= First Administrative Group;
    WPU= ann;
    CDBA= ^íaddrExchange.First Administrative Group.ann^ísbjtFW: x^íosnt22/8/2007 15:23:19^ístrqNone;  ;
From-Text= ann;
To=
    WPD= GWDOMAIN;
    WPPO= GWPO;
    WPU= bob;
    CDBA= GWDOMAIN.GWPO.bob;  ,
    WPD= GWDOMAIN;
    WPPO= GWPO;
    WPU= cid;
    CDBA= GWDOMAIN.GWPO.cid;  ;
To-Text=
    GW bob, GW cid;
Msg-Char= T50;
Msg-File= a7f7cb6f.bdy;
Subject= FW: x;
Msg-Id= c=US\;a= \;p=org\;l=SRV1-070822222319Z-8\;gwcnt=0007;
Date-Sent= 22/8/2007 15:23:19;
Security= Normal;
Msg-Priority= High;
Status-Request= None;
-END-
"#;

#[test]
fn mail_is_read_with_all_its_parts() {
    let header = header(MAIL);
    assert_eq!(header.notices, []);
    let item = item(MAIL);
    assert_eq!(item.kind, ItemKind::Mail);
    assert_eq!(item.from.as_ref().unwrap().post_office, "First Administrative Group");
    // The token holds more than an address; it goes back as it came.
    assert!(item.from.as_ref().unwrap().token.starts_with("^íaddrExchange."));
    let names: Vec<String> = item.to.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["GWDOMAIN.GWPO.bob", "GWDOMAIN.GWPO.cid"]);
    assert_eq!(item.to_text, "GW bob, GW cid");
    assert_eq!(item.id, "c=US;a= ;p=org;l=SRV1-070822222319Z-8;gwcnt=0007");
    assert_eq!(item.body.unwrap().stored, "a7f7cb6f.bdy");
    assert_eq!(item.priority, Priority::High);
    assert_eq!(item.sent.unwrap().local.to_string(), "2007-08-22T15:23:19");
}

// Q222506: both ways of writing the version occur.
#[test]
fn blanks_behind_the_equals_sign_do_not_matter() {
    let tight = item("WPC-API=1.2;\nMsg-Type=Mail;\nFrom=\n WPU=a;\n ;\nSubject=x;\n-END-\n");
    let wide = item("WPC-API= 1.2;\nmsg-type =   MAIL;\nFROM= WPU= a; ;\nSUBJECT=  x;\n-END-");
    assert_eq!(tight, wide);
    let lone_line_feeds = "Msg-Type=Mail;\nSubject=x;\n-END-\n";
    assert!(matches!(reading(lone_line_feeds), Reading::Complete(_)));
}

// Q253349, Q242232: a gateway writes in place.
#[test]
fn a_file_without_its_end_is_not_ready_and_never_bad() {
    assert_eq!(reading(""), Reading::NotReady(Unfinished::Empty));
    let whole = MAIL.trim_end();
    for cut in (1..whole.len()).filter(|cut| whole.is_char_boundary(*cut)) {
        let part = reading(&whole[..cut]);
        assert_eq!(part, Reading::NotReady(Unfinished::NoEnd), "{}", &whole[..cut]);
    }
    let hole = "Msg-Type= Mail;\r\nSubject= \0\0\0\0;\r\n-END-\r\n";
    assert_eq!(reading(hole), Reading::NotReady(Unfinished::Hole));
}

// Q222550: the original lost mail that came in GroupWise style.
#[test]
fn dotted_addresses_mean_the_same_and_are_noticed() {
    let dotted = header("Msg-Type= Mail;\nFrom= GWDOMAIN.GWPO.bob;\nTo=D.P.U1,D.P.U.2;\n-END-\n");
    let Message::Item(item) = &dotted.message else { panic!("{dotted:?}") };
    assert_eq!(item.from, Some(Address::new("GWDOMAIN", "GWPO", "bob")));
    assert_eq!(item.to, [Address::new("D", "P", "U1"), Address::new("D", "P", "U.2")]);
    assert!(dotted.notices.contains(&Notice::DottedAddresses { line: 2 }));
}

#[test]
fn an_address_behind_a_gateway_keeps_its_quotes_and_commas() {
    let item = item("From= D.P.a;\nTo= DOMAIN.GWIA(\"x, y;z@example.org\"), D.P.b;\n-END-\n");
    assert_eq!(item.to[0], Address::new("DOMAIN", "GWIA", "\"x, y;z@example.org\""));
    assert_eq!(item.to[1].object, "b");
}

// The user's name comes from WPU, whatever the token looks like.
#[test]
fn an_object_with_dots_stays_whole() {
    let text = "Msg-Type= Mail;\nTo=\n    WPD= dom;\n    WPPO= po;\n    WPU= name..a3@dom.example;\n    CDBA= dom.po.name..a3@dom.example; ;\n-END-\n";
    let item = item(text);
    assert_eq!(item.to[0].object, "name..a3@dom.example");
    assert_eq!(item.to[0].token, "dom.po.name..a3@dom.example");
}

// Q244467: a value split in two lines, with blanks behind the equals sign.
#[test]
fn a_long_id_is_put_together_wherever_it_was_split() {
    let id: String = (0..500).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    for cut in [1, 2, 77, 250, 499] {
        let text = format!(
            "Msg-Type= Mail;\nOrig-Msg-Id=     {}\n     {};\nStatus-Report=\n  Action= Delivered; ;\n-END-\n",
            &id[..cut],
            &id[cut..]
        );
        let Message::Status(status) = header(&text).message else { panic!() };
        assert_eq!(status.of, id);
        assert_eq!(status.events[0].action, Action::Delivered);
    }
}

// Q234585: gateways write a comma behind the flag.
#[test]
fn attachments_are_told_apart_behind_a_conversion_flag() {
    let text = "Msg-Type= Mail;\nATTACH-FILE=\n  current-file=TMP1.ATH;\n  original-file=report.doc;\n  -CONVERSION-ALLOWED-,\n  current-file=TMP2.ATH;\n  size=77;\n  date=21/03/2001 10:22:31;,\n  current-file=TMP3.ATH;\n  -CONVERSION-ALLOWED-;\n  original-file=c.txt;\n-END-\n";
    let item = item(text);
    let names: Vec<&str> = item.attachments.iter().map(|a| a.stored.as_str()).collect();
    assert_eq!(names, ["TMP1.ATH", "TMP2.ATH", "TMP3.ATH"]);
    let allowed: Vec<bool> = item.attachments.iter().map(|a| a.conversion_allowed).collect();
    assert_eq!(allowed, [true, false, true]);
    assert_eq!(item.attachments[1].size, Some(77));
    assert_eq!(item.attachments[2].name, "c.txt");
}

#[test]
fn an_unknown_keyword_is_left_out_and_noticed() {
    let text = "Msg-Type= Mail;\nX-Mood= fine, thanks;\nX-Block=\n    A= 1;\n    B= 2; ,\n    A= 3; ;\nX-Next-Line=\n    text here;\n-X-FLAG-\nTo=\n    WPU= u;\n    NEW= x;\n    ;\nSubject= still here;\n-END-\n";
    let header = header(text);
    let unknown: Vec<&str> = header
        .notices
        .iter()
        .filter_map(|n| match n {
            Notice::UnknownKeyword { keyword, .. } => Some(keyword.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(unknown, ["X-Mood", "X-Block", "X-Next-Line", "-X-FLAG-", "NEW"]);
    let Message::Item(item) = header.message else { panic!() };
    assert_eq!((item.subject.as_str(), item.to[0].object.as_str()), ("still here", "u"));
}

// Q222538: what a gateway adds to a file that it refuses.
#[test]
fn complaints_behind_the_end_name_line_and_keyword() {
    let header = header(&format!(
        "{MAIL}Line 5 Unknown keyword: WPPO\nLine 012 Unknown keyword: CDBA\nError building the GroupWise message\n"
    ));
    let named: Vec<_> =
        header.diagnostics.iter().map(|d| (d.line, d.unknown_keyword.as_deref())).collect();
    assert_eq!(named, [(Some(5), Some("WPPO")), (Some(12), Some("CDBA")), (None, None)]);
}

// A missing ';' may be an accident or made by somebody who wants to be someone else.
#[test]
fn a_value_that_runs_into_the_next_keyword_is_refused() {
    let bad = |text: &str| match reading(text) {
        Reading::Bad(defect) => (defect.reason, defect.line),
        other => panic!("{other:?}"),
    };
    assert_eq!(bad("Subject= x\nTo= D.P.u;\n-END-\n"), (Reason::ValueNotClosed, 1));
    let block = "From=\n  WPD= D;\n  FN= Ann\n  WPU= boss; ;\n-END-\n";
    assert_eq!(bad(block), (Reason::ValueNotClosed, 3));
    assert_eq!(bad("Subject= x\n-END-\n"), (Reason::ValueNotClosed, 1));
    assert_eq!(bad("Msg-Type= Mail;\nhello\n-END-\n"), (Reason::NoKeyword, 2));
}

#[test]
fn a_search_and_its_answer_are_read() {
    let request = "WPC-API= 1.2;\nMSG-TYPE= Search;\nMsg-ID= AFJDHGOI:1998.11.26.1.5:1999.1.25.1.5:\n        1998.11.26.1.5.54;\nFrom=\n    WPD= Exchange;\n    WPPO= WasteLand;\n    WPU= BEDLAM-SA;\n    CDBA= Exchange.WasteLand.BEDLAM-SA; ;\nTo=\n    WPD= BETA 5;\n    WPPO= Petaling Jaya;\n    WPU= efong;\n    CDBA= BETA 5.Petaling Jaya.efong; ;\nBegin-Time= 26/11/1998 1:5 +0;\nEnd-Time= 25/1/1999 1:5 +0;\n-END-\n";
    let Message::Search(search) = header(request).message else { panic!() };
    assert_eq!(search.id, "AFJDHGOI:1998.11.26.1.5:1999.1.25.1.5:1998.11.26.1.5.54");
    assert_eq!(search.about, {
        let mut about = Address::new("BETA 5", "Petaling Jaya", "efong");
        about.token = "BETA 5.Petaling Jaya.efong".into();
        about
    });
    assert!(!search.is_probe());
    let answer = "WPC-API= 1.2;\nHeader-Char= T50;\nMsg-type= SEARCH;\nOrig-Msg-ID= AFJDHGOI:1998;\nTo=\n    CDBA= a.b.c;\n    ;\nBusy-For=\n        CDBA= BETA 5.x.y;\nBusy-Report=\n    Start-Time= 26/11/98 09:00;\n    End-Time= 26/11/98 10:30; ,\n    Start-Time= 27/11/98 13:00;\n    End-Time= 27/11/98 14:00;\n    ;\nSend-Options= None;\n-END-\n";
    let Message::BusyAnswer(answer) = header(answer).message else { panic!() };
    assert_eq!(answer.about.unwrap().token, "BETA 5.x.y");
    let spans: Vec<String> =
        answer.busy.iter().map(|s| format!("{}/{}", s.begin.local, s.end.local)).collect();
    assert_eq!(
        spans,
        ["1998-11-26T09:00:00/1998-11-26T10:30:00", "1998-11-27T13:00:00/1998-11-27T14:00:00"]
    );
}

#[test]
fn a_probe_is_known_when_it_comes_back_under_another_id() {
    let echo = "Msg-Type= Search;\nFrom-Text= FB-PROBE;\nFrom=\n WPD= D;\n WPPO= P;\n WPU= FB-PROBE;\n ;\nTo=\n WPD= D;\n WPPO= P;\n WPU= FB-PROBE;\n WPPONUM= 1;\n WPUNUM= 1;\n CDBA= D.P.FB-PROBE;\n ;\nMsg-Id= 3FCD7DD9.2A0A.000B.000;\nBegin-Time= 1/1/2000 1:00;\nEnd-Time= 1/1/2000 1:00;\n-END-\n";
    let Message::Search(search) = header(echo).message else { panic!() };
    assert!(search.is_probe());
}

// Q201531: an answer that names no request is what brought gateways down.
#[test]
fn an_answer_without_the_id_of_its_request_is_bad() {
    let text = "Msg-Type= Search;\nBusy-Report=\n ;\n-END-\n";
    let Reading::Bad(defect) = reading(text) else { panic!() };
    assert_eq!(defect.reason, Reason::Missing("Orig-Msg-Id"));
}

#[test]
fn a_directory_answer_gives_its_objects_and_its_question() {
    let text = "Header-Char= T50;\nMsg-Type= ADMIN;\n# The query information was:\n#   Type = DS-User\n#   Domain = EXCHANGE\n#   Post Office = US\nDS-User=\n    Operation= List;\n    Domain= EXCHANGE;\n    Post-Office= US;\n    Object= Administrator;\n    Visibility= System;\n    Description= ;\n    Last-Name= \\\\;\n    Gw-Alias=\n        Type= exchange;\n        External-Name= Administrator@EXCHANGE; ;\n    ;\nDS-User=\n    Operation= List;\n    Domain= EXCHANGE;\n    Post-Office= US;\n    Object= noname;\n    Gw-Alias=;\n    ;\n-END-\n";
    let Message::Directory(directory) = header(text).message else { panic!() };
    let query = directory.query.unwrap();
    assert_eq!((query.kind.as_str(), query.post_office.as_str()), ("DS-User", "US"));
    assert_eq!(directory.entries.len(), 2);
    let first = &directory.entries[0];
    assert_eq!((first.kind, first.operation), (EntryKind::User, Operation::List));
    assert_eq!((&first.last_name, &first.title), (&Value::Nothing, &Value::Unsaid));
    assert_eq!(first.aliases.as_ref().unwrap()[0].external_name, "Administrator@EXCHANGE");
    // Q201547: a user without names still has one to show.
    assert_eq!(directory.entries[1].display_name(), "noname");
    assert_eq!(directory.entries[1].aliases.as_deref(), Some(&[][..]));
}

// Q214648: an answer that finds nothing is an answer.
#[test]
fn an_answer_that_finds_nothing_says_so() {
    let text = "Msg-Type= Admin;\n# There are no objects which match the query criteria.\n-END-\n";
    let Message::Directory(directory) = header(text).message else { panic!() };
    assert!(directory.nothing_found && directory.entries.is_empty());
}

#[test]
fn the_requests_of_a_synchronisation_are_written_as_gateways_know_them() {
    use concord_groupwise_api::model::Directory;
    let written = |directory| {
        let octets = write(&Message::Directory(directory), Characters::default()).octets;
        String::from_utf8(octets).unwrap().replace("\r\n", "\n")
    };
    assert_eq!(
        written(Directory::get_everything()),
        "WPC-API= 1.2;\nHeader-Char= T50;\nMsg-Type= Admin;\n-GET-DIRECTORY-\n-END-\n"
    );
    assert_eq!(
        written(Directory::list_users("EXCHANGE", "US")),
        "WPC-API= 1.2;\nHeader-Char= T50;\nMsg-Type= Admin;\nDS-User=\n    Operation= List;\n    Visibility= System;\n    Domain= EXCHANGE;\n    Post-Office= US;\n    Gw-Alias=;\n    ;\n-END-\n"
    );
    assert_eq!(
        written(Directory::add_post_office("EXCHANGE", "US")),
        "WPC-API= 1.2;\nHeader-Char= T50;\nMsg-Type= Admin;\nDS-External-Post-Office=\n    Operation= Add;\n    Domain= EXCHANGE;\n    Post-Office= US;\n    Time-Zone= gmt;\n    ;\n-END-\n"
    );
}

// Q234398: a place with an umlaut became squares.
#[test]
fn a_place_with_umlauts_is_the_same_on_both_sides() {
    let mut item = item(MAIL);
    item.kind = ItemKind::Appointment;
    item.location = "Zimmer Süd".into();
    for page in [CodePage::Cp437, CodePage::Cp850, CodePage::Windows1252] {
        let characters = Characters::new(page);
        let mut item = item.clone();
        item.body = None;
        let message = Message::Item(item);
        let written = write(&message, characters);
        assert_eq!(
            (written.tidied, page == CodePage::Windows1252 || written.replaced == 0),
            (0, true)
        );
        let Reading::Complete(read) = read(&written.octets, characters) else { panic!() };
        assert_eq!(read.message, message);
    }
}

// Q249861: a report on a long subject stopped the original.
#[test]
fn a_report_with_a_subject_of_two_thousand_characters_is_read() {
    let subject = "ä;".repeat(1000);
    let text = format!(
        "Msg-Type= Mail;\nSubject= {};\nOrig-Msg-Id= x;\nStatus-Report=\n    Action= UNDELIVERED;\n    Reason= no such user;\n    Time= 1/2/1999 3:04 +1;\n    ;\n-END-\n",
        subject.replace(';', "\\;")
    );
    let Message::Status(status) = header(&text).message else { panic!() };
    assert_eq!(status.subject, subject);
    assert_eq!(status.events[0].action, Action::Undeliverable);
    assert_eq!(status.events[0].detail, "no such user");
    assert_eq!(status.events[0].time.unwrap().to_string(), "1/2/1999 3:04 +1");
}

// Q244253: a damaged foreign domain gave headers without a type.
#[test]
fn a_header_without_a_type_is_mail() {
    let header = header("Subject= x;\n-END-\n");
    assert!(matches!(&header.message, Message::Item(item) if item.kind == ItemKind::Mail));
    assert_eq!(header.notices, [Notice::NoMessageType]);
}

#[test]
fn how_confidential_an_item_is_is_read_in_any_spelling() {
    let read = |word: &str| item(&format!("Security= {word};\n-END-\n")).security;
    assert_eq!(read("TOP SECRET"), Security::TopSecret);
    assert_eq!(read("Confidential"), Security::Confidential);
    assert_eq!(read("whatever"), Security::Normal);
}

#[test]
fn a_directory_of_many_users_is_read_in_time_that_grows_with_it() {
    let user = |n: usize| {
        format!(
            "DS-User=\r\n    Operation= List;\r\n    Domain= D;\r\n    Post-Office= P;\r\n    Object= u{n};\r\n    Last-Name= L{n};\r\n    Gw-Alias=\r\n        Type= SMTP;\r\n        External-Name= u{n}@example.org; ;\r\n    ;\r\n"
        )
    };
    let mut text = String::from("Msg-Type= Admin;\r\n");
    for n in 0..20_000 {
        text.push_str(&user(n));
    }
    text.push_str("-END-\r\n");
    let Reading::Complete(header) = reading(&text) else { panic!() };
    let Message::Directory(directory) = header.message else { panic!() };
    assert_eq!(directory.entries.len(), 20_000);
    assert_eq!(directory.entries[19_999].object, "u19999");
}

#[test]
fn what_is_beyond_a_bound_is_refused_and_not_cut() {
    use concord_groupwise_api::limits::{MAX_BLOCK, MAX_LINE, MAX_LIST, MAX_NOTICES, MAX_VALUE};
    let refused = |text: String| match reading(&text) {
        Reading::Bad(defect) => defect.reason,
        other => panic!("{other:?}"),
    };
    let long = format!("Subject= {};\n-END-\n", "x".repeat(MAX_LINE));
    assert_eq!(refused(long), Reason::LineTooLong);
    let lines = format!("{}\n    ", "x".repeat(1000)).repeat(MAX_VALUE / 1000 + 1);
    assert_eq!(refused(format!("Subject= {lines};\n-END-\n")), Reason::ValueTooLong);
    let people = "    WPU= u; ,\n".repeat(MAX_LIST + 2);
    assert_eq!(refused(format!("To=\n{people}    WPU= u; ;\n-END-\n")), Reason::TooMany);
    let fields = "    WPU= u;\n".repeat(MAX_BLOCK + 2);
    assert_eq!(refused(format!("To=\n{fields}    ;\n-END-\n")), Reason::TooMany);
    let strange = header(&format!("Msg-Type= Mail;\n{}-END-\n", "X-A= b;\n".repeat(5_000)));
    assert!(strange.notices.len() <= MAX_NOTICES);
}
