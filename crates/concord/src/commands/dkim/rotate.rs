//! `concord dkim rotate`

use super::{algorithm_word, with_keys};
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_base::{Clock, SystemClock};
use concord_mail_authentication::{KeyRecord, RotationPolicy, RotationStep};
use serde_json::json;
use std::time::Duration;

/// Do what is due: make the next key, let it sign, retire and remove the one before
///
/// A key signs for 180 days; the next one is published first and takes over 2 days later, if its
/// record was seen ('concord dkim publish'); the old record stays 8 days more. Run it once a day,
/// or make the next key at once by --now.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only keys of this domain
    domain: Option<String>,
    /// Make the next keys now, however young the active ones are
    #[arg(long)]
    now: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let mut policy = RotationPolicy::default();
        if self.now {
            policy.active = Duration::ZERO;
        }
        let (done, records) = with_keys(context, "dkim rotate", |store| {
            let now = SystemClock.now();
            let steps = store.ring().rotate(now, &policy);
            let mine = |step: &RotationStep| self.domain.as_deref().is_none_or(|d| d == domain(step));
            let mut done = Vec::new();
            let mut records: Vec<KeyRecord> = Vec::new();
            for step in steps.into_iter().filter(mine) {
                store.apply(&step, now)?;
                if let RotationStep::Make { domain, selector, .. } = &step {
                    records.push(store.record(domain, selector)?);
                }
                done.push(say(&step));
            }
            Ok((done, records))
        })?;
        if context.json {
            let lines: Vec<String> = records.iter().map(ToString::to_string).collect();
            print::json(&json!({ "done": done, "records": lines }));
            return Ok(());
        }
        if done.is_empty() {
            print::line("nothing is due");
        }
        for line in &done {
            print::line(line);
        }
        for record in &records {
            print::line(format_args!("set {record}"));
        }
        Ok(())
    }
}

fn domain(step: &RotationStep) -> &str {
    match step {
        RotationStep::Make { domain, .. }
        | RotationStep::Activate { domain, .. }
        | RotationStep::Retire { domain, .. }
        | RotationStep::Remove { domain, .. } => domain,
    }
}

fn say(step: &RotationStep) -> String {
    match step {
        RotationStep::Make { domain, selector, algorithm } => {
            format!("made {} key '{selector}' of {domain}", algorithm_word(*algorithm))
        }
        RotationStep::Activate { domain, selector } => {
            format!("key '{selector}' of {domain} signs from now on")
        }
        RotationStep::Retire { domain, selector } => {
            format!("key '{selector}' of {domain} does not sign any more; its record must stay")
        }
        RotationStep::Remove { domain, selector } => {
            format!("removed key '{selector}' of {domain}; its record may go")
        }
    }
}
