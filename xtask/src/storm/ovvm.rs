//! `cargo xtask storm ovvm`: two servers exchange mail over NJE while the link is
//! cut and their connectors are killed.

use super::Common;
use clap::Args;
use concord_testkit::{OvvmStorm, Result, Site, VmPair, trouble};
use std::time::Duration;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    common: Common,
    /// Messages each way.
    #[arg(long, default_value_t = 2_000)]
    messages: usize,
    /// How often a connector is killed, at most.
    #[arg(long, default_value_t = 60)]
    kills: usize,
    /// How often the link is cut, at most.
    #[arg(long, default_value_t = 60)]
    cuts: usize,
    /// Milliseconds between two blows, at most; the least is a fifth of it.
    #[arg(long, default_value_t = 2_000)]
    pause: u64,
}

/// For everything to arrive once the last was sent.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs the storm.
pub fn run(options: &Options) -> Result<()> {
    let binary = options.common.binary()?;
    let seed = options.common.seed();
    let sites = [Site::with_binary(&binary)?, Site::with_binary(&binary)?];
    let pair = VmPair::with(sites, [&[], &[]])?;
    let storm = OvvmStorm {
        messages: options.messages,
        kills: options.kills,
        cuts: options.cuts,
        pause: options.pause,
        seed,
        limit: LIMIT,
    };
    let figures = storm.run(&pair)?;
    println!("{} messages each way: {figures:#?}", options.messages);
    if figures.lost > 0 {
        return Err(trouble(format!("{} messages or files are lost", figures.lost)));
    }
    if figures.duplicates > 0 {
        return Err(trouble(format!("{} copies too many", figures.duplicates)));
    }
    Ok(())
}
