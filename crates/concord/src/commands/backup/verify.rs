//! `concord backup verify`

use super::{Bar, Run};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_base::ByteSize;
use concord_setup::backup::{self, Backup};
use std::path::PathBuf;

/// Read a whole backup: every file against its hash, every message against its checksum
///
/// Exit code 1 if anything is not as it was written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The backup
    backup: PathBuf,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let backup = Backup::open(&self.backup)?;
        let bar = Bar::new(context);
        let report = backup::verify(&backup, &mut |news| bar.tell(news))?;
        drop(bar);
        if context.json {
            print::json(&report);
        } else {
            for finding in &report.findings {
                print::line(format_args!("{}: {}", finding.place, finding.what));
            }
            print::line(format_args!(
                "{} files ({}), {} mailboxes, {} messages read: {}",
                report.files,
                ByteSize(report.octets),
                report.mailboxes,
                report.messages,
                if report.is_sound() { "sound" } else { "damaged" },
            ));
        }
        if report.is_sound() {
            return Ok(());
        }
        Err(Failure::new(
            "backup.findings",
            format!(
                "cannot call the backup sound: findings: {}; make a new one, and look at the disk \
                 that this one is on",
                report.found
            ),
        ))
    }
}
