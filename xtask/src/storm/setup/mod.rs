//! `cargo xtask storm setup`: every verb of Setup is cut off, in the process at
//! every point and from outside by SIGKILL at random instants. What is found
//! afterwards must be the state before or the state behind, and healthy.

mod cases;
mod cuts;
mod snapshot;
mod stage;
mod strike;

use crate::goods::{Goods, Programs};
use crate::packages;
use cases::{CASES, Case};
use clap::Args;
use concord_testkit::{Random, Result, trouble};

use std::time::Instant;
use strike::Tally;

#[derive(Args)]
pub struct Options {
    /// How many runs are killed, over all verbs.
    #[arg(long, default_value_t = 300)]
    kills: usize,
    #[command(flatten)]
    programs: Programs,
    /// Makes the same choices again.
    #[arg(long)]
    seed: Option<u64>,
    /// Two kills a verb, and no cuts in the process.
    #[arg(long)]
    quick: bool,
    /// Only verbs whose name has this text, and no cuts in the process.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// Fewer cut points than this prove little.
const LEAST: u64 = 2_000;
/// Kills of each verb with `--quick`.
const FEW: usize = 2;

/// Runs the storm.
pub fn run(options: &Options) -> Result<()> {
    packages::install(&[("python3", "python3")])?;
    let seed = options.seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}");
    let whole = !options.quick && options.only.is_none();
    let inside = if whole { cuts::run(options.programs.release)? } else { 0 };
    let goods = Goods::obtain(&options.programs)?;
    let only = options.only.as_deref().unwrap_or_default();
    let cases: Vec<&Case> = CASES.iter().filter(|case| case.name.contains(only)).collect();
    if cases.is_empty() {
        return Err(trouble(format!("no verb's name has '{only}'")));
    }
    let start = Instant::now();
    let mut random = Random::new(seed);
    let mut tallies = Vec::new();
    for (place, case) in cases.iter().enumerate() {
        let kills = if options.quick { FEW } else { share(options.kills, cases.len(), place) };
        let tally = strike::run(case, &goods, kills, &mut random);
        println!("{}", tally.line());
        tallies.push(tally);
    }
    println!("killed in {:.0?}", start.elapsed());
    judge(&tallies, inside, whole)
}

/// The kills of one of several cases.
fn share(kills: usize, cases: usize, place: usize) -> usize {
    let more = usize::from(place < kills.checked_rem(cases).unwrap_or(0));
    kills.checked_div(cases).unwrap_or(0) + more
}

/// Prints the table and the totals.
fn judge(tallies: &[Tally], inside: u64, whole: bool) -> Result<()> {
    println!("\n| verb | server | usual ms | kills | ended old | ended new | failures |");
    println!("|{}", "---|".repeat(7));
    for tally in tallies {
        println!("{}", tally.row());
    }
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    let (kills, old, new) = (sum(|t| t.kills), sum(|t| t.old), sum(|t| t.new));
    let failures: Vec<&String> = tallies.iter().flat_map(|tally| &tally.failures).collect();
    println!("| all |  |  | {kills} | {old} | {new} | {} |\n", failures.len());
    let together = inside + kills as u64;
    println!("cut points in the process  {inside}");
    println!("killed with SIGKILL        {kills}");
    println!("together                   {together}");
    println!("failures                   {}", failures.len());
    if !failures.is_empty() {
        for failure in &failures {
            println!("\n{failure}");
        }
        return Err(trouble(format!("{} runs ended neither old nor new", failures.len())));
    }
    if whole && together < LEAST {
        return Err(trouble(format!("{together} cut points are fewer than {LEAST}")));
    }
    Ok(())
}
