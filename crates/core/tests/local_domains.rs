//! What the policy says of our domains, of sizes, and of what is put aside or
//! kept. A file of its own, because a process has one core.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::{Core, Session, wait_taken};
use serde_json::{Value, json};

const POLICY: &str = "
[inbound]
size-limit = '2000 B'
postmaster = 'alice@example.test'
[outbound]
size-limit = '1000 B'
[[local-domain]]
name = 'example.test'
catch-all = 'bob@example.test'
[[local-domain]]
name = 'alias.test'
alias-of = 'example.test'
[[local-domain]]
name = 'split.test'
elsewhere = { hosts = ['old.split.test'] }
[[local-domain]]
name = 'plain.test'
separator = ''
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
    for domain in ["alias.test", "split.test", "plain.test"] {
        core.api("POST", "/v1/domains", &json!({ "name": domain })).await;
    }
    let carol = json!({ "name": "carol", "addresses": ["carol@plain.test"] });
    core.api("POST", "/v1/mailboxes", &carol).await;
    core
}

/// The newest story of a message of this subject from the one far away.
async fn story(core: &Core, subject: &str) -> Value {
    for _ in 0..200 {
        let trace = core.api("GET", "/v1/trace?address=a@far.test", &Value::Null).await;
        let found = trace["items"].as_array().unwrap().iter().find(|s| s["subject"] == subject);
        if let Some(found) = found {
            return found.clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("nothing is known of {subject}");
}

fn stored(story: &Value) -> Vec<String> {
    let events = story["events"].as_array().unwrap();
    let stored = events.iter().filter(|event| event["event"] == "stored");
    stored.map(|event| event["recipient"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn policy_of_our_domains_decides_who_gets_what() {
    let core = core().await;
    let outward = core.connector("internet-mail");
    let mut session = core.session("internet-mail").await;
    unknown_local_parts(&core, &mut session).await;
    wait_taken(&outward, &["x@split.test"]).await;
    sizes(&mut session).await;
    put_aside(&core, &mut session).await;
    brought_twice(&core, &mut session).await;
    journal(&core, &mut session).await;
}

async fn unknown_local_parts(core: &Core, session: &mut Session) {
    // Catch-all, and the domain's other name.
    session.send("x@example.test", "caught").await;
    assert_eq!(stored(&story(core, "caught").await), ["SMTP:bob@example.test"]);
    session.send("alice@alias.test", "other name").await;
    assert_eq!(stored(&story(core, "other name").await), ["SMTP:alice@example.test"]);
    session.send("x@alias.test", "other name caught").await;
    assert_eq!(stored(&story(core, "other name caught").await), ["SMTP:bob@example.test"]);
    // A split domain: who is not here is there.
    session.send("x@split.test", "elsewhere").await;
    // Without a separator there are no tags.
    assert!(session.rcpt("carol@plain.test").await.starts_with("250"));
    assert!(session.rcpt("carol+tag@plain.test").await.starts_with("550"));
    assert!(session.rcpt("alice+tag@example.test").await.starts_with("250"));
    // T59: postmaster of every domain of ours, and only by its whole name.
    for domain in ["plain.test", "alias.test", "example.test"] {
        assert!(session.rcpt(&format!("Postmaster@{domain}")).await.starts_with("250"), "{domain}");
    }
    for part in ["p", "post"] {
        let reply = session.rcpt(&format!("{part}@plain.test")).await;
        assert!(reply.starts_with("550 5.1.1"), "{reply}");
    }
}

/// T52: each way has its limit, which the reply names.
async fn sizes(session: &mut Session) {
    let mail = session.say("MAIL FROM:<a@far.test> SIZE=2001").await;
    assert!(mail.starts_with("552 5.3.4") && mail.contains("2000"), "{mail}");
    session.say("RSET").await;
    let body = "x".repeat(70) + "\r\n";
    for (lines, reply) in [(10, "250"), (40, "552 5.3.4")] {
        session.say("MAIL FROM:<a@far.test>").await;
        session.say("RCPT TO:<alice@example.test>").await;
        session.say("DATA").await;
        let said = session.say(&format!("Subject: big\r\n\r\n{}.", body.repeat(lines))).await;
        assert!(said.starts_with(reply), "{lines}: {said}");
    }
    let said = session.say("MAIL FROM:<a@far.test> SIZE=1500").await;
    assert!(said.starts_with("250"), "{said}");
    let said = session.say("RCPT TO:<x@split.test>").await;
    assert!(said.starts_with("552 5.3.4") && said.contains("1000"), "{said}");
    session.say("RSET").await;
}

/// A connector that did not hear that a message was taken brings it again.
async fn brought_twice(core: &Core, session: &mut Session) {
    for (key, said) in [("A.1", "queued as"), ("A.1", "taken already as"), ("A.2", "queued as")] {
        session.say(&format!("XFORWARD KEY={key}")).await;
        session.say("MAIL FROM:<a@far.test>").await;
        session.say("RCPT TO:<alice@example.test>").await;
        session.say("DATA").await;
        let reply = session.say(&format!("Subject: keyed {key}\r\n\r\nx\r\n.")).await;
        assert!(reply.starts_with("250") && reply.contains(said), "{reply}");
    }
    // The key was the last message's alone.
    session.send("alice@example.test", "without a key").await;
    for subject in ["keyed A.1", "keyed A.2", "without a key"] {
        assert_eq!(stored(&story(core, subject).await).len(), 1, "{subject}");
    }
}

/// What a filter puts aside waits in the queue with its reason, and goes into
/// its mailboxes when an administrator lets it go.
async fn put_aside(core: &Core, session: &mut Session) {
    session.say("MAIL FROM:<a@far.test>").await;
    for to in ["alice@example.test", "carol@plain.test"] {
        assert!(session.say(&format!("RCPT TO:<{to}>")).await.starts_with("250"));
    }
    let said = session.say("XFORWARD HOLD=virus:+20Eicar").await;
    assert!(said.starts_with("250"), "{said}");
    session.say("DATA").await;
    let said = session.say("Subject: bad\r\n\r\nx\r\n.").await;
    assert!(said.contains("put aside"), "{said}");
    let queue = core.api("GET", "/v1/queue?state=quarantined", &Value::Null).await;
    let message = &queue["items"][0];
    assert_eq!(message["subject"], "bad", "{queue}");
    assert_eq!(message["deliveries"].as_array().unwrap().len(), 2);
    assert!(message["deliveries"][0].to_string().contains("virus: Eicar"), "{message}");
    assert!(stored(&story(core, "bad").await).is_empty());
    let id = message["queue_id"].as_str().unwrap();
    core.api("POST", &format!("/v1/queue/{id}/release"), &Value::Null).await;
    for _ in 0..200 {
        let mut found = stored(&story(core, "bad").await);
        found.sort();
        if found == ["SMTP:alice@example.test", "SMTP:carol@plain.test"] {
            // The next message of the session is not put aside.
            session.send("alice@example.test", "good").await;
            assert_eq!(stored(&story(core, "good").await).len(), 1);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("it did not come: {}", story(core, "bad").await);
}

/// T136: the copy has the envelope with whom a list stands for, is not itself
/// journaled, and there is one.
async fn journal(core: &Core, session: &mut Session) {
    let list = json!({ "name": "staff", "addresses": ["staff@example.test"],
        "members": ["alice", "bob"] });
    core.api("POST", "/v1/lists", &list).await;
    session.say("MAIL FROM:<a@far.test>").await;
    session.say("RCPT TO:<staff@example.test>").await;
    session.say("DATA").await;
    let said = session.say("To: nobody in particular\r\nSubject: to staff\r\n\r\nx\r\n.").await;
    assert!(said.starts_with("250"), "{said}");
    let copies = core.api("GET", "/v1/trace?address=keep@example.test", &Value::Null).await;
    let copies = copies["items"].as_array().unwrap();
    // One for what was caught, one for the other name's, one for the list.
    let subjects: Vec<_> = copies.iter().map(|c| c["subject"].as_str().unwrap()).collect();
    assert_eq!(subjects, ["Journal all of bob"; 3], "{copies:?}");
    assert_eq!(stored(&copies[0]), ["SMTP:keep@example.test"]);
}
