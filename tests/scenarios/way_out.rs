//! What happens to mail on its way out: signed, its sender rewritten, and back.

use crate::{ALICE, SOON};
use concord_base::{Clock as _, SystemClock};
use concord_mail_authentication::{KeyAlgorithm, KeyStore, RotationStep};
use concord_testkit::{Concord, Result, Sample, Sink, wait_until};

#[test]
fn mail_of_ours_leaves_signed_and_reports_on_what_was_passed_on_find_back() -> Result<()> {
    let sink = Sink::start()?;
    let host = sink.address();
    let server = Concord::start(|c| c.smart_host(host))?;
    let (now, domain) = (SystemClock.now(), "example.test".to_owned());
    let mut keys = KeyStore::open(&server.root().join("data/keys/dkim"))?;
    keys.make(&domain, "s1", KeyAlgorithm::Rsa, now)?;
    keys.apply(&RotationStep::Activate { domain, selector: "s1".into() }, now)?;
    // The keys are looked at once a second.
    std::thread::sleep(std::time::Duration::from_millis(1100));

    let to = "friend@stranger.test";
    let sample = Sample::new("own@example.test", ALICE, to).octets();
    assert_eq!(server.submission(ALICE)?.send(ALICE, &[to], &sample)?.code, 250);
    wait_until("Alice's message to leave", SOON, || Ok(sink.count() == 1))?;
    let own = sink.messages().remove(0);
    assert!(own.octets.starts_with(b"DKIM-Signature: "), "{}", shown(&own.octets));
    assert!(shown(&own.octets).contains("d=example.test"), "{}", shown(&own.octets));
    assert_eq!(own.from, ALICE);

    server.command(&["contact", "add", "friend", "--target", to])?.ok()?;
    server.command(&["contact", "set", "friend", "--add-address", "friend@example.test"])?.ok()?;
    let from = "bob@far.test";
    let sample = Sample::new("passed@far.test", from, "friend@example.test").octets();
    let mut stranger = server.smtp()?;
    stranger.hello()?;
    let reply = stranger.send(from, &["friend@example.test"], &sample)?;
    assert!(reply.is_positive(), "{}", reply.text());
    wait_until("Bob's message to be passed on", SOON, || Ok(sink.count() == 2))?;
    let passed = sink.messages().remove(1);
    assert!(passed.from.starts_with("SRS0=") && passed.from.contains("=far.test=bob@"));
    assert!(!shown(&passed.octets).contains("DKIM-Signature"), "{}", shown(&passed.octets));

    let report = Sample::new("report@stranger.test", "daemon@stranger.test", from).octets();
    let refused = stranger.send("x@far.test", &[&passed.from], &report)?;
    assert_eq!(refused.code, 550, "{}", refused.text());
    let reply = stranger.send("", &[&passed.from], &report)?;
    assert!(reply.is_positive(), "{}", reply.text());
    wait_until("the report to go on to Bob", SOON, || Ok(sink.count() == 3))?;
    let back = sink.messages().remove(2);
    assert_eq!((back.from.as_str(), back.to.as_slice()), ("", &[from.to_owned()][..]));
    Ok(())
}

fn shown(message: &[u8]) -> String {
    String::from_utf8_lossy(message).into_owned()
}
