//! `concord ovvm capture`

use super::Which;
use super::live::{self, Until};
use crate::commands::Run;
use crate::context::{Context, runtime};
use crate::failure::Failure;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Write everything that goes over a link into a file, until Ctrl-C
///
/// The file is text, for 'concord ovvm replay' and for whoever helps to find a fault. It holds
/// the mail and the passwords of the sign-on, so only its owner can read it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The partner's node
    link: String,
    /// A file that is not there yet
    file: PathBuf,
    #[command(flatten)]
    until: Until,
    #[command(flatten)]
    which: Which,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(
                "ovvm.capture-file",
                format!(
                    "cannot write {}: {error}; name a file that is not there yet, where there is \
                     room",
                    self.file.display()
                ),
            )
        };
        let open = || File::options().write(true).create_new(true).mode(0o600).open(&self.file);
        let mut file = open().map_err(failed)?;
        runtime()?.block_on(live::run(&self.which, &self.link, &self.until, context, |part| {
            if part.lost > 0 {
                let remark = format!("# {} pieces were too many and are lost\n", part.lost);
                file.write_all(remark.as_bytes()).map_err(failed)?;
            }
            for line in &part.lines {
                file.write_all(line.as_bytes()).map_err(failed)?;
            }
            Ok(true)
        }))
    }
}
