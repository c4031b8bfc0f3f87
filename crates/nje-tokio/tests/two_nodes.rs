//! Two nodes over loopback that lose their connection again and again.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use async_trait::async_trait;
use concord_nje::{
    CapturePiece, CloseReason, DataRecord, DataSetHeader, Direction, JobHeader, JobItem, JobKey,
    JobLimit, JobTrailer, LinkSettings, Message, NakReason, Name, StreamId, StreamKind, TodClock,
    Tracer, data_set, job, read_capture, recorded_jobs, user_at,
};
use concord_nje_tokio::{
    Application, BackOff, Connection, Dialler, IncomingJob, LinkNews, LinkPhase, Neighbour, Node,
    OutgoingJob, Seen, SendError, Stopped, Trouble, Watcher,
};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// What a node has: jobs that are durable, by their keys, and messages.
#[derive(Default)]
struct Spool {
    jobs: Mutex<BTreeMap<JobKey, Vec<JobItem>>>,
    /// Jobs that came although they were here.
    again: AtomicUsize,
    messages: Mutex<Vec<String>>,
    active: AtomicUsize,
    closed: AtomicUsize,
    /// Jobs are taken only when this is zero.
    full: AtomicUsize,
}

#[derive(Clone, Default)]
struct TestNode(Arc<Spool>);

struct Incoming {
    spool: Arc<Spool>,
    items: Vec<JobItem>,
}

impl Application for TestNode {
    fn link(&self, _: Name, news: &LinkNews) {
        match news {
            LinkNews::Active => self.0.active.fetch_add(1, Ordering::SeqCst),
            LinkNews::Closed(_) => self.0.closed.fetch_add(1, Ordering::SeqCst),
            _ => 0,
        };
    }

    fn job(&self, _: Name, _: StreamId) -> Option<Box<dyn IncomingJob>> {
        if self.0.full.load(Ordering::SeqCst) > 0 {
            return None;
        }
        Some(Box::new(Incoming { spool: Arc::clone(&self.0), items: Vec::new() }))
    }

    fn message(&self, _: Name, message: Message) {
        self.0.messages.lock().unwrap().push(message.words());
    }

    fn command(&self, _: Name, command: &Message) -> Option<String> {
        (command.words() == "CPQ LOGMSG").then(|| "WELCOME".to_owned())
    }
}

#[async_trait]
impl IncomingJob for Incoming {
    fn take(&mut self, item: JobItem) -> Result<(), Stopped> {
        self.items.push(item);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), Stopped> {
        // A disk takes its time.
        tokio::time::sleep(Duration::from_millis(3)).await;
        let Incoming { spool, items } = *self;
        let Some(JobItem::JobHeader(header)) = items.first() else {
            return Err(Stopped("no header".to_owned()));
        };
        let key = JobKey::of(header).unwrap();
        let mut jobs = spool.jobs.lock().unwrap();
        match jobs.get(&key) {
            Some(had) => {
                assert_eq!(*had, items, "what comes again is the same");
                spool.again.fetch_add(1, Ordering::SeqCst);
            }
            None => drop(jobs.insert(key, items)),
        }
        Ok(())
    }
}

/// A connection that breaks after so many octets, both ways counted.
struct Fragile {
    stream: TcpStream,
    left: usize,
}

impl Fragile {
    fn use_up(&mut self, octets: usize) -> io::Result<()> {
        self.left = self.left.saturating_sub(octets);
        if self.left == 0 {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Fragile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = read {
            self.use_up(buffer.filled().len() - before)?;
        }
        read
    }
}

impl AsyncWrite for Fragile {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Breaks in the middle of a write, too.
        let most = octets.len().min(self.left);
        let written = Pin::new(&mut self.stream).poll_write(cx, &octets[..most]);
        if let Poll::Ready(Ok(count)) = written {
            self.use_up(count)?;
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Dials loopback; the first connections break.
struct FragileDialler {
    port: u16,
    /// How many octets each connection lives for.
    lives: Mutex<Vec<usize>>,
}

#[async_trait]
impl Dialler for FragileDialler {
    async fn dial(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let left = self.lives.lock().unwrap().pop().unwrap_or(usize::MAX);
        Ok(Box::new(Fragile { stream, left }))
    }
}

fn neighbour(own: &str, partner: &str, dialler: Option<Arc<dyn Dialler>>) -> Neighbour {
    let mut settings = LinkSettings::new(name(own), name(partner));
    settings.streams = 3;
    let back_off = BackOff { least: Duration::from_millis(1), most: Duration::from_millis(20) };
    Neighbour { settings, dialler, back_off, capture: None }
}

fn job(origin: &str, number: u16) -> OutgoingJob {
    let header = JobHeader::new()
        .with(job::JOB_ID, number)
        .with(job::ORIGIN_NODE, name(origin))
        .with(job::ENTRY_TIME, TodClock::from_unix_micros(1_795_253_969_575_936).unwrap());
    let data_set = DataSetHeader::new().with(data_set::USER, name("BOB"));
    let card = |n: u16| DataRecord::plain(vec![(n % 200) as u8; 80]);
    let mut items = vec![JobItem::JobHeader(header), JobItem::DataSetHeader(data_set)];
    items.extend((0..number * 20).map(|n| JobItem::Record(card(n))));
    items.push(JobItem::JobTrailer(JobTrailer::new()));
    OutgoingJob::in_memory(StreamKind::Sysout, items)
}

struct Nodes {
    a: Arc<Node>,
    b: Arc<Node>,
    at_a: Arc<Spool>,
    at_b: Arc<Spool>,
}

/// B listens, A dials connections that live so long.
async fn nodes(lives: Vec<usize>, capture: Option<std::path::PathBuf>) -> Nodes {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (app_a, app_b) = (TestNode::default(), TestNode::default());
    let (at_a, at_b) = (Arc::clone(&app_a.0), Arc::clone(&app_b.0));
    let (app_a, app_b): (Arc<dyn Application>, Arc<dyn Application>) =
        (Arc::new(app_a), Arc::new(app_b));
    let dialler = FragileDialler { port, lives: Mutex::new(lives) };
    let mut to_b = neighbour("NODEA", "NODEB", Some(Arc::new(dialler)));
    to_b.capture = capture;
    let b = Arc::new(Node::start(name("NODEB"), vec![neighbour("NODEB", "NODEA", None)], &app_b));
    let a = Arc::new(Node::start(name("NODEA"), vec![to_b], &app_a));
    let listening = Arc::clone(&b);
    tokio::spawn(async move { listening.listen(listener).await });
    Nodes { a, b, at_a, at_b }
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_is_lost_and_none_is_confirmed_before_it_is_durable() {
    // From a few octets, in the sign-on, to a few jobs. The seed is printed by
    // the assertion that fails.
    let lives: Vec<usize> = (0..40).map(|_| rand::random_range(1..12_000)).collect();
    let nodes = nodes(lives.clone(), None).await;
    let mut sent = tokio::task::JoinSet::new();
    for number in 1..=25_u16 {
        for (node, partner, spool) in
            [(&nodes.a, "NODEB", &nodes.at_b), (&nodes.b, "NODEA", &nodes.at_a)]
        {
            let link = node.link(name(partner)).unwrap().clone();
            let (origin, spool) = (node.name().to_string(), Arc::clone(spool));
            sent.spawn(async move {
                let result = link.send(job(&origin, number)).await;
                let durable = spool.jobs.lock().unwrap().keys().any(|key| key.job_id == number);
                (result, durable)
            });
        }
    }
    let all = async {
        while let Some(sent) = sent.join_next().await {
            let (result, durable) = sent.unwrap();
            assert_eq!(result, Ok(()), "{lives:?}");
            assert!(durable, "confirmed before it was durable: {lives:?}");
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all)
        .await
        .unwrap_or_else(|_| panic!("{lives:?}"));
    for (spool, origin) in [(&nodes.at_b, "NODEA"), (&nodes.at_a, "NODEB")] {
        let jobs = spool.jobs.lock().unwrap();
        let numbers: HashSet<u16> = jobs.keys().map(|key| key.job_id).collect();
        assert_eq!(numbers, (1..=25).collect(), "{lives:?}");
        for (key, items) in jobs.iter() {
            let expected: Vec<JobItem> = (job(origin, key.job_id).parts)().collect();
            assert_eq!(*items, expected, "whole, in order, once");
        }
    }
    assert!(nodes.at_a.closed.load(Ordering::SeqCst) >= 10, "connections did break");
}

#[tokio::test]
async fn messages_and_commands_go_both_ways_and_the_time_is_told() {
    let nodes = nodes(vec![], None).await;
    until("active", || nodes.at_a.active.load(Ordering::SeqCst) == 1).await;
    until("active", || nodes.at_b.active.load(Ordering::SeqCst) == 1).await;
    let (alice, bob) = (user_at("NODEA", "ALICE").unwrap(), user_at("NODEB", "BOB").unwrap());
    let to_b = nodes.a.link(name("NODEB")).unwrap();
    to_b.send_message(Message::from_user(alice, bob, "Good morning")).await.unwrap();
    for command in ["CPQ TIME", "CPQ LOGMSG", "FLY"] {
        to_b.send_message(Message::command(alice, name("NODEB"), command)).await.unwrap();
    }
    let to_a = nodes.b.link(name("NODEA")).unwrap();
    to_a.send_message(Message::from_user(bob, alice, "Good evening")).await.unwrap();
    until("answers", || nodes.at_a.messages.lock().unwrap().len() == 4).await;
    assert_eq!(nodes.at_b.messages.lock().unwrap()[..], ["Good morning"]);
    let messages = nodes.at_a.messages.lock().unwrap().clone();
    assert!(messages.iter().any(|m| m.starts_with("CPQ: TIME IS ") && m.contains(" UTC ")));
    for expected in ["WELCOME", "COMMAND NOT SUPPORTED", "Good evening"] {
        assert!(messages.iter().any(|m| m == expected), "{messages:?}");
    }
}

#[tokio::test]
async fn a_job_for_which_there_is_no_room_waits() {
    let nodes = nodes(vec![], None).await;
    nodes.at_b.full.store(1, Ordering::SeqCst);
    let link = nodes.a.link(name("NODEB")).unwrap().clone();
    let sent = tokio::spawn(async move { link.send(job("NODEA", 1)).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!sent.is_finished());
    assert!(nodes.at_b.jobs.lock().unwrap().is_empty());
    nodes.at_b.full.store(0, Ordering::SeqCst);
    assert_eq!(sent.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn a_node_that_stops_signs_off_and_says_which_jobs_were_not_confirmed() {
    let Nodes { a, b, at_a, at_b } = nodes(vec![], None).await;
    until("active", || at_a.active.load(Ordering::SeqCst) == 1).await;
    at_b.full.store(1, Ordering::SeqCst);
    let link = a.link(name("NODEB")).unwrap().clone();
    let sent = tokio::spawn(async move { link.send(job("NODEA", 1)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let a = Arc::into_inner(a).unwrap();
    tokio::time::timeout(Duration::from_secs(10), a.stop()).await.unwrap();
    assert_eq!(sent.await.unwrap(), Err(SendError::Stopped));
    until("the partner heard", || at_b.closed.load(Ordering::SeqCst) == 1).await;
    let alice = user_at("NODEB", "ALICE").unwrap();
    let message = Message::command(alice, name("NODEA"), "CPQ TIME");
    let unsent = b.link(name("NODEA")).unwrap().send_message(message).await;
    assert_eq!(unsent, Err(SendError::NotActive));
}

#[tokio::test]
async fn a_job_that_is_sent_once_fails_when_the_link_is_down_or_lost() {
    // The first connection breaks within the job, which would be sent again.
    let nodes = nodes(vec![2_000], None).await;
    let link = nodes.a.link(name("NODEB")).unwrap().clone();
    until("active", || nodes.at_a.active.load(Ordering::SeqCst) == 1).await;
    let lost = link.send_once(job("NODEA", 9)).await;
    assert!(matches!(lost, Err(SendError::Lost { .. })), "{lost:?}");
    until("active again", || nodes.at_a.active.load(Ordering::SeqCst) == 2).await;
    assert_eq!(link.send_once(job("NODEA", 2)).await, Ok(()));
    let numbers: Vec<u16> = nodes.at_b.jobs.lock().unwrap().keys().map(|key| key.job_id).collect();
    assert_eq!(numbers, [2], "the other was not sent again");
    Arc::into_inner(nodes.a).unwrap().stop().await;
    let down = nodes.b.link(name("NODEA")).unwrap().clone();
    until("down", || nodes.at_b.closed.load(Ordering::SeqCst) > 0).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(down.send_once(job("NODEB", 3)).await, Err(SendError::NotActive));
}

#[tokio::test]
async fn a_record_that_cannot_be_sent_fails_alone() {
    let nodes = nodes(vec![], None).await;
    let long = (job("NODEA", 1).parts)().map(|item| match item {
        JobItem::Record(_) => JobItem::Record(DataRecord::plain(vec![0; 300])),
        other => other,
    });
    let long = OutgoingJob::in_memory(StreamKind::Sysout, long.collect());
    let link = nodes.a.link(name("NODEB")).unwrap().clone();
    let (bad, good) = tokio::join!(link.send(long), link.send(job("NODEA", 2)));
    assert!(matches!(bad, Err(SendError::Unsendable(_))), "{bad:?}");
    assert_eq!(good, Ok(()));
}

#[tokio::test]
async fn a_capture_has_all_that_went_over_the_link() {
    let path = std::env::temp_dir().join(format!("nje-{}.capture", std::process::id()));
    let nodes = nodes(vec![], Some(path.clone())).await;
    let link = nodes.a.link(name("NODEB")).unwrap().clone();
    assert_eq!(link.send(job("NODEA", 1)).await, Ok(()));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(text.starts_with("= opened NODEA NODEB\n"), "{text}");
    let pieces = read_capture(&text).unwrap();
    assert_eq!(pieces[0].octets.len(), 33, "OPEN went out in one write");
    let octets: usize = pieces.iter().map(|piece| piece.octets.len()).sum();
    assert!(octets > 500, "{octets}");
}

/// Keeps what it sees.
#[derive(Default)]
struct Notes(Mutex<Vec<CapturePiece>>, AtomicUsize);

impl Watcher for Notes {
    fn seen(&self, seen: Seen<'_>) -> ControlFlow<()> {
        if let Seen::Octets(direction, octets) = seen {
            let octets = octets.to_vec();
            self.0.lock().unwrap().push(CapturePiece { millis: 0, direction, octets });
        } else {
            self.1.fetch_add(1, Ordering::SeqCst);
        }
        ControlFlow::Continue(())
    }
}

#[tokio::test]
async fn a_stopped_link_stays_down_whoever_opens_it_and_its_jobs_wait() {
    let nodes = nodes(vec![], None).await;
    let (to_b, to_a) = (nodes.a.link(name("NODEB")).unwrap(), nodes.b.link(name("NODEA")).unwrap());
    until("active", || to_b.status().phase == LinkPhase::Active).await;
    until("active", || to_a.status().phase == LinkPhase::Active).await;
    // B is opened by A and cannot dial: it refuses A.
    to_a.stop().await.unwrap();
    until("stopped", || to_a.status().phase == LinkPhase::Stopped).await;
    until("refused", || {
        let trouble = to_b.status().last_trouble.map(|(_, trouble)| trouble);
        trouble == Some(Trouble::Closed(CloseReason::Refused(NakReason::Temporary)))
    })
    .await;
    let waiting = tokio::spawn({
        let to_a = to_a.clone();
        async move { to_a.send(job("NODEB", 2)).await }
    });
    until("waits", || to_a.status().jobs_waiting == 1).await;
    assert!(!waiting.is_finished());
    to_a.start().await.unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(()));
    let status = to_a.status();
    assert_eq!((status.phase, status.jobs_sent), (LinkPhase::Active, 1));
    assert_eq!((status.jobs_waiting, status.jobs_going), (0, 0));
    assert!(status.octets_sent > 300 && status.buffer_size == Some(8192), "{status:?}");
    // A link that is stopped by the end that dials is dialled at once when started.
    to_b.stop().await.unwrap();
    until("stopped", || to_b.status().phase == LinkPhase::Stopped).await;
    to_b.start().await.unwrap();
    assert_eq!(to_b.send(job("NODEA", 3)).await, Ok(()));
}

#[tokio::test]
async fn a_watcher_sees_a_link_that_is_up_from_its_next_block_on() {
    let nodes = nodes(vec![], None).await;
    let to_b = nodes.a.link(name("NODEB")).unwrap();
    assert_eq!(to_b.send(job("NODEA", 1)).await, Ok(()));
    let (notes, at_b) = (Arc::new(Notes::default()), Arc::new(Notes::default()));
    to_b.watch(notes.clone()).await.unwrap();
    nodes.b.link(name("NODEA")).unwrap().watch(at_b.clone()).await.unwrap();
    assert_eq!(to_b.send(job("NODEA", 2)).await, Ok(()));
    let pieces = notes.0.lock().unwrap().clone();
    let expected: Vec<JobItem> = (job("NODEA", 2).parts)().collect();
    // The end that listened did not read the OPEN itself.
    for pieces in [&pieces, &at_b.0.lock().unwrap()] {
        let jobs = recorded_jobs(pieces, Direction::FromOpener, true, &JobLimit::usual()).unwrap();
        assert_eq!(jobs.len(), 1);
        assert!(jobs[0].whole && jobs[0].items == expected);
    }
    let mut tracer = Tracer::under_way();
    let mut line = |piece: &CapturePiece| tracer.lines(piece.direction, &piece.octets);
    let lines: Vec<String> = pieces.iter().flat_map(&mut line).collect();
    assert!(!lines.iter().any(|line| line.contains("cannot be read")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.ends_with("has taken the job over")), "{lines:#?}");
    to_b.stop().await.unwrap();
    until("closed", || notes.1.load(Ordering::SeqCst) == 2).await;
}

#[tokio::test]
async fn both_nodes_dial_each_other_and_have_one_link() {
    let listeners = [
        TcpListener::bind(("127.0.0.1", 0)).await.unwrap(),
        TcpListener::bind(("127.0.0.1", 0)).await.unwrap(),
    ];
    let ports = listeners.each_ref().map(|l| l.local_addr().unwrap().port());
    let spools = [TestNode::default(), TestNode::default()];
    let names = [["NODEA", "NODEB"], ["NODEB", "NODEA"]];
    let mut nodes = Vec::new();
    for (index, listener) in listeners.into_iter().enumerate() {
        let dialler = FragileDialler { port: ports[1 - index], lives: Mutex::default() };
        let [own, partner] = names[index];
        let neighbour = neighbour(own, partner, Some(Arc::new(dialler)));
        let application: Arc<dyn Application> = Arc::new(spools[index].clone());
        let node = Arc::new(Node::start(name(own), vec![neighbour], &application));
        let listening = Arc::clone(&node);
        tokio::spawn(async move { listening.listen(listener).await });
        nodes.push(node);
    }
    let to_b = nodes[0].link(name("NODEB")).unwrap().clone();
    let to_a = nodes[1].link(name("NODEA")).unwrap().clone();
    let both = async { tokio::join!(to_b.send(job("NODEA", 3)), to_a.send(job("NODEB", 4))) };
    // A collision makes the lower name wait for up to ten seconds.
    let both = tokio::time::timeout(Duration::from_secs(30), both).await.unwrap();
    assert_eq!(both, (Ok(()), Ok(())));
}
