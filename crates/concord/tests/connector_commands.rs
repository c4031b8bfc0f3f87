//! `concord connector` and `concord generator`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::{Core, concord};
use concord_directory::{Connector, Details, Generator, NewObject};

#[test]
fn connectors_are_shown_changed_and_switched() {
    let core = Core::start();
    core.people();
    assert_eq!(core.ok(&["connector", "list"]), "there are none\n");
    core.add(NewObject {
        name: "webhook".into(),
        display_name: "Webhook".into(),
        proxies: Vec::new(),
        details: Details::Connector(Connector {
            component: "webhook".into(),
            enabled: true,
            address_spaces: vec!["HOOK:*".parse().unwrap()],
            settings: serde_json::Map::new(),
        }),
        attributes: Default::default(),
        policy: Default::default(),
    });
    let set = ["connector", "set", "webhook", "--address-space", "SMTP:*.hook.test", "--cost", "7"];
    let settings = ["--setting", "url=http://127.0.0.1/x?a=b", "--setting", "tries=3"];
    assert_eq!(core.ok(&[&set[..], &settings].concat()), "connector webhook: changed\n");
    let secret = ["connector", "set", "webhook", "--setting-stdin", "token"];
    let ran = concord(core.root.path(), &secret, "s3cret\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let shown = core.ok(&["connector", "show", "webhook"]);
    for words in ["SMTP:*.hook.test  (cost 7)", "tries = 3", "url = http://127.0.0.1/x?a=b"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(shown.contains("token = (hidden)") && !shown.contains("s3cret"), "{shown}");
    assert!(core.ok(&["connector", "show", "webhook", "--secrets"]).contains("s3cret"));
    let remove = ["connector", "set", "webhook", "--remove-address-space", "hook:*"];
    core.ok(&[&remove[..], &["--remove-setting", "tries"]].concat());
    core.ok(&["connector", "disable", "webhook"]);
    let table = core.ok(&["connector", "list"]);
    let row = table.lines().nth(1).unwrap_or_else(|| panic!("{table}"));
    assert!(row.contains("disabled") && row.ends_with("  SMTP:*.hook.test"), "{table}");
    core.ok(&["connector", "enable", "webhook"]);
    let listed = core.ok(&["connector", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["enabled"], true);
    assert_eq!(listed[0]["settings"]["tries"], serde_json::Value::Null);
    let nothing = core.run(&["connector", "set", "webhook"]);
    assert_eq!(nothing.code, 64, "{}", nothing.err);
    let wrong = core.run(&["connector", "set", "webhook", "--address-space", "SMTP:*x"]);
    assert!(wrong.code == 64 && wrong.err.contains("a '*' stands alone"), "{}", wrong.err);
    let unknown = core.run(&["connector", "show", "other"]);
    assert!(unknown.err.contains("'concord connector list'"), "{}", unknown.err);
}

#[test]
fn generators_are_listed_changed_and_used() {
    let core = Core::start();
    core.people();
    core.add(NewObject {
        name: "HOOK".into(),
        display_name: "HOOK".into(),
        proxies: Vec::new(),
        details: Details::Generator(Generator { component: "webhook".into(), rule: "%g".into() }),
        attributes: Default::default(),
        policy: Default::default(),
    });
    let table = core.ok(&["generator", "list"]);
    assert!(table.lines().nth(1).is_some_and(|row| row.ends_with("  2")), "{table}");
    let failed = core.run(&["generator", "stamp"]);
    assert!(failed.code == 1 && failed.out.contains("gives nothing for 'alice'"), "{}", failed.out);
    assert_eq!(core.ok(&["generator", "set", "hook", "--rule", "%m"]), "generator HOOK: changed\n");
    let stamped = core.ok(&["generator", "stamp"]);
    assert_eq!(stamped, "2 mailboxes stamped, 0 had every address already\n");
    assert!(core.ok(&["mailbox", "show", "alice"]).contains("HOOK:alice"));
}

#[test]
fn a_changed_rule_is_looked_at_first_and_then_brought_in() {
    let core = Core::start();
    core.people();
    core.add(NewObject {
        name: "HOOK".into(),
        display_name: "HOOK".into(),
        proxies: Vec::new(),
        details: Details::Generator(Generator { component: "webhook".into(), rule: "%m".into() }),
        attributes: Default::default(),
        policy: Default::default(),
    });
    core.ok(&["generator", "stamp"]);
    core.ok(&["mailbox", "set", "bob", "--primary-address", "HOOK:his-own"]);
    let set = ["generator", "set", "hook", "--rule", "x-%m"];
    let preview = core.run(&[&set[..], &["--dry-run"]].concat());
    let told = "alice: HOOK:alice -> HOOK:x-alice\n1 addresses would change, 0 of them of \
                recipients without one; 0 stay as they are; 1 were given by hand and stay; 0 \
                recipients get none by the rule\n";
    assert_eq!((preview.code, preview.out.as_str()), (2, told), "{}", preview.err);
    let json = core.run(&[&["--json"], &set[..], &["--dry-run"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["moved"], &json["by_hand"]), (&1.into(), &1.into()), "{json}");
    assert!(!core.ok(&["mailbox", "show", "alice"]).contains("x-alice"), "nothing is changed");
    let done = core.ok(&[&set[..], &["--restamp"]].concat());
    assert_eq!(done, told.replace("would change", "changed"));
    let alice = core.ok(&["mailbox", "show", "alice"]);
    assert!(alice.contains("HOOK:x-alice") && alice.contains("HOOK:alice"), "{alice}");
    assert!(!core.ok(&["mailbox", "show", "bob"]).contains("HOOK:x-bob"));
    assert!(core.ok(&["generator", "list"]).contains("x-%m"));
    assert_eq!(core.run(&[&set[..], &["--dry-run"]].concat()).code, 0, "nothing is left to do");
    let nothing = core.run(&["generator", "set", "hook", "--rule", "%g", "--restamp"]);
    assert_eq!(nothing.code, 1, "{}", nothing.out);
    assert!(nothing.out.starts_with("alice: the rule '%g' gives nothing for 'alice'"));
    assert_eq!(core.run(&["generator", "set", "hook", "--rule", "%q", "--restamp"]).code, 1);
}
