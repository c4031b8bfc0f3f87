//! ETRN in front of a core (RFC 1985).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use common::World;
use concord_mail_policy::{Live, Policy};
use concord_smtp_tokio::Phase;
use std::sync::Arc;

/// T49, T50, Q258292, Q269771
#[tokio::test]
async fn etrn_goes_to_the_core_and_can_be_turned_off() {
    let world = World::start(|_| {}).await;
    let mut client = world.client().await;
    assert!(client.capabilities().extensions.etrn);
    for domain in ["one.test", "@two.test"] {
        let reply = client.command(&format!("ETRN {domain}"), Phase::Envelope).await.unwrap();
        assert_eq!(reply.code, 250, "{reply}");
    }
    let reply = client.command("ETRN #queue", Phase::Envelope).await.unwrap();
    assert_eq!(reply.code, 501);
    // Exactly those, and the core knows who asked.
    let asked = world.core.etrns();
    let said: Vec<&str> = asked.iter().map(|(etrn, _)| etrn.as_str()).collect();
    assert_eq!(said, ["ETRN one.test", "ETRN @two.test"]);
    assert_eq!(asked[0].1.as_deref(), Some("127.0.0.1"));
    // Not within a transaction.
    client.command("MAIL FROM:<a@example.test>", Phase::Envelope).await.unwrap();
    let reply = client.command("ETRN one.test", Phase::Envelope).await.unwrap();
    assert_eq!(reply.code, 503);

    let policy = Policy::parse("[inbound]\ndisable-etrn = true\n").unwrap();
    let world = World::start(|config| config.policy = Arc::new(Live::fixed(policy))).await;
    let mut client = world.client().await;
    assert!(!client.capabilities().extensions.etrn);
    let reply = client.command("ETRN one.test", Phase::Envelope).await.unwrap();
    assert_eq!(reply.code, 500);
}
