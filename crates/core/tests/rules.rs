//! Rules of mailboxes, asked of mail that comes in every way. A file of its own,
//! because a process has one core.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::{Core, Session};
use serde_json::{Value, json};

const POLICY: &str = "
[[local-domain]]
name = 'example.test'
[[local-domain]]
name = 'alias.test'
alias-of = 'example.test'
[[journal]]
name = 'all of bob'
to = 'keep@example.test'
of = ['bob@example.test']
";

async fn core() -> Core {
    let core = Core::start_with(POLICY).await;
    let bootstrap = json!({
        "organisation": "Example", "site": "First", "server": "mail", "domain": "example.test",
        "mailboxes": [{ "name": "alice" }, { "name": "bob" }, { "name": "keep" }],
    });
    core.api("POST", "/v1/directory/bootstrap", &bootstrap).await;
    for domain in ["alias.test", "second.test"] {
        core.api("POST", "/v1/domains", &json!({ "name": domain })).await;
    }
    let addresses = json!({ "add_addresses": ["al@second.test", "NOTES:Alice A/Acme@ACME"] });
    core.api("PATCH", "/v1/mailboxes/alice", &addresses).await;
    core
}

async fn rule(core: &Core, mailbox: &str, rule: Value) {
    core.api("POST", &format!("/v1/mailboxes/{mailbox}/rules"), &json!({ "rule": rule })).await;
}

/// Sends a message with this header; gives back where it lies, in the words of its
/// story, for each recipient.
async fn filed(core: &Core, session: &mut Session, to: &[&str], header: &str) -> Vec<String> {
    assert!(session.say("MAIL FROM:<a@far.test>").await.starts_with("250"));
    for to in to {
        let reply = session.say(&format!("RCPT TO:<{to}>")).await;
        assert!(reply.starts_with("250"), "{reply}");
    }
    session.say("DATA").await;
    let reply = session.say(&format!("{header}\r\n\r\nx\r\n.")).await;
    let id = reply.split_whitespace().last().unwrap_or_default().to_owned();
    assert!(reply.starts_with("250"), "{reply}");
    stored(core, &id).await
}

async fn stored(core: &Core, id: &str) -> Vec<String> {
    let trace = core.api("GET", &format!("/v1/trace?about={id}"), &Value::Null).await;
    let events = trace["items"][0]["events"].as_array().unwrap().clone();
    let stored = events.iter().filter(|event| event["event"] == "stored");
    stored.map(|event| event["detail"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn rules_are_asked_whatever_way_a_message_comes() {
    let core = core().await;
    let mut session = core.session("internet-mail").await;
    my_name(&core, &mut session).await;
    lists_and_forwarding(&core, &mut session).await;
    people_by_any_address(&core, &mut session).await;
    damage(&core, &mut session).await;
    put_aside(&core, &mut session).await;
    journal(&core, &mut session).await;
}

/// T65, Q259616: every form of an address of the mailbox.
async fn my_name(core: &Core, session: &mut Session) {
    let copies = json!({ "name": "copies", "when": ["cc-me"], "move_to": "Copies" });
    rule(core, "alice", copies).await;
    for cc in [
        "alice@example.test",
        "ALICE@Example.TEST",
        "Alice <al@second.test>",
        "alice+tag@example.test",
        "alice@alias.test",
        "IMCEANOTES-Alice+20A_Acme+40ACME@mail.example.test",
    ] {
        let header = format!("To: x@far.test\r\nCc: y@far.test,\r\n {cc}");
        let found = filed(core, session, &["alice@example.test"], &header).await;
        assert!(
            found[0].starts_with("in Copies") && found[0].contains("by 'copies'"),
            "{cc} {found:?}"
        );
    }
    for other in ["To: alice@example.test\r\nCc: bob@example.test", "Subject: x"] {
        let found = filed(core, session, &["al@second.test"], other).await;
        assert!(found[0].starts_with("in INBOX") && !found[0].contains("by"), "{other} {found:?}");
    }
}

async fn lists_and_forwarding(core: &Core, session: &mut Session) {
    let list = json!({ "name": "staff", "addresses": ["staff@example.test"],
        "members": ["alice", "bob"] });
    core.api("POST", "/v1/lists", &list).await;
    rule(
        core,
        "bob",
        json!({ "name": "staff", "when": ["to=staff@example.test"],
        "unless": ["subject=urgent"], "move_to": "Staff", "mark_read": true }),
    )
    .await;
    let header = "To: staff@example.test\r\nCc: al@second.test";
    let mut found = filed(core, session, &["staff@example.test"], header).await;
    found.sort();
    assert!(found[0].starts_with("in Copies") && found[1].starts_with("in Staff"), "{found:?}");
    let urgent = "To: staff@example.test\r\nSubject: URGENT";
    let found = filed(core, session, &["staff@example.test"], urgent).await;
    assert!(found.iter().all(|f| f.starts_with("in INBOX")), "{found:?}");
    // Forwarded mail is judged for whom it reaches: he is not named in it.
    rule(core, "bob", json!({ "name": "forwarded", "when": ["not-named"], "move_to": "Other" }))
        .await;
    core.api("PATCH", "/v1/mailboxes/keep", &json!({ "forward": { "to": "bob" } })).await;
    let header = "To: keep@example.test";
    let found = filed(core, session, &["keep@example.test"], header).await;
    assert!(found.len() == 1 && found[0].starts_with("in Other"), "{found:?}");
    core.api("PATCH", "/v1/mailboxes/keep", &json!({ "forward": null })).await;
}

async fn people_by_any_address(core: &Core, session: &mut Session) {
    let contact = json!({ "name": "eve", "target": "eve@far.test",
        "addresses": ["eve@example.test"] });
    core.api("POST", "/v1/contacts", &contact).await;
    rule(
        core,
        "alice",
        json!({ "name": "eve", "when": ["from=eve@example.test"],
        "move_to": "Eve", "stop": true }),
    )
    .await;
    rule(core, "alice", json!({ "name": "all", "flag": true })).await;
    let found = filed(core, session, &["alice@example.test"], "From: Eve@Far.test").await;
    assert!(found[0].starts_with("in Eve as UID 1, by 'eve'"), "{found:?}");
    assert!(!found[0].contains("'all'"), "a rule that stops comes before: {found:?}");
    let found = filed(core, session, &["alice@example.test"], "From: eve@other.test").await;
    assert!(found[0].starts_with("in INBOX") && found[0].ends_with("by 'all'"), "{found:?}");
}

/// What cannot be judged fires nothing, and nothing is lost.
async fn damage(core: &Core, session: &mut Session) {
    for header in [
        "To: <garbage\r\nCc: y@far.test".to_owned(),
        "To: keep@example.test\r\nthis is no field".to_owned(),
        format!("X: {}\r\nTo: keep@example.test", "x".repeat(900) + &"\r\n y".repeat(60_000)),
    ] {
        let found = filed(core, session, &["bob@example.test"], &header).await;
        assert!(found[0].starts_with("in INBOX"), "{} {found:?}", header.len());
    }
    let found = filed(core, session, &["bob@example.test"], "To: keep@example.test").await;
    assert!(found[0].starts_with("in Other"), "undamaged it fires: {found:?}");
}

/// What was put aside is filed when it is let go.
async fn put_aside(core: &Core, session: &mut Session) {
    session.say("MAIL FROM:<a@far.test>").await;
    session.say("RCPT TO:<alice@example.test>").await;
    session.say("XFORWARD HOLD=spam").await;
    session.say("DATA").await;
    let reply = session.say("Cc: al@second.test\r\nSubject: held\r\n\r\nx\r\n.").await;
    let id = reply.split_whitespace().last().unwrap_or_default().to_owned();
    assert!(stored(core, &id).await.is_empty());
    core.api("POST", &format!("/v1/queue/{id}/release"), &Value::Null).await;
    for _ in 0..500 {
        if let Some(found) = stored(core, &id).await.first() {
            assert!(found.starts_with("in Copies"), "{found}");
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it did not come");
}

/// A journal's copies go by the rules of whoever keeps them.
async fn journal(core: &Core, session: &mut Session) {
    rule(
        core,
        "keep",
        json!({ "name": "bob", "when": ["header:X-Concord-Journal=all of bob",
        "attachment", "automatic"], "move_to": "Journal" }),
    )
    .await;
    filed(core, session, &["bob@example.test"], "Subject: kept").await;
    let copies = core.api("GET", "/v1/trace?address=keep@example.test", &Value::Null).await;
    let id = copies["items"][0]["queue_id"].as_str().unwrap();
    let found = stored(core, id).await;
    assert!(found[0].starts_with("in Journal"), "{copies}");
}
