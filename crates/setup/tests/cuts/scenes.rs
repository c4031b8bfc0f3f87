//! The verbs, each on a machine that gives it something to do.

use crate::machine::{Machine, VERSION};
use crate::recover;
use crate::{mending, releases};
use concord_base::Timestamp;
use concord_registry::{Installation, Manager, Schemas};
use concord_setup::host::{Host, UnitVerb};
use concord_setup::package::ConnectorManifest;
use concord_setup::survey::{Survey, read_package};
use concord_setup::verb::connector::{ConnectorOptions, StagedPackage};
use concord_setup::verb::install::{InstallOptions, Source, stage_own_program};
use concord_setup::verb::remove_all::Keep;
use concord_setup::verb::{ReleaseFacts, component, connector, install, remove_all, repair};
use concord_setup::{Plan, Result, Session};

/// A verb on a machine.
pub struct Scene {
    pub name: &'static str,
    /// What is there before.
    pub prepare: fn(&Machine),
    /// The verb.
    pub run: fn(&Host) -> Result<()>,
    /// Said again at once, it changes nothing.
    pub repeats: bool,
    /// It needs the running controller.
    pub tells_controller: bool,
}

const fn scene(name: &'static str, prepare: fn(&Machine), run: fn(&Host) -> Result<()>) -> Scene {
    Scene { name, prepare, run, repeats: true, tells_controller: false }
}

impl Scene {
    const fn once(mut self) -> Self {
        self.repeats = false;
        self
    }
    const fn controlled(mut self) -> Self {
        self.tells_controller = true;
        self
    }
}

pub const SCENES: &[Scene] = &[
    scene("install", |_| {}, install_all),
    scene("install over kept data", kept_data, install_all),
    scene("add", without_internet_mail, |h| run(h, |s| component::plan_add(h, s, "internet-mail"))),
    scene(
        "add while it runs",
        |m| {
            without_internet_mail(m);
            start(m);
        },
        |h| run(h, |s| component::plan_add(h, s, "internet-mail")),
    )
    .controlled(),
    scene("remove", installed, |h| run(h, |s| component::plan_remove(h, s, "internet-mail"))),
    scene(
        "remove while it runs",
        |m| {
            installed(m);
            start(m);
        },
        |h| run(h, |s| component::plan_remove(h, s, "internet-mail")),
    )
    .controlled(),
    scene(
        "disable",
        |m| {
            installed(m);
            start(m);
        },
        |h| run(h, |s| component::plan_enable(h, s, "internet-mail", false)),
    )
    .controlled(),
    scene("repair", damaged, |h| run(h, |s| repair::plan(h, s))),
    scene("adopt another program", installed_in_place, |h| {
        run(h, |s| {
            let program = h.system.own_program()?;
            repair::plan_adopt(h, s, &release("1.1.0", 2), &program)
        })
    }),
    scene("repair by another program", installed_in_place, by_another_program),
    scene(
        "repair by another program while it runs",
        |m| {
            installed_in_place(m);
            start(m);
        },
        by_another_program,
    ),
    scene(
        "connector install",
        |m| {
            installed(m);
            start(m);
        },
        |h| install_connector(h, "webhook", "1.0.0"),
    )
    .controlled(),
    scene(
        "connector update",
        |m| {
            with_connectors(m);
            start(m);
        },
        |h| install_connector(h, "webhook", "1.1.0"),
    )
    .controlled(),
    scene(
        "connector remove",
        |m| {
            with_connectors(m);
            start(m);
        },
        |h| run(h, |s| connector::plan_remove(h, s, "webhook")),
    )
    .controlled(),
    scene(
        "last connector of a type goes",
        |m| {
            with_connectors(m);
            run(&m.host(), |s| connector::plan_remove(&m.host(), s, "webhook")).unwrap();
        },
        |h| run(h, |s| connector::plan_remove(h, s, "second")),
    ),
    scene(
        "connector add",
        |m| {
            installed(m);
            start(m);
        },
        |h| add_gateway(h, "gw1"),
    )
    .controlled(),
    scene(
        "second connector of a kind goes",
        |m| {
            with_gateways(m);
            start(m);
        },
        |h| run(h, |s| connector::plan_remove(h, s, "gw2")),
    )
    .controlled(),
    scene("update apply with gateways", with_gateways, releases::update),
    scene("registry restore with gateways", mending::lost_registry_of_gateways, mending::restore)
        .once(),
    scene(
        "remove all into quarantine",
        |m| {
            with_connectors(m);
            start(m);
        },
        |h| remove_everything(h, &Keep::Quarantine),
    ),
    scene(
        "remove all, keep data and keys",
        |m| {
            with_connectors(m);
            start(m);
        },
        |h| {
            use concord_registry::Class;
            remove_everything(h, &Keep::InPlace([Class::Data, Class::Keys].into()))
        },
    )
    .once(),
    scene(
        "remove all, keep keys",
        |m| {
            installed(m);
            start(m);
        },
        |h| remove_everything(h, &Keep::InPlace([concord_registry::Class::Keys].into())),
    )
    .once(),
    scene(
        "remove all",
        |m| {
            with_connectors(m);
            start(m);
        },
        |h| remove_everything(h, &Keep::Nothing),
    ),
    scene(
        "remove all of a damaged registry",
        |m| {
            with_connectors(m);
            std::fs::write(m.layout().registry(), "no database").unwrap();
            let copy = concord_registry::Database::new(m.layout().registry()).copy_path();
            std::fs::remove_file(copy).unwrap();
        },
        |h| remove_everything(h, &Keep::Nothing),
    )
    .once(),
    scene("recover everything on a fresh machine", recover::destroyed, recover::everything).once(),
    scene("recover the store while it runs", recover::later_mail, recover::store).once(),
    scene("recover everything while it runs", recover::lost_connector, recover::everything)
        .once()
        .controlled(),
    scene("recover the store of a stopped server", recover::stopped, recover::store).once(),
    scene("recover the directory while it runs", recover::lost_objects, recover::directory),
    scene("recover settings and keys", recover::other_settings, recover::settings_and_keys),
    scene("recover without a registry", recover::lost_registry, recover::everything).once(),
    scene("update apply", releases::started, releases::update),
    scene("update apply on a stopped server", with_connectors, releases::update),
    scene("update apply again after a rollback", releases::returned, releases::update),
    scene("second update apply", releases::updated, releases::update_further),
    scene("rollback", releases::updated, releases::rollback).once(),
    scene("rollback on a stopped server", releases::updated_and_stopped, releases::rollback).once(),
    scene("doctor --fix", mending::damaged, mending::fix),
    scene("doctor --fix while it runs", mending::damaged_and_started, mending::fix),
    scene("doctor --fix of codes that are asked for", mending::strays, mending::fix_named),
    scene("registry import", installed, mending::import),
    scene("registry restore from the machine", mending::lost_registry, mending::restore).once(),
];

pub fn release(version: &str, index: i64) -> ReleaseFacts {
    ReleaseFacts {
        version: version.to_owned(),
        platform: "x86_64-linux".to_owned(),
        schemas: Schemas { index, registry: 1, contract: 1 },
        built: Timestamp(0),
    }
}

/// A verb with its session, as the command line does it.
pub fn run(host: &Host, plan: impl FnOnce(&Survey) -> Result<Plan>) -> Result<()> {
    let session = Session::begin(host, "test", VERSION, &mut |_| {})?;
    let survey = Survey::take(host)?;
    let plan = plan(&survey)?;
    session.carry_out(&plan, &mut |_| {})?;
    session.close()
}

pub fn options(host: &Host, source: Source) -> InstallOptions {
    let top = host.layout.root().path().parent().unwrap().parent().unwrap().to_owned();
    InstallOptions {
        components: vec!["internet-mail".to_owned()],
        hostname: "mail.example.test".to_owned(),
        organisation: Some(("Example".to_owned(), "example.test".to_owned())),
        installation: Installation {
            manager: Manager::Systemd,
            user: Some("concord".to_owned()),
            command_link: Some(top.join("bin/concord")),
            unit_directory: Some(top.join("etc/systemd")),
            package: None,
        },
        source,
        settings: "# settings\n".to_owned(),
    }
}

fn install_all(host: &Host) -> Result<()> {
    let session = Session::begin(host, "setup install", VERSION, &mut |_| {})?;
    let files = stage_own_program(host, VERSION)?;
    let survey = Survey::take(host)?;
    let options = options(host, Source::Staged);
    let planned = install::plan(host, &survey, &release(VERSION, 1), &options, &files);
    let plan = match planned {
        Ok(plan) => plan,
        Err(error) => {
            host.remove_staging()?;
            return Err(error);
        }
    };
    session.carry_out(&plan, &mut |_| {})?;
    host.remove_staging()?;
    session.close()
}

pub fn installed(machine: &Machine) {
    install_all(&machine.host()).unwrap();
}

fn installed_in_place(machine: &Machine) {
    let host = machine.host();
    let program = host.system.own_program().unwrap();
    let options = options(&host, Source::InPlace(program));
    run(&host, |s| install::plan(&host, s, &release(VERSION, 1), &options, &[])).unwrap();
}

fn by_another_program(host: &Host) -> Result<()> {
    run(host, |s| {
        let program = host.system.own_program()?;
        repair::plan_by(host, s, &release("1.1.0", 2), &program)
    })
}

pub fn start(machine: &Machine) {
    machine.host().system.act_on_unit(UnitVerb::Start, "concord.service").unwrap();
}

fn without_internet_mail(machine: &Machine) {
    installed(machine);
    let host = machine.host();
    run(&host, |s| component::plan_remove(&host, s, "internet-mail")).unwrap();
}

fn kept_data(machine: &Machine) {
    installed(machine);
    let keep = [concord_registry::Class::Data, concord_registry::Class::Keys].into();
    remove_everything(&machine.host(), &Keep::InPlace(keep)).unwrap();
}

pub fn damaged(machine: &Machine) {
    with_connectors(machine);
    let root = machine.path("var/concord");
    std::fs::remove_file(root.join("services/core.toml")).unwrap();
    std::fs::write(root.join("services/webhook.toml"), "by hand").unwrap();
    std::fs::remove_file(root.join("current")).unwrap();
    std::fs::remove_file(machine.path("bin/concord")).unwrap();
    std::fs::remove_file(machine.path("etc/systemd/concord.service")).unwrap();
    std::fs::remove_dir_all(root.join("log")).unwrap();
    machine.change(|facts| facts.users.clear());
    machine.change_store(|store| {
        store.directory.connectors.clear();
        store.directory.generators.clear();
    });
}

const MANIFEST: &str = r#"
[connector]
name = "NAME"
version = "VERSION"
description = "a connector"
contract = 1
program = "run"
[[address-space]]
type = "SMTP"
pattern = "hook.internal"
cost = 1
[address-type]
type = "HOOK"
generator = "%m"
[[listener]]
name = "http"
default = "127.0.0.1:8025"
[[setting]]
name = "url"
kind = "text"
doc = "where to"
default = "http://127.0.0.1/"
"#;

pub fn install_connector(host: &Host, name: &str, version: &str) -> Result<()> {
    let session = Session::begin(host, "connector install", VERSION, &mut |_| {})?;
    let tree = connector::staged(host, name, version);
    std::fs::create_dir_all(&tree).unwrap();
    let text = MANIFEST.replace("NAME", name).replace("VERSION", version);
    std::fs::write(tree.join("connector.toml"), text).unwrap();
    std::fs::write(tree.join("run"), format!("#!program {version}")).unwrap();
    let (manifest, files): (ConnectorManifest, _) = read_package(&tree)?;
    let package = StagedPackage {
        name: name.into(),
        manifest,
        files,
        key: "key".into(),
        sha256: "sum".into(),
        promised: false,
    };
    let survey = Survey::take(host)?;
    let plan = connector::plan_install(host, &survey, &package, &ConnectorOptions::default())?;
    let done = session.carry_out(&plan, &mut |_| {});
    // As the command line does it, whatever became of the run; one that is dead does nothing.
    if !done.as_ref().is_err_and(concord_setup::SetupError::is_killed) {
        session.close()?;
    }
    done
}

pub fn with_connectors(machine: &Machine) {
    installed(machine);
    for name in ["webhook", "second"] {
        install_connector(&machine.host(), name, "1.0.0").unwrap();
    }
}

/// A connector of a kind that every release has.
pub fn add_gateway(host: &Host, name: &str) -> Result<()> {
    let options = ConnectorOptions {
        settings: [("directory".to_owned(), "/gateway".into())].into_iter().collect(),
        ..ConnectorOptions::default()
    };
    run(host, |survey| connector::plan_add(host, survey, ("groupwise", name), &options))
}

pub fn with_gateways(machine: &Machine) {
    with_connectors(machine);
    for name in ["gw1", "gw2"] {
        add_gateway(&machine.host(), name).unwrap();
    }
}

pub fn remove_everything(host: &Host, keep: &Keep) -> Result<()> {
    run(host, |s| remove_all::plan(host, s, keep))
}
