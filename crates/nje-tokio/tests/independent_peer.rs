//! A live link to a peer that shares no code with the crates, in Python.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)] // tests

use async_trait::async_trait;
use concord_nje::{
    DataRecord, DataSetHeader, JobHeader, JobItem, JobTrailer, LinkSettings, Message, Name,
    StreamId, StreamKind, data_set, encode, job, trailer,
};
use concord_nje_tokio::{
    Application, BackOff, IncomingJob, LinkNews, Neighbour, Node, OutgoingJob, Stopped,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::Command;

#[derive(Clone, Default)]
struct Taker(Arc<Mutex<Vec<JobItem>>>);

impl Application for Taker {
    fn link(&self, _: Name, _: &LinkNews) {}
    fn job(&self, _: Name, _: StreamId) -> Option<Box<dyn IncomingJob>> {
        Some(Box::new(self.clone()))
    }
    fn message(&self, _: Name, _: Message) {}
}

#[async_trait]
impl IncomingJob for Taker {
    fn take(&mut self, item: JobItem) -> Result<(), Stopped> {
        self.0.lock().unwrap().push(item);
        Ok(())
    }
    async fn finish(self: Box<Self>) -> Result<(), Stopped> {
        Ok(())
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[tokio::test]
async fn files_and_commands_go_both_ways() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let taker = Taker::default();
    let neighbour = Neighbour {
        settings: LinkSettings::new(name("NODEB"), name("NODEA")),
        dialler: None,
        back_off: BackOff::default(),
        capture: None,
    };
    let application: Arc<dyn Application> = Arc::new(taker.clone());
    let node = Arc::new(Node::start(name("NODEB"), vec![neighbour], &application));
    let listening = Arc::clone(&node);
    tokio::spawn(async move { listening.listen(listener).await });

    let card = |text: &str| JobItem::Record(DataRecord::plain(encode(&format!("{text:<80}"))));
    let items = vec![
        JobItem::JobHeader(JobHeader::new().with(job::JOB_ID, 3)),
        JobItem::DataSetHeader(
            DataSetHeader::new()
                .with(data_set::USER, name("ALICE"))
                .with(data_set::TAG, concord_nje::Text::new("NODEA    ALICE    50").unwrap()),
        ),
        card("HELLO ALICE"),
        card("SECOND     CARD"),
        JobItem::JobTrailer(JobTrailer::new().with(trailer::CARDS, 2)),
    ];
    let link = node.link(name("NODEA")).unwrap().clone();
    let sent =
        tokio::spawn(
            async move { link.send(OutgoingJob::in_memory(StreamKind::Sysout, items)).await },
        );

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peer.py");
    let peer = Command::new("python3").arg(script).arg(port.to_string()).output();
    let peer = tokio::time::timeout(Duration::from_secs(30), peer).await.unwrap().unwrap();
    let said = String::from_utf8(peer.stdout).unwrap();
    let complaint = String::from_utf8(peer.stderr).unwrap();
    assert!(peer.status.success(), "{said}{complaint}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..2], ["ttc ACK NODEB", "signed on with 1024"], "{said}");
    assert!(lines.iter().any(|line| line.starts_with("message CPQ: TIME IS ")), "{said}");
    for expected in ["taken over", "card HELLO ALICE", "card SECOND     CARD", "end"] {
        assert!(lines.contains(&expected), "{said}");
    }
    assert_eq!(sent.await.unwrap(), Ok(()));

    let items = taker.0.lock().unwrap();
    let JobItem::JobHeader(header) = &items[0] else { panic!("{items:?}") };
    assert_eq!(header.get(job::JOB_NAME), Some(name("RSCS0009")));
    assert_eq!(header.get(job::PUNCH_USER), Some(name("BOB")));
    let JobItem::DataSetHeader(header) = &items[1] else { panic!("{items:?}") };
    assert_eq!(header.get(data_set::FILE_NAME).unwrap().to_string(), "HELLO");
    let cards: Vec<Vec<u8>> = items
        .iter()
        .filter_map(|item| match item {
            JobItem::Record(record) => Some(record.octets.to_vec()),
            _ => None,
        })
        .collect();
    assert_eq!(cards.len(), 3);
    assert_eq!(cards[0], encode(&format!("{:<80}", "FIRST CARD")));
    assert_eq!(cards[1], vec![0x40; 80]);
    assert_eq!(cards[2], encode(&"x".repeat(80)));
}
