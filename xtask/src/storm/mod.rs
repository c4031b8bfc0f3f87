//! `cargo xtask storm`: breaks a loaded server on purpose, then counts.
//!
//! Storms of mail keep one ledger: what was sent, what the server answered, and
//! where each message was found afterwards. Nothing that got a `250` may be
//! missing. The storm of Setup compares what is installed.

mod crash;
mod damage;
mod disk_full;
mod groupwise;
mod ledger;
mod load;
mod ovvm;
mod power;
mod setup;
mod shadow;

use crate::workspace;
use clap::{Args, Subcommand};
use concord_testkit::{Concord, Result, wait_until};
use ledger::{Arrivals, Ledger};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is to be broken.
#[derive(Subcommand)]
pub enum Storm {
    /// Kills controller, core and internet-mail at random with SIGKILL.
    Crash(crash::Options),
    /// Drops every write that was not synced, again and again.
    Power(power::Options),
    /// Fills the disk.
    DiskFull(disk_full::Options),
    /// Kills the GroupWise connector while mail and reports go both ways.
    Groupwise(groupwise::Options),
    /// Cuts an NJE link and kills both connectors while mail goes both ways.
    Ovvm(ovvm::Options),
    /// Cuts every verb of Setup off: in the process at every point, and with SIGKILL.
    Setup(setup::Options),
}

/// Options that all storms have.
#[derive(Args)]
pub struct Common {
    /// The executable to test, instead of building one.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Build it for release.
    #[arg(long)]
    release: bool,
    /// Makes the same choices again.
    #[arg(long)]
    seed: Option<u64>,
    /// Sessions that send at once.
    #[arg(long, default_value_t = 8)]
    sessions: usize,
}

/// Runs a storm.
pub fn run(storm: &Storm) -> Result<()> {
    match storm {
        Storm::Crash(options) => crash::run(options),
        Storm::Power(options) => power::run(options),
        Storm::DiskFull(options) => disk_full::run(options),
        Storm::Groupwise(options) => groupwise::run(options),
        Storm::Ovvm(options) => ovvm::run(options),
        Storm::Setup(options) => setup::run(options),
    }
}

impl Common {
    fn binary(&self) -> Result<PathBuf> {
        match &self.binary {
            Some(binary) => Ok(binary.clone()),
            None => workspace::build_concord(self.release),
        }
    }

    /// The given seed, or another one each time; printed, so that it can be given.
    fn seed(&self) -> u64 {
        let seed = self.seed.unwrap_or_else(|| u64::from(std::process::id()));
        println!("seed {seed}");
        seed
    }
}

/// How long the queue may take to drain after the last blow.
const DRAIN_LIMIT: Duration = Duration::from_secs(300);

/// Waits until everything is delivered, then reads it all.
fn collect(server: &Concord, sink: &load::Outside, ledger: &Arc<Ledger>) -> Result<Arrivals> {
    let start = Instant::now();
    server.wait_queue_empty(DRAIN_LIMIT)?;
    let arrivals = Arrivals::read(server, sink, ledger)?;
    println!("drained and read in {:.1?}", start.elapsed());
    Ok(arrivals)
}

/// Waits until `n` more messages were acknowledged, as a sign of life.
fn wait_for_acknowledgements(ledger: &Arc<Ledger>, n: usize, limit: Duration) -> Result<()> {
    let before = ledger.acknowledged();
    wait_until("acknowledged messages", limit, || Ok(ledger.acknowledged() >= before + n))
}
