//! `bench ldap`: a directory of many people, on both servers in turn.
//!
//! Closed loop: a connection sends the next request when it has the answer to
//! the last one.

mod client;
mod servers;

use crate::figures::{Times, per};
use crate::pair::Which;
use crate::report::Report;
use clap::Args;
use client::{Client, Filter, bind, replace, search};
use concord_testkit::{Random, Result, descendants, trouble, usage};
use servers::{Ours, Server, Slapd, Target, person};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Options of the comparison.
#[derive(Args)]
pub struct Options {
    /// People in the directory.
    #[arg(long, default_value_t = 100_000)]
    people: usize,
    /// Seconds for each operation.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Measures only this one.
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// Writes the table to this file too.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// Connections by which Concord's people are loaded.
const LOADERS: usize = 20;

/// What is asked again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Equal,
    Prefix,
    Middle,
    Base,
    Bind,
    Add,
    AddMailbox,
    Modify,
}

/// Operations and their connections.
const CELLS: [(&str, Ask, usize); 14] = [
    ("search (uid=x), 1 entry", Ask::Equal, 1),
    ("search (uid=x), 1 entry", Ask::Equal, 8),
    ("search (uid=x), 1 entry", Ask::Equal, 32),
    ("search (mail=prefix*), 10 entries", Ask::Prefix, 8),
    ("search (cn=*fragment*), 1 entry", Ask::Middle, 8),
    ("read by DN", Ask::Base, 8),
    ("simple bind", Ask::Bind, 8),
    ("add, durable", Ask::Add, 1),
    ("add, durable", Ask::Add, 20),
    ("add a mailbox with its folders", Ask::AddMailbox, 1),
    ("add a mailbox with its folders", Ask::AddMailbox, 20),
    ("modify one attribute, durable", Ask::Modify, 1),
    ("modify one attribute, durable", Ask::Modify, 20),
    ("search (uid=x), after the changes", Ask::Equal, 8),
];

struct Cell {
    rate: f64,
    times: Times,
    cpu: f64,
    memory: u64,
}

/// Runs all operations on both servers, cell by cell.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    let mut servers: Vec<Box<dyn Server>> = Vec::new();
    if options.only != Some(Which::Peer) {
        let ours = Ours::start()?;
        let rate = load(&ours.target()?, options.people)?;
        report.line(&format!(
            "Concord's {} people were added over LDAP by {LOADERS} connections, {rate:.0} a \
             second; slapd's with slapadd -q.",
            options.people
        ));
        servers.push(Box::new(ours));
    }
    if options.only != Some(Which::Concord) {
        servers.push(Box::new(Slapd::start(options.people)?));
    }
    report.head(&[
        "operation",
        "connections",
        "server",
        "operations/s",
        "p50 ms",
        "p99 ms",
        "CPU s/10k",
        "PSS MiB",
        "ratio",
    ]);
    let next = AtomicUsize::new(options.people);
    for (name, ask, connections) in CELLS {
        let mut rates = Vec::new();
        for server in &servers {
            let server = &server.target()?;
            let cell = measure(server, ask, connections, options, &next)?;
            rates.push(cell.rate);
            let ratio = match rates.as_slice() {
                [ours, theirs] => format!("{:.2}x", per(*ours, *theirs)),
                _ => String::new(),
            };
            report.row(&[
                name.to_owned(),
                connections.to_string(),
                server.name.to_owned(),
                format!("{:.0}", cell.rate),
                format!("{:.2}", cell.times.quantile(0.5)),
                format!("{:.2}", cell.times.quantile(0.99)),
                format!("{:.2}", cell.cpu),
                format!("{}", cell.memory >> 20),
                ratio,
            ]);
        }
    }
    report.write(options.write.as_deref())
}

fn load(server: &Target, people: usize) -> Result<f64> {
    let began = Instant::now();
    let next = AtomicUsize::new(0);
    let worker = || -> Result<()> {
        let (name, password) = server.login;
        let mut client = Client::connect(server.address, name, password)?;
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= people {
                return Ok(());
            }
            client.must(&person(server, server.classes, number))?;
        }
    };
    side_by_side(LOADERS, worker)?;
    Ok(per(people as f64, began.elapsed().as_secs_f64()))
}

fn side_by_side<T: Send>(count: usize, work: impl Fn() -> Result<T> + Sync) -> Result<Vec<T>> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(&work)).collect();
        let ended = |_| trouble("a connection's thread ended early");
        workers.into_iter().map(|worker| worker.join().map_err(ended)?).collect()
    })
}

fn measure(
    server: &Target,
    ask: Ask,
    connections: usize,
    options: &Options,
    next: &AtomicUsize,
) -> Result<Cell> {
    let before = usage(&descendants(server.root)).cpu_seconds;
    let limit = Duration::from_secs_f64(options.seconds);
    let began = Instant::now();
    let seeds = AtomicUsize::new(1);
    let times = side_by_side(connections, || {
        let (name, password) = server.login;
        let mut client = Client::connect(server.address, name, password)?;
        let mut random = Random::new(seeds.fetch_add(1, Ordering::Relaxed) as u64);
        let mut times = Vec::new();
        while began.elapsed() < limit {
            let number = random.below(options.people as u64) as usize;
            let (operation, entries) = request(server, ask, number, next);
            let start = Instant::now();
            let answer = client.must(&operation)?;
            times.push(start.elapsed());
            if entries.is_some_and(|entries| entries != answer.entries) {
                return Err(trouble(format!("{ask:?} {number}: {answer:?}, not {entries:?}")));
            }
        }
        Ok(times)
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let used = usage(&descendants(server.root));
    let times = Times::new(times.into_iter().flatten().collect());
    let count = times.len() as f64;
    let cpu = per((used.cpu_seconds - before) * 10_000.0, count);
    Ok(Cell { rate: per(count, seconds), times, cpu, memory: used.resident })
}

/// An operation, and how many entries it must give.
fn request(
    server: &Target,
    ask: Ask,
    number: usize,
    next: &AtomicUsize,
) -> (Vec<u8>, Option<usize>) {
    let base = server.base;
    let dn = format!("uid=user{number:06},{base}");
    let below = |filter| search(base, 2, &filter);
    let added = || next.fetch_add(1, Ordering::Relaxed);
    match ask {
        Ask::Equal => (below(Filter::Equal("uid", format!("user{number:06}"))), Some(1)),
        Ask::Prefix => {
            (below(Filter::Initial("mail", format!("user{:05}", number / 10))), Some(10))
        }
        Ask::Middle => (below(Filter::Any("cn", format!("mily{number:06}"))), Some(1)),
        Ask::Base => (search(&dn, 0, &Filter::Everything), Some(1)),
        Ask::Bind => {
            let (name, password) = server.login;
            (bind(name, password), None)
        }
        Ask::Add => (person(server, server.classes, added()), None),
        Ask::AddMailbox => (person(server, &["inetOrgPerson"], added()), None),
        Ask::Modify => (replace(&dn, "telephoneNumber", &format!("+1 556 {number:07}")), None),
    }
}
