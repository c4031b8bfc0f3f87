//! Recovering a server or parts of it.

use super::Args;
use crate::commands::backup::Bar;
use crate::commands::setup::install::Choices;
use crate::commands::setup::run::{Question, host, host_for, verb_on};
use crate::context::Context;
use crate::failure::Failure;
use crate::{print, release};
use concord_registry::Manager;
use concord_setup::backup::{Backup, Part};
use concord_setup::host::{Host, UnitVerb};
use concord_setup::preflight;
use concord_setup::recover::{self, RecoverOptions};
use concord_setup::survey::Survey;
use concord_setup::verb::install::{InstallOptions, Source, stage_own_program};
use concord_setup::{Plan, settle};
use std::path::PathBuf;

/// How it is to sit on a machine where nothing is installed, as for 'setup install'.
#[derive(Debug, Clone, clap::Args)]
pub struct Machine {
    /// On a new machine: a unit of systemd: auto, yes, no
    #[arg(long, value_name = "WHEN", conflicts_with = "single")]
    systemd: Option<String>,
    /// On a new machine: the user that services run as
    #[arg(long, value_name = "NAME", conflicts_with_all = ["no_user", "single"])]
    user: Option<String>,
    /// On a new machine: services run as whoever runs this
    #[arg(long, conflicts_with = "single")]
    no_user: bool,
    /// On a new machine: link the command here
    #[arg(long, value_name = "PATH", conflicts_with_all = ["no_link", "single"])]
    link: Option<PathBuf>,
    /// On a new machine: link the command nowhere
    #[arg(long, conflicts_with = "single")]
    no_link: bool,
    /// On a new machine: run the program from where it is
    #[arg(long, conflicts_with = "single")]
    in_place: bool,
    /// On a new machine: do not start it afterwards
    #[arg(long, conflicts_with = "single")]
    no_start: bool,
}

pub fn run(args: &Args, backup: &Backup, context: &Context) -> Result<(), Failure> {
    let root = context.root()?;
    settle(&host(&root), release::VERSION, &mut |_| {})?;
    let fresh = Survey::take(&host(&root))?.known().is_none();
    let install = args.machine.options(backup)?;
    let host = if fresh {
        host_for(&root, install.installation.user.clone())
    } else {
        host(&root)
    };
    let all = Part::ALL.to_vec();
    let parts = if args.parts.is_empty() { all } else { args.parts.clone() };
    let mut options = RecoverOptions {
        parts: parts.into_iter().collect(),
        hostname: args.hostname.clone(),
        adopt_lineage: args.adopt_lineage,
        overwrite: args.overwrite,
        machine: recover::Machine {
            installation: install.installation.clone(),
            source: install.source.clone(),
            files: Vec::new(),
        },
        dry_run: args.manner.dry_run,
    };
    let mut planned = false;
    verb_on(&host, context, args.manner, Question::BeforeRemoving, "recover", |host, survey| {
        if fresh {
            check_machine(host, survey, backup, &install, &options)?;
            if install.source == Source::Staged && !args.manner.dry_run {
                options.machine.files = stage_own_program(host, release::VERSION)?;
            }
        }
        let plan = plan(host, survey, backup, &options, context)?;
        planned = !plan.is_empty();
        Ok(plan)
    })?;
    if fresh && planned && !args.manner.dry_run {
        start(&host, &install, args.machine.no_start, context)?;
    }
    Ok(())
}

fn plan(
    host: &Host,
    survey: &Survey,
    backup: &Backup,
    options: &RecoverOptions,
    context: &Context,
) -> Result<Plan, Failure> {
    let bar = Bar::new(context);
    let facts = release::facts();
    Ok(recover::prepare(host, survey, backup, &facts, options, &mut |news| bar.tell(news))?)
}

/// As before an installation: nothing is written on a machine that is not fit.
fn check_machine(
    host: &Host,
    survey: &Survey,
    backup: &Backup,
    install: &InstallOptions,
    options: &RecoverOptions,
) -> Result<(), Failure> {
    let Some(text) = recover::settings_text(host, backup, options)? else { return Ok(()) };
    let settings = concord_settings::parse(&text, &backup.path.join("etc/concord.toml"))?;
    let found = preflight::install(host, survey, &release::facts(), install, &settings);
    for note in found.iter().filter(|objection| !objection.refuses) {
        eprintln!("note: {note}");
    }
    Ok(preflight::insist("recover", &found)?)
}

impl Machine {
    fn options(&self, backup: &Backup) -> Result<InstallOptions, Failure> {
        let choices = Choices {
            hostname: Some(backup.manifest.identity.hostname.clone()),
            systemd: self.systemd.clone(),
            user: self.user.clone(),
            no_user: self.no_user,
            link: self.link.clone(),
            no_link: self.no_link,
            in_place: self.in_place,
            ..Choices::default()
        };
        choices.plain_options()
    }
}

fn start(
    host: &Host,
    install: &InstallOptions,
    no_start: bool,
    context: &Context,
) -> Result<(), Failure> {
    let managed = install.installation.manager == Manager::Systemd && host.system.has_systemd();
    if managed && !no_start {
        host.system.act_on_unit(UnitVerb::Start, "concord.service")?;
    }
    if context.json {
        return Ok(());
    }
    let root = host.layout.root().path().display();
    match (managed, no_start) {
        (true, false) => print::line("concord.service runs; 'concord doctor' looks whether all is well"),
        (true, true) => print::line("start it with 'systemctl start concord'"),
        (false, _) => print::line(format_args!("start it with 'concord --root {root} up'")),
    }
    Ok(())
}
