//! Several filters, and what each answer of a milter means.

use crate::fake::{Does, Fake, Script, octets};
use crate::{begin, chain, client, judged, message, queue, text};
use bytes::Bytes;
use concord_mail_filter::{Action, apply_edits};
use concord_milter::{Command, Edit, ReplyCode, Response, Steps};
use concord_smtp::Reply;

fn says(letter: u8, response: Response) -> Script {
    Script::at(letter, Does::Says(vec![response]))
}

fn words(code: u16) -> Response {
    let lines = vec!["100% no".to_owned(), "really".to_owned()];
    Response::Reply(ReplyCode { code, status: None, lines })
}

#[tokio::test]
async fn a_later_filter_sees_the_changes_of_an_earlier_one() {
    let edits = vec![
        Response::Edit(Edit::ChangeHeader {
            occurrence: 1,
            name: octets("Subject"),
            value: octets("changed"),
        }),
        Response::Edit(Edit::ReplaceBody(octets("new body\r\n"))),
        Response::Accept,
    ];
    let first = Fake::start(Script::at(b'E', Does::Says(edits))).await;
    let second = Fake::start(Script::default()).await;
    let rule = "[[filter]]\nname = \"rule\"\nkind = \"header\"\nheader = \"Subject\"\n\
                contains = \"CHANGED\"\naction = \"mark\"\nmark = \"X-Rule: yes\"\n";
    let configs = [first.config("defer"), rule.to_owned(), second.config("defer")].concat();
    let original = message("hello", "old body");
    let verdict = judged(&chain(&configs), &original).await;
    assert_eq!(verdict.action, Action::Accept);
    let out = text(&verdict.message);
    assert!(out.starts_with("Received: from client"), "{out}");
    assert!(out.contains("\r\nSubject: changed\r\nMessage-ID"), "{out}");
    assert!(out.ends_with("\r\nX-Rule: yes\r\n\r\nnew body\r\n"), "{out}");
    assert_eq!(apply_edits(&original, &verdict.edits), verdict.message);
    let heard = second.heard().concat();
    let header = |name, value| Command::Header(octets(name), octets(value));
    assert!(heard.contains(&header("Subject", "changed")), "{heard:?}");
    assert!(heard.contains(&header("X-Rule", "yes")));
    assert!(heard.contains(&Command::Body(octets("new body\r\n"))));
    let received = heard.iter().any(|c| matches!(c, Command::Header(n, _) if n == "Received"));
    assert!(!received, "the server's own field is not shown");
    assert_eq!(verdict.notes.len(), 3);
}

#[tokio::test]
async fn our_own_field_stays_hidden_below_what_a_filter_puts_at_the_top() {
    let insert = |at, name| {
        Response::Edit(Edit::InsertHeader { at, name: octets(name), value: octets("v") })
    };
    let first = vec![insert(0, "X-First"), Response::Accept];
    let second = vec![insert(0, "X-Top"), insert(3, "X-Below"), Response::Accept];
    let first = Fake::start(Script::at(b'E', Does::Says(first))).await;
    let second = Fake::start(Script::at(b'E', Does::Says(second))).await;
    let configs = [first.config("defer"), second.config("defer")].concat();
    let verdict = judged(&chain(&configs), &message("hello", "body")).await;
    let heard = second.heard().concat();
    let names = heard.iter().filter_map(|command| match command {
        Command::Header(name, _) => Some(text(name)),
        _ => None,
    });
    let expected = ["X-First", "From", "To", "Subject", "Message-ID", "Date"];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    let out = text(&verdict.message);
    let names: Vec<&str> = out.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert_eq!(names[..5], ["X-Top", "X-First", "Received", "X-Below", "From"]);
}

#[tokio::test]
async fn a_milter_hears_who_it_is_about() {
    let fake = Fake::start(Script::default()).await;
    judged(&chain(&fake.config("defer")), &message("a", "b")).await;
    let heard = fake.heard().concat();
    let macros = |letter| {
        let find = |c: &Command| match c {
            Command::Macros(l, pairs) if *l == letter => Some(pairs.clone()),
            _ => None,
        };
        heard.iter().find_map(find).unwrap()
    };
    let pair = |name, value| (octets(name), octets(value));
    assert!(macros(b'C').contains(&pair("j", "mail.example.test")));
    assert!(macros(b'H').contains(&pair("tls_version", "TLSv1.3")));
    assert!(macros(b'M').contains(&pair("mail_addr", "ann@example.com")));
    assert!(macros(b'R').contains(&pair("rcpt_host", "example.test")));
    assert!(macros(b'E').contains(&pair("i", "Q1A2")));
    let mail = Command::Mail(vec![octets("<ann@example.com>"), octets("SIZE=1000")]);
    assert!(heard.contains(&mail), "{heard:?}");
}

#[tokio::test]
async fn refusals_are_answers_at_their_step() {
    let refused = Reply::new(550, (5, 7, 1), "100% no\nreally");
    let fake = Fake::start(says(b'R', words(550))).await;
    let chain1 = chain(&fake.config("defer"));
    let mut session = chain1.session(client());
    assert_eq!(session.mail("a@example.com", &[], None).await, None);
    assert_eq!(session.rcpt("b@example.test", &[]).await, Some(refused.clone()));
    session.abort();
    assert_eq!(session.mail("a@example.com", &[], None).await, None, "RSET and another message");
    session.end().await;

    let fake = Fake::start(says(b'M', Response::TempFail)).await;
    let mut session = chain(&fake.config("accept")).session(client());
    assert_eq!(session.mail("a@example.com", &[], None).await.map(|r| r.code), Some(451));
    assert_eq!(session.mail("b@example.com", &[], None).await.map(|r| r.code), Some(451));
    session.end().await;
    assert_eq!(fake.letters().len(), 1);

    let fake = Fake::start(says(b'H', Response::Shutdown)).await;
    let mut session = chain(&fake.config("accept")).session(client());
    assert_eq!(session.helo("h.example", None).await.map(|r| r.code), Some(421));
    session.end().await;

    for stage in *b"TLNBE" {
        let fake = Fake::start(says(stage, words(550))).await;
        let verdict = judged(&chain(&fake.config("accept")), &message("a", "b")).await;
        assert_eq!(verdict.action, Action::Refuse(refused.clone()));
        let fake = Fake::start(says(stage, words(452))).await;
        let verdict = judged(&chain(&fake.config("accept")), &message("a", "b")).await;
        assert!(matches!(verdict.action, Action::Defer(reply) if reply.code == 452));
    }
}

#[tokio::test]
async fn discard_at_any_step_drops_the_message_and_accept_ends_the_questions() {
    for stage in *b"MRTLNBE" {
        let fake = Fake::start(says(stage, Response::Discard)).await;
        let verdict = judged(&chain(&fake.config("defer")), &message("a", "b")).await;
        assert_eq!(verdict.action, Action::Discard, "{}", char::from(stage));
    }
    for stage in *b"CHMRTLNBE" {
        let fake = Fake::start(says(stage, Response::Accept)).await;
        let chain = chain(&fake.config("defer"));
        for _ in 0..2 {
            let verdict = judged(&chain, &message("a", "b")).await;
            assert_eq!(verdict.action, Action::Accept, "{}", char::from(stage));
        }
        // After this answer libmilter would not hear of a next session.
        let letters = fake.letters();
        assert_eq!(letters.len(), 2, "each session has a connection: {letters:?}");
        assert!(letters.iter().all(|all| all.matches(char::from(stage)).count() == 1));
        assert!(letters.iter().all(|all| !all.contains('K')), "{letters:?}");
    }
}

#[tokio::test]
async fn skip_spares_the_rest_of_a_large_body_and_no_answers_are_waited_for() {
    let large = message("a", &"x".repeat(300_000));
    let fake = Fake::start(Script { steps: Steps::SKIP.bits(), ..says(b'B', Response::Skip) });
    let fake = fake.await;
    let verdict = judged(&chain(&fake.config("defer")), &large).await;
    assert_eq!(verdict.action, Action::Accept);
    assert_eq!(verdict.message.as_ptr(), large.as_ptr(), "no copy without a change");
    assert_eq!(fake.letters()[0].matches('B').count(), 1);

    let silent = Steps::NO_REPLY_BODY | Steps::NO_REPLY_HEADERS | Steps::NO_REPLY_RCPT;
    let quiet = Script { steps: silent.bits(), ..Script::default() }
        .and(b'B', Does::Says(Vec::new()))
        .and(b'L', Does::Says(Vec::new()))
        .and(b'R', Does::Says(Vec::new()));
    let fake = Fake::start(quiet).await;
    let verdict = judged(&chain(&fake.config("defer")), &large).await;
    assert_eq!(verdict.action, Action::Accept, "{:?}", verdict.notes);
    let heard = fake.heard().concat();
    let body = heard.iter().filter_map(|c| match c {
        Command::Body(piece) => Some(piece.clone()),
        _ => None,
    });
    let body = body.collect::<Vec<Bytes>>().concat();
    assert!(large.ends_with(&body) && body.len() == 300_002);
}

#[tokio::test]
async fn the_first_reason_to_quarantine_stands_and_a_refusal_overrides_it() {
    let held = |why| {
        let edit = Response::Edit(Edit::Quarantine(octets(why)));
        Script::at(b'E', Does::Says(vec![edit, Response::Continue]))
    };
    let (one, two) = (Fake::start(held("one")).await, Fake::start(held("two")).await);
    let configs = [one.config("defer"), two.config("defer")].concat();
    let verdict = judged(&chain(&configs), &message("a", "b")).await;
    let reason = format!("fake-{}: one", one.port);
    assert_eq!(verdict.action, Action::Quarantine { reason });
    let no = Fake::start(says(b'E', Response::Reject)).await;
    let configs = [one.config("defer"), no.config("defer")].concat();
    let verdict = judged(&chain(&configs), &message("a", "b")).await;
    assert!(matches!(verdict.action, Action::Refuse(_)));
    assert!(verdict.edits.is_empty());
}

#[tokio::test]
async fn a_second_message_of_a_session_is_judged_by_itself() {
    let fake = Fake::start(says(b'T', Response::Accept)).await;
    let chain = chain(&fake.config("defer"));
    let mut session = chain.session(client());
    for _ in 0..2 {
        begin(&mut session).await;
        let verdict = session.message(&message("a", "b"), &queue()).await;
        assert_eq!(verdict.action, Action::Accept);
    }
    session.end().await;
    assert_eq!(fake.letters()[0].matches('T').count(), 2);
}
