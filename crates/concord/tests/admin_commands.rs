//! The commands over the admin API.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::{Core, concord};
use concord_base::Timestamp;
use concord_transport::AnswerOutcome;
use std::path::Path;

#[test]
fn mailboxes_contacts_lists_and_domains() {
    let core = Core::start();
    core.people();
    let table = core.ok(&["mailbox", "list"]);
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "NAME   DISPLAY NAME  ADDRESS             LOGIN");
    assert_eq!(lines[1], "alice  alice         alice@example.test  yes");
    core.ok(&[
        "mailbox",
        "set",
        "alice",
        "--quota",
        "2 GiB",
        "--primary-address",
        "a.smith@example.test",
    ]);
    let shown = core.ok(&["mailbox", "show", "alice@example.test"]);
    assert!(shown.contains("a.smith@example.test  (primary)"), "{shown}");
    assert!(shown.contains("quota          2 GiB"), "{shown}");
    core.ok(&["mailbox", "set", "alice", "--no-password", "--disable-login"]);
    assert!(core.ok(&["mailbox", "list"]).contains("disabled"));
    core.ok(&["contact", "add", "carol", "--target", "carol@elsewhere.test"]);
    core.ok(&["list", "add", "team", "--member", "alice", "--member", "carol"]);
    core.ok(&["list", "add-member", "team", "bob@example.test"]);
    core.ok(&["list", "set", "team", "--remove-member", "alice", "--display-name", "The Team"]);
    let team: serde_json::Value =
        serde_json::from_str(&core.ok(&["list", "show", "team", "--json"])).unwrap();
    let members: Vec<_> =
        team["members"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(members, ["bob", "carol"]);
    let kept = core.run(&["domain", "remove", "example.test"]);
    assert_eq!(kept.code, 1, "{}", kept.out);
    let refused = core.run(&["mailbox", "remove", "bob"]);
    assert!(refused.code == 1 && refused.err.contains("--yes"), "{}", refused.err);
    core.ok(&["mailbox", "remove", "bob", "--yes"]);
    assert!(!core.ok(&["mailbox", "list"]).contains("bob"));
}

#[test]
fn an_address_alone_is_a_name_and_an_address() {
    let core = Core::start();
    core.people();
    let added = core.ok(&["mailbox", "add", "carol@example.test", "--no-password"]);
    assert!(added.contains("mailbox carol <carol@example.test>"), "{added}");
}

#[test]
fn errors_say_what_to_do() {
    let core = Core::start();
    core.people();
    let taken = core.run(&["mailbox", "add", "alice", "--no-password"]);
    assert_eq!((taken.code, taken.out.as_str()), (1, ""));
    assert_eq!(
        taken.err,
        "concord: there is a mailbox 'alice' already; choose another name, or change that one with 'concord mailbox set alice'\n"
    );
    let foreign = core.run(&["mailbox", "add", "x", "--no-password", "--address", "x@other.test"]);
    assert!(foreign.err.contains("concord domain add other.test"), "{}", foreign.err);
    let unnamed = core.run(&["mailbox", "show", ""]);
    assert_eq!(unnamed.code, 64, "{}", unnamed.err);
    for (refused, advice) in [
        (&["mailbox", "show", "nobody"][..], "'concord mailbox list'"),
        (&["domain", "remove", "example.test"], "who has an address in example.test"),
        (&["domain", "add", "no domain"], "write one like"),
        (&["contact", "add", "x", "--target", "no address"], "write one like"),
        (&["list", "add", "x", "--member", "nobody"], "'concord contact list'"),
        (&["mailbox", "set", "bob", "--remove-address", "x@example.test"], "addresses that it has"),
        (&["queue", "show", "17"], "'concord queue list'"),
        (&["trace", "17"], "check the spelling"),
    ] {
        let ran = core.run(refused);
        assert_eq!(ran.code, 1, "{refused:?}");
        assert!(ran.err.contains(advice), "{refused:?}: {}", ran.err);
    }
    let json = core.run(&["mailbox", "show", "nobody", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(error["code"], "directory.not-found");
    let prompt = core.run(&["mailbox", "add", "y"]);
    assert!(prompt.err.contains("--password-stdin"), "{}", prompt.err);
    assert_eq!(core.run(&["mailbox", "set", "alice"]).code, 64);
    let nobody = concord(Path::new("/nonexistent"), &["queue", "list"], "");
    assert_eq!(nobody.code, 69);
    assert!(nobody.err.contains("start it with 'concord up'"), "{}", nobody.err);
}

#[test]
fn the_queue_is_listed_shown_and_acted_on() {
    let core = Core::start();
    core.people();
    assert_eq!(core.ok(&["queue", "list"]), "nothing waits\n");
    let first = core.send("carol@elsewhere.test").to_string();
    let second = core.send("dave@other.test").to_string();
    let next_attempt = Timestamp::from_seconds(1_790_000_600);
    core.answer(
        &AnswerOutcome::Deferred { next_attempt, delay_reported: false },
        "come\r\n\u{1b}back later",
    );
    let table = core.ok(&["queue", "list"]);
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains(&first) && table.contains("2026-09-21 14:23:20"), "{table}");
    assert!(
        table.contains("mx.elsewhere.test [192.0.2.9]: 451 4.7.1 come")
            && !table.contains('\u{1b}'),
        "{table}"
    );
    let one = core.ok(&["queue", "list", "--domain", "other.test"]);
    assert!(one.contains(&second) && !one.contains(&first), "{one}");
    let shown = core.ok(&["queue", "show", &first]);
    assert!(shown.contains("logged in as alice") && shown.contains("carol@elsewhere.test"));
    assert_eq!(core.ok(&["queue", "hold", &first, &second]), "2 messages held\n");
    assert_eq!(core.ok(&["queue", "list", "--held"]).lines().count(), 3);
    let mixed = core.run(&["queue", "delete", "--sender", "x@y.test"]);
    assert_eq!(mixed.code, 64, "filters alone do nothing: {}", mixed.out);
    let none = core.ok(&["queue", "list", "--sender", "x@y.test"]);
    assert_eq!(none, "nothing that waits fits the filters\n");
    let some = core.run(&["queue", "hold", &first, "Qbad", &second]);
    assert_eq!((some.code, some.out.as_str()), (1, "2 messages held\n"));
    assert!(some.err.contains("Qbad: 'Qbad' is not a queue id"), "{}", some.err);
    let released = core.ok(&["queue", "release", "--all", "--recipient", "DAVE@other.test"]);
    assert_eq!(released, "1 message released\n");
    assert_eq!(core.ok(&["queue", "return", &second]), "1 message returned\n");
    assert_eq!(core.ok(&["queue", "delete", "--all"]), "1 message deleted\n");
    let gone = core.run(&["queue", "show", &first]);
    assert!(gone.err.contains("concord trace"), "{}", gone.err);
}

#[test]
fn a_quarantined_message_is_listed_with_its_evidence() {
    let core = Core::start();
    core.people();
    let id = core.send("carol@elsewhere.test").to_string();
    for _ in 0..3 {
        let next_attempt = Timestamp::from_seconds(1_790_000_001);
        core.answer(&AnswerOutcome::Crashed { next_attempt }, "internet-mail died, signal 11");
    }
    let table = core.ok(&["queue", "list", "--quarantined"]);
    let row = table.lines().nth(1).unwrap_or_else(|| panic!("{table}"));
    assert!(row.starts_with(&id) && row.contains("quarantined"), "{table}");
    assert!(row.contains("  3  ") && row.contains("signal 11"), "{table}");
    core.ok(&["queue", "release", &id]);
    let none = core.ok(&["queue", "list", "--quarantined"]);
    assert_eq!(none, "nothing that waits fits the filters\n");
}

#[test]
fn a_trace_tells_the_whole_story_in_order() {
    let core = Core::start();
    core.people();
    let id = core.send("carol@elsewhere.test").to_string();
    let next_attempt = Timestamp::from_seconds(1_790_000_600);
    core.answer(
        &AnswerOutcome::Deferred { next_attempt, delay_reported: false },
        "come back later",
    );
    core.answer(&AnswerOutcome::Delivered, "taken as 4711");
    for about in [id.as_str(), "<plans.carol@elsewhere.test>", "carol@elsewhere.test"] {
        let told = core.ok(&["trace", about]);
        let place = |words: &str| told.find(words).unwrap_or_else(|| panic!("{words}: {told}"));
        assert!(place("received") < place("deferred"));
        assert!(place("come back later") < place("taken as 4711"));
        assert!(place("  delivered  ") < place("taken as 4711"));
        assert!(!told.contains('\u{1b}'));
    }
    let stories: serde_json::Value =
        serde_json::from_str(&core.ok(&["trace", &id, "--json"])).unwrap();
    assert_eq!(stories[0]["queue_id"], id.as_str());
    for unknown in [&["trace", "nobody@x.test"][..], &["trace", "nobody@x.test", "--json"]] {
        let ran = core.run(unknown);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
    }
}

#[test]
fn the_store_is_verified_with_and_without_a_core() {
    let core = Core::start();
    core.people();
    core.send("carol@elsewhere.test");
    let online = core.run(&["store", "verify"]);
    assert_eq!(online.code, 1, "findings fail: {}", online.out);
    assert_eq!(online.out, "0000.seg: a checksum does not fit [store.damage]\nVerify ended\n");
    assert_eq!(core.ok(&["store", "compact"]), "Compact ended\n");
    let root = core.stop();
    let offline = concord(root.path(), &["store", "verify"], "");
    assert_eq!(offline.code, 0, "{}{}", offline.out, offline.err);
    assert!(offline.out.contains("no damage"), "{}", offline.out);
    let rebuilt = concord(root.path(), &["store", "rebuild"], "");
    assert_eq!(rebuilt.code, 0, "{}{}", rebuilt.out, rebuilt.err);
    assert!(rebuilt.out.contains("made anew"), "{}", rebuilt.out);
    assert_eq!(concord(root.path(), &["store", "compact"], "").code, 69);
}
