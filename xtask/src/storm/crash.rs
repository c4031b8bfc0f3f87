//! `cargo xtask storm crash`: SIGKILL at random under load.

use super::ledger::Ledger;
use super::load::{Load, Outside, Targets};
use super::{Common, collect, wait_for_acknowledgements};
use clap::Args;
use concord_testkit::{Concord, Random, Result, kill, trouble};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    common: Common,
    /// How many times something is killed.
    #[arg(long, default_value_t = 100)]
    kills: usize,
    /// Milliseconds between kills, at most; the least is a fifth of it.
    #[arg(long, default_value_t = 1_000)]
    pause: u64,
}

/// What can be killed.
const VICTIMS: [&str; 3] = ["controller", "core", "internet-mail"];
/// After the last kill it must come back within this.
const RECOVERY_LIMIT: Duration = Duration::from_secs(60);

/// Runs the storm.
pub fn run(options: &Options) -> Result<()> {
    let binary = options.common.binary()?;
    let seed = options.common.seed();
    let outside = Outside::start()?;
    let host = outside.sink.address();
    let mut server = Concord::builder()?
        .binary(binary)
        .config(|c| {
            c.smart_host(host);
            c.endure_crashes();
        })
        .start()?;
    let targets =
        Targets { smtp: server.address("smtp"), submission: server.address("submission") };
    let ledger = Arc::new(Ledger::new(format!("crash{seed}")));
    let load = Load::start(targets, &ledger, options.common.sessions, seed);
    wait_for_acknowledgements(&ledger, 10, RECOVERY_LIMIT)?;

    let start = Instant::now();
    let kills = strike(&mut server, &ledger, options, seed);
    // Life goes on after the last blow.
    let alive = kills.and_then(|kills| {
        server.wait_ready(RECOVERY_LIMIT)?;
        wait_for_acknowledgements(&ledger, 10, RECOVERY_LIMIT)?;
        Ok(kills)
    });
    load.stop();
    let kills = alive?;
    println!("killed in {:.0?}:", start.elapsed());
    for (victim, count) in VICTIMS.iter().zip(kills) {
        println!("  {victim:<14} {count}");
    }
    let arrivals = collect(&server, &outside, &ledger)?;
    let judged = arrivals.judge(&ledger);
    server.stop()?;
    judged
}

/// Kills until the count is reached; gives back how often each was met.
fn strike(
    server: &mut Concord,
    ledger: &Ledger,
    options: &Options,
    seed: u64,
) -> Result<[usize; 3]> {
    let mut random = Random::new(seed);
    let mut kills = [0; 3];
    let mut misses = 0;
    while kills.iter().sum::<usize>() < options.kills {
        std::thread::sleep(Duration::from_millis(
            random.between(options.pause / 5, options.pause.max(5)),
        ));
        let choice = usize::try_from(random.below(VICTIMS.len() as u64)).unwrap_or(0);
        let victim = VICTIMS.get(choice).copied().unwrap_or("core");
        if victim == "controller" {
            let from = Instant::now();
            server.kill_controller()?;
            server.up().map_err(|e| e.during("starting again after the controller was killed"))?;
            ledger.blow(from);
        } else {
            // A service that is just being started again has no process to kill.
            let Ok(pid) = server.service(victim) else {
                misses += 1;
                if misses > options.kills {
                    return Err(trouble(format!("{victim} does not come back")));
                }
                continue;
            };
            let from = Instant::now();
            kill(pid)?;
            ledger.blow(from);
        }
        if let Some(count) = kills.get_mut(choice) {
            *count += 1;
        }
    }
    Ok(kills)
}
