//! `concord update trust`

use super::Run;
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::{Plan, Step};
use std::path::PathBuf;

/// A root of trust is some kilobytes.
const MAX_OCTETS: u64 = 1 << 20;

/// Trust a publisher: releases signed by keys of this root are taken from now on
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The publisher's root.json
    root_json: PathBuf,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let failed = |cause: String| {
            let file = self.root_json.display();
            Failure::new("update.trust", format!("cannot trust {file}: {cause}"))
        };
        let size = std::fs::metadata(&self.root_json).map_err(|e| failed(e.to_string()))?.len();
        if size > MAX_OCTETS {
            return Err(failed("it is too large for a root".to_owned()));
        }
        let text =
            std::fs::read_to_string(&self.root_json).map_err(|e| failed(e.to_string()))?;
        let kind = serde_json::from_str::<serde_json::Value>(&text)
            .map_err(|e| failed(e.to_string()))?;
        if kind.pointer("/signed/_type").and_then(|t| t.as_str()) != Some("root") {
            return Err(failed("it is no root of The Update Framework".to_owned()));
        }
        verb(context, self.manner, Question::None, "update trust", |host, survey| {
            let owner = survey.installed(host)?.installation.user.clone();
            let mut plan = Plan::new("update trust");
            let path = host.layout.trust_root();
            if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
                return Ok(plan);
            }
            plan.change("trust", path.display().to_string(), "it was asked for");
            if let Some(above) = path.parent() {
                plan.step(Step::make_directory(above, 0o700, owner.clone()));
            }
            plan.step(Step::WriteFile { path, mode: 0o644, owner, content: text.clone() });
            // What was seen of another publisher's releases means nothing now.
            plan.after(Step::Purge { path: host.layout.seen() });
            Ok(plan)
        })
    }
}
