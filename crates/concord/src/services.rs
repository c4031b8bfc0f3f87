//! Concord's services as the controller is told of them, from the settings.

use crate::failure::Failure;
use concord_controller::{
    ControllerConfig, Reload, ServiceSpec, SocketAddress, SocketSpec, Supervision,
};
use concord_settings::{Root, Settings};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The core: directory, store, queue, IMAP, POP3 and the admin API.
pub const CORE: &str = "core";
/// The connector to the Internet.
pub const INTERNET_MAIL: &str = "internet-mail";

/// What the controller is to run for `root`.
pub fn controller_config(root: &Root, settings: &Settings) -> Result<ControllerConfig, Failure> {
    let program = program()?;
    // As it was at the start: once the file is replaced /proc calls it deleted.
    let (of_root, same) = (root.clone(), program.clone());
    let reload = move || {
        let settings = concord_settings::load(&of_root).map_err(|e| e.to_string())?;
        specs(&of_root, &settings, &same).map_err(|e| e.to_string())
    };
    Ok(ControllerConfig {
        run_dir: root.run(),
        log_dir: root.log(),
        control_socket: root.controller_socket(),
        // "--": what follows are the service's options, not the launcher's.
        launcher: vec![program.clone().into(), "launch".into(), "--".into()],
        services: specs(root, settings, &program)?,
        rotate_size: settings.logging.rotate_size.0,
        rotate_keep: settings.logging.rotate_keep,
        reload: Some(Reload::new(reload)),
        hold: Some(hold_file(root)),
    })
}

/// While it exists the services take nothing in and send nothing.
pub fn hold_file(root: &Root) -> PathBuf {
    root.run().join("hold")
}

fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|e| {
        Failure::new(
            "cli.program",
            format!("cannot find concord's own program file: {e}; see whether /proc is there"),
        )
    })
}

/// The services of `root`.
fn specs(root: &Root, settings: &Settings, program: &Path) -> Result<Vec<ServiceSpec>, Failure> {
    let path = root.path().to_str().ok_or_else(|| {
        let path = root.path().display();
        Failure::new(
            "cli.root",
            format!("cannot use {path}: its name is not UTF-8; choose another directory"),
        )
    })?;
    let service = |name: &str, depends_on: &[&str], sockets| ServiceSpec {
        name: name.to_owned(),
        program: program.to_owned(),
        args: ["--root".to_owned(), path.to_owned(), "serve".to_owned(), name.to_owned()].to_vec(),
        depends_on: depends_on.iter().map(|d| (*d).to_owned()).collect(),
        sockets,
        supervision: supervision(settings),
        environment: BTreeMap::new(),
        enabled: true,
        optional: false,
    };
    Ok(vec![
        service(CORE, &[], core_sockets(root, settings)),
        service(INTERNET_MAIL, &[CORE], internet_mail_sockets(root, settings)),
    ])
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

fn core_sockets(root: &Root, settings: &Settings) -> Vec<SocketSpec> {
    let mut sockets = tcp(settings, &["imap", "imaps", "pop3", "pop3s"]);
    sockets.push(unix("admin", root.admin_socket()));
    sockets.push(unix("submit", root.submit_socket()));
    sockets
}

fn internet_mail_sockets(root: &Root, settings: &Settings) -> Vec<SocketSpec> {
    let mut sockets = tcp(settings, &["smtp", "submission", "submissions"]);
    sockets.push(unix("deliver", root.deliver_socket(INTERNET_MAIL)));
    sockets
}

fn tcp(settings: &Settings, names: &[&str]) -> Vec<SocketSpec> {
    let all = settings.listen.all().into_iter().filter(|(name, _)| names.contains(name));
    all.flat_map(|(name, addresses)| {
        addresses.iter().map(move |address| SocketSpec {
            name: name.to_owned(),
            address: SocketAddress::Tcp(*address),
        })
    })
    .collect()
}

fn unix(name: &str, path: std::path::PathBuf) -> SocketSpec {
    SocketSpec { name: name.to_owned(), address: SocketAddress::Unix(path) }
}
