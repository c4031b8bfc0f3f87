//! `concord update apply`

use super::Run;
use super::offer::Offer;
use crate::commands::setup::run::{Manner, Question, host, verb_on};
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::host::Host;
use concord_setup::verb::update;
use std::path::PathBuf;

/// Move every part of this server to the release in a bundle, or none
///
/// Checked, staged beside the running release and rehearsed before anything stops. New
/// connections wait meanwhile. Whatever fails leads back to program and data as they were.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle
    bundle: PathBuf,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let host = host(&context.root()?);
        let mut accepted = None;
        verb_on(&host, context, self.manner, Question::None, "update apply", |host, survey| {
            let offer = Offer::open(host, &self.bundle)?;
            let mut plan = update::plan(host, survey, &offer.offered)?;
            if !plan.is_empty() {
                offer.accept_with(host, &mut plan)?;
                if !self.manner.dry_run {
                    offer.stage(host)?;
                }
            }
            accepted = Some((offer, plan.is_empty()));
            Ok(plan)
        })?;
        match accepted {
            Some((offer, nothing_to_do)) if !self.manner.dry_run => {
                // Otherwise the run wrote it, together with the release.
                if nothing_to_do {
                    offer.accept()?;
                }
                put_right(&host);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// What the new release declares otherwise in the directory is its own to put
/// there. The update is done; if this fails the doctor says what is missing.
fn put_right(host: &Host) {
    let program = host.layout.current().join("concord");
    let root = host.layout.root().path();
    let mut repair = std::process::Command::new(program);
    repair.arg("--root").arg(root).args(["setup", "repair", "--yes"]);
    let done = repair.stdin(std::process::Stdio::null()).output();
    if !done.as_ref().is_ok_and(|done| done.status.success()) {
        let said = done.map(|d| String::from_utf8_lossy(&d.stderr).trim().to_owned());
        eprintln!("note: {}; run 'concord doctor'", said.unwrap_or_default());
    }
}
