//! One verb, killed again and again.

use super::cases::Case;
use super::snapshot::{self, Facts, Snapshot, difference};
use super::stage::Stage;
use crate::goods::Goods;
use concord_testkit::{Random, Result, trouble};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Services that were stopped or started meanwhile are ready within this.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(150);
/// Runs in a row that ended before they were killed.
const MOST_LATE: usize = 20;

/// What came of one verb.
pub struct Tally {
    name: &'static str,
    running: bool,
    usual: Duration,
    pub kills: usize,
    pub old: usize,
    pub new: usize,
    pub failures: Vec<String>,
}

impl Tally {
    fn fail(&mut self, why: String) {
        let failure = format!("{}, {why}", self.name);
        println!("{failure}");
        self.failures.push(failure);
    }

    /// For whoever watches.
    pub fn line(&self) -> String {
        let Self { name, kills, old, new, failures, .. } = self;
        format!("{name}: {kills} kills, {old} old, {new} new, {} failures", failures.len())
    }

    /// A row of the table.
    pub fn row(&self) -> String {
        let Self { name, kills, old, new, failures, .. } = self;
        let (server, usual) = (if self.running { "runs" } else { "rests" }, self.usual.as_millis());
        format!("| {name} | {server} | {usual} | {kills} | {old} | {new} | {} |", failures.len())
    }
}

/// The two states that are allowed.
struct Ends {
    old: Snapshot,
    new: Snapshot,
}

enum End {
    Old,
    /// As before, but for the controller, which ended.
    OldAndResting,
    New,
    Neither(String),
}

/// Runs the verb once in peace, then kills it. What keeps it from that is a
/// failure too; the other verbs are still to be met.
pub fn run(case: &Case, goods: &Goods, kills: usize, random: &mut Random) -> Tally {
    let (name, running) = (case.name, case.running);
    let usual = Duration::ZERO;
    let mut tally = Tally { name, running, usual, kills: 0, old: 0, new: 0, failures: Vec::new() };
    if let Err(trouble) = storm(case, goods, kills, random, &mut tally) {
        tally.fail(format!("could not go on: {trouble:?}"));
    }
    tally
}

fn storm(
    case: &Case,
    goods: &Goods,
    kills: usize,
    random: &mut Random,
    tally: &mut Tally,
) -> Result<()> {
    let mut stage = Stage::new(goods)?;
    (case.prepare)(&mut stage)?;
    stage.keep(case.running)?;
    let old = quiet(&mut stage)?;
    let words = (case.words)(&stage)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let start = Instant::now();
    stage.site.ok(&words)?;
    tally.usual = start.elapsed();
    let new = quiet(&mut stage)?;
    expect(case, &old, &new)?;
    let ends = Ends { old, new };
    stage.restore()?;
    let mut late = 0;
    while tally.kills < kills {
        let after = instant(tally.usual, random)?;
        if !kill_after(&stage, &words, after)? {
            late += 1;
            if late > MOST_LATE {
                return Err(trouble("it always ends before it is killed"));
            }
            stage.restore()?;
            continue;
        }
        late = 0;
        tally.kills += 1;
        match judge(&mut stage, &ends, case.stops)? {
            // The next run begins where this one was undone.
            End::Old => {
                tally.old += 1;
                continue;
            }
            End::OldAndResting => tally.old += 1,
            End::New => tally.new += 1,
            End::Neither(why) => {
                let log = last_lines(&stage.site.log());
                tally.fail(format!("killed after {after:.1?}: {why}\n  the controller: {log}"));
            }
        }
        stage.restore()?;
    }
    Ok(())
}

fn last_lines(log: &str) -> String {
    /// Enough to see what ended it.
    const MOST: usize = 8;
    let lines: Vec<&str> = log.lines().rev().take(MOST).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n    ")
}

/// Anywhere in a run; every other time in its last third, where the commit is.
fn instant(usual: Duration, random: &mut Random) -> Result<Duration> {
    let whole = u64::try_from(usual.as_micros())?;
    let from = if random.one_in(2) { whole / 3 * 2 } else { 0 };
    Ok(Duration::from_micros(random.between(from, whole)))
}

/// Waits until two looks are the same, and healthy if they become so.
fn quiet(stage: &mut Stage<'_>) -> Result<Snapshot> {
    let until = Instant::now() + PATIENCE / 4;
    let mut last = Snapshot::take(stage)?;
    loop {
        std::thread::sleep(PAUSE);
        let next = Snapshot::take(stage)?;
        if next == last && (next.is_healthy() || Instant::now() > until) {
            return Ok(next);
        }
        if Instant::now() > until + PATIENCE {
            let lines = difference(&next.looks, &last.looks).join("\n");
            return Err(trouble(format!("the server does not come to rest:\n{lines}")));
        }
        last = next;
    }
}

/// What is compared with must itself be as the case says.
fn expect(case: &Case, old: &Snapshot, new: &Snapshot) -> Result<()> {
    if old == new {
        return Err(trouble("the verb does nothing"));
    }
    for (state, wanted, word) in
        [(old, case.healthy_before, "before"), (new, case.healthy_after, "behind")]
    {
        if state.is_healthy() != wanted {
            let lines: Vec<String> = state.looks.iter().map(|(k, v)| format!("{k}: {v}")).collect();
            return Err(trouble(format!("the state {word} it is another:\n{}", lines.join("\n"))));
        }
    }
    Ok(())
}

/// Starts the verb and kills it; false if it ended before.
fn kill_after(stage: &Stage<'_>, words: &[&str], after: Duration) -> Result<bool> {
    let mut command = stage.site.command(words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    std::thread::sleep(after);
    let ended = child.try_wait()?.is_some();
    child.kill()?;
    child.wait()?;
    Ok(!ended)
}

fn judge(stage: &mut Stage<'_>, ends: &Ends, stops: bool) -> Result<End> {
    let done = stage.site.run(&["setup", "settle"])?;
    if done.code != Some(0) {
        return Ok(End::Neither(format!("settling ended with {:?}: {}", done.code, done.stderr)));
    }
    let again = stage.site.run(&["setup", "settle"])?;
    if again.code != Some(0) || !again.stdout.contains("no run was cut off") {
        let said = format!("{}{}", again.stdout, again.stderr);
        return Ok(End::Neither(format!("settling twice finds something: {said}")));
    }
    let files = snapshot::files(stage)?;
    let until = Instant::now() + PATIENCE;
    loop {
        let found = Snapshot { files: files.clone(), looks: snapshot::looks(stage)? };
        if found == ends.old {
            return Ok(End::Old);
        }
        if found == ends.new {
            return Ok(End::New);
        }
        if stops && !stage.site.is_up() && files == ends.old.files && found.is_healthy() {
            return Ok(End::OldAndResting);
        }
        let hopeless = files != ends.old.files && files != ends.new.files;
        if hopeless || Instant::now() > until {
            return Ok(End::Neither(told(&found, ends)));
        }
        std::thread::sleep(PAUSE);
    }
}

fn told(found: &Snapshot, ends: &Ends) -> String {
    let whole =
        |of: &Snapshot| -> Facts { of.files.clone().into_iter().chain(of.looks.clone()).collect() };
    let against = |wanted: &Snapshot| difference(&whole(found), &whole(wanted)).join("\n");
    format!(
        "neither old nor new\n  against old:\n{}\n  against new:\n{}",
        against(&ends.old),
        against(&ends.new)
    )
}
