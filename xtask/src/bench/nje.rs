//! `cargo xtask bench nje`: what a link on loopback carries, and what it uses.
//!
//! The sender and the taker are processes of their own (`examples/measure.rs` of
//! `concord-nje-tokio`), so that the memory of each is seen. The peer that shares
//! no code with us takes the same in the same run.

use crate::packages;
use crate::workspace::{cargo, must, root, target};
use concord_testkit::{Result, trouble};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// Octets of a card.
const CARD: u64 = 80;

/// What one run carries.
struct Case {
    what: &'static str,
    buffer: u16,
    streams: u8,
    jobs: u64,
    records: u64,
    content: &'static str,
    taker: Taker,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Taker {
    Ours,
    Python,
}

/// A job of four million cards, 305 MiB.
const FILE: Case = Case {
    what: "file of text",
    buffer: 8_192,
    streams: 1,
    jobs: 1,
    records: 4_000_000,
    content: "text",
    taker: Taker::Ours,
};
/// Notes of twenty lines.
const NOTES: Case = Case {
    what: "notes",
    buffer: 8_192,
    streams: 7,
    jobs: 50_000,
    records: 20,
    content: "text",
    taker: Taker::Ours,
};

fn cases() -> Vec<Case> {
    let file = |buffer| Case { buffer, ..FILE };
    let random = |buffer| Case { what: "file of random octets", content: "random", buffer, ..FILE };
    vec![
        file(1_024),
        file(8_192),
        file(32_760),
        random(1_024),
        random(8_192),
        random(32_760),
        Case { what: "file of text", records: 200_000, taker: Taker::Python, ..FILE },
        Case { streams: 1, ..NOTES },
        Case { buffer: 1_024, ..NOTES },
        NOTES,
        Case { buffer: 32_760, ..NOTES },
        Case { jobs: 2_000, taker: Taker::Python, ..NOTES },
    ]
}

/// What a process said of itself.
struct Used {
    peak: f64,
    idle: f64,
    cpu: f64,
}

/// Measures and prints the table.
pub fn run() -> Result<()> {
    packages::install(packages::PYTHON)?;
    must(
        cargo()
            .args(["build", "--release", "--package", "concord-nje-tokio"])
            .args(["--example", "measure"]),
    )?;
    let program = target().join("release/examples/measure");
    println!(
        "| load | taker | buffer | streams | MB/s | jobs/s | sender CPU s | taker CPU s | sender \
         MiB, beyond idle | taker MiB, beyond idle |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for case in cases() {
        measure(&program, &case)?;
    }
    Ok(())
}

fn measure(program: &Path, case: &Case) -> Result<()> {
    let numbers = [u64::from(case.buffer), u64::from(case.streams), case.jobs, case.records]
        .map(|n| n.to_string());
    let mut sender =
        Running::start(Command::new(program).arg("send").args(numbers).arg(case.content))?;
    let port = sender.line("port ")?;
    let buffer = case.buffer.to_string();
    let mut taker = Running::start(&mut match case.taker {
        Taker::Ours => {
            let mut command = Command::new(program);
            command.args(["take", &port, &buffer]);
            command
        }
        Taker::Python => {
            let mut command = Command::new("python3");
            command.arg(root().join("crates/nje-tokio/tests/peer.py"));
            command.args([&port, "take", &buffer]);
            command
        }
    })?;
    let seconds = sender.line("seconds ")?;
    let seconds: f64 = seconds.parse().map_err(|_| trouble(format!("no seconds: {seconds}")))?;
    let (sent, took) = (sender.used()?, taker.used()?);
    let octets = case.jobs.saturating_mul(case.records).saturating_mul(CARD);
    println!(
        "| {} | {} | {} | {} | {:.1} | {:.0} | {:.2} | {:.2} | {:.1}, {:.1} | {:.1}, {:.1} |",
        case.what,
        if case.taker == Taker::Ours { "Concord" } else { "Python" },
        case.buffer,
        case.streams,
        octets as f64 / 1e6 / seconds,
        case.jobs as f64 / seconds,
        sent.cpu,
        took.cpu,
        sent.peak,
        sent.peak - sent.idle,
        took.peak,
        took.peak - took.idle,
    );
    Ok(())
}

/// A process whose lines are read; it ends with us.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn()?;
        let lines = child.stdout.take().ok_or_else(|| trouble("no output"))?;
        Ok(Self { child, lines: BufReader::new(lines) })
    }

    /// What follows in the next line that begins so.
    fn line(&mut self, begin: &str) -> Result<String> {
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line)? == 0 {
                return Err(trouble(format!("it ended without a line '{begin}'")));
            }
            if let Some(rest) = line.strip_prefix(begin) {
                return Ok(rest.trim().to_owned());
            }
        }
    }

    fn used(&mut self) -> Result<Used> {
        let line = self.line("used ")?;
        let mut numbers = line.split(' ').map(str::parse::<u32>);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(peak)), Some(Ok(idle)), Some(Ok(cpu))) => Ok(Used {
                peak: f64::from(peak) / 1024.0,
                idle: f64::from(idle) / 1024.0,
                cpu: f64::from(cpu) / 1000.0,
            }),
            _ => Err(trouble(format!("cannot read 'used {line}'"))),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, or it is to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
