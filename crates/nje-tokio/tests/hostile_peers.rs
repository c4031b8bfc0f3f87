//! Peers that mean no good cost themselves their link, and nobody else.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use async_trait::async_trait;
use concord_nje::{
    JobHeader, JobItem, JobTrailer, LinkSettings, Message, NakReason, Name, StreamId, StreamKind,
    Ttc, TtcKind, job,
};
use concord_nje_tokio::{
    Application, BackOff, IncomingJob, LinkNews, Neighbour, Node, OutgoingJob, Stopped, TcpDialler,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type News = Arc<Mutex<Vec<(String, LinkNews)>>>;

#[derive(Clone, Default)]
struct Quiet(News);

impl Application for Quiet {
    fn link(&self, partner: Name, news: &LinkNews) {
        self.0.lock().unwrap().push((partner.to_string(), news.clone()));
    }
    fn job(&self, _: Name, _: StreamId) -> Option<Box<dyn IncomingJob>> {
        Some(Box::new(Dropped))
    }
    fn message(&self, _: Name, _: Message) {}
}

struct Dropped;

#[async_trait]
impl IncomingJob for Dropped {
    fn take(&mut self, _: JobItem) -> Result<(), Stopped> {
        Ok(())
    }
    async fn finish(self: Box<Self>) -> Result<(), Stopped> {
        Ok(())
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn neighbour(own: &str, partner: &str, port: Option<u16>) -> Neighbour {
    let back_off = BackOff { least: Duration::from_millis(5), most: Duration::from_millis(50) };
    let dialler =
        port.map(|port| Arc::new(TcpDialler { address: format!("127.0.0.1:{port}") }) as _);
    let settings = LinkSettings::new(name(own), name(partner));
    Neighbour { settings, dialler, back_off, capture: None }
}

/// A hub with links to NODEB and NODEC, and where it listens.
async fn hub() -> (Arc<Node>, u16, News) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let quiet = Quiet::default();
    let news = Arc::clone(&quiet.0);
    let application: Arc<dyn Application> = Arc::new(quiet);
    let neighbours = vec![neighbour("HUB", "NODEB", None), neighbour("HUB", "NODEC", None)];
    let hub = Arc::new(Node::start(name("HUB"), neighbours, &application));
    let listening = Arc::clone(&hub);
    tokio::spawn(async move { listening.listen(listener).await });
    (hub, port, news)
}

async fn opened(port: u16, open: &Ttc) -> (TcpStream, Ttc) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(&open.octets()).await.unwrap();
    let mut answer = [0; 33];
    stream.read_exact(&mut answer).await.unwrap();
    (stream, Ttc::parse(&answer).unwrap())
}

fn small_job(number: u16) -> OutgoingJob {
    let items = vec![
        JobItem::JobHeader(JobHeader::new().with(job::JOB_ID, number)),
        JobItem::JobTrailer(JobTrailer::new()),
    ];
    OutgoingJob::in_memory(StreamKind::Sysout, items)
}

#[tokio::test]
async fn strangers_and_wrong_names_are_refused() {
    let (_hub, port, _) = hub().await;
    for (sender, receiver) in [("STRANGER", "HUB"), ("NODEB", "OTHER")] {
        let (mut stream, answer) = opened(port, &Ttc::open(name(sender), name(receiver))).await;
        assert_eq!(answer.kind, TtcKind::Nak);
        assert_eq!(NakReason::from_octet(answer.reason), NakReason::NoSuchLink);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"", "and closed");
    }
    // What is no control record at all is closed without a word.
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(&[b'x'; 33]).await.unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
    assert_eq!(rest, b"");
}

#[tokio::test]
async fn a_partner_that_sends_rubbish_loses_its_link_and_the_others_go_on() {
    let (hub, port, news) = hub().await;
    let application: Arc<dyn Application> = Arc::new(Quiet::default());
    let b = Node::start(name("NODEB"), vec![neighbour("NODEB", "HUB", Some(port))], &application);
    let from_b = b.link(name("HUB")).unwrap().clone();
    let to_b = hub.link(name("NODEB")).unwrap().clone();
    assert_eq!(from_b.send(small_job(1)).await, Ok(()));

    // Rubbish in place of a TTB, an endless record, a length beyond its TTB.
    let endless = [&b"\x10\x02\x80\x8f\xcf\x99\x80"[..], &[0x9f; 2000]].concat();
    let mut ttb = bytes::BytesMut::new();
    concord_nje::write_ttb(&[endless.into()], &mut ttb);
    for rubbish in [&[0xff; 4096][..], &ttb[..], b"\0\0\0\x10\0\0\0\0\0\0\xff\xffabcd"] {
        let (mut stream, answer) = loop {
            let (stream, answer) = opened(port, &Ttc::open(name("NODEC"), name("HUB"))).await;
            if answer.kind == TtcKind::Ack {
                break (stream, answer);
            }
            // The link before is closed in a moment.
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        assert_eq!(answer.kind, TtcKind::Ack);
        stream.write_all(rubbish).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest));
        // Closed, or reset because not all was read.
        let _ = closed.await.unwrap();
        let both = tokio::join!(from_b.send(small_job(2)), to_b.send(small_job(3)));
        assert_eq!(both, (Ok(()), Ok(())), "the other link does not notice");
    }
    let news = news.lock().unwrap().clone();
    let closed = |partner| {
        let of = |(who, news): &&(String, LinkNews)| {
            who == partner && matches!(news, LinkNews::Closed(_))
        };
        news.iter().filter(of).count()
    };
    assert_eq!((closed("NODEB"), closed("NODEC")), (0, 3), "{news:?}");
}
