//! `concord service list`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_base::{Clock, SystemClock};

/// List every service with its state
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let control = context.control()?;
        let services = context.block_on(async { control.list().await })?;
        if context.json {
            print::json(&services);
            return Ok(());
        }
        let now = SystemClock.now();
        let heading = ["SERVICE", "STATE", "PID", "FOR", "CRASHES", "LISTENS ON"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for service in services {
            let tcp = service.sockets.iter().filter(|s| !s.address.starts_with('/'));
            let listens: Vec<_> = tcp.map(|s| format!("{} {}", s.name, s.address)).collect();
            rows.push(vec![
                service.name,
                service.state.to_string(),
                service.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string()),
                super::status::age(now.since(service.since)),
                service.crashes.to_string(),
                listens.join(", "),
            ]);
        }
        print::table(&rows);
        Ok(())
    }
}
