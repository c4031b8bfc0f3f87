//! `concord connector test`

use crate::commands::Run;
use crate::commands::object::{CONNECTOR, Named};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::TestReport;
use concord_controller::{Method, path_of};

/// Have a connector look at its way to the other system; names what fails, and its mend
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Named,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let path = format!("{}/test", path_of(CONNECTOR.path, &self.which.name));
        let report: TestReport = context.block_on(admin.act(Method::POST, &path))?;
        let failed = report.probes.iter().filter(|probe| !probe.passed).count();
        if context.json {
            print::json(&report);
        } else {
            for probe in &report.probes {
                let word = if probe.passed { "ok    " } else { "FAILED" };
                print::line(format!("{word} {}: {}", probe.name, probe.seen));
                if let Some(mend) = probe.mend.as_ref().filter(|_| !probe.passed) {
                    print::line(format!("       mend: {mend}"));
                }
            }
        }
        if failed == 0 {
            return Ok(());
        }
        Err(Failure::new(
            "connector.test-failed",
            format!(
                "connector {} does not work: {failed} of {} probes failed; mend the first one first",
                report.connector,
                report.probes.len()
            ),
        ))
    }
}
