//! Who may send what where: every client, with and without a login, from and to
//! every form of address. A file of its own, because a process has one core.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::Core;
use serde_json::{Value, json};

const POLICY: &str = "
[relay]
deny = ['10.9.0.0/16']
allow = ['10.0.0.0/8']
interfaces = ['172.16.0.1']
";

/// Address, interface, login; whether relaying is open to it.
const CLIENTS: &[(&str, Option<&str>, Option<&str>, bool)] = &[
    ("203.0.113.5", None, None, false),
    ("203.0.113.5", None, Some("alice"), true),
    ("10.1.1.1", None, None, true),
    ("10.9.1.1", None, None, false),
    ("10.9.1.1", None, Some("alice"), false),
    ("203.0.113.5", Some("172.16.0.1"), None, true),
    ("203.0.113.5", Some("172.16.0.2"), None, false),
    ("2001:db8::1", None, None, false),
    ("::ffff:10.1.1.1", None, None, true),
    ("127.0.0.1", None, None, false),
];

const SENDERS: &[&str] = &["", "alice@example.test", "stranger@far.test"];

#[derive(Clone, Copy, PartialEq)]
enum Means {
    Ours,
    Nobody,
    Elsewhere,
    /// No client may write it at all.
    Malformed,
}
use Means::{Elsewhere, Malformed, Nobody, Ours};

/// What RCPT has, and what it means once every form is looked through: the
/// published ways round relay rules among them.
const RECIPIENTS: &[(&str, Means)] = &[
    ("alice@example.test", Ours),
    ("ALICE@Example.TEST", Ours),
    ("alice+tag@example.test", Ours),
    ("postmaster@example.test", Ours),
    ("nobody@example.test", Nobody),
    ("u@other.test", Elsewhere),
    ("U@OTHER.TEST", Elsewhere),
    ("u@sub.example.test", Elsewhere),
    ("u@example.test.other.test", Elsewhere),
    ("u@[192.0.2.1]", Elsewhere),
    // T10: Q264330, Q237927, Q244346.
    ("IMCEASMTP-u+40other+2Etest@example.test", Elsewhere),
    ("IMCEASMTP-u+40other+2Etest@mail.example.test", Elsewhere),
    ("\"SMTP:u@other.test\"@example.test", Elsewhere),
    ("u%other.test@example.test", Nobody),
    ("\"u@other.test\"@example.test", Nobody),
    ("other.test!u@example.test", Nobody),
    ("\"IMCEA u@other.test\"@example.test", Nobody),
    ("IMCEASMTP-alice+40example+2Etest@example.test", Ours),
    // A source route is dropped, and what is behind it judged (RFC 5321 appendix C).
    ("@example.test:u@other.test", Elsewhere),
    ("@other.test:alice@example.test", Ours),
    ("u@other.test ", Malformed),
    ("u@other.test.", Malformed),
    ("u@", Malformed),
    ("u", Malformed),
];

fn expected(open: bool, user: bool, from: &str, means: Means) -> &'static str {
    if user && !from.is_empty() && from != "alice@example.test" {
        return "553";
    }
    match means {
        Ours => "250",
        Elsewhere if open => "250",
        Nobody | Elsewhere => "550",
        Malformed => "5",
    }
}

#[tokio::test]
async fn nobody_relays_whom_no_rule_lets_relay() {
    let core = Core::start_with(POLICY).await;
    let bootstrap = json!({
        "organisation": "Example", "site": "First", "server": "mail", "domain": "example.test",
        "mailboxes": [{ "name": "alice", "password": "secret" }],
    });
    core.api("POST", "/v1/directory/bootstrap", &bootstrap).await;
    let space = json!([{ "type": "SMTP", "pattern": "*", "cost": 1 }]);
    let outward = json!({ "name": "outward", "component": "outward", "address_spaces": space });
    core.api("POST", "/v1/connectors", &outward).await;
    let (mut asked, mut wrong) = (0, Vec::new());
    for (client, interface, user, open) in CLIENTS {
        let mut session = core.session("internet-mail").await;
        if user.is_some() {
            // "\0alice\0secret"
            assert!(session.say("AUTH PLAIN AGFsaWNlAHNlY3JldA==").await.starts_with("235"));
        }
        for from in SENDERS {
            for (to, means) in RECIPIENTS {
                let tag = |ip: &str| if ip.contains(':') { "IPV6:" } else { "" };
                let mut line = format!("XFORWARD ADDR={}{client}", tag(client));
                if let Some(interface) = interface {
                    line.push_str(&format!(" DESTADDR={interface}"));
                }
                session.say(&line).await;
                let mail = session.say(&format!("MAIL FROM:<{from}>")).await;
                let said = match mail.starts_with("250") {
                    true => session.say(&format!("RCPT TO:<{to}>")).await,
                    false => mail,
                };
                session.say("RSET").await;
                asked += 1;
                let right = expected(*open, user.is_some(), from, *means);
                if !said.starts_with(right) {
                    wrong.push(format!("{client} {user:?} <{from}> <{to}>: {said}"));
                }
                // These are addresses to SMTP only.
                if *means != Malformed && !to.starts_with('@') {
                    explained(&core, (client, *interface, *user), from, to, &said).await;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join(""));
    assert!(asked >= 200);
}

/// The explanation says what the session said, whatever the form.
async fn explained(
    core: &Core,
    (client, interface, user): (&str, Option<&str>, Option<&str>),
    from: &str,
    to: &str,
    said: &str,
) {
    let encode =
        |text: &str| -> String { text.bytes().map(|octet| format!("%{octet:02X}")).collect() };
    let mut path = format!(
        "/v1/relay-check?tls=false&client={}&from={}&to={}",
        encode(client),
        encode(from),
        encode(to)
    );
    for (name, value) in [("interface", interface), ("user", user)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", encode(value)));
        }
    }
    let view = core.api("GET", &path, &Value::Null).await;
    let accepted = view["verdict"] == "accepted";
    assert_eq!(accepted, said.starts_with("250"), "{path}: {view} but {said}");
    assert_eq!(&view["reply"].as_str().unwrap()[..3], &said[..3], "{path}: {view} but {said}");
    let steps = view["steps"].as_array().unwrap();
    assert!(accepted || steps.iter().any(|step| step["decides"] == true), "{path}: {view}");
}
