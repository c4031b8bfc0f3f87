//! `concord dkim remove`

use super::with_keys;
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_base::{Clock, SystemClock};
use concord_mail_authentication::{KeyState, RotationStep};
use serde_json::json;

/// Remove a key for good; its record may go after it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The domain that signs
    domain: String,
    /// The key's selector
    selector: String,
    /// Also if it signs, or if mail that it has signed may still be under way
    #[arg(long)]
    force: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let (domain, selector) = (self.domain.to_lowercase(), self.selector.to_lowercase());
        with_keys(context, "dkim remove", |store| {
            let key = store.ring().get(&domain, &selector).ok_or_else(|| {
                Failure::new(
                    "cli.dkim-key",
                    format!(
                        "cannot find key '{selector}' of {domain}; 'concord dkim list' shows all"
                    ),
                )
            })?;
            if key.state != KeyState::Published && !self.force {
                let why = match key.state {
                    KeyState::Active => "it signs",
                    _ => "mail that it has signed may be under way",
                };
                return Err(Failure::new(
                    "cli.dkim-key",
                    format!(
                        "cannot remove key '{selector}' of {domain}: {why}; 'concord dkim rotate' \
                         removes it when its time is over, --force at once"
                    ),
                ));
            }
            let (domain, selector) = (domain.clone(), selector.clone());
            Ok(store.apply(&RotationStep::Remove { domain, selector }, SystemClock.now())?)
        })?;
        if context.json {
            print::json(&json!({ "domain": domain, "selector": selector, "removed": true }));
        } else {
            print::line(format_args!("removed key '{selector}' of {domain}; its record may go"));
        }
        Ok(())
    }
}
