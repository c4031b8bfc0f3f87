//! The load: sessions that send as fast as the answers come.

use crate::figures::{Times, per};
use crate::wire::Client;
use clap::Args;
use concord_testkit::{Random, Result, trouble};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A body line with its end; divides a body into whole lines.
const LINE: usize = 78;
/// Threads wait; they need no deep stack.
const STACK: usize = 256 << 10;

/// The options of the bare load.
#[derive(Args)]
pub struct Options {
    /// Where to send.
    address: SocketAddr,
    /// Sessions at once.
    #[arg(long, default_value_t = 20)]
    sessions: usize,
    /// Messages in all.
    #[arg(long, default_value_t = 5_000)]
    total: u64,
    /// Octets of a message.
    #[arg(long, default_value_t = 1_024)]
    size: usize,
    /// Seconds at most.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Messages in one connection; 0: all.
    #[arg(long, default_value_t = 0)]
    per_connection: u64,
    /// Recipients, taken in turn.
    #[arg(long, default_value = "alice@example.test")]
    to: Vec<String>,
}

/// A plan of a load.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where to send.
    pub address: SocketAddr,
    /// Sessions at once.
    pub sessions: usize,
    /// Messages in all.
    pub total: u64,
    /// Octets of a message.
    pub size: usize,
    /// Time at most.
    pub limit: Duration,
    /// Messages in one connection; 0: all.
    pub per_connection: u64,
    /// Recipients, taken in turn.
    pub to: Vec<String>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Messages acknowledged.
    pub sent: u64,
    /// Connections or messages that failed.
    pub errors: u64,
    /// The last failure.
    pub last_error: Option<String>,
    /// From the first connection to the last answer.
    pub seconds: f64,
    /// From writing the body to the answer.
    pub dot: Times,
}

impl Outcome {
    /// Messages acknowledged per second.
    pub fn rate(&self) -> f64 {
        per(self.sent as f64, self.seconds)
    }
}

/// Runs the bare load and prints what came of it.
pub fn run(options: &Options) -> Result<()> {
    let outcome = send(&Plan {
        address: options.address,
        sessions: options.sessions,
        total: options.total,
        size: options.size,
        limit: Duration::from_secs(options.seconds),
        per_connection: options.per_connection,
        to: options.to.clone(),
    })?;
    println!(
        "{} accepted in {:.2} s: {:.0}/s, final dot p50 {:.2} ms, p99 {:.2} ms, max {:.1} ms, {} errors{}",
        outcome.sent,
        outcome.seconds,
        outcome.rate(),
        outcome.dot.quantile(0.5),
        outcome.dot.quantile(0.99),
        outcome.dot.quantile(1.0),
        outcome.errors,
        outcome.last_error.map(|e| format!(" ({e})")).unwrap_or_default()
    );
    Ok(())
}

struct Shared {
    plan: Plan,
    body: Vec<u8>,
    next: AtomicU64,
    until: Instant,
    run: u32,
}

/// Sends it all.
pub fn send(plan: &Plan) -> Result<Outcome> {
    let start = Instant::now();
    let shared = Arc::new(Shared {
        body: body(plan.size),
        plan: plan.clone(),
        next: AtomicU64::new(0),
        until: start + plan.limit,
        run: std::process::id(),
    });
    let mut threads = Vec::new();
    for _ in 0..plan.sessions {
        let shared = Arc::clone(&shared);
        let thread = std::thread::Builder::new().stack_size(STACK);
        threads.push(thread.spawn(move || session(&shared))?);
    }
    let mut outcome = Outcome::default();
    let mut dots = Vec::new();
    for thread in threads {
        let one = thread.join().map_err(|_| trouble("a session of the load panicked"))?;
        dots.extend(one.dots);
        outcome.errors += one.errors;
        outcome.last_error = one.last_error.or(outcome.last_error);
    }
    outcome.seconds = start.elapsed().as_secs_f64();
    outcome.sent = dots.len() as u64;
    outcome.dot = Times::new(dots);
    Ok(outcome)
}

#[derive(Default)]
struct One {
    dots: Vec<Duration>,
    errors: u64,
    last_error: Option<String>,
}

impl One {
    fn failed(&mut self, error: &concord_testkit::Trouble) {
        self.errors += 1;
        self.last_error = Some(error.text().to_owned());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// One session: connects, sends, connects again after a failure.
fn session(shared: &Shared) -> One {
    let mut one = One::default();
    while Instant::now() < shared.until && shared.next.load(Ordering::Relaxed) < shared.plan.total {
        let mut client = match Client::connect(shared.plan.address) {
            Ok(client) => client,
            Err(error) => {
                one.failed(&error);
                continue;
            }
        };
        match messages(shared, &mut client, &mut one) {
            Ok(()) => client.quit(),
            Err(error) => one.failed(&error),
        }
    }
    one
}

fn messages(shared: &Shared, client: &mut Client, one: &mut One) -> Result<()> {
    let mut sent = 0;
    while shared.plan.per_connection == 0 || sent < shared.plan.per_connection {
        let number = shared.next.fetch_add(1, Ordering::Relaxed);
        if number >= shared.plan.total || Instant::now() >= shared.until {
            return Ok(());
        }
        let to = recipient(shared, number);
        let message = message(shared, number, to);
        one.dots.push(client.send("sender@load.test", to, &message)?);
        sent += 1;
    }
    Ok(())
}

fn recipient(shared: &Shared, number: u64) -> &str {
    let count = shared.plan.to.len().max(1) as u64;
    let at = usize::try_from(number % count).unwrap_or(0);
    shared.plan.to.get(at).map(String::as_str).unwrap_or_default()
}

fn message(shared: &Shared, number: u64, to: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(shared.plan.size + 512);
    message.extend_from_slice(
        format!(
            "Message-ID: <{number}.{run}@load.test>\r\nFrom: <sender@load.test>\r\nTo: <{to}>\r\n\
             Date: Sat, 21 Nov 2026 07:00:00 +0000\r\nSubject: load {number}\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n",
            run = shared.run
        )
        .as_bytes(),
    );
    let room = shared.plan.size.saturating_sub(message.len()).max(LINE) / LINE * LINE;
    message.extend_from_slice(shared.body.get(..room).unwrap_or_default());
    message.extend_from_slice(b".\r\n");
    message
}

/// Whole lines of letters that no compression shrinks to nothing.
fn body(size: usize) -> Vec<u8> {
    let mut random = Random::new(size as u64);
    let mut body = Vec::with_capacity(size + 2 * LINE);
    while body.len() < size + LINE {
        for _ in 0..LINE - 2 {
            body.push(b'A' + u8::try_from(random.below(50)).unwrap_or(0));
        }
        body.extend_from_slice(b"\r\n");
    }
    body
}
