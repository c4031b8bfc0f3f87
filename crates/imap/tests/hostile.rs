//! Malformed and hostile dialogues, each with what the server must answer, in
//! order. Every one ends with the connection closed, by one side or the other.

// a failed test helper should panic where it stands
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;
#[path = "common/dialogue.rs"]
mod dialogue;

use common::MemoryStore;
use concord_imap::ImapConfig;
use dialogue::{all, config, in_order, world, world_with};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Before a login.
const STRANGERS: &[(&str, &[u8], &[&str])] = &[
    ("nothing at all", b"", &["* OK [CAPABILITY"]),
    ("an empty line", b"\r\na NOOP\r\n", &["* BAD", "a OK"]),
    ("only a tag", b"a\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("an unknown verb", b"a FROBNICATE\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("no tag", b" NOOP\r\nb NOOP\r\n", &["* BAD", "b OK"]),
    ("a plus in the tag", b"a+ NOOP\r\nb NOOP\r\n", &["* BAD", "b OK"]),
    ("another protocol", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", &["GET BAD", "Host: BAD", "* BAD"]),
    ("a TLS hello in the clear", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", &["* BAD"]),
    ("bare line feeds", b"a NOOP\nb NOOP\n", &["a OK", "b OK"]),
    ("a NUL in a line", b"a NO\0OP\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("a NUL in the password", b"a LOGIN ann {7+}\r\nsec\0ret\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("8-bit in the name", b"a LOGIN \xff\xfe x\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("8-bit in a literal name", b"a LOGIN {2+}\r\n\xff\xfe x\r\nb NOOP\r\n", &["a NO [AUTHENTICATIONFAILED]", "b OK"]),
    ("half a command and a hang-up", b"a LOGIN ann", &["* OK"]),
    ("a wrong password", b"a LOGIN ann wrong\r\nb LOGIN ann secret\r\n", &["a NO [AUTHENTICATIONFAILED]", "b OK"]),
    ("a name that does not exist", b"a LOGIN nobody secret\r\n", &["a NO [AUTHENTICATIONFAILED]"]),
    ("guessing", b"a LOGIN ann 1\r\nb LOGIN ann 2\r\nc LOGIN ann 3\r\nd LOGIN ann 4\r\ne LOGIN ann secret\r\n",
        &["a NO", "b NO", "c NO", "d NO", "* BYE too many refused logins"]),
    ("a mailbox command too early", b"a SELECT INBOX\r\nb FETCH 1 FLAGS\r\nc IDLE\r\n", &["a BAD log in", "b BAD log in", "c BAD log in"]),
    ("an append too early", b"a APPEND INBOX {5}\r\nb NOOP\r\n", &["+ OK"]),
    ("a literal bomb", b"a LOGIN {4294967295}\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("a literal bomb without asking", b"a LOGIN {4294967295+}\r\nb NOOP\r\n", &["* BYE the literal is too large"]),
    ("a literal past all numbers", b"a LOGIN {99999999999999999999999999}\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("a literal that is skipped", b"a FOO {5+}\r\nhello x\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("a literal where none may be", b"a NOOP {3}\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("a negative literal", b"a LOGIN {-1}\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("a literal cut off", b"a LOGIN ann {10+}\r\nabc", &["* OK"]),
    ("unbalanced quotes", b"a LOGIN \"ann secret\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("starttls without TLS", b"a STARTTLS\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("a sasl line of rubbish", b"a AUTHENTICATE PLAIN\r\n\xff\xff\r\nb NOOP\r\n", &["+ ", "a BAD", "b OK"]),
    ("a sasl response too many", b"a AUTHENTICATE PLAIN AAAA AAAA\r\nb NOOP\r\n", &["a BAD", "b OK"]),
    ("two logins", b"a LOGIN ann secret\r\nb LOGIN ann secret\r\nc AUTHENTICATE PLAIN\r\n", &["a OK", "b BAD", "c BAD"]),
];

/// After a login.
const KNOWN: &[(&str, &[u8], &[&str])] = &[
    ("fetch without a folder", b"b FETCH 1 FLAGS\r\nc NOOP\r\n", &["b BAD select", "c OK"]),
    ("select nothing", b"b SELECT nix\r\nc FETCH 1 FLAGS\r\n", &["b NO [NONEXISTENT]", "c BAD"]),
    ("a failed select closes", b"b SELECT INBOX\r\nc SELECT nix\r\nd FETCH 1 FLAGS\r\n", &["b OK", "c NO", "d BAD"]),
    ("numbers that are not there", b"b SELECT INBOX\r\nc FETCH 4 FLAGS\r\nd FETCH 0 FLAGS\r\ne UID FETCH 99 FLAGS\r\nf STORE 9 FLAGS ()\r\n",
        &["c BAD", "d BAD", "e OK", "f BAD"]),
    ("a huge set", b"b SELECT INBOX\r\nc UID FETCH 1:4294967295,*:1,4294967295 UID\r\nd UID FETCH 4294967296 UID\r\n",
        &["* 1 FETCH (UID 1)", "c OK", "d BAD"]),
    ("a broken name", b"b SELECT \"&A-\"\r\nc CREATE \"a//b\"\r\nd CREATE \"\"\r\ne CREATE \"&&&\"\r\nf RENAME INBOX inbox\r\n",
        &["b NO", "c NO [CANNOT]", "d NO", "e NO [CANNOT]", "f NO"]),
    ("a name with control characters", b"b CREATE {3+}\r\na\rb\r\nc CREATE \"a\tb\"\r\nd NOOP\r\n", &["b ", "c ", "d OK"]),
    ("INBOX stays", b"b DELETE INBOX\r\nc CREATE inbox\r\n", &["b NO [CANNOT]", "c NO [ALREADYEXISTS]"]),
    ("an empty message", b"b APPEND INBOX {0}\r\n\r\nc APPEND INBOX {0+}\r\n\r\nd NOOP\r\n", &["b NO [CANNOT]", "c NO [CANNOT]", "d OK"]),
    ("a message too large", b"b APPEND INBOX {100001}\r\nc NOOP\r\n", &["b NO [TOOBIG]", "c OK"]),
    ("a message far too large, unasked", b"b APPEND INBOX {9999999999+}\r\nabc", &["* BYE the literal is too large"]),
    ("a message with a NUL", b"b APPEND INBOX {3+}\r\na\0b\r\nc NOOP\r\n", &["b NO [CANNOT] the message has a NUL", "c OK"]),
    ("a message cut off", b"b APPEND INBOX {100+}\r\nabc", &["a OK"]),
    ("two messages in one append", b"b APPEND INBOX {3+}\r\nabc {3+}\r\nabc\r\nc NOOP\r\n", &["b BAD", "c OK"]),
    ("append with broken flags", b"b APPEND INBOX (\\Seen {3}\r\nc NOOP\r\n", &["b BAD", "c OK"]),
    ("append with an impossible date", b"b APPEND INBOX \"99-Foo-2020 00:00:00 +0000\" {3}\r\nc NOOP\r\n", &["b BAD", "c OK"]),
    ("idle that does not end with DONE", b"b IDLE\r\nc NOOP\r\nd NOOP\r\n", &["+ idling", "b BAD", "d OK"]),
    ("search nested without end", b"b SELECT INBOX\r\nc SEARCH NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT NOT ALL\r\nd SEARCH ((((((((((((ALL))))))))))))\r\ne NOOP\r\n",
        &["c BAD", "d BAD", "e OK"]),
    ("search with a broken charset string", b"b SELECT INBOX\r\nc SEARCH CHARSET UTF-8 SUBJECT {2+}\r\n\xff\xfe\r\nd NOOP\r\n", &["* SEARCH\r\n", "c OK", "d OK"]),
    ("sections that are not there", b"b EXAMINE INBOX\r\nc FETCH 2 (BODY[9.9.9] BODY[1.HEADER] BODY[4294967295])\r\nd FETCH 2 BODY[0]\r\n",
        &["BODY[9.9.9] NIL BODY[1.HEADER] NIL BODY[4294967295] NIL", "c OK", "d BAD"]),
    ("partials past the end", b"b EXAMINE INBOX\r\nc FETCH 2 (BODY[]<4000000000.4294967295> BODY[TEXT]<5.99>)\r\nd FETCH 2 BODY[]<1.0>\r\n",
        &["BODY[]<4000000000> {0}\r\n BODY[TEXT]<5> {2}\r\n", "c OK", "d BAD"]),
    ("8-bit headers come as literals", b"b EXAMINE INBOX\r\nc FETCH 3 (ENVELOPE BODY[HEADER.FIELDS (X-Eight)])\r\n",
        &["\"third\"", "BODY[HEADER.FIELDS (X-Eight)] {15}\r\n", "c OK"]),
    ("flags that no client may set", b"b SELECT INBOX\r\nc STORE 1 +FLAGS (\\Recent \\Foo)\r\nd STORE 1 FLAGS (a]b)\r\ne NOOP\r\n", &["c ", "d ", "e OK"]),
    ("commands of extensions we lack", b"b SELECT INBOX (QRESYNC (1 1))\r\nc ENABLE QRESYNC\r\nd SORT (DATE) UTF-8 ALL\r\ne THREAD REFERENCES UTF-8 ALL\r\nf FETCH 1 BINARY[1]\r\n",
        &["b BAD", "* ENABLED\r\n", "c OK", "d BAD", "e BAD", "f BAD"]),
    ("unsolicited DONE and half words", b"DONE\r\nb UID\r\nc UID NOOP\r\nd LIST\r\ne NOOP\r\n", &["DONE BAD", "b BAD", "c BAD", "d BAD", "e OK"]),
    ("patterns made to be slow", b"b LIST \"\" \"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\"\r\nc LIST \"\" \"%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%/%\"\r\n", &["b OK", "c OK"]),
];

#[tokio::test]
async fn hostile_dialogues() {
    let mut results = Vec::new();
    for (name, input, expected) in STRANGERS {
        results.push(in_order(name, &world().talk(input).await, expected));
    }
    for (name, input, expected) in KNOWN {
        let input = [b"a LOGIN ann secret\r\n", *input].concat();
        results.push(in_order(name, &world().talk(&input).await, expected));
    }
    assert!(results.len() >= 35);
    all(results);
}

#[tokio::test]
async fn oversized_lines_and_floods() {
    let login = "a LOGIN ann secret\r\n";
    let long = "x".repeat(300_000);
    let world = world();
    let mut results = vec![
        in_order(
            "a long line of a stranger",
            &world.talk(format!("a {long}\r\nb NOOP\r\n").as_bytes()).await,
            &["a BAD the command is too long", "b OK"],
        ),
        in_order(
            "a long line",
            &world.talk(format!("{login}b {long}\r\nc NOOP\r\n").as_bytes()).await,
            &["b BAD", "c OK"],
        ),
        in_order(
            "a flood of rubbish",
            &world.talk("x FOO\r\n".repeat(30).as_bytes()).await,
            &["x BAD", "* BYE too many bad commands"],
        ),
        in_order(
            "many literals",
            &world
                .talk(
                    format!("{login}b SEARCH {}ALL\r\nc NOOP\r\n", "TEXT {1+}\r\nx ".repeat(100))
                        .as_bytes(),
                )
                .await,
            &["a OK", "BAD"],
        ),
    ];
    let many = (1..30_000).step_by(2).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let many = format!("{login}b SELECT INBOX\r\nc UID FETCH {many} FLAGS\r\nd NOOP\r\n");
    results.push(in_order(
        "a set of 15,000 pieces",
        &world.talk(many.as_bytes()).await,
        &["* 1 FETCH", "c OK", "d OK"],
    ));
    all(results);
}

#[tokio::test]
async fn mail_nested_a_thousand_deep_is_answered() {
    let world = world();
    let mut mail = String::new();
    for n in 0..1_000 {
        mail.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"));
    }
    mail.push_str("\r\nneedle\r\n");
    world.store.deliver(world.mailbox, "INBOX", mail.as_bytes());
    world.store.deliver(
        world.mailbox,
        "INBOX",
        "Content-Type: message/rfc822\r\n\r\n".repeat(1_000).as_bytes(),
    );
    let input = "a LOGIN ann secret\r\nb EXAMINE INBOX\r\nc FETCH 4:5 (BODYSTRUCTURE ENVELOPE)\r\n\
                 d FETCH 4 BODY[1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1]\r\ne SEARCH TEXT nothing\r\nf NOOP\r\n";
    let transcript = world.talk(input.as_bytes()).await;
    all(vec![in_order(
        "nested",
        &transcript,
        &[
            "* 4 FETCH (ENVELOPE",
            "octet-stream",
            "* 5 FETCH",
            "c OK",
            "d OK",
            "* SEARCH\r\n",
            "f OK",
        ],
    )]);
}

#[tokio::test]
async fn a_full_disk_and_a_full_mailbox_say_so() {
    let input = format!(
        "a LOGIN ann secret\r\nb APPEND INBOX {{5000+}}\r\n{}\r\nc NOOP\r\n",
        "x".repeat(5_000)
    );
    let full = world_with(config(), MemoryStore { disk: Some(1_000), ..MemoryStore::default() });
    let quota = world_with(config(), MemoryStore { quota: Some(2_000), ..MemoryStore::default() });
    all(vec![
        in_order("disk", &full.talk(input.as_bytes()).await, &["b NO [UNAVAILABLE]", "c OK"]),
        in_order("quota", &quota.talk(input.as_bytes()).await, &["b NO [OVERQUOTA]", "c OK"]),
    ]);
}

#[tokio::test]
async fn passwords_do_not_cross_the_clear() {
    let world =
        world_with(ImapConfig { allow_plaintext_login: false, ..config() }, MemoryStore::default());
    let transcript = world
        .talk(b"a LOGIN ann secret\r\nb AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=\r\nc NOOP\r\n")
        .await;
    assert!(!transcript.contains("AUTH=PLAIN"));
    all(vec![in_order(
        "clear",
        &transcript,
        &["LOGINDISABLED", "a NO [PRIVACYREQUIRED]", "b NO [PRIVACYREQUIRED]", "c OK"],
    )]);
}

#[tokio::test]
async fn the_slow_are_told_bye() {
    let short = Duration::from_millis(300);
    let config = ImapConfig {
        login_timeout: short,
        command_timeout: short,
        idle_timeout: short,
        ..config()
    };
    let world = world_with(config, MemoryStore::default());
    for (name, input, farewell) in [
        ("never logs in", "", "* BYE log in sooner"),
        ("half a line", "a LOG", "* BYE the command took too long"),
        (
            "half a literal",
            "a LOGIN ann secret\r\nb SELECT {10+}\r\nabc",
            "* BYE the command took too long",
        ),
        (
            "half a message",
            "a LOGIN ann secret\r\nb APPEND INBOX {10+}\r\nabc",
            "* BYE the message took too long",
        ),
        ("silent", "a LOGIN ann secret\r\n", "* BYE you were silent"),
        ("idles for ever", "a LOGIN ann secret\r\nb IDLE\r\n", "* BYE you were silent"),
        ("sasl without an answer", "a AUTHENTICATE PLAIN\r\n", "* BYE the answer took too long"),
    ] {
        let mut client = world.connect();
        client.write_all(input.as_bytes()).await.unwrap();
        let mut out = String::new();
        tokio::time::timeout(Duration::from_secs(10), client.read_to_string(&mut out))
            .await
            .expect(name)
            .unwrap();
        all(vec![in_order(name, &out, &[farewell])]);
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let world = world_with(
        ImapConfig { write_timeout: Duration::from_millis(300), ..config() },
        MemoryStore::default(),
    );
    for _ in 0..50 {
        world.store.deliver(world.mailbox, "INBOX", &[b'x'; 10_000]);
    }
    let mut client = world.connect();
    client
        .write_all(b"a LOGIN ann secret\r\nb SELECT INBOX\r\nc FETCH 1:* BODY.PEEK[]\r\n")
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut out = Vec::new();
    client.read_to_end(&mut out).await.unwrap();
    assert!(
        out.len() < 200_000 && !String::from_utf8_lossy(&out).contains("c OK"),
        "{}",
        out.len()
    );
}

#[tokio::test]
async fn too_many_connections_are_told_to_wait() {
    let world = world_with(ImapConfig { max_connections: 1, ..config() }, MemoryStore::default());
    let mut first = world.connect();
    let mut greeting = [0; 4];
    first.read_exact(&mut greeting).await.unwrap();
    all(vec![in_order("second", &world.talk(b"").await, &["* BYE too many connections"])]);
}
