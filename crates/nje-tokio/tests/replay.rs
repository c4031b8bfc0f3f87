//! A live node and a recorded peer.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use async_trait::async_trait;
use concord_nje::{
    Direction, JobItem, LinkSettings, Message, Name, Partner, StreamId, read_capture,
};
use concord_nje_tokio::{
    Application, BackOff, Connection, IncomingJob, LinkNews, Neighbour, Node, Replay, Stopped,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[derive(Default)]
struct Taken {
    jobs: Vec<Vec<JobItem>>,
    messages: Vec<String>,
    news: Vec<LinkNews>,
}

#[derive(Clone, Default)]
struct Taker(Arc<Mutex<Taken>>);

struct Job(Taker, Vec<JobItem>);

impl Application for Taker {
    fn link(&self, _: Name, news: &LinkNews) {
        self.0.lock().unwrap().news.push(news.clone());
    }
    fn job(&self, _: Name, _: StreamId) -> Option<Box<dyn IncomingJob>> {
        Some(Box::new(Job(self.clone(), Vec::new())))
    }
    fn message(&self, _: Name, message: Message) {
        self.0.lock().unwrap().messages.push(message.words());
    }
}

#[async_trait]
impl IncomingJob for Job {
    fn take(&mut self, item: JobItem) -> Result<(), Stopped> {
        self.1.push(item);
        Ok(())
    }
    async fn finish(mut self: Box<Self>) -> Result<(), Stopped> {
        let items = std::mem::take(&mut self.1);
        self.0.0.lock().unwrap().jobs.push(items);
        Ok(())
    }
}

/// FUNET-NJE's octets as they were recorded, in real time of a live link.
#[tokio::test]
async fn funets_recorded_files_are_taken_by_a_live_node() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let taker = Taker::default();
    let mut settings = LinkSettings::new(name("NODEB"), name("NODEA"));
    settings.partner = Partner::funet();
    settings.buffer_size = 4096;
    let neighbour =
        Neighbour { settings, dialler: None, back_off: BackOff::default(), capture: None };
    let application: Arc<dyn Application> = Arc::new(taker.clone());
    let node = Arc::new(Node::start(name("NODEB"), vec![neighbour], &application));
    let listening = Arc::clone(&node);
    tokio::spawn(async move { listening.listen(listener).await });

    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../nje/tests/data/funet-to-funet.nje");
    let mut pieces = read_capture(&std::fs::read_to_string(path).unwrap()).unwrap();
    // The end of the last file and the sign-off come in one: whether the last
    // acknowledgement still goes out is a matter of time.
    let last = pieces.iter().rposition(|p| p.direction == Direction::FromOpener).unwrap();
    pieces.truncate(last + 1);
    let mut connection: Connection = Box::new(TcpStream::connect(address).await.unwrap());
    let replay = Replay::new(pieces, Direction::FromOpener, Duration::from_secs(10));
    replay.run(&mut connection).await.unwrap();
    for _ in 0..500 {
        let done = |taken: &Taken| taken.news.len() == 2 && taken.jobs.len() == 10;
        if done(&taker.0.lock().unwrap()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let taken = taker.0.lock().unwrap();
    assert!(matches!(taken.news[..], [LinkNews::Active, LinkNews::Closed(_)]), "{:?}", taken.news);
    assert_eq!(taken.jobs.len(), 10);
    let records =
        |job: &Vec<JobItem>| job.iter().filter(|i| matches!(i, JobItem::Record(_))).count();
    assert_eq!(taken.jobs.iter().filter(|job| records(job) == 400).count(), 2);
    assert!(!taken.messages.is_empty());
}
