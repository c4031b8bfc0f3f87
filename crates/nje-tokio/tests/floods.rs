//! A partner that sends without end costs itself its link, and us bounded memory.
//!
//! One test, since it looks at the memory of the whole process, in which the
//! partner is too.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use concord_nje::{
    CloseReason, DataRecord, DataSetHeader, Event, JobHeader, JobItem, Link, LinkSettings,
    LinkState, Message, Name, StreamId, StreamKind, user_at, write_ttb,
};
use concord_nje_tokio::{
    Application, BackOff, IncomingJob, LinkNews, LinkPhase, Neighbour, Node, Stopped,
};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the process may grow by, whatever comes: one TTB, what waits to be sent,
/// and socket buffers of both ends, several times over.
const GROWTH: u64 = 12 * 1024;
/// Octets of a job that are taken.
const LIMIT: u64 = 1 << 20;
/// Messages, and as many commands.
const FLOOD: usize = 20_000;
const NOW: Duration = Duration::ZERO;

#[derive(Default)]
struct Hub {
    closed: Mutex<Vec<CloseReason>>,
    octets: AtomicU64,
    messages: AtomicUsize,
    commands: AtomicUsize,
}

#[derive(Clone, Default)]
struct Taker(Arc<Hub>);

impl Application for Taker {
    fn link(&self, _: Name, news: &LinkNews) {
        if let LinkNews::Closed(reason) = news {
            self.0.closed.lock().unwrap().push(reason.clone());
        }
    }
    fn job(&self, _: Name, _: StreamId) -> Option<Box<dyn IncomingJob>> {
        Some(Box::new(self.clone()))
    }
    fn message(&self, _: Name, _: Message) {
        self.0.messages.fetch_add(1, Ordering::SeqCst);
    }
    fn command(&self, _: Name, _: &Message) -> Option<String> {
        self.0.commands.fetch_add(1, Ordering::SeqCst);
        Some("x".repeat(132))
    }
}

#[async_trait]
impl IncomingJob for Taker {
    fn take(&mut self, item: JobItem) -> Result<(), Stopped> {
        if let JobItem::Record(record) = item {
            self.0.octets.fetch_add(record.octets.len() as u64, Ordering::SeqCst);
        }
        Ok(())
    }
    async fn finish(self: Box<Self>) -> Result<(), Stopped> {
        Ok(())
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// The partner: a link's machine, and what its caller does with the octets.
struct Partner {
    stream: TcpStream,
    link: Link,
    permitted: Vec<StreamId>,
}

impl Partner {
    async fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut settings = LinkSettings::new(name("FLOOD"), name("HUB"));
        settings.streams = 7;
        let mut partner = Self { stream, link: Link::new(settings), permitted: Vec::new() };
        partner.link.dialled(NOW).unwrap();
        while partner.link.state() != LinkState::Active {
            partner.flush().await;
            partner.read().await;
        }
        partner
    }

    /// Whether it went out.
    async fn flush(&mut self) -> bool {
        match self.link.take_output(NOW) {
            Some(octets) => self.stream.write_all(&octets).await.is_ok(),
            None => true,
        }
    }

    async fn read(&mut self) {
        let mut octets = vec![0; 64 * 1024];
        let count = self.stream.read(&mut octets).await.unwrap_or_default();
        assert!(count > 0, "the hub has closed");
        self.link.receive(&octets[..count], NOW);
        while let Some(event) = self.link.poll() {
            if let Event::Permitted(stream) = event {
                self.permitted.push(stream);
            }
        }
    }
}

fn memory(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// Fourteen jobs that never end: the spool flood. The first one over the limit ends
/// the link.
async fn endless_jobs(port: u16) {
    let mut partner = Partner::open(port).await;
    for kind in [StreamKind::Sysout, StreamKind::Sysin] {
        for _ in 0..7 {
            partner.link.start(kind).unwrap();
        }
    }
    partner.flush().await;
    while partner.permitted.len() < 14 {
        partner.read().await;
        partner.flush().await;
    }
    let streams = partner.permitted.clone();
    for stream in &streams {
        partner.link.write(*stream, &JobItem::JobHeader(JobHeader::new())).unwrap();
        if stream.kind() == StreamKind::Sysout {
            let header = JobItem::DataSetHeader(DataSetHeader::new());
            partner.link.write(*stream, &header).unwrap();
        }
    }
    // A blank card is seven octets of a block and eighty of a spool.
    let card = JobItem::Record(DataRecord::plain(vec![0x40; 80]));
    for _ in 0..LIMIT / 80 * 2 {
        for stream in &streams {
            if partner.link.is_full() && !partner.flush().await {
                return;
            }
            partner.link.write(*stream, &card).unwrap();
        }
    }
    // What is in the sockets is still to be refused.
    partner.flush().await;
}

/// Messages without end, and commands whose answers nobody reads.
async fn messages_and_commands(port: u16, hub: &Hub) {
    let mut partner = Partner::open(port).await;
    let (from, to) = (user_at("FLOOD", "EVE").unwrap(), user_at("HUB", "BOB").unwrap());
    let message = Message::from_user(from, to, "x");
    let command = Message::command(from, name("HUB"), "SAY");
    for _ in 0..FLOOD {
        for one in [&message, &command] {
            while partner.link.send_message(one).is_err() {
                partner.flush().await;
            }
        }
    }
    partner.flush().await;
    // A connection that is closed with answers unread is reset, and what is on its
    // way lost.
    until("all came", || hub.commands.load(Ordering::SeqCst) == FLOOD).await;
}

/// The same block again and again, then one whose number is not due.
async fn count_games(port: u16) {
    let mut partner = Partner::open(port).await;
    partner.flush().await;
    let ttb = |bcb: u8, count: usize| {
        let block = Bytes::copy_from_slice(&[0x10, 0x02, bcb, 0x8f, 0xcf, 0]);
        let mut ttb = BytesMut::new();
        write_ttb(&vec![block; count], &mut ttb);
        ttb.freeze()
    };
    // Which number is due depends on the sign-on; a reset says it anew.
    let mut octets = BytesMut::from(&ttb(0xa0, 1)[..]);
    octets.put_slice(&ttb(0x80, 1));
    partner.stream.write_all(&octets).await.unwrap();
    for _ in 0..50 {
        partner.stream.write_all(&ttb(0x80, 1_000)).await.unwrap();
    }
    partner.stream.write_all(&ttb(0x87, 1)).await.unwrap();
    let mut rest = Vec::new();
    let closed =
        tokio::time::timeout(Duration::from_secs(20), partner.stream.read_to_end(&mut rest));
    // Closed, or reset because not all was read.
    let _ = closed.await.unwrap();
}

#[tokio::test]
async fn floods_cost_the_partner_its_link_and_us_bounded_memory() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taker = Taker::default();
    let hub = Arc::clone(&taker.0);
    let application: Arc<dyn Application> = Arc::new(taker);
    let mut settings = LinkSettings::new(name("HUB"), name("FLOOD"));
    settings.job_limit.octets = LIMIT;
    let neighbour =
        Neighbour { settings, dialler: None, back_off: BackOff::default(), capture: None };
    let node = Arc::new(Node::start(name("HUB"), vec![neighbour], &application));
    let listening = Arc::clone(&node);
    tokio::spawn(async move { listening.listen(listener).await });
    let link = node.link(name("FLOOD")).unwrap();
    let idle = memory("VmRSS:");

    endless_jobs(port).await;
    until("closed", || hub.closed.lock().unwrap().len() == 1).await;
    let reason = hub.closed.lock().unwrap()[0].clone();
    assert!(matches!(reason, CloseReason::JobTooLarge { .. }), "{reason:?}");
    let taken = hub.octets.load(Ordering::SeqCst);
    assert!(taken > LIMIT && taken < 15 * LIMIT, "{taken}");

    messages_and_commands(port, &hub).await;
    until("closed", || hub.closed.lock().unwrap().len() == 2).await;
    assert_eq!(hub.messages.load(Ordering::SeqCst), FLOOD);
    assert_eq!(hub.commands.load(Ordering::SeqCst), FLOOD);

    count_games(port).await;
    until("closed", || hub.closed.lock().unwrap().len() == 3).await;
    let reason = hub.closed.lock().unwrap()[2].clone();
    assert_eq!(reason, CloseReason::SequenceGap { expected: 1, found: 7 });

    assert_eq!(link.status().phase, LinkPhase::Down);
    let grown = memory("VmHWM:").saturating_sub(idle);
    assert!(grown < GROWTH, "{grown} KiB");
}
