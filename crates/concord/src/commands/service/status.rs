//! `concord service status`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_base::{Clock, SystemClock};
use concord_controller::ServiceStatus;
use std::time::Duration;

/// Show everything about one service
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service
    name: String,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let control = context.control()?;
        let service = context.block_on(async { control.status(&self.name).await })?;
        show(&service, context.json);
        Ok(())
    }
}

/// Prints a service.
pub fn show(service: &ServiceStatus, json: bool) {
    if json {
        return print::json(service);
    }
    let since = age(SystemClock.now().since(service.since));
    let mut rows = vec![
        vec!["service".to_owned(), service.name.clone()],
        vec!["state".to_owned(), format!("{} for {since}", service.state)],
        vec!["crashes".to_owned(), service.crashes.to_string()],
    ];
    let mut optional = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            rows.push(vec![name.to_owned(), value]);
        }
    };
    optional("pid", service.pid.map(|pid| pid.to_string()));
    optional("says", service.status.clone());
    optional("last end", service.last_exit.clone());
    let needs = Some(service.depends_on.join(", ")).filter(|n| !n.is_empty());
    optional("depends on", needs);
    for socket in &service.sockets {
        optional("listens on", Some(format!("{} {}", socket.name, socket.address)));
    }
    print::table(&rows);
}

/// A duration for people: its largest unit.
pub fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("min", 60)] {
        if seconds >= 2 * length {
            return format!("{} {unit}", seconds / length);
        }
    }
    format!("{seconds} s")
}
