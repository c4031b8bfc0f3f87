//! Who wrote a message, and what is done about it, through real conversations.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::World;
use common::client::Client;
use concord_base::{Clock, SystemClock};
use concord_internet_mail::{ReportState, ReportsAnswer};
use concord_mail_authentication::{
    ArcResult, Arrival, Checker, KeyAlgorithm, KeyStore, RotationStep, Signer,
};
use concord_mail_policy::{Live, Policy};
use concord_testkit::{NameServer, Zone};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// `good.test` sends from 127.0.0.2, `strict.test` wants forgeries refused,
/// `wary.test` put aside, and `example.test` is ours.
fn zone() -> Zone {
    let mut zone = Zone::default();
    for domain in ["good", "strict", "wary", "example"] {
        zone.txt(&format!("{domain}.test"), "v=spf1 ip4:127.0.0.2 -all");
    }
    zone.txt("_dmarc.good.test", "v=DMARC1; p=reject; rua=mailto:reports@good.test");
    zone.txt("_dmarc.strict.test", "v=DMARC1; p=reject");
    zone.txt("_dmarc.wary.test", "v=DMARC1; p=quarantine");
    zone.txt("_dmarc.example.test", "v=DMARC1; p=none");
    zone
}

fn serve(zone: Zone) -> NameServer {
    NameServer::start("127.0.0.1:0".parse().unwrap(), zone).unwrap()
}

async fn world(policy: &str, dns: &NameServer, state: Option<&Path>) -> World {
    let policy = Policy::parse(&format!("{policy}\n[[host]]\nnetwork = '127.0.0.0/8'\n")).unwrap();
    let (dns, state) = (dns.address(), state.map(Path::to_owned));
    World::start(|config| {
        config.policy = Arc::new(Live::fixed(policy));
        config.name_servers = vec![dns];
        config.state = state;
        config.examined_memory = 192 * 1024;
    })
    .await
}

async fn send(world: &World, client: &str, from: &str, message: &str) -> String {
    let client: IpAddr = client.parse().unwrap();
    let mut client = Client::hello_from(client, world.smtp).await;
    client.say(&format!("MAIL FROM:<{from}>")).await;
    client.say("RCPT TO:<bob@example.test>").await;
    assert!(client.say("DATA").await.starts_with("354"));
    client.say(&format!("{message}\r\n.")).await
}

fn message(from: &str) -> String {
    format!("From: {from}\r\nTo: bob@example.test\r\nSubject: hello\r\n\r\nhello")
}

fn body(world: &World) -> String {
    String::from_utf8(world.core.last().body).unwrap()
}

/// Fields with their folding undone.
fn fields(message: &str, name: &str) -> Vec<String> {
    let header = message.split("\r\n\r\n").next().unwrap().replace("\r\n\t", " ");
    let begins = format!("{name}:");
    header.lines().filter(|l| l.starts_with(&begins)).map(str::to_owned).collect()
}

#[tokio::test]
async fn what_is_found_stands_in_front_and_what_pretends_to_be_ours_is_gone() {
    let dns = serve(zone());
    let world = world("", &dns, None).await;
    let forged = format!(
        "Authentication-Results: MAIL.example.test; dmarc=pass header.from=bank.test\r\n\
         Authentication-Results: elsewhere.test; spf=pass\r\n{}",
        message("a@good.test")
    );
    let reply = send(&world, "127.0.0.2", "a@good.test", &forged).await;
    assert!(reply.starts_with("250"), "{reply}");
    let text = body(&world);
    assert!(text.starts_with("Received: from client.test"), "{text}");
    assert!(!text.contains("bank.test"), "{text}");
    let results = fields(&text, "Authentication-Results");
    assert_eq!(results.len(), 3, "{text}");
    assert!(results[0].starts_with("Authentication-Results: mail.example.test;"), "{results:?}");
    assert!(results[0].contains("spf=pass") && results[0].contains("dmarc=pass"), "{results:?}");
    assert!(results[2].contains("elsewhere.test; spf=pass"), "other hosts' fields stay");
    assert_eq!(fields(&text, "Received-SPF").len(), 1);
}

#[tokio::test]
async fn what_the_authors_domain_wants_done_with_forgeries_is_done() {
    let dns = serve(zone());
    let world = world("", &dns, None).await;
    let reply = send(&world, "127.0.0.3", "a@other.test", &message("boss@strict.test")).await;
    assert!(reply.starts_with("550 5.7.26 "), "{reply}");
    assert!(reply.contains("strict.test"), "{reply}");
    assert_eq!(world.core.messages(), 0);
    let reply = send(&world, "127.0.0.3", "a@other.test", &message("boss@wary.test")).await;
    assert!(reply.starts_with("250"), "{reply}");
    let hold = world.core.last().xforward.unwrap().hold.unwrap();
    assert!(hold.contains("wary.test"), "{hold}");
    let reply =
        send(&world, "127.0.0.3", "a@other.test", "Subject: nobody wrote it\r\n\r\nx").await;
    assert!(reply.starts_with("550 5.7.7 "), "{reply}");
}

#[tokio::test]
async fn an_administrator_may_have_forgeries_put_aside_or_only_looked_at() {
    let dns = serve(zone());
    for (policy, held) in [("dmarc = 'quarantine'", true), ("dmarc = 'check'", false)] {
        let world = world(&format!("[authentication]\n{policy}\n"), &dns, None).await;
        let reply = send(&world, "127.0.0.3", "a@other.test", &message("a@strict.test")).await;
        assert!(reply.starts_with("250"), "{policy}: {reply}");
        let seen = world.core.last();
        assert_eq!(seen.xforward.unwrap().hold.is_some(), held, "{policy}");
        assert!(String::from_utf8(seen.body).unwrap().contains("dmarc=fail"), "{policy}");
    }
    let world = world("[authentication]\nspf = 'enforce'\n", &dns, None).await;
    let reply = send(&world, "127.0.0.3", "a@good.test", &message("a@good.test")).await;
    assert!(reply.starts_with("550 5.7.23 "), "{reply}");
}

fn signer(directory: &Path, domain: &str, kind: KeyAlgorithm, zone: &mut Zone) -> Signer {
    let mut keys = KeyStore::open(directory).unwrap();
    let now = SystemClock.now();
    let record = keys.make(domain, "s1", kind, now).unwrap();
    zone.txt(&record.name, &record.value);
    keys.saw(domain, "s1", now).unwrap();
    let step = RotationStep::Activate { domain: domain.to_owned(), selector: "s1".to_owned() };
    keys.apply(&step, now).unwrap();
    keys.signer().unwrap()
}

/// Forwarded mail comes from elsewhere; its signature still says who wrote it.
#[tokio::test]
async fn a_signature_proves_the_author_from_any_host() {
    let keys = tempfile::tempdir().unwrap();
    let mut zone = zone();
    let signer = signer(keys.path(), "strict.test", KeyAlgorithm::Ed25519, &mut zone);
    let dns = serve(zone);
    let world = world("", &dns, None).await;
    let plain = format!("{}\r\n", message("boss@strict.test"));
    let field = signer.sign_as("strict.test", plain.as_bytes(), SystemClock.now()).unwrap();
    let signed = format!("{field}{}", plain.trim_end());
    let reply = send(&world, "127.0.0.9", "list@other.test", &signed).await;
    assert!(reply.starts_with("250"), "{reply}");
    assert!(body(&world).contains("dkim=pass"), "{}", body(&world));
    let changed = signed.replace("Subject: hello", "Subject: pay me");
    let reply = send(&world, "127.0.0.9", "list@other.test", &changed).await;
    assert!(reply.starts_with("550 5.7.26 "), "{reply}");
}

/// Whoever gets the message from us sees that it was good when it came.
#[tokio::test]
async fn what_passes_is_sealed_if_the_administrator_wants_it() {
    let keys = tempfile::tempdir().unwrap();
    let mut zone = zone();
    signer(keys.path(), "example.test", KeyAlgorithm::Rsa, &mut zone);
    let dns = serve(zone);
    let text = "[authentication]\nseal = true\n[[host]]\nnetwork = '127.0.0.0/8'\n";
    let policy = Policy::parse(text).unwrap();
    let world = World::start(|config| {
        config.policy = Arc::new(Live::fixed(policy));
        config.name_servers = vec![dns.address()];
        config.dkim_keys = Some(keys.path().to_owned());
    })
    .await;
    let reply = send(&world, "127.0.0.2", "a@good.test", &message("a@good.test")).await;
    assert!(reply.starts_with("250"), "{reply}");
    let sealed = body(&world);
    let checker = Checker::new(&[dns.address()], "next.test").unwrap();
    let arrival = Arrival {
        ip: "127.0.0.9".parse().unwrap(),
        helo: "mail.example.test",
        reverse_path: "list@example.test",
        message: sealed.as_bytes(),
    };
    let seen = checker.check(&arrival).await;
    assert_eq!(seen.arc.result, ArcResult::Pass, "{sealed}");
    assert_eq!(seen.arc.sets.len(), 1);
    assert_eq!(seen.arc.sets[0].sealer, "example.test");
    assert!(seen.arc.sets[0].results.contains("dmarc=pass"), "{:?}", seen.arc.sets);
}

/// T20: Q155683. A stranger may write the name of one of ours; the message stays
/// as it is, and says that nobody logged in for it.
#[tokio::test]
async fn a_strangers_message_in_the_name_of_a_user_is_marked() {
    let dns = serve(zone());
    let world = world("", &dns, None).await;
    let spoofed = message("\"Alice\" <alice@example.test>");
    let reply = send(&world, "127.0.0.3", "a@other.test", &spoofed).await;
    assert!(reply.starts_with("250"), "{reply}");
    let text = body(&world);
    let results = fields(&text, "Authentication-Results");
    assert!(results[0].contains("dmarc=fail"), "{results:?}");
    assert_eq!(results[1], "Authentication-Results: mail.example.test; auth=none");
    assert!(text.contains("From: \"Alice\" <alice@example.test>\r\n"), "{text}");
}

/// A message that cannot be held is not lost: its client comes again.
#[tokio::test]
async fn memory_for_messages_is_bounded() {
    let dns = serve(zone());
    let world = world("", &dns, None).await;
    let lines = format!("{}\r\n", "y".repeat(70)).repeat(4_000);
    let large = format!("{}\r\n{lines}", message("a@good.test"));
    let reply = send(&world, "127.0.0.2", "a@good.test", &large).await;
    assert!(reply.starts_with("452 4.3.1 "), "{reply}");
    assert_eq!(world.core.messages(), 0);
    let reply = send(&world, "127.0.0.2", "a@good.test", &message("a@good.test")).await;
    assert!(reply.starts_with("250"), "the memory is free again: {reply}");
}

async fn ask(world: &World, what: &str) -> ReportsAnswer {
    let mut socket = UnixStream::connect(world.dir.path().join("watch.sock")).await.unwrap();
    socket.write_all(format!("{{\"reports\":\"{what}\"}}\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(&answer).unwrap()
}

/// RFC 7489 section 7: figures are kept across restarts.
#[tokio::test]
async fn what_was_found_is_counted_for_the_domains_report() {
    let dns = serve(zone());
    let kept = tempfile::tempdir().unwrap();
    let policy = "[authentication]\nsend-reports = true\n";
    let first = world(policy, &dns, Some(kept.path())).await;
    for client in ["127.0.0.2", "127.0.0.2", "127.0.0.3"] {
        send(&first, client, "a@good.test", &message("a@good.test")).await;
    }
    let answer = ask(&first, "list").await;
    let lines: Vec<_> = answer.lines.iter().map(|l| (&*l.domain, l.count, l.state)).collect();
    assert_eq!(lines, [("good.test", 3, ReportState::Counting)]);
    first.stop.cancel();
    first.service.await.unwrap().unwrap();

    let second = world(policy, &dns, Some(kept.path())).await;
    assert_eq!(ask(&second, "list").await, answer);
    assert!(ask(&second, "send").await.lines.is_empty(), "today is not over");
    let off = world("", &dns, None).await;
    let refused = ask(&off, "send").await.error.unwrap();
    assert!(refused.contains("send-reports"), "{refused}");
}

/// Answers one question as rspamd does, and gives its header.
async fn rspamd() -> (u16, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.windows(4).any(|w| w == b"\r\n\r\n") {
            assert!(stream.read_buf(&mut read).await.unwrap() > 0);
        }
        let body = r#"{"action":"no action","score":0.5,"required_score":15.0,"symbols":{}}"#;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        // The rest of the question, so that the connection ends in order.
        let (second, mut rest) = (Duration::from_secs(1), Vec::new());
        let _ = tokio::time::timeout(second, stream.read_to_end(&mut rest)).await;
        String::from_utf8_lossy(&read).into_owned()
    });
    (port, asked)
}

/// What the policy refuses, filters never heard of; they keep what was taken.
#[tokio::test]
async fn filters_hear_of_the_recipients_that_were_taken() {
    let dns = serve(zone());
    let (port, asked) = rspamd().await;
    let policy = format!(
        "[[filter]]\nname = 'rspamd'\nkind = 'rspamd'\nurl = 'http://127.0.0.1:{port}'\n\
         [[sender]]\nfrom = '*'\nto = ['quiet@example.test']\n"
    );
    let world = world(&policy, &dns, None).await;
    let mut client = Client::hello_from("127.0.0.2".parse().unwrap(), world.smtp).await;
    client.say("MAIL FROM:<a@good.test>").await;
    assert!(client.say("RCPT TO:<bob@example.test>").await.starts_with("250"));
    assert!(client.say("RCPT TO:<quiet@example.test>").await.starts_with("550"));
    client.say("DATA").await;
    assert!(client.say(&format!("{}\r\n.", message("a@good.test"))).await.starts_with("250"));
    drop((client, world));
    let question = asked.await.unwrap().to_lowercase();
    assert!(question.contains("\r\nrcpt: <bob@example.test>\r\n"), "{question}");
    assert!(!question.contains("quiet@"), "{question}");
}
