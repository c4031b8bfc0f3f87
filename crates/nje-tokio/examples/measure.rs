//! Measures a link on loopback: a process that sends, and one that takes.
//!
//! ```text
//! measure send BUFFER STREAMS JOBS RECORDS text|random   prints its port, and the figures
//! measure take PORT BUFFER                               takes jobs until the link closes
//! ```
//!
//! Both print what they used: `used PEAK IDLE CPU` in KiB of resident memory (the
//! most, and with the link just active) and milliseconds. Nothing is written to
//! a disk: jobs are made while they are sent, and what is taken is counted.

use async_trait::async_trait;
use concord_nje::{
    DataRecord, DataSetHeader, JobHeader, JobItem, JobTrailer, LinkSettings, Message, Name,
    StreamId, StreamKind, data_set, encode, job,
};
use concord_nje_tokio::{
    Application, BackOff, IncomingJob, LinkNews, Neighbour, Node, OutgoingJob, Stopped, TcpDialler,
};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Octets of a card.
const CARD: usize = 80;
/// Jobs that wait for a stream for each one that is on its way: the link never
/// waits for the sender.
const AHEAD: usize = 4;

/// Takes everything and keeps nothing.
#[derive(Default)]
struct Taker {
    active: Notify,
    closed: Notify,
}

impl Application for Taker {
    fn link(&self, _: Name, news: &LinkNews) {
        match news {
            LinkNews::Active => self.active.notify_one(),
            LinkNews::Closed(_) => self.closed.notify_one(),
            other => eprintln!("{other:?}"),
        }
    }

    fn job(&self, _: Name, _: StreamId) -> Option<Box<dyn IncomingJob>> {
        Some(Box::new(Counted(0)))
    }

    fn message(&self, _: Name, _: Message) {}
}

/// Octets of records.
struct Counted(usize);

#[async_trait]
impl IncomingJob for Counted {
    fn take(&mut self, item: JobItem) -> std::result::Result<(), Stopped> {
        if let JobItem::Record(record) = item {
            self.0 = self.0.saturating_add(record.octets.len());
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> std::result::Result<(), Stopped> {
        Ok(())
    }
}

fn main() -> Result {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // One link is one task: a second thread would only be there for the reader.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match words[..] {
        ["send", buffer, streams, jobs, records, content] => {
            let load = Load {
                jobs: jobs.parse()?,
                records: records.parse()?,
                random: content == "random",
            };
            runtime.block_on(send(buffer.parse()?, streams.parse()?, load))
        }
        ["take", port, buffer] => runtime.block_on(take(port, buffer.parse()?)),
        _ => {
            Err("measure send BUFFER STREAMS JOBS RECORDS text|random, or take PORT BUFFER".into())
        }
    }
}

fn neighbour(own: &str, partner: &str, buffer: u16) -> Result<Neighbour> {
    let mut settings = LinkSettings::new(Name::new(own)?, Name::new(partner)?);
    settings.buffer_size = buffer;
    settings.job_limit.records = u64::MAX;
    settings.job_limit.octets = u64::MAX;
    let back_off = BackOff { least: Duration::from_millis(20), most: Duration::from_millis(100) };
    Ok(Neighbour { settings, dialler: None, back_off, capture: None })
}

async fn take(port: &str, buffer: u16) -> Result {
    let mut neighbour = neighbour("TAKER", "SENDER", buffer)?;
    neighbour.dialler = Some(Arc::new(TcpDialler { address: format!("127.0.0.1:{port}") }));
    let taker = Arc::new(Taker::default());
    let application: Arc<dyn Application> = taker.clone();
    let node = Node::start(Name::new("TAKER")?, vec![neighbour], &application);
    taker.active.notified().await;
    let idle = memory("VmRSS:")?;
    taker.closed.notified().await;
    node.stop().await;
    used(idle)
}

/// What is sent.
#[derive(Clone, Copy)]
struct Load {
    jobs: u32,
    records: u32,
    /// Octets that no string shortens; else lines of text with blanks behind.
    random: bool,
}

async fn send(buffer: u16, streams: u8, load: Load) -> Result {
    let mut neighbour = neighbour("SENDER", "TAKER", buffer)?;
    neighbour.settings.streams = streams;
    let taker = Arc::new(Taker::default());
    let application: Arc<dyn Application> = taker.clone();
    let node = Arc::new(Node::start(Name::new("SENDER")?, vec![neighbour], &application));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("port {}", listener.local_addr()?.port());
    let listening = Arc::clone(&node);
    let listens = tokio::spawn(async move { listening.listen(listener).await });
    taker.active.notified().await;
    let idle = memory("VmRSS:")?;
    let start = Instant::now();
    let ahead = Arc::new(Semaphore::new(AHEAD.saturating_mul(usize::from(streams))));
    let link = node.link(Name::new("TAKER")?).ok_or("no link")?;
    let mut sent = JoinSet::new();
    for number in 0..load.jobs {
        let place = Arc::clone(&ahead).acquire_owned().await?;
        let (link, job) = (link.clone(), load.job(number));
        sent.spawn(async move {
            let sent = link.send(job).await;
            drop(place);
            sent
        });
        while let Some(done) = sent.try_join_next() {
            done??;
        }
    }
    while let Some(done) = sent.join_next().await {
        done??;
    }
    println!("seconds {:.4}", start.elapsed().as_secs_f64());
    used(idle)?;
    listens.abort();
    let _ = listens.await;
    if let Some(node) = Arc::into_inner(node) {
        node.stop().await;
    }
    Ok(())
}

impl Load {
    fn job(self, number: u32) -> OutgoingJob {
        let id = u16::try_from(number % 9_999).unwrap_or_default();
        let parts = move || {
            let header = JobHeader::new()
                .with(job::JOB_ID, id)
                .with(job::ORIGIN_NODE, Name::new("SENDER").unwrap_or_default());
            let data_set =
                DataSetHeader::new().with(data_set::USER, Name::new("BOB").unwrap_or_default());
            let cards = self.cards();
            let count = cards.len();
            let records = (0..self.records as usize).filter_map(move |index| {
                let card = cards.get(index % count)?;
                Some(JobItem::Record(card.clone()))
            });
            let head = [JobItem::JobHeader(header), JobItem::DataSetHeader(data_set)];
            let all =
                head.into_iter().chain(records).chain([JobItem::JobTrailer(JobTrailer::new())]);
            Box::new(all) as Box<dyn Iterator<Item = JobItem> + Send>
        };
        OutgoingJob { kind: StreamKind::Sysout, parts: Arc::new(parts) }
    }

    /// The cards that are sent again and again.
    fn cards(self) -> Vec<DataRecord> {
        if self.random {
            let mut state = 0x9e37_79b9_7f4a_7c15_u64;
            let mut octet = || {
                // xorshift64: the same octets each time, and no run among them.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes().first().copied().unwrap_or_default()
            };
            let card = |_| DataRecord::plain((0..CARD).map(|_| octet()).collect::<Vec<u8>>());
            return (0..64).map(card).collect();
        }
        let lines = [
            "Dear Bob,",
            "",
            "the figures of the last quarter are in the file that comes with this note;",
            "have a look at the third table before we meet.    It is about Vienna, mostly.",
            "",
            "Best regards, Alice",
        ];
        lines.iter().map(|line| DataRecord::plain(encode(&format!("{line:<80}")))).collect()
    }
}

/// Prints what this process used.
fn used(idle: u64) -> Result {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name may hold blanks; what follows its bracket does not.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    // proc(5): utime and stime, in hundredths of a second, are fields 14 and 15.
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum();
    println!("used {} {idle} {}", memory("VmHWM:")?, ticks.saturating_mul(10));
    Ok(())
}

/// A line of `/proc/self/status`, in KiB.
fn memory(key: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(key)).ok_or("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
