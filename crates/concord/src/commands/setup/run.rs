//! What all verbs of Setup share: the session, the plan shown, the question,
//! the progress, and the exit codes 0 (done, or nothing to do), 2 (changes are
//! pending) and 1 (an error).

use crate::context::Context;
use crate::failure::Failure;
use crate::{print, release};
use concord_base::SystemClock;
use concord_registry::Database;
use concord_settings::Root;
use concord_setup::host::{Host, RealSystem};
use concord_setup::survey::Survey;
use concord_setup::{Layout, News, Plan, Session};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;

/// How a verb is to be carried out.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Manner {
    /// Show what would be done and change nothing; exit code 2 if there is anything
    #[arg(long)]
    pub dry_run: bool,
    /// Ask nothing
    #[arg(long, short = 'y')]
    pub yes: bool,
    /// Show every step
    #[arg(long, short)]
    pub verbose: bool,
}

/// Whether the administrator is asked before a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// It takes nothing away.
    None,
    /// It takes something away: asked at a terminal, refused without one.
    BeforeRemoving,
}

/// Says that this process was handed over already, so that two programs do not
/// hand it to each other for ever.
const HANDED: &str = "CONCORD_HANDED";

/// A root with releases of its own is looked after by the one that it is at:
/// another program may not know its schema (Q247773, Q188639). Not while a run
/// waits to be brought to its end: then nobody knows yet which one that is.
fn hand_over(root: &Root) {
    use std::os::unix::process::CommandExt;
    let settled = !Layout::new(root.clone()).journal().exists();
    if !settled || std::env::var_os(HANDED).is_some() {
        return;
    }
    if let Some(program) = crate::setup::other_program(root) {
        let arguments = std::env::args_os().skip(1);
        // Where it cannot be started this one does what it can.
        let _ = std::process::Command::new(program).args(arguments).env(HANDED, "1").exec();
    }
}

/// The machine as seen from a root.
pub fn host(root: &Root) -> Host {
    hand_over(root);
    let layout = Layout::new(root.clone());
    let known = Database::new(layout.registry()).load().ok().flatten();
    let user = known.and_then(|registry| registry.installation.user);
    host_for(root, user)
}

/// The same with a user for the services that is not registered yet.
pub fn host_for(root: &Root, user: Option<String>) -> Host {
    let system = RealSystem::new(root.clone(), user);
    Host::new(Layout::new(root.clone()), Box::new(system), Arc::new(SystemClock))
}

/// Plans and carries out: the frame of every verb.
pub fn verb(
    context: &Context,
    manner: Manner,
    question: Question,
    name: &str,
    make: impl FnOnce(&Host, &Survey) -> Result<Plan, Failure>,
) -> Result<(), Failure> {
    let host = host(&context.root()?);
    verb_on(&host, context, manner, question, name, make)
}

/// The same on a given host.
pub fn verb_on(
    host: &Host,
    context: &Context,
    manner: Manner,
    question: Question,
    name: &str,
    make: impl FnOnce(&Host, &Survey) -> Result<Plan, Failure>,
) -> Result<(), Failure> {
    if manner.dry_run {
        let plan = make(host, &Survey::take(host)?)?;
        show(&plan, context, manner, Some(false));
        return if plan.is_empty() { Ok(()) } else { Err(Failure::pending()) };
    }
    let session = Session::begin(host, name, release::VERSION, &mut told(context, manner))?;
    let outcome = in_session(&session, host, context, manner, question, make);
    session.close()?;
    outcome
}

fn in_session(
    session: &Session<'_>,
    host: &Host,
    context: &Context,
    manner: Manner,
    question: Question,
    make: impl FnOnce(&Host, &Survey) -> Result<Plan, Failure>,
) -> Result<(), Failure> {
    let plan = make(host, &Survey::take(host)?)?;
    if plan.is_empty() {
        show(&plan, context, manner, Some(false));
        return Ok(());
    }
    if !context.json {
        show(&plan, context, manner, None);
    }
    if question == Question::BeforeRemoving {
        confirm(manner)?;
    }
    let bar = bar(context, plan.steps.len());
    let mut watch = told(context, manner);
    let done = session.carry_out(&plan, &mut |news| {
        if let News::Step { number, what, .. } = &news {
            bar.set_position(u64::try_from(*number).unwrap_or(0));
            bar.set_message((*what).to_owned());
        }
        watch(news);
    });
    bar.finish_and_clear();
    done?;
    if context.json {
        show(&plan, context, manner, Some(true));
    } else if !context.silent {
        print::line(format_args!("done: {}", plan.verb));
    }
    Ok(())
}

/// Asks at a terminal; without one only `--yes` goes on.
pub fn confirm(manner: Manner) -> Result<(), Failure> {
    if manner.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(
            "cli.not-confirmed",
            "cannot ask whether to go on: stdin is no terminal; look at it with --dry-run, then \
             give --yes",
        ));
    }
    eprint!("Go on? [y/N] ");
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(Failure::new("cli.not-confirmed", "cannot go on without a yes; nothing was changed"))
}

/// Tells of steps with `--verbose`, and always of what is undone or finished.
pub fn told(context: &Context, manner: Manner) -> impl FnMut(News<'_>) + use<> {
    let quiet = context.json;
    move |news| match news {
        _ if quiet => {}
        News::Recovering { verb, forward } => {
            let word = if forward { "finished" } else { "undone" };
            eprintln!("'{verb}' was cut off earlier and is {word} first");
        }
        News::Undoing { what } => eprintln!("undoing: {what}"),
        News::Step { number, of, what } if manner.verbose => eprintln!("[{number}/{of}] {what}"),
        News::Step { .. } => {}
    }
}

fn bar(context: &Context, steps: usize) -> ProgressBar {
    if context.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {wide_bar} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(u64::try_from(steps).unwrap_or(0)).with_style(style)
}

/// Prints a plan. `done` is for JSON: none if it is only shown.
pub fn show(plan: &Plan, context: &Context, manner: Manner, done: Option<bool>) {
    if context.silent {
        return;
    }
    if context.json {
        print::json(&serde_json::json!({
            "verb": plan.verb,
            "changes": plan.changes,
            "notes": plan.notes,
            "steps": plan.words(),
            "pending": !plan.is_empty() && done != Some(true),
            "done": done.unwrap_or(false),
        }));
        return;
    }
    if plan.is_empty() {
        print::line(format_args!("{}: nothing to do", plan.verb));
    } else {
        print::line(format_args!("{}:", plan.verb));
    }
    for change in &plan.changes {
        let why = if change.why.is_empty() { String::new() } else { format!(" ({})", change.why) };
        print::line(format_args!("  {:<7} {}{why}", change.act, change.what));
    }
    for note in &plan.notes {
        print::line(format_args!("  note    {note}"));
    }
    if manner.verbose && done.is_some() {
        for (number, words) in plan.words().iter().enumerate() {
            print::line(format_args!("  step {:>3}  {words}", number + 1));
        }
    }
}
