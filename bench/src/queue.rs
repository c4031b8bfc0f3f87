//! `bench queue`: a large queue, most of whose destinations are not there.
//!
//! Deliveries are queued while all domains wait to be asked for, so that none is
//! tried. Then everything is killed, and the policy changed: what is measured is
//! the start over that queue, and how fast the destinations that are there get
//! their mail, first without and then with the others.

use crate::figures::per;
use crate::pair::scratch;
use crate::report::Report;
use clap::Args;
use concord_testkit::{Concord, Result, Sink, Smtp, descendants, executable, trouble, usage};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Options of the measurement.
#[derive(Args)]
pub struct Options {
    /// Destinations that are there.
    #[arg(long, default_value_t = 100)]
    live: usize,
    /// Destinations that are not: half of them refuse, half take a connection
    /// and say nothing.
    #[arg(long, default_value_t = 900)]
    dead: usize,
    /// Deliveries to each.
    #[arg(long, default_value_t = 100)]
    each: usize,
    /// Writes the tables to this file too.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// The last live one has to be there by then.
const LIMIT: Duration = Duration::from_secs(600);
/// Recipients of one message.
const TOGETHER: usize = 100;

struct Figures {
    queued: usize,
    ready: Duration,
    live: Duration,
    resident: f64,
    cpu: f64,
}

/// A listener whose connections wait for a greeting in vain.
fn silent() -> Result<TcpListener> {
    // The kernel takes connections into the backlog; nobody ever serves them.
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?)
}

/// A port on which nobody listens.
fn closed() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn domains(options: &Options, dead: usize) -> Vec<String> {
    // Mixed, as they are in life.
    let mut all = Vec::new();
    let (mut live, mut gone) = (0, 0);
    while live < options.live || gone < dead {
        if live < options.live && live * dead <= gone * options.live {
            all.push(format!("d{live}.live.test"));
            live += 1;
        } else if gone < dead {
            let kind = if gone % 2 == 0 { "refused" } else { "silent" };
            all.push(format!("d{gone}.{kind}.test"));
            gone += 1;
        } else {
            all.push(format!("d{live}.live.test"));
            live += 1;
        }
    }
    all
}

fn fill(server: &Concord, domains: &[String], each: usize) -> Result<()> {
    for number in 0..each {
        for together in domains.chunks(TOGETHER) {
            let mut smtp = Smtp::connect(server.address("smtp"))?;
            smtp.hello()?;
            must(&mut smtp, "MAIL FROM:<>")?;
            for domain in together {
                must(&mut smtp, &format!("RCPT TO:<u{number}@{domain}>"))?;
            }
            must(&mut smtp, "DATA")?;
            let text = format!("Subject: number {number}\r\n\r\n{}\r\n.", "x".repeat(500));
            must(&mut smtp, &text)?;
        }
    }
    Ok(())
}

fn must(smtp: &mut Smtp, line: &str) -> Result<()> {
    let reply = smtp.command(line)?;
    if (200..400).contains(&reply.code) {
        return Ok(());
    }
    Err(trouble(format!("{line}: {} {}", reply.code, reply.text())))
}

fn measure(options: &Options, dead: usize) -> Result<Figures> {
    let scratch = scratch("bench-queue-")?;
    let (sink, silent, closed) = (Sink::start()?, silent()?, closed()?);
    let mut server =
        Concord::builder()?.binary(executable()?).root(scratch.path().join("root")).prepare()?;
    let policy = server.root().join("etc/internet-mail.toml");
    let relay = "[relay]\nallow = ['127.0.0.1']\n";
    std::fs::write(&policy, format!("{relay}[outbound]\nwait-for-etrn = true\n"))?;
    server.up()?;
    let domains = domains(options, dead);
    fill(&server, &domains, options.each)?;
    server.kill_all()?;
    let routes: String = [
        ("live", sink.address().port()),
        ("refused", closed),
        ("silent", silent.local_addr()?.port()),
    ]
    .iter()
    .map(|(name, port)| {
        format!("[[domain]]\nname = '{name}.test'\ntls = 'off'\nroute = ['127.0.0.1:{port}']\n")
    })
    .collect();
    std::fs::write(&policy, format!("{relay}{routes}"))?;
    let start = Instant::now();
    server.up()?;
    let ready = start.elapsed();
    let wanted = options.live * options.each;
    let mut resident: u64 = 0;
    let pids = || Ok::<_, concord_testkit::Trouble>(descendants(server.controller()?));
    while sink.count() < wanted {
        if start.elapsed() > LIMIT {
            return Err(trouble(format!("only {} of {wanted} came", sink.count())));
        }
        resident = resident.max(usage(&pids()?).resident);
        std::thread::sleep(Duration::from_millis(50));
    }
    let live = start.elapsed();
    let used = usage(&pids()?);
    Ok(Figures {
        queued: domains.len() * options.each,
        ready,
        live,
        resident: resident.max(used.resident) as f64 / f64::from(1 << 20),
        cpu: used.cpu_seconds,
    })
}

/// Measures without and with destinations that are not there.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    report.line(&format!(
        "{} destinations that are there, with {} deliveries each; then {} more that are not.",
        options.live, options.each, options.dead
    ));
    report.head(&[
        "queued deliveries",
        "ready after SIGKILL s",
        "live ones delivered s",
        "live/s",
        "CPU s",
        "PSS MiB, all services",
    ]);
    let mut times = Vec::new();
    for dead in [0, options.dead] {
        let found = measure(options, dead)?;
        let moved = (options.live * options.each) as f64;
        let moving = found.live.saturating_sub(found.ready).as_secs_f64();
        times.push(found.live.as_secs_f64());
        report.row(&[
            found.queued.to_string(),
            format!("{:.2}", found.ready.as_secs_f64()),
            format!("{:.2}", found.live.as_secs_f64()),
            format!("{:.0}", per(moved, moving.max(0.001))),
            format!("{:.1}", found.cpu),
            format!("{:.0}", found.resident),
        ]);
    }
    if let [without, with] = times.as_slice() {
        report.line(&format!(
            "\nFrom the start to the last live delivery: {:.2} times as long with the dead ones.",
            per(*with, *without)
        ));
    }
    report.write(options.write.as_deref())
}
