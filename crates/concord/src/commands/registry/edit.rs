//! `concord registry edit`

use super::{Run, import, load};
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::editor;
use crate::failure::Failure;
use concord_setup::verb::registry;
use std::io::IsTerminal;

/// Edit a copy of the registry in $EDITOR; it is stored only if it keeps every rule
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let failed = |what: String| Failure::new("cli.edit", what);
        if !std::io::stdin().is_terminal() {
            return Err(failed(
                "cannot edit: stdin is no terminal; use 'registry export' and 'registry import'"
                    .to_owned(),
            ));
        }
        let before = load(context)?;
        let copy = std::env::temp_dir().join(format!("concord-registry-{}.toml", std::process::id()));
        std::fs::write(&copy, before.to_toml()?)
            .map_err(|e| failed(format!("cannot write {}: {e}", copy.display())))?;
        editor::edit(&copy)?;
        let after = import::read(&copy)?;
        let outcome =
            verb(context, self.manner, Question::BeforeRemoving, "registry edit", |_, survey| {
                Ok(registry::plan_store(survey, &after, "registry edit")?)
            });
        match outcome {
            Ok(()) => {
                let _ = std::fs::remove_file(&copy);
                Ok(())
            }
            Err(error) => {
                eprintln!("your copy is {}", copy.display());
                Err(error)
            }
        }
    }
}
