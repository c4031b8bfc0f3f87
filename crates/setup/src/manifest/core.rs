//! The core: the root's directories, the program, and the service `core`.

use super::{CORE, Facts, Manifest, built_in_record, listeners, service};
use crate::layout::{CONNECTORS, CURRENT, RELEASES, SERVICES, SETUP};
use concord_registry::{Class, Component, Manager, Place, Resource, Seed};
use std::path::PathBuf;

/// The policy of Internet mail, below the root.
const MAIL_POLICY: &str = "etc/internet-mail.toml";
const UNIT: &str = include_str!("concord.service");
/// The unit's name.
pub(crate) const UNIT_NAME: &str = "concord.service";

pub(super) fn manifest(component: &Component, facts: &Facts<'_>) -> Manifest {
    let mut resources = directories(facts);
    resources.push(Resource::File {
        path: "etc/concord.toml".into(),
        mode: 0o600,
        service_owned: true,
        seed: Seed::Once(facts.settings.to_owned()),
        class: Class::Config,
    });
    // Also the core asks it, so it stays when the connector goes.
    resources.push(Resource::File {
        path: MAIL_POLICY.into(),
        mode: 0o600,
        service_owned: true,
        seed: Seed::Once(concord_mail_policy::EXAMPLE.to_owned()),
        class: Class::Config,
    });
    resources.extend(program(facts));
    resources.extend(around(facts));
    resources
        .push(Resource::Schema { store: "index".into(), version: facts.release.schemas.index });
    let mut record = built_in_record(CORE, component, facts);
    let tcp = ["imap", "imaps", "pop3", "pop3s", "ldap", "ldaps"];
    record.listeners = tcp.map(str::to_owned).to_vec();
    record.sockets =
        ["admin", "api", "submit", "ldapi"].map(|n| (n.to_owned(), format!("{n}.sock"))).into();
    resources.push(service(&record));
    resources.extend(listeners(&tcp));
    Manifest { resources, ..Manifest::default() }
}

fn directories(facts: &Facts<'_>) -> Vec<Resource> {
    // Services of a user of their own must reach what is below; nobody else may look.
    let shared = if facts.installation.user.is_some() { 0o711 } else { 0o700 };
    let directory = |path: &str, mode, service_owned, whole, class| Resource::Directory {
        path: PathBuf::from(path),
        mode,
        service_owned,
        whole,
        class,
    };
    let readable = if facts.installation.user.is_some() { 0o755 } else { 0o700 };
    vec![
        directory("", shared, false, false, Class::Program),
        directory("etc", 0o700, true, true, Class::Config),
        directory("data", 0o700, true, true, Class::Data),
        directory("data/tls", 0o700, true, true, Class::Keys),
        directory("data/keys", 0o700, true, true, Class::Keys),
        directory("data/keys/dkim", 0o700, true, true, Class::Keys),
        directory("run", 0o700, true, true, Class::Runtime),
        directory("log", 0o700, true, true, Class::Log),
        directory(SETUP, 0o700, false, true, Class::Setup),
        directory(SERVICES, readable, false, false, Class::Program),
        directory(RELEASES, readable, false, false, Class::Program),
        directory(CONNECTORS, readable, false, false, Class::Program),
    ]
}

fn program(facts: &Facts<'_>) -> Vec<Resource> {
    if matches!(facts.release.place, Place::InPlace { .. }) {
        return Vec::new();
    }
    let tree = PathBuf::from(RELEASES).join(&facts.release.version);
    let mut resources = vec![
        Resource::Link { path: CURRENT.into(), target: tree.clone() },
        Resource::Tree { path: tree, files: facts.files.to_vec() },
    ];
    resources.extend(facts.previous.cloned());
    resources
}

/// What is outside the root.
fn around(facts: &Facts<'_>) -> Vec<Resource> {
    let installation = facts.installation;
    let program = facts.layout.resolve(&super::program(facts.release));
    let mut resources = Vec::new();
    if let Some(name) = &installation.user {
        resources.push(Resource::User { name: name.clone(), home: PathBuf::new() });
    }
    if let (Manager::Systemd, Some(directory)) =
        (installation.manager, &installation.unit_directory)
    {
        let escape = |path: &std::path::Path| {
            // systemd.unit(5): % begins a specifier; quotes and backslashes end or escape.
            let text = path.display().to_string();
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%")
        };
        let user = installation.user.as_deref().unwrap_or("root");
        resources.push(Resource::Unit {
            name: UNIT_NAME.to_owned(),
            directory: directory.clone(),
            content: UNIT
                .replace("{program}", &escape(&program))
                .replace("{root}", &escape(facts.layout.root().path()))
                .replace("{user}", user),
        });
    }
    if let Some(path) = &installation.command_link {
        resources.push(Resource::Link { path: path.clone(), target: program });
    }
    resources
}
