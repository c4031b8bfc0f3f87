//! `cargo xtask storm groupwise`: SIGKILL for the GroupWise connector while mail
//! and reports go both ways.

use super::Common;
use clap::Args;
use concord_testkit::{GroupWiseSettings, GroupWiseStorm, Result, Site, trouble};
use std::time::Duration;

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    common: Common,
    /// Messages each way.
    #[arg(long, default_value_t = 2_000)]
    messages: usize,
    /// How often the connector is killed, at most.
    #[arg(long, default_value_t = 100)]
    kills: usize,
    /// Milliseconds between kills, at most; the least is a fifth of it.
    #[arg(long, default_value_t = 1_500)]
    pause: u64,
}

/// For everything to arrive once the last was sent.
const LIMIT: Duration = Duration::from_secs(600);

/// Runs the storm.
pub fn run(options: &Options) -> Result<()> {
    let binary = options.common.binary()?;
    let seed = options.common.seed();
    let mut site = Site::with_binary(binary)?;
    site.settings = "[settings.controller]\ncrash-budget = 1000000\nback-off-min = \"20 ms\"\n\
                     back-off-max = \"200 ms\"\n"
        .into();
    site.install()?;
    let gw = site.with_groupwise(GroupWiseSettings::default())?;
    let storm = GroupWiseStorm {
        messages: options.messages,
        kills: options.kills,
        pause: options.pause,
        seed,
        limit: LIMIT,
    };
    let figures = storm.run(&site, &gw)?;
    println!("{} messages each way, each with a report: {figures:#?}", options.messages);
    if figures.duplicates_out != figures.explained_out {
        return Err(trouble("copies in GroupWise that no crash explains"));
    }
    if figures.duplicates_in > figures.announced_in + figures.duplicates_out {
        return Err(trouble("copies here that the connector did not announce"));
    }
    if !gw.problems().is_empty() {
        return Err(trouble(format!("the gateway refused files: {:?}", gw.problems())));
    }
    Ok(())
}
