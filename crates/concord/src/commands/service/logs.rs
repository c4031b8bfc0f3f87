//! `concord service logs`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_controller::{LogTail, logs};

/// Print the last lines of a service's log; works without a controller too
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The service; 'controller' for the controller itself
    name: String,
    /// How many lines
    #[arg(long, short = 'n', default_value_t = 100)]
    lines: usize,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let control = context.control()?;
        let answer = context.block_on(async {
            match control.logs(&self.name, self.lines).await {
                Err(error) if error.is_not_running() => Ok(None),
                other => other.map(Some),
            }
        })?;
        let tail = match answer {
            Some(tail) => tail,
            None => self.read_files(context)?,
        };
        if context.json {
            print::json(&tail);
        } else {
            tail.lines.iter().for_each(print::line);
        }
        Ok(())
    }
}

impl Args {
    fn read_files(&self, context: &Context) -> Result<LogTail, Failure> {
        let log_dir = context.root()?.log();
        let plain = self.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !plain || !logs::file(&log_dir, &self.name).exists() {
            return Err(Failure::new(
                "service.no-log",
                format!(
                    "cannot show a log: there is none of '{}' in {}; there are logs of controller, \
                     core and internet-mail once they ran",
                    self.name,
                    log_dir.display()
                ),
            ));
        }
        Ok(LogTail { lines: logs::tail(&log_dir, &self.name, self.lines)? })
    }
}
