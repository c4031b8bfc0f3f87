//! `concord up`

mod hold;
mod welcome;

use super::Run;
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::{print, serve, services, setup};
use concord_admin_api::wire::Bootstrap;
use concord_controller::machine::State;
use concord_controller::{Controller, Report, ServiceStatus};
use concord_settings::{Root, Settings};
use tokio::task::JoinHandle;

/// Run Concord in the foreground; sets the root up if it is new. Ctrl-C stops everything in
/// order, a second Ctrl-C at once
///
/// Without --root, a demonstration has a root of its own: the default with '-demo' behind it.
/// Other commands find it if there is no other root.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A demonstration on 127.0.0.1: organisation Example with alice@example.test and
    /// bob@example.test
    #[arg(long)]
    demo: bool,
    /// Create this organisation if it does not exist
    #[arg(long, value_name = "NAME", requires = "domain", conflicts_with = "demo")]
    organisation: Option<String>,
    /// The organisation's mail domain
    #[arg(long, value_name = "DOMAIN", requires = "organisation", conflicts_with = "demo")]
    domain: Option<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root_to_set_up(self.demo)?;
        if let Some(program) = setup::other_program(&root) {
            return Err(become_installed(&program));
        }
        let is_new = setup::prepare(&root, self.demo)? == setup::Found::New;
        let settings = concord_settings::load(&root)?;
        serve::log_to_file(&root, &settings)?;
        concord_tls::server_config_of_first(setup::certificates(&root, &settings)?)?;
        let config = services::controller_config(&root, &settings)?;
        let first = self.first(&settings);
        let mut output =
            Output { root, settings, json: context.json, demo: self.demo, first, creating: None };
        output.begin(is_new);
        output.hold(hold::at_start(&output.root)?);
        let runtime = runtime()?;
        runtime.block_on(async {
            let controller = Controller::open(config)?;
            controller.run(|report| output.report(&report)).await
        })?;
        output.end();
        Ok(())
    }
}

/// A root with releases of its own is run by the one that it is at. Returns
/// only if that is not possible.
fn become_installed(program: &std::path::Path) -> Failure {
    use std::os::unix::process::CommandExt;
    let arguments = std::env::args_os().skip(1);
    let error = std::process::Command::new(program).args(arguments).exec();
    let program = program.display();
    Failure::new(
        "up.program",
        format!("cannot start {program}: {error}; run 'concord doctor'"),
    )
}

impl Args {
    fn first(&self, settings: &Settings) -> Option<Bootstrap> {
        let server = &settings.server.hostname;
        if self.demo {
            return Some(setup::demo(server));
        }
        let (organisation, domain) = (self.organisation.as_ref()?, self.domain.as_ref()?);
        Some(setup::organisation(organisation, domain, server))
    }
}

/// Lines for people, or with `--json` an object a line.
struct Output {
    root: Root,
    settings: Settings,
    json: bool,
    demo: bool,
    /// What is still to be created once the core is ready.
    first: Option<Bootstrap>,
    creating: Option<JoinHandle<()>>,
}

impl Output {
    fn begin(&self, is_new: bool) {
        let path = self.root.path().display();
        if self.json {
            self.event(
                serde_json::json!({ "event": "root", "path": path.to_string(), "new": is_new }),
            );
        } else if is_new {
            print::line(format_args!("set up {path}"));
        } else {
            print::line(format_args!("using {path}"));
        }
    }

    fn hold(&self, hold: hold::Hold) {
        if self.json {
            self.event(serde_json::json!({ "event": "hold", "is": hold.word() }));
        } else if let Some(text) = hold.text() {
            print::line(text);
        }
    }

    fn report(&mut self, report: &Report<'_>) {
        if let Report::Changed { service: services::CORE, to: State::Ready, .. } = report
            && let Some(first) = self.first.take()
        {
            self.creating = Some(tokio::spawn(create(self.root.clone(), first, self.json)));
        }
        match report {
            Report::Cleaned(names) if self.json => {
                self.event(serde_json::json!({ "event": "cleaned", "services": names }));
            }
            Report::Cleaned(names) => {
                let names = names.join(", ");
                print::line(format_args!("ended what a controller left behind: {names}"));
            }
            Report::Changed { service, from, to, note } if self.json => {
                self.event(serde_json::json!({
                    "event": "state", "service": service, "from": from, "to": to, "note": note,
                }));
            }
            Report::Changed { service, to, note, .. } => Self::changed(service, *to, *note),
            Report::Settled(services) => self.settled(services),
            Report::Stopping if self.json => {
                self.event(serde_json::json!({ "event": "stopping" }));
            }
            Report::Stopping => print::line("stopping; Ctrl-C again does not wait"),
        }
    }

    fn changed(service: &str, to: State, note: Option<&str>) {
        let note = note.map(|n| format!(" ({n})")).unwrap_or_default();
        match to {
            State::Ready | State::Stopped => print::line(format_args!("{service:<14} {to}")),
            State::BackOff => {
                print::line(format_args!("{service:<14} crashed{note}, starts again soon"));
            }
            State::Crashing => print::line(format_args!("{service:<14} killed{note}")),
            State::Failed => print::line(format_args!(
                "{service:<14} failed{note}; read 'concord service logs {service}', then \
                 'concord service start {service}'"
            )),
            State::Waiting | State::Starting | State::Stopping | State::Restarting => {}
        }
    }

    fn settled(&mut self, services: &[ServiceStatus]) {
        let welcome = if self.json {
            self.event(serde_json::json!({ "event": "settled", "services": services }));
            None
        } else {
            Some(welcome::text(&self.root, &self.settings, services, self.demo))
        };
        let creating = self.creating.take();
        tokio::spawn(async move {
            if let Some(creating) = creating {
                let _ = creating.await;
            }
            if let Some(text) = welcome {
                print::text(&text);
            }
        });
    }

    fn end(&self) {
        if self.json {
            self.event(serde_json::json!({ "event": "stopped" }));
        } else {
            print::line("stopped");
        }
    }

    #[allow(clippy::needless_pass_by_value)] // built in place by every caller
    fn event(&self, event: serde_json::Value) {
        print::line(event);
    }
}

/// Creates the first objects; the administrator hears if that fails, and can
/// still create them by command.
async fn create(root: Root, first: Bootstrap, json: bool) {
    hold::over(&root).await;
    if let Err(failure) = setup::bootstrap(&root, &first).await {
        let what = format!("cannot create organisation '{}': {failure}", first.organisation);
        Failure::new("up.bootstrap", what).print(json);
    }
}
