//! `concord setup install`

use super::answers::{Answers, put_over};
use super::run::{Manner, host_for, show, told};
use super::{Run, wizard};
use crate::context::Context;
use crate::failure::Failure;
use crate::{print, release};
use concord_registry::{Installation, Manager};
use concord_settings::{Preset, Root, Settings};
use concord_setup::host::{Host, UnitVerb};
use concord_setup::preflight::{self, Objection};
use concord_setup::survey::Survey;
use concord_setup::verb::install::{self, InstallOptions, Source, stage_own_program};
use concord_setup::{Plan, Session};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Where Debian looks for an administrator's units.
const UNITS: &str = "/etc/systemd/system";
/// Where an administrator's commands are.
const COMMAND: &str = "/usr/local/bin/concord";
/// The services' user unless another is named.
const USER: &str = "concord";

/// Install a server at this root. Asks at a terminal for what is not given
///
/// Everything is checked before the first write. A run that is killed is undone by the next
/// command of setup; what is left of an earlier installation is taken over.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Read everything from this file (TOML: organisation, domain, hostname, components,
    /// systemd, user, link, in-place, and settings as in etc/concord.toml below [settings])
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    #[command(flatten)]
    choices: Choices,
    /// Do not start it afterwards
    #[arg(long)]
    no_start: bool,
    #[command(flatten)]
    manner: Manner,
}

/// What can be chosen by flags.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Choices {
    /// The organisation's name
    #[arg(long, value_name = "NAME", requires = "domain")]
    pub organisation: Option<String>,
    /// The organisation's mail domain
    #[arg(long, value_name = "DOMAIN", requires = "organisation")]
    pub domain: Option<String>,
    /// The name that services say [default: the machine's]
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<String>,
    /// A component besides the core; may be said more than once [default: internet-mail]
    #[arg(long = "component", value_name = "NAME")]
    pub components: Vec<String>,
    /// Install a unit of systemd and start it: auto (if systemd runs and we are root), yes, no
    #[arg(long, value_name = "WHEN")]
    pub systemd: Option<String>,
    /// The user that services run as; made if need be [default with systemd: concord]
    #[arg(long, value_name = "NAME", conflicts_with = "no_user")]
    pub user: Option<String>,
    /// Services run as whoever runs this
    #[arg(long)]
    pub no_user: bool,
    /// Link the command here [default with systemd: /usr/local/bin/concord]
    #[arg(long, value_name = "PATH", conflicts_with = "no_link")]
    pub link: Option<PathBuf>,
    /// Link the command nowhere
    #[arg(long)]
    pub no_link: bool,
    /// Run the program from where it is instead of copying it below the root; then it is not
    /// updated by 'concord update'
    #[arg(long)]
    pub in_place: bool,
    /// The Debian package that owns the program
    #[arg(long, hide = true, value_name = "NAME")]
    pub package: Option<String>,
    /// Where unit files are
    #[arg(long, hide = true, value_name = "DIR")]
    pub unit_directory: Option<PathBuf>,
}

impl Run for Box<Args> {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        let answers = self.answers.as_deref().map(Answers::read).transpose()?.unwrap_or_default();
        let mut choices = self.choices.clone();
        choices.fill(&answers);
        let asks = self.answers.is_none() && !self.manner.yes && !self.manner.dry_run;
        if asks && !context.json && std::io::stdin().is_terminal() {
            wizard::ask(&mut choices)?;
        }
        let options = choices.options(&answers)?;
        let host = host_for(&root, options.installation.user.clone());
        if self.manner.dry_run {
            return self.rehearse(&host, &options, context);
        }
        self.install(&host, &options, context)?;
        if self.no_start { Ok(()) } else { start(&host, &options, context) }
    }
}

impl Args {
    fn rehearse(
        &self,
        host: &Host,
        options: &InstallOptions,
        context: &Context,
    ) -> Result<(), Failure> {
        let survey = Survey::take(host)?;
        let settings = settings(host.layout.root(), options)?;
        let facts = release::facts();
        let found = preflight::install(host, &survey, &facts, options, &settings);
        tell(&found, context);
        preflight::insist("setup install", &found)?;
        let files = [];
        let plan = install::plan(host, &survey, &facts, options, &files)?;
        show(&with_notes(plan, &found), context, self.manner, Some(false));
        Err(Failure::pending())
    }

    fn install(
        &self,
        host: &Host,
        options: &InstallOptions,
        context: &Context,
    ) -> Result<(), Failure> {
        let facts = release::facts();
        // Before the session, which makes the root: a refusal leaves nothing behind.
        concord_setup::settle(host, release::VERSION, &mut told(context, self.manner))?;
        let survey = Survey::take(host)?;
        if let Ok(Some(_)) = &survey.registry {
            let root = host.layout.root().path().to_owned();
            return Err(concord_setup::SetupError::AlreadyInstalled(root).into());
        }
        let settings = settings(host.layout.root(), options)?;
        let found = preflight::install(host, &survey, &facts, options, &settings);
        tell(&found, context);
        preflight::insist("setup install", &found)?;
        let mut watch = told(context, self.manner);
        let session = Session::begin(host, "setup install", release::VERSION, &mut watch)?;
        let outcome = (|| {
            let files = match options.source {
                Source::Staged => stage_own_program(host, &facts.version)?,
                Source::InPlace(_) => Vec::new(),
            };
            let plan = install::plan(host, &Survey::take(host)?, &facts, options, &files)?;
            session.carry_out(&plan, &mut watch)?;
            Ok(with_notes(plan, &found))
        })();
        session.close()?;
        let plan = outcome.map_err(|error: concord_setup::SetupError| Failure::from(error))?;
        if context.json {
            show(&plan, context, self.manner, Some(true));
        } else {
            let root = host.layout.root().path().display();
            print::line(format_args!("installed Concord {} at {root}", facts.version));
        }
        Ok(())
    }
}

fn with_notes(mut plan: Plan, found: &[Objection]) -> Plan {
    plan.notes.extend(found.iter().map(ToString::to_string));
    plan
}

fn tell(found: &[Objection], context: &Context) {
    if context.json {
        return;
    }
    for note in found.iter().filter(|o| !o.refuses) {
        eprintln!("note: {note}");
    }
}

/// The settings that will be in force: those that are there, else the seed.
fn settings(root: &Root, options: &InstallOptions) -> Result<Settings, Failure> {
    if root.config_file().exists() {
        return Ok(concord_settings::load(root)?);
    }
    Ok(concord_settings::parse(&options.settings, Path::new("[settings] of the answers"))?)
}

fn start(host: &Host, options: &InstallOptions, context: &Context) -> Result<(), Failure> {
    let managed = options.installation.manager == Manager::Systemd && host.system.has_systemd();
    if managed {
        host.system.act_on_unit(UnitVerb::Start, "concord.service")?;
    }
    if context.json {
        return Ok(());
    }
    let root = host.layout.root().path().display();
    if managed {
        print::line("concord.service runs; 'concord doctor' looks whether all is well");
    } else {
        print::line(format_args!("start it with 'concord --root {root} up'"));
    }
    print::line(format_args!("make mailboxes with 'concord --root {root} mailbox add NAME'"));
    if options.installation.manager != Manager::None || options.organisation.is_some() {
        print::line(format_args!("set Internet mail up with 'concord --root {root} setup mail'"));
    }
    Ok(())
}

impl Choices {
    fn fill(&mut self, answers: &Answers) {
        let text = |mine: &mut Option<String>, theirs: &Option<String>| {
            if mine.is_none() {
                mine.clone_from(theirs);
            }
        };
        text(&mut self.organisation, &answers.organisation);
        text(&mut self.domain, &answers.domain);
        text(&mut self.hostname, &answers.hostname);
        text(&mut self.systemd, &answers.systemd);
        if self.components.is_empty() {
            self.components = answers.components.clone().unwrap_or_default();
        }
        match answers.user.as_deref() {
            Some("") if self.user.is_none() => self.no_user = true,
            Some(name) if self.user.is_none() && !self.no_user => self.user = Some(name.into()),
            _ => {}
        }
        match answers.link.as_deref() {
            Some("") if self.link.is_none() => self.no_link = true,
            Some(path) if self.link.is_none() && !self.no_link => self.link = Some(path.into()),
            _ => {}
        }
        self.in_place |= answers.in_place.unwrap_or(false);
    }

    /// What they come to without answers of a file.
    pub fn plain_options(&self) -> Result<InstallOptions, Failure> {
        self.options(&Answers::default())
    }

    fn options(&self, answers: &Answers) -> Result<InstallOptions, Failure> {
        let usage = |what: &str| Failure::usage("cli.install", what);
        let is_root = rustix::process::geteuid().is_root();
        let booted = Path::new("/run/systemd/system").is_dir();
        let systemd = match self.systemd.as_deref().unwrap_or("auto") {
            "auto" => is_root && booted,
            "yes" => true,
            "no" => false,
            _ => return Err(usage("cannot use this --systemd; give auto, yes or no")),
        };
        let organisation = match (&self.organisation, &self.domain) {
            (Some(name), Some(domain)) => Some((name.clone(), domain.to_lowercase())),
            (None, None) => None,
            _ => return Err(usage("cannot use one of organisation and domain; give both")),
        };
        let usual_user = (systemd && !self.no_user).then(|| USER.to_owned());
        let usual_link = (systemd && !self.no_link).then(|| PathBuf::from(COMMAND));
        let units = self.unit_directory.clone().unwrap_or_else(|| PathBuf::from(UNITS));
        let hostname = self.hostname.clone().unwrap_or_else(crate::setup::machine_name);
        let seed = concord_settings::example(Preset::Production { hostname: &hostname });
        let settings = put_over(&seed, &answers.settings)?;
        let program = std::env::current_exe().map_err(|e| {
            Failure::new("cli.program", format!("cannot find concord's own program file: {e}"))
        })?;
        let components = if self.components.is_empty() {
            vec!["internet-mail".to_owned()]
        } else {
            self.components.clone()
        };
        Ok(InstallOptions {
            components,
            hostname,
            organisation,
            installation: Installation {
                manager: if systemd { Manager::Systemd } else { Manager::None },
                user: self.user.clone().or(usual_user),
                command_link: self.link.clone().or(usual_link).filter(|_| self.package.is_none()),
                unit_directory: systemd.then_some(units),
                package: self.package.clone(),
            },
            source: if self.in_place || self.package.is_some() {
                Source::InPlace(program)
            } else {
                Source::Staged
            },
            settings,
        })
    }
}
