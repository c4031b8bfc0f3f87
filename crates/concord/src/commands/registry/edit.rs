//! `concord registry edit`

use super::{Run, import, load};
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::verb::registry;
use std::io::IsTerminal;
use std::process::Command;

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
        let editor = std::env::var("VISUAL").or_else(|_| std::env::var("EDITOR"));
        let editor = editor.unwrap_or_else(|_| "vi".to_owned());
        let mut words = editor.split_whitespace();
        let program = words.next().unwrap_or("vi").to_owned();
        let done = Command::new(&program).args(words).arg(&copy).status();
        if !done.is_ok_and(|status| status.success()) {
            return Err(failed(format!(
                "cannot go on: '{program}' did not end well; nothing was changed, the copy is {}",
                copy.display()
            )));
        }
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
