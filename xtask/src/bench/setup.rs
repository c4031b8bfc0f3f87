//! `cargo xtask bench setup`: what Setup's verbs take on a server of ten
//! components and a thousand mailboxes.
//!
//! Wall time from the start of the process to its end; memory is the largest
//! resident set that the kernel noted for it or for a program that it ran.

use crate::goods::{Goods, Programs};
use crate::packages;
use clap::Parser;
use concord_testkit::{Result, Site, Smtp, run as run_program, tool, trouble};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

#[derive(Parser)]
#[command(bin_name = "cargo xtask bench setup")]
pub struct Options {
    #[command(flatten)]
    programs: Programs,
    /// Instances of the webhook beside core and internet-mail; eight at most.
    #[arg(long, default_value_t = 8)]
    connectors: usize,
    /// Mailboxes.
    #[arg(long, default_value_t = 1_000)]
    mailboxes: usize,
    /// How often what changes nothing is measured.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
}

/// Nothing here takes this long.
const LIMIT: Duration = Duration::from_secs(300);
/// No verb may need more.
const MEMORY_AIM: f64 = 64.0;
/// A new connection waits no longer for its greeting during an update.
const WAIT_AIM: Duration = Duration::from_secs(2);
const INSTALL_AIM: Duration = Duration::from_secs(5);
const REMOVE_AIM: Duration = Duration::from_secs(3);
const LOOK_AIM: Duration = Duration::from_millis(300);

/// What one run took.
#[derive(Clone, Copy)]
struct Taken {
    wall: Duration,
    /// MiB.
    memory: f64,
}

/// Measures and prints the table; an aim that is missed is an error.
fn table(options: &Options, site: &mut Site, goods: &Goods) -> Result<usize> {
    let mut table = Table::begin();
    site.answers()?;
    let answers = site.top().join("site.toml").display().to_string();
    table.row(
        "install",
        measure(site, &["setup", "install", "--answers", &answers])?,
        Some(INSTALL_AIM),
    );
    site.up()?;
    site.ok(&["update", "trust", &goods.trust])?;
    let connect = Instant::now();
    for number in 0..options.connectors {
        let listen = format!("127.0.0.1:{}", site.port()?);
        let words = goods.connector_words(&format!("webhook-{number}"), &listen);
        site.ok(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    table.span(
        "connector install, each",
        connect.elapsed() / u32::try_from(options.connectors.max(1))?,
    );
    let fill = Instant::now();
    add_mailboxes(&site.root().join("run/admin.sock"), options.mailboxes)?;
    table.span(&format!("{} mailboxes by the admin API", options.mailboxes), fill.elapsed());

    table.row("setup plan", median(site, &["setup", "plan"], options.rounds)?, Some(LOOK_AIM));
    table.row("doctor", median(site, &["doctor"], options.rounds)?, Some(LOOK_AIM));
    if let Some(postfix) = tool("postfix") {
        let wall = peer(&postfix, options.rounds)?;
        table.span("peer: postfix check", wall);
    }
    let probe = Probe::start(site.address("smtp"));
    let update = measure(site, &["update", "apply", &goods.bundle])?;
    let (longest, connections) = probe.end()?;
    table.row("update apply", update, None);
    table.aim(&waited(connections), longest, WAIT_AIM);
    let probe = Probe::start(site.address("smtp"));
    let back = measure(site, &["rollback", "--yes"])?;
    let (longest, connections) = probe.end()?;
    table.row("rollback", back, None);
    table.aim(&waited(connections), longest, WAIT_AIM);
    let remove = ["setup", "remove", "--all", "--keep", "nothing", "--yes"];
    table.row("remove --all --keep nothing", measure(site, &remove)?, Some(REMOVE_AIM));
    site.wait_ended()?;
    Ok(table.missed)
}

/// Builds, measures, and fails if an aim is missed.
pub fn run(options: &Options) -> Result<()> {
    packages::install(&[("time", "time"), ("python3", "python3")])?;
    let goods = Goods::obtain(&options.programs)?;
    let mut site = Site::with_binary(&goods.program)?;
    let missed = table(options, &mut site, &goods)?;
    if missed > 0 {
        return Err(trouble(format!("{missed} aims were missed")));
    }
    Ok(())
}

fn waited(connections: usize) -> String {
    format!("longest wait of {connections} new SMTP connections meanwhile")
}

/// A verb under GNU time.
fn measure(site: &Site, words: &[&str]) -> Result<Taken> {
    let note = site.top().join("time");
    let verb = site.command(words);
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["--format", "%M", "--output"]).arg(&note).arg(verb.get_program());
    timed.args(verb.get_args());
    timed.envs(verb.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let start = Instant::now();
    run_program(&mut timed, LIMIT)?.ok().map_err(|e| e.during(&words.join(" ")))?;
    let wall = start.elapsed();
    let kib: f64 = std::fs::read_to_string(&note)?.trim().parse()?;
    std::fs::remove_file(&note)?;
    Ok(Taken { wall, memory: kib / 1024.0 })
}

/// The median of the wall times and the most memory.
fn median(site: &Site, words: &[&str], rounds: usize) -> Result<Taken> {
    let mut walls = Vec::new();
    let mut memory: f64 = 0.0;
    for _ in 0..rounds.max(1) {
        let taken = measure(site, words)?;
        walls.push(taken.wall);
        memory = memory.max(taken.memory);
    }
    Ok(Taken { wall: middle(walls), memory })
}

fn middle(mut walls: Vec<Duration>) -> Duration {
    walls.sort();
    walls.get(walls.len() / 2).copied().unwrap_or_default()
}

/// What a peer's own check takes; its exit code is its own business.
fn peer(postfix: &Path, rounds: usize) -> Result<Duration> {
    let mut walls = Vec::new();
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        run_program(Command::new(postfix).arg("check"), LIMIT)?;
        walls.push(start.elapsed());
    }
    Ok(middle(walls))
}

/// By the admin API, without passwords: hashing those is not what is measured.
fn add_mailboxes(socket: &Path, count: usize) -> Result<()> {
    for number in 0..count {
        let body = format!("{{\"name\":\"user{number}\"}}");
        let mut stream = UnixStream::connect(socket)?;
        write!(
            stream,
            "POST /v1/mailboxes HTTP/1.1\r\nHost: concord\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if !answer.starts_with("HTTP/1.1 2") {
            return Err(trouble(format!("mailbox {number}: {answer}")));
        }
    }
    Ok(())
}

/// New connections, one after the other, for as long as it lives.
struct Probe {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Result<(Duration, usize)>>,
}

impl Probe {
    fn start(address: SocketAddr) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            let (mut longest, mut connections) = (Duration::ZERO, 0);
            while !end.load(Ordering::Relaxed) {
                let start = Instant::now();
                // Greeted when it returns.
                Smtp::connect(address)?;
                longest = longest.max(start.elapsed());
                connections += 1;
                std::thread::sleep(Duration::from_millis(2));
            }
            Ok((longest, connections))
        });
        Self { over, thread }
    }

    fn end(self) -> Result<(Duration, usize)> {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| trouble("the probe panicked"))?
    }
}

/// Rows in Markdown, printed as they come.
struct Table {
    missed: usize,
}

impl Table {
    fn begin() -> Self {
        println!("\n| verb | ms | peak MiB | aim | kept |");
        println!("|{}", "---|".repeat(5));
        Self { missed: 0 }
    }

    fn verdict(&mut self, kept: bool) -> &'static str {
        self.missed += usize::from(!kept);
        if kept { "yes" } else { "no" }
    }

    /// A verb with its time, its memory, and what they should be.
    fn row(&mut self, verb: &str, taken: Taken, aim: Option<Duration>) {
        let in_time = aim.is_none_or(|aim| taken.wall <= aim);
        let verdict = self.verdict(in_time && taken.memory <= MEMORY_AIM);
        let aim = aim.map_or_else(String::new, |aim| format!("{} ms, ", aim.as_millis()));
        println!(
            "| {verb} | {} | {:.0} | {aim}{MEMORY_AIM} MiB | {verdict} |",
            taken.wall.as_millis(),
            taken.memory
        );
    }

    /// A time with an aim.
    fn aim(&mut self, what: &str, wall: Duration, aim: Duration) {
        let verdict = self.verdict(wall <= aim);
        println!("| {what} | {} |  | {} ms | {verdict} |", wall.as_millis(), aim.as_millis());
    }

    /// A time that nothing is asked of.
    fn span(&self, what: &str, wall: Duration) {
        println!("| {what} | {:.0} |  |  |  |", wall.as_secs_f64() * 1e3);
    }
}
