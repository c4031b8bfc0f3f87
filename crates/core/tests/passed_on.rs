//! Whose a message is that goes out, and how reports on what was passed on find
//! back. A file of its own, because a process has one core.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::{Core, Session, wait_taken};
use concord_base::{Clock as _, SystemClock, Timestamp};
use concord_mail_authentication::SrsFile;
use serde_json::json;

const DAY: i64 = 86_400_000;

async fn send(session: &mut Session, from: &str, to: &str) -> String {
    session.say(&format!("MAIL FROM:<{from}>")).await;
    let said = session.say(&format!("RCPT TO:<{to}>")).await;
    if !said.starts_with("250") {
        session.say("RSET").await;
        return said;
    }
    session.say("DATA").await;
    session.say("Subject: x\r\n\r\nx\r\n.").await
}

#[tokio::test]
async fn the_way_out_is_told_whose_a_message_is_and_reports_find_back() {
    let core = Core::start_with("[relay]\nallow = ['10.0.0.0/8']\n").await;
    let bootstrap = json!({
        "organisation": "Example", "site": "First", "server": "mail", "domain": "example.test",
        "mailboxes": [{ "name": "alice", "password": "secret" }],
    });
    core.api("POST", "/v1/directory/bootstrap", &bootstrap).await;
    for (name, target) in [("friend", "SMTP:friend@far.test"), ("gone", "SMTP:nobody@far.test")] {
        let addresses = [format!("{name}@example.test")];
        let contact = json!({ "name": name, "target": target, "addresses": addresses });
        core.api("POST", "/v1/contacts", &contact).await;
    }
    let (rcpts, sources) = core.connector_with_sources("internet-mail");
    whose(&core).await;
    let expected = ["a@far.test", "friend@far.test", "own@far.test", "printed@far.test"];
    wait_taken(&rcpts, &expected).await;
    let mut told: Vec<_> = sources.lock().unwrap().drain(..).collect();
    told.sort_by(|a, b| a.1.cmp(&b.1));
    let told: Vec<_> =
        told.iter().map(|(source, to)| (source.as_deref().unwrap_or("-"), to.as_str())).collect();
    assert_eq!(
        told,
        [
            // The report that somebody is gone.
            ("LOCAL", "a@far.test"),
            ("REMOTE", "friend@far.test"),
            ("LOCAL", "own@far.test"),
            ("-", "printed@far.test"),
        ]
    );
    rcpts.lock().unwrap().clear();
    returns(&core).await;
    wait_taken(&rcpts, &["b@far.test"]).await;
}

async fn whose(core: &Core) {
    let mut stranger = core.session("internet-mail").await;
    for to in ["friend@example.test", "gone@example.test"] {
        let said = send(&mut stranger, "a@far.test", to).await;
        assert!(said.starts_with("250"), "{said}");
    }
    let mut alice = core.session("internet-mail").await;
    assert!(alice.say("AUTH PLAIN AGFsaWNlAHNlY3JldA==").await.starts_with("235"));
    let said = send(&mut alice, "alice@example.test", "own@far.test").await;
    assert!(said.starts_with("250"), "{said}");
    let mut printer = core.session("internet-mail").await;
    printer.say("XFORWARD ADDR=10.1.2.3").await;
    let said = send(&mut printer, "printer@example.test", "printed@far.test").await;
    assert!(said.starts_with("250"), "{said}");
}

async fn returns(core: &Core) {
    let file = SrsFile::new(core.path("data/keys/srs"), "mail.example.test", 21);
    let srs = file.get().unwrap();
    let now = SystemClock.now();
    let fresh = srs.forward("b@far.test", now).unwrap();
    let old = srs.forward("b@far.test", Timestamp(now.0 - 40 * DAY)).unwrap();
    let forged = fresh.replace("=b@", "=c@");
    let mut stranger = core.session("internet-mail").await;
    for (from, to) in [
        ("x@far.test", fresh.as_str()),
        ("", old.as_str()),
        ("", forged.as_str()),
        ("", "SRS0=b@mail.example.test"),
    ] {
        let said = send(&mut stranger, from, to).await;
        assert!(said.starts_with("550 5.1.1"), "<{from}> <{to}>: {said}");
    }
    let said = send(&mut stranger, "", &fresh.to_lowercase()).await;
    assert!(said.starts_with("250"), "case changes on the way: {said}");
}
