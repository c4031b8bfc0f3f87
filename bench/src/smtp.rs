//! `bench smtp`: mail in, on both servers in turn.

use crate::figures::per;
use crate::latency;
use crate::load::{Outcome, Plan, send};
use crate::mailboxes::Mailboxes;
use crate::meter::{Meter, Used};
use crate::pair::{Server, Which, start, users};
use crate::report::Report;
use clap::Args;
use concord_testkit::{Result, trouble};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Options of the comparison.
#[derive(Args)]
pub struct Options {
    /// Octets of a message.
    #[arg(long, value_delimiter = ',', default_value = "1024,10240,102400")]
    sizes: Vec<usize>,
    /// Sessions at once.
    #[arg(long, value_delimiter = ',', default_value = "1,20,100")]
    sessions: Vec<usize>,
    /// Seconds of load in each cell, at most.
    #[arg(long, default_value_t = 6)]
    seconds: u64,
    /// Messages in each cell, at most; larger messages are fewer.
    #[arg(long, default_value_t = 30_000)]
    total: u64,
    /// Microseconds that every sync costs more, for both.
    #[arg(long, default_value_t = 0)]
    slow_sync_us: u64,
    /// Probes for the time from accepted to visible; 0 leaves them out.
    #[arg(long, default_value_t = 150)]
    probes: usize,
    /// Measures only this one.
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// Writes the tables to this file too.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// A backlog that takes longer to drain is broken.
const DRAIN_LIMIT: Duration = Duration::from_secs(180);
/// No cell writes more than this to the disk.
const MOST_OCTETS: u64 = 1 << 30;
/// Between cells, so that one's backlog does not spoil the next.
const PAUSE: Duration = Duration::from_millis(500);

struct Cell {
    outcome: Outcome,
    delivered: f64,
    used: Used,
}

/// Runs the matrix.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    let servers = start(options.only, options.slow_sync_us)?;
    let mut boxes = servers.iter().map(|s| s.mailboxes()).collect::<Result<Vec<_>>>()?;
    report.line(&format!(
        "Every sync costs {} us more than the disk's own. 20 mailboxes, closed loop, loopback.",
        options.slow_sync_us
    ));
    report.head(&[
        "server",
        "size",
        "sessions",
        "accepted/s",
        "delivered/s",
        "dot p50 ms",
        "dot p99 ms",
        "CPU s/10k",
        "PSS MiB",
        "syncs/message",
        "disk octets per message octet",
        "errors",
    ]);
    for size in &options.sizes {
        for sessions in &options.sessions {
            let mut rates = Vec::new();
            for (server, mailboxes) in servers.iter().zip(&mut boxes) {
                let cell = measure(server.as_ref(), mailboxes, options, *size, *sessions)?;
                rates.push((cell.outcome.rate(), cell.delivered));
                report.row(&cells(server.name(), *size, *sessions, &cell));
                std::thread::sleep(PAUSE);
            }
            if let [(ours, our_delivered), (theirs, their_delivered)] = rates.as_slice() {
                let mut row = vec!["ratio".to_owned(), size.to_string(), sessions.to_string()];
                row.push(format!("{:.1}x", per(*ours, *theirs)));
                row.push(format!("{:.1}x", per(*our_delivered, *their_delivered)));
                row.resize(12, String::new());
                report.row(&row);
            }
        }
    }
    if options.probes > 0 {
        visible(&servers, options, &mut report)?;
    }
    report.write(options.write.as_deref())
}

fn measure(
    server: &dyn Server,
    mailboxes: &mut Mailboxes,
    options: &Options,
    size: usize,
    sessions: usize,
) -> Result<Cell> {
    let before = mailboxes.count()?;
    let meter = Meter::start(&server.roots()?, server.counter(), &server.directory())?;
    let start = Instant::now();
    let outcome = send(&Plan {
        address: server.smtp(),
        sessions,
        total: options.total.min(MOST_OCTETS / size.max(1) as u64),
        size,
        limit: Duration::from_secs(options.seconds),
        per_connection: 0,
        to: users(),
    })?;
    while mailboxes.count()? < before + outcome.sent {
        if start.elapsed() > DRAIN_LIMIT {
            let missing = before + outcome.sent - mailboxes.count()?;
            return Err(trouble(format!("{}: {missing} messages did not arrive", server.name())));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let delivered = per(outcome.sent as f64, start.elapsed().as_secs_f64());
    Ok(Cell { outcome, delivered, used: meter.stop()? })
}

fn cells(name: &str, size: usize, sessions: usize, cell: &Cell) -> Vec<String> {
    let sent = cell.outcome.sent as f64;
    vec![
        name.to_owned(),
        size.to_string(),
        sessions.to_string(),
        format!("{:.0}", cell.outcome.rate()),
        format!("{:.0}", cell.delivered),
        format!("{:.2}", cell.outcome.dot.quantile(0.5)),
        format!("{:.2}", cell.outcome.dot.quantile(0.99)),
        format!("{:.1}", per(cell.used.cpu, sent) * 1e4),
        format!("{:.0}", cell.used.resident),
        format!("{:.2}", per(cell.used.syncs as f64, sent)),
        cell.used
            .written
            .map_or("-".to_owned(), |w| format!("{:.2}", per(w as f64, sent * size as f64))),
        match &cell.outcome.last_error {
            Some(error) => format!("{} ({error})", cell.outcome.errors),
            None => cell.outcome.errors.to_string(),
        },
    ]
}

fn visible(servers: &[Box<dyn Server>], options: &Options, report: &mut Report) -> Result<()> {
    report.head(&[
        "server",
        "size",
        "probes",
        "accepted p50 ms",
        "p99",
        "then visible in IMAP p50 ms",
        "p99",
    ]);
    for size in [1_024, 102_400] {
        for server in servers {
            let latency = latency::measure(server.as_ref(), options.probes, size)?;
            report.row(&[
                server.name().to_owned(),
                size.to_string(),
                latency.accepted.len().to_string(),
                format!("{:.2}", latency.accepted.quantile(0.5)),
                format!("{:.2}", latency.accepted.quantile(0.99)),
                format!("{:.2}", latency.visible.quantile(0.5)),
                format!("{:.2}", latency.visible.quantile(0.99)),
            ]);
        }
    }
    Ok(())
}
