//! What the controller is to run, from the service records and the settings.

use crate::failure::Failure;
use concord_connector::Tokens;
use concord_controller::{
    ControllerConfig, Reload, ServiceSpec, SocketAddress, SocketSpec, Supervision,
};
use concord_settings::{Root, Settings};
use concord_setup::Layout;
use concord_setup::record::{self, ServiceRecord};
use std::path::PathBuf;

/// The core: directory, store, queue, IMAP, POP3, LDAP and the admin API.
pub const CORE: &str = "core";
/// Certificates, and documents for mail programs.
pub const WEB: &str = "web";
/// The built-in services' environment has a digest of the settings here, so
/// that a reload restarts those that have read older ones.
const SETTINGS_DIGEST: &str = "CONCORD_SETTINGS_DIGEST";
/// A connector's environment has its name here,
const CONNECTOR: &str = "CONCORD_CONNECTOR";
/// and its token for the core's API here.
const TOKEN: &str = "CONCORD_API_TOKEN";

/// What the controller is to run for `root`.
pub fn controller_config(root: &Root, settings: &Settings) -> Result<ControllerConfig, Failure> {
    let program = program()?;
    let of_root = root.clone();
    let reload = move || {
        let settings = concord_settings::load(&of_root).map_err(|e| e.to_string())?;
        specs(&of_root, &settings).map_err(|e| e.to_string())
    };
    Ok(ControllerConfig {
        run_dir: root.run(),
        log_dir: root.log(),
        control_socket: root.controller_socket(),
        // "--": what follows are the service's options, not the launcher's.
        launcher: vec![program.into(), "launch".into(), "--".into()],
        services: specs(root, settings)?,
        rotate_size: settings.logging.rotate_size.0,
        rotate_keep: settings.logging.rotate_keep,
        reload: Some(Reload::new(reload)),
        hold: Some(hold_file(root)),
    })
}

/// While it exists the services take nothing in and send nothing.
pub fn hold_file(root: &Root) -> PathBuf {
    Layout::new(root.clone()).hold()
}

fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|e| {
        Failure::new(
            "cli.program",
            format!("cannot find concord's own program file: {e}; see whether /proc is there"),
        )
    })
}

/// The services of `root`. A record that cannot be read is left out and told:
/// one stray file must not keep everything else from starting.
fn specs(root: &Root, settings: &Settings) -> Result<Vec<ServiceSpec>, Failure> {
    if root.path().to_str().is_none() {
        let path = root.path().display();
        return Err(Failure::new(
            "cli.root",
            format!("cannot use {path}: its name is not UTF-8; choose another directory"),
        ));
    }
    let layout = Layout::new(root.clone());
    let digest = std::fs::read(root.config_file()).unwrap_or_default();
    let digest = concord_setup::hash::sha256(&digest);
    let mut specs = Vec::new();
    let tokens = crate::api_key::tokens(root)?;
    for found in record::read_all(&layout.services())? {
        match found.record {
            Ok(record) => specs.push(spec(&layout, settings, &digest, &tokens, record)),
            Err(cause) => tracing::error!(
                path = %found.path.display(), cause,
                "a service record is left out; run 'concord doctor'"
            ),
        }
    }
    without_unknown_needs(&mut specs);
    Ok(specs)
}

/// A service that needs one which is not there would stop everything.
fn without_unknown_needs(specs: &mut Vec<ServiceSpec>) {
    let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
    specs.retain(|spec| {
        let known = spec.depends_on.iter().all(|need| names.contains(need));
        if !known {
            tracing::error!(
                service = spec.name,
                "left out: it needs a service that is not there; run 'concord doctor'"
            );
        }
        known
    });
}

fn spec(
    layout: &Layout,
    settings: &Settings,
    digest: &str,
    tokens: &Tokens,
    record: ServiceRecord,
) -> ServiceSpec {
    let root = layout.root();
    let path = root.path().display().to_string();
    let built_in = record.arguments.first().is_some_and(|word| word == "serve");
    let mut args = record.arguments.clone();
    let mut environment = record.environment.clone();
    for value in environment.values_mut() {
        *value = value.replace("{root}", &path);
    }
    // Records have no secrets in them: the token is added here.
    if let Some(connector) = environment.get(CONNECTOR).cloned() {
        environment.insert(TOKEN.to_owned(), tokens.of(&connector));
    }
    if built_in {
        args.splice(0..0, ["--root".to_owned(), path]);
        environment.insert(SETTINGS_DIGEST.to_owned(), digest.to_owned());
    }
    ServiceSpec {
        program: record.program_path(layout),
        args,
        depends_on: record.needs.clone(),
        sockets: sockets(root, settings, &record),
        supervision: supervision(settings),
        environment,
        enabled: record.enabled,
        // A connector that does not start must not keep the core from it, nor must
        // somebody else's web server on port 80.
        optional: !built_in || record.service == WEB,
        name: record.service,
    }
}

fn sockets(root: &Root, settings: &Settings, record: &ServiceRecord) -> Vec<SocketSpec> {
    let tcp = |name: &str, address| SocketSpec {
        name: name.to_owned(),
        address: SocketAddress::Tcp(address),
    };
    let mut sockets = Vec::new();
    for (name, addresses) in settings.listen.all() {
        if record.listeners.iter().any(|wanted| wanted == name) {
            sockets.extend(addresses.iter().map(|address| tcp(name, *address)));
        }
    }
    for (name, address) in &record.addresses {
        match address.parse() {
            Ok(address) => sockets.push(tcp(name, address)),
            Err(_) => tracing::error!(service = record.service, address, "is not address:port"),
        }
    }
    for (name, file) in &record.sockets {
        let address = SocketAddress::Unix(root.run().join(file));
        sockets.push(SocketSpec { name: name.clone(), address });
    }
    sockets
}

fn supervision(settings: &Settings) -> Supervision {
    let controller = &settings.controller;
    Supervision {
        start_time: controller.start_time,
        stop_time: controller.stop_time,
        watchdog: controller.watchdog,
        crash_budget: controller.crash_budget,
        crash_window: controller.crash_window,
        back_off_min: controller.back_off_min,
        back_off_max: controller.back_off_max,
    }
}
