//! Setting up a new root, and what a new organisation begins with.

use crate::commands::setup_run as run;
use crate::failure::Failure;
use crate::{context, release};
use concord_admin_api::wire::{Bootstrap, BootstrapMailbox, Bootstrapped};
use concord_base::{Clock, SystemClock};
use concord_controller::Method;
use concord_registry::{Database, Installation, Manager, Place, Registry};
use concord_settings::{Preset, Root, Settings};
use concord_setup::host::Host;
use concord_setup::manifest::INTERNET_MAIL;
use concord_setup::survey::Survey;
use concord_setup::verb::install::{self, InstallOptions, Source};
use concord_setup::verb::repair;
use concord_setup::{Layout, Session};
use concord_tls::CertificateFiles;
use std::path::{Path, PathBuf};

/// The password of both mailboxes of the demonstration.
pub const DEMO_PASSWORD: &str = "demo";

/// What the demonstration begins with: organisation Example with Alice and Bob.
pub fn demo(server: &str) -> Bootstrap {
    let mailbox = |name: &str, display_name: &str| BootstrapMailbox {
        name: name.to_owned(),
        address: None,
        display_name: Some(display_name.to_owned()),
        password: Some(DEMO_PASSWORD.to_owned()),
    };
    Bootstrap {
        mailboxes: vec![mailbox("alice", "Alice Example"), mailbox("bob", "Bob Example")],
        ..organisation("Example", "example.test", server)
    }
}

/// What a new organisation begins with; it has no mailboxes yet.
pub fn organisation(organisation: &str, domain: &str, server: &str) -> Bootstrap {
    Bootstrap {
        organisation: organisation.to_owned(),
        site: "First".to_owned(),
        server: server.to_owned(),
        domain: domain.to_owned(),
        mailboxes: Vec::new(),
    }
}

/// Asks the core to create what `first` names. Idempotent.
pub async fn bootstrap(root: &Root, first: &Bootstrap) -> Result<Bootstrapped, Failure> {
    Ok(context::admin(root).send(Method::POST, "/v1/directory/bootstrap", first).await?)
}

/// What `concord up` found at its root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing: it was installed now, with the program where it is.
    New,
    /// A server, as it is installed.
    Installed,
}

/// Sees to it that there is a server at the root which fits this program: a new
/// root is installed in place, a root whose program is kept by somebody else
/// takes over the program's version. A run of Setup that was cut off is brought
/// to its end first.
///
/// A user who may not change what is installed only runs it.
pub fn prepare(root: &Root, demo: bool) -> Result<Found, Failure> {
    let host = run::host(root);
    let setup = host.layout.setup();
    if setup.exists() && rustix::fs::access(&setup, rustix::fs::Access::WRITE_OK).is_err() {
        return Ok(Found::Installed);
    }
    // Whoever exchanges the program is at work and has the lock.
    if concord_controller::is_successor() || concord_setup::is_exchanging(&host) {
        return Ok(Found::Installed);
    }
    concord_setup::settle(&host, release::VERSION, &mut |_| {})?;
    let known = Database::new(host.layout.registry()).load()?;
    match known.as_ref().and_then(Registry::release).map(|r| &r.place) {
        None => install_in_place(&host, demo),
        Some(Place::Staged) => Ok(Found::Installed),
        Some(Place::InPlace { .. }) => adopt(&host),
    }
}

/// The program that a root's release is, if it is another one than this.
pub fn other_program(root: &Root) -> Option<PathBuf> {
    let layout = Layout::new(root.clone());
    let current = std::fs::canonicalize(layout.current().join("concord")).ok()?;
    let own = std::env::current_exe().ok()?;
    (std::fs::canonicalize(&own).unwrap_or(own) != current)
        .then(|| layout.current().join("concord"))
}

fn install_in_place(host: &Host, demo: bool) -> Result<Found, Failure> {
    let hostname = machine_name();
    let preset = if demo { Preset::Demo } else { Preset::Production { hostname: &hostname } };
    let seed = concord_settings::example(preset);
    let file = host.layout.root().config_file();
    let settings = if file.exists() {
        concord_settings::load(host.layout.root())?
    } else {
        concord_settings::parse(&seed, &file)?
    };
    let options = InstallOptions {
        components: vec![INTERNET_MAIL.to_owned()],
        hostname: settings.server.hostname.clone(),
        organisation: None,
        installation: Installation {
            manager: Manager::None,
            user: None,
            command_link: None,
            unit_directory: None,
            package: None,
        },
        source: Source::InPlace(host.system.own_program()?),
        settings: seed,
    };
    let session = Session::begin(host, "up", release::VERSION, &mut |_| {})?;
    let outcome = Survey::take(host).and_then(|survey| {
        let plan = install::plan(host, &survey, &release::facts(), &options, &[])?;
        session.carry_out(&plan, &mut |_| {})
    });
    session.close()?;
    outcome?;
    Ok(if file_was_there(&options, host) { Found::Installed } else { Found::New })
}

fn file_was_there(options: &InstallOptions, host: &Host) -> bool {
    std::fs::read_to_string(host.layout.root().config_file())
        .is_ok_and(|text| text != options.settings)
}

/// Takes this program over if it is kept by somebody else: what [`prepare`] does
/// where services have no user of their own, who may not change the registry.
pub fn adopt_in_place(host: &Host) -> Result<(), Failure> {
    let known = Database::new(host.layout.registry()).load()?;
    match known.as_ref().and_then(Registry::release).map(|r| &r.place) {
        Some(Place::InPlace { .. }) => adopt(host).map(|_| ()),
        _ => Ok(()),
    }
}

fn adopt(host: &Host) -> Result<Found, Failure> {
    let program = host.system.own_program()?;
    let plan = |survey: &Survey| repair::plan_adopt(host, survey, &release::facts(), &program);
    // Looked at without the lock first: mostly there is nothing to do.
    if plan(&Survey::take(host)?)?.is_empty() {
        return Ok(Found::Installed);
    }
    let session = Session::begin(host, "up", release::VERSION, &mut |_| {})?;
    let outcome = Survey::take(host)
        .and_then(|survey| plan(&survey))
        .and_then(|plan| session.carry_out(&plan, &mut |_| {}));
    session.close()?;
    outcome?;
    Ok(Found::Installed)
}

/// What the machine calls itself, if that is a valid name.
pub fn machine_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let text = format!("[server]\nhostname = \"{}\"\n", name.escape_default());
    match concord_settings::parse(&text, Path::new("hostname")) {
        Ok(_) => name.to_owned(),
        Err(_) => "localhost".to_owned(),
    }
}

/// The certificate that the administrator gave.
pub fn given_certificate(settings: &Settings) -> Option<CertificateFiles> {
    let certificate = settings.tls.certificate.clone()?;
    let key = settings.tls.key.clone()?;
    Some(CertificateFiles { certificate, key })
}

/// The certificates to serve with, the best first: the given one alone; else
/// the one that is ordered, as soon as it is there, and the self-made one, which
/// is made if need be.
pub fn certificates(root: &Root, settings: &Settings) -> Result<Vec<CertificateFiles>, Failure> {
    if let Some(given) = given_certificate(settings) {
        return Ok(vec![given]);
    }
    let ordered = settings.acme.is_on().then(|| concord_tls::ordered_files(&root.tls()));
    let hostname = &settings.server.hostname;
    let own = concord_tls::self_made(&root.tls(), hostname, SystemClock.now())?;
    Ok(ordered.into_iter().chain([own]).collect())
}
