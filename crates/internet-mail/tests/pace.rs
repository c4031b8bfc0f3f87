//! How much at once, and how fast.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use common::host::{self, Host, Say, polite, say};
use common::{World, policy, send};
use concord_internet_mail::InternetMailConfig;
use concord_smtp::Reply;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

async fn world(
    script: impl Fn(&str, usize) -> Say + Send + Sync + 'static,
    change: impl FnOnce(&mut InternetMailConfig),
) -> (Arc<World>, SocketAddr, Host) {
    let (address, host) = host::start(([127, 0, 0, 1], 0).into(), script);
    let world = World::start(|config| {
        config.remote_port = address.port();
        change(config);
    })
    .await;
    (Arc::new(world), address, host)
}

/// Sends so many messages at once; the answers.
async fn burst(world: &Arc<World>, count: usize) -> Vec<Reply> {
    let mut all = JoinSet::new();
    for number in 0..count {
        let world = Arc::clone(world);
        all.spawn(async move {
            let to = format!("u{number}@[127.0.0.1]");
            send(&world, &[to.as_str()], b"x\r\n").await.remove(0)
        });
    }
    all.join_all().await
}

#[tokio::test]
async fn a_host_that_wants_fewer_connections_gets_fewer_and_all_of_the_mail() {
    let (now, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (open, count) = (Arc::clone(&now), Arc::clone(&refused));
    let script = move |line: &str, _| match line {
        // At most two at once; each message is one of them for a while.
        "connected" => match open.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => polite(line),
            _ => {
                open.fetch_sub(1, Ordering::SeqCst);
                count.fetch_add(1, Ordering::SeqCst);
                say("421 4.7.0 too many connections from you")
            }
        },
        "QUIT" => {
            open.fetch_sub(1, Ordering::SeqCst);
            polite(line)
        }
        "." => {
            std::thread::sleep(Duration::from_millis(20));
            polite(line)
        }
        _ => polite(line),
    };
    let (world, _, host) = world(script, |_| {}).await;
    let replies = burst(&world, 8).await;
    assert!(replies.iter().all(Reply::is_ok), "nobody waits for another attempt: {replies:?}");
    let at_first = refused.load(Ordering::SeqCst);
    assert!((1..=18).contains(&at_first), "{at_first}");
    let replies = burst(&world, 8).await;
    assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
    let later = refused.load(Ordering::SeqCst) - at_first;
    assert!(later < at_first.max(4), "what was learnt is used: {at_first}, then {later}");
    assert_eq!(host.heard("."), 16);
}

#[tokio::test]
async fn a_host_that_refuses_everything_is_given_a_rest() {
    let (world, _, host) = world(|_, _| say("421 4.3.2 not now"), |_| {}).await;
    let replies = burst(&world, 1).await;
    assert_eq!(replies[0].code, 421, "{}", replies[0]);
    let began = Instant::now();
    let waiting = tokio::time::timeout(Duration::from_secs(2), burst(&world, 3)).await;
    assert!(waiting.is_err(), "nobody asks before the rest is over: {:?}", began.elapsed());
    assert_eq!(host.most(), 1);
}

#[tokio::test]
async fn messages_a_minute_are_spread_over_it() {
    let (world, _, host) = world(
        |line, _| polite(line),
        |config| config.policy = policy("[outbound]\nmessages-per-minute = 120\n"),
    )
    .await;
    let began = Instant::now();
    let replies = burst(&world, 4).await;
    assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(1490), "the fourth half a second after each: {took:?}");
    assert_eq!(host.heard("."), 4);
}

#[tokio::test]
async fn connections_and_messages_on_each_are_what_the_policy_says() {
    let script = |line: &str, _| {
        if line == "." {
            std::thread::sleep(Duration::from_millis(10));
        }
        polite(line)
    };
    let (world, _, host) = world(script, |config| {
        config.policy = policy("[outbound]\nconnections = 2\nmessages-per-connection = 2\n");
    })
    .await;
    let replies = burst(&world, 8).await;
    assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
    assert!(host.most() <= 3, "two, and one that is closing: {}", host.most());
    assert!(host.heard("EHLO") >= 4, "{}", host.heard("EHLO"));
}
