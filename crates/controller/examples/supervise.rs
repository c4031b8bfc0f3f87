//! The smallest program around the controller: runs the services of a JSON
//! file and prints a line per change. `launch` is its own launcher.
//!
//! ```text
//! supervise run DIRECTORY SERVICES.json
//! ```

use concord_controller::{Controller, ControllerConfig, Reload, Report, ServiceSpec};
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1);
    let verb = args.next().unwrap_or_default();
    let first = args.next().ok_or("too few arguments")?;
    let second = args.next().ok_or("too few arguments")?;
    if verb == "launch" {
        let controller = first.into_string().map_err(|_| "not a number")?.parse()?;
        let rest: Vec<OsString> = args.collect();
        return Err(concord_controller::launch(controller, &second, &rest).into());
    }
    run(PathBuf::from(first), PathBuf::from(second))
}

fn run(directory: PathBuf, services: PathBuf) -> Result<(), Box<dyn Error>> {
    let read = move || -> Result<Vec<ServiceSpec>, String> {
        let text = std::fs::read(&services).map_err(|e| e.to_string())?;
        serde_json::from_slice(&text).map_err(|e| e.to_string())
    };
    let config = ControllerConfig {
        run_dir: directory.join("run"),
        log_dir: directory.join("log"),
        control_socket: directory.join("run/controller.sock"),
        launcher: vec![std::env::current_exe()?.into(), "launch".into()],
        services: read()?,
        rotate_size: 64 * 1024,
        rotate_keep: 1,
        reload: Some(Reload::new(read)),
        hold: Some(directory.join("run/hold")),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let controller = match Controller::open(config) {
            Ok(controller) => controller,
            Err(error) => {
                println!("error {error}");
                return Err(error);
            }
        };
        controller
            .run(|report| match report {
                Report::Cleaned(names) => println!("cleaned {}", names.join(" ")),
                Report::Changed { service, from, to, note } => {
                    println!("{service} {from} {to} {}", note.unwrap_or_default());
                }
                Report::Settled(_) => println!("settled"),
                Report::Stopping => println!("stopping"),
            })
            .await
    })?;
    println!("end");
    Ok(())
}
