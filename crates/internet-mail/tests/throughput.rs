//! How fast messages go through: a figure to look at, not a promise. Client,
//! service and core share one process here.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // in helpers, too, a panic is a failed test

mod common;

use bytes::Bytes;
use common::{World, mail, rcpt};
use std::time::Instant;

const CLIENTS: usize = 20;

async fn measure(octets: usize, each: usize) {
    let world = World::start(|_| {}).await;
    let line = format!("{}\r\n", "x".repeat(70));
    let body = Bytes::from(line.repeat(octets / line.len()));
    let began = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let mut client = world.client().await;
        let body = body.clone();
        clients.spawn(async move {
            for _ in 0..each {
                let mut source = Some(body.clone());
                let rcpts = [rcpt("a@example.test")];
                let done = client.deliver(None, &mail(), &rcpts, &mut source).await.unwrap();
                assert_eq!(done.rcpts[0].code, 250);
            }
        });
    }
    clients.join_all().await;
    let seconds = began.elapsed().as_secs_f64();
    let count = CLIENTS * each;
    assert_eq!(world.core.messages(), count);
    println!(
        "{octets} octets: {:.0} messages/s",
        f64::from(u32::try_from(count).unwrap()) / seconds
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn messages_per_second() {
    measure(1024, 500).await;
    measure(102_400, 50).await;
}
