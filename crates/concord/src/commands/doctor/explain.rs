//! `concord doctor explain`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_setup::doctor::{CODES, find};

/// Print the manual's page of a finding
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its code, for example CC-0101; without one all codes are listed
    code: Option<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let Some(code) = self.code else {
            if context.json {
                print::json(&CODES);
                return Ok(());
            }
            let mut rows = vec![["CODE", "SEVERITY", "WHAT"].map(str::to_owned).to_vec()];
            rows.extend(CODES.iter().map(|row| {
                [row.code, row.severity.as_str(), row.title].map(str::to_owned).to_vec()
            }));
            print::table(&rows);
            return Ok(());
        };
        let Some(row) = find(&code) else {
            return Err(Failure::usage(
                "cli.doctor-code",
                format!("cannot explain '{code}': there is no such code; leave it out for a list"),
            ));
        };
        if context.json {
            print::json(&serde_json::json!({ "code": row, "page": row.page }));
        } else {
            print::text(row.page);
        }
        Ok(())
    }
}
