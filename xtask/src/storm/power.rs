//! `cargo xtask storm power`: power cuts under load.

use super::ledger::Ledger;
use super::load::{Load, Outside, Targets};
use super::shadow::{Shadow, Tails};
use super::{Common, collect, damage, wait_for_acknowledgements};
use crate::workspace::build_layer;
use clap::{Args, ValueEnum};
use concord_testkit::{Concord, Random, Result, marked, trouble};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    common: Common,
    /// How often the power is cut.
    #[arg(long, default_value_t = 50)]
    cuts: usize,
    /// When a file's name is durable.
    #[arg(long, value_enum, default_value = "directory")]
    names: Names,
    /// Milliseconds of load before a cut, at most.
    #[arg(long, default_value_t = 1_200)]
    pause: u64,
}

/// When a file's name is durable.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Names {
    /// When its directory is synced; nothing less is promised by POSIX.
    Directory,
    /// Also when the file is synced, as ext4 has it.
    File,
}

const RECOVERY_LIMIT: Duration = Duration::from_secs(60);

/// Runs the storm.
pub fn run(options: &Options) -> Result<()> {
    let layer = build_layer("tests/shims/power.c")?;
    let binary = options.common.binary()?;
    let seed = options.common.seed();
    let mut random = Random::new(seed);
    let outside = Outside::start()?;
    let host = outside.sink.address();
    let scratch = tempfile::Builder::new().prefix("power-").tempdir()?;
    let mut server = Concord::builder()?
        .binary(binary)
        .root(scratch.path().join("root"))
        .config(|c| {
            c.smart_host(host);
            c.endure_crashes();
            // Segments close often, so that cuts meet that too.
            c.set("storage", "segment-size", "\"1 MiB\"");
        })
        .prepare()?;
    // Sets the root up; from here on every name and octet is durable.
    server.up()?;
    server.stop()?;
    let data = server.root().join("data");
    let record = scratch.path().join("record");
    let shadow = Shadow::begin(&data, &record)?;
    preload(&mut server, &layer, &data, &record, options.names)?;
    server.up()?;
    check_preloaded(&server)?;

    let targets =
        Targets { smtp: server.address("smtp"), submission: server.address("submission") };
    let ledger = Arc::new(Ledger::new(format!("power{seed}")));
    let load = Load::start(targets, &ledger, options.common.sessions, seed);
    let start = Instant::now();
    let cuts = strike(&mut server, &shadow, &ledger, options, &mut random);
    load.stop();
    let tails = cuts?;
    println!("cut {} times in {:.0?}", options.cuts, start.elapsed());
    println!("octets dropped           {}", tails.dropped);
    println!("tails torn               {} ({} with a flipped bit)", tails.torn, tails.flipped);
    let arrivals = collect(&server, &outside, &ledger)?;
    arrivals.judge(&ledger)?;
    server.set_env(&[]);
    damage::check(&mut server, &ledger, &mut random)
}

fn preload(
    server: &mut Concord,
    layer: &Path,
    data: &Path,
    record: &Path,
    names: Names,
) -> Result<()> {
    let text = |path: &Path| {
        path.to_str().map(str::to_owned).ok_or_else(|| trouble("a path is not UTF-8"))
    };
    let (layer, data, record) = (text(layer)?, text(data)?, text(record)?);
    server.set_env(&[
        ("LD_PRELOAD", &layer),
        ("POWER_DIR", &data),
        ("POWER_SHADOW", &record),
        ("POWER_NAMES", if names == Names::File { "file" } else { "directory" }),
    ]);
    Ok(())
}

/// A service without the layer would make every cut a lie.
fn check_preloaded(server: &Concord) -> Result<()> {
    let core = server.service("core")?;
    let maps = std::fs::read_to_string(format!("/proc/{core}/maps"))?;
    if maps.contains("power.so") && marked("POWER_SHADOW").contains(&core) {
        return Ok(());
    }
    Err(trouble("the controller did not pass LD_PRELOAD and POWER_* on to the core"))
}

fn strike(
    server: &mut Concord,
    shadow: &Shadow,
    ledger: &Arc<Ledger>,
    options: &Options,
    random: &mut Random,
) -> Result<Tails> {
    let mut sum = Tails::default();
    for cut in 0..options.cuts {
        wait_for_acknowledgements(ledger, 5, RECOVERY_LIMIT)?;
        std::thread::sleep(Duration::from_millis(random.below(options.pause)));
        let from = Instant::now();
        server.kill_all()?;
        ledger.blow(from);
        // Every third cut is a clean one: exactly what was synced.
        let tear = (cut % 3 != 0).then_some(&mut *random);
        let tails = shadow.cut(tear)?;
        sum.torn += tails.torn;
        sum.flipped += tails.flipped;
        sum.dropped += tails.dropped;
        server.up().map_err(|e| e.during(&format!("starting after cut {}", cut + 1)))?;
    }
    wait_for_acknowledgements(ledger, 5, RECOVERY_LIMIT)?;
    Ok(sum)
}
