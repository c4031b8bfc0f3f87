//! `concord connector sync`

use crate::commands::Run;
use crate::commands::object::{CONNECTOR, Named};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{
    SyncBegun, SyncCounts, SyncOptions, SyncPlans, SyncRun, SyncState, SyncStatus,
};
use concord_controller::{ClientError, JsonClient, Method, path_of};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// Between looks at a run that is waited for.
const LOOK: Duration = Duration::from_millis(250);

/// Synchronise directories with the other system, and wait for the end
///
/// With neither --import nor --export, both directions that the connector's setting
/// 'synchronise' names. A run that is under way is joined. Exit code 0: done; 2: a dry run found
/// changes; 1: it ended early, or some entries failed.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Named,
    /// From the other system to here
    #[arg(long)]
    import: bool,
    /// From here to the other system
    #[arg(long)]
    export: bool,
    /// Compare everything, not only what has changed since the last run
    #[arg(long)]
    full: bool,
    /// Change nothing on either side; show what would be changed
    #[arg(long, conflicts_with_all = ["no_wait", "status"])]
    dry_run: bool,
    /// Make deletions that were withheld because there were so many
    #[arg(long)]
    approve: bool,
    /// Take contacts over that were made by hand for users of the other system
    #[arg(long)]
    adopt: bool,
    /// Do not wait for the end
    #[arg(long)]
    no_wait: bool,
    /// Show the run that is under way and the last ten
    #[arg(long, conflicts_with_all = ["import", "export", "full", "approve", "adopt", "no_wait"])]
    status: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let path = format!("{}/sync", path_of(CONNECTOR.path, &self.which.name));
        if self.status {
            let status: SyncStatus = context.block_on(admin.get(&path, &[]))?;
            show(&status, context);
            return Ok(());
        }
        let options = SyncOptions {
            import: self.import,
            export: self.export,
            full: self.full,
            dry_run: self.dry_run,
            approve: self.approve,
            adopt: self.adopt,
        };
        let begun: SyncBegun = context.block_on(admin.send(Method::POST, &path, &options))?;
        if begun.joined && !context.json {
            print::line(format_args!("run {} is under way; its options hold", begun.run.id));
        }
        if self.no_wait {
            tell_begun(&begun, context);
            return Ok(());
        }
        let run = context.block_on(wait(&admin, &path, begun.run.id, context))?;
        if run.options.dry_run {
            let plans: SyncPlans =
                context.block_on(admin.get(&format!("{path}/plan"), &[]))?;
            return dry(&run, &plans, context);
        }
        if context.json {
            print::json(&run);
        } else {
            tell(&run);
        }
        ended(&run)
    }
}

fn tell_begun(begun: &SyncBegun, context: &Context) {
    if context.json {
        print::json(begun);
    } else if !begun.joined {
        print::line(format_args!("run {} began", begun.run.id));
    }
}

/// Looks at a run until it has ended.
async fn wait(
    admin: &JsonClient,
    path: &str,
    run: u64,
    context: &Context,
) -> Result<SyncRun, ClientError> {
    let bar = bar(context);
    loop {
        let status: SyncStatus = admin.get(path, &[]).await?;
        // A run that ended long ago, with ten others since, is as good as the oldest.
        let ended = status.runs.iter().find(|ended| ended.id == run);
        if let Some(ended) = ended.or_else(|| status.runs.last().filter(|last| last.id > run)) {
            bar.finish_and_clear();
            return Ok(ended.clone());
        }
        if let Some(current) = status.current {
            bar.set_length(current.total.max(current.done));
            bar.set_position(current.done);
            bar.set_message(current.phase);
        }
        bar.tick();
        tokio::time::sleep(LOOK).await;
    }
}

fn bar(context: &Context) -> ProgressBar {
    if context.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len} {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}

/// What a dry run found; pending if that is something.
fn dry(run: &SyncRun, plans: &SyncPlans, context: &Context) -> Result<(), Failure> {
    if context.json {
        print::json(plans);
    } else {
        for text in [&plans.import_text, &plans.export_text].into_iter().flatten() {
            print::line(text.trim_end());
        }
    }
    ended(run)?;
    let counts = [&run.import, &run.export].into_iter().flatten();
    let pending = counts.map(|counts| counts.changes() + counts.withheld).sum::<u64>();
    if pending == 0 { Ok(()) } else { Err(Failure::pending()) }
}

/// A failure if the run ended early, or entries failed.
fn ended(run: &SyncRun) -> Result<(), Failure> {
    if let Some(failure) = run.failure.as_ref().filter(|_| run.state == SyncState::Failed) {
        let message = format!("run {} ended early ({}): {}", run.id, failure.code, failure.message);
        return Err(Failure::new("sync.failed", message));
    }
    let counts = [&run.import, &run.export].into_iter().flatten();
    match counts.map(|counts| counts.failed).sum::<u64>() {
        0 => Ok(()),
        failed => Err(Failure::new(
            "sync.failed",
            format!(
                "{failed} entries of run {} failed and stay as they are; mend what the lines say \
                 and run again",
                run.id
            ),
        )),
    }
}

fn show(status: &SyncStatus, context: &Context) {
    if context.json {
        print::json(status);
        return;
    }
    if let Some(run) = &status.current {
        let of = if run.total > 0 { format!(" of {}", run.total) } else { String::new() };
        print::line(format_args!("under way: run {}, {}, {}{of}", run.id, run.phase, run.done));
    }
    if status.current.is_none() && status.runs.is_empty() {
        print::line("it was never synchronised");
    }
    for run in &status.runs {
        tell(run);
    }
}

fn tell(run: &SyncRun) {
    let dry = if run.options.dry_run { ", dry" } else { "" };
    let word = match run.state {
        SyncState::Running => "is under way",
        SyncState::Done => "done",
        SyncState::Failed => "ended early",
    };
    let (asked, time) = (&run.asked_by, Duration::from_millis(run.milliseconds));
    print::line(format_args!(
        "run {}{dry} ({asked}, {}): {word} in {time:.1?}",
        run.id, run.started
    ));
    if let Some(failure) = &run.failure {
        print::line(format_args!("  {}: {}", failure.code, failure.message));
    }
    for (direction, counts) in [("import", &run.import), ("export", &run.export)] {
        if let Some(counts) = counts {
            tell_counts(direction, counts);
        }
    }
}

fn tell_counts(direction: &str, counts: &SyncCounts) {
    let SyncCounts { listed, added, modified, deleted, unchanged, .. } = counts;
    print::line(format_args!(
        "  {direction}: {listed} listed; {added} added, {modified} modified, {deleted} deleted, \
         {unchanged} unchanged"
    ));
    for (count, what) in [
        (counts.adopted, "adopted"),
        (counts.left_out, "left out"),
        (counts.failed, "failed"),
        (counts.collisions, "with an address that somebody else has"),
    ] {
        if count > 0 {
            print::line(format_args!("    {count} {what}"));
        }
    }
    if let Some(why) = &counts.withheld_because {
        print::line(format_args!("    {} deletions withheld: {why}", counts.withheld));
    }
    if counts.replaced {
        print::line("    the other directory was replaced, and got everything anew");
    }
    for (reason, count) in &counts.reasons {
        print::line(format_args!("    left out: {count}, {reason}"));
    }
    for (word, remarks) in [("failed", &counts.failures), ("taken", &counts.collided)] {
        for remark in remarks {
            let key = remark.key.as_ref().map(|key| format!(" ({key})")).unwrap_or_default();
            print::line(format_args!("    {word}: {}{key}: {}", remark.name, remark.text));
        }
    }
}
