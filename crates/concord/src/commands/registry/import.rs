//! `concord registry import`

use super::Run;
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_registry::Registry;
use concord_setup::verb::registry;
use std::path::{Path, PathBuf};

/// Store an exported registry; refused with every reason if it breaks a rule
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let registry = read(&self.file)?;
        verb(context, self.manner, Question::BeforeRemoving, "registry import", |_, survey| {
            Ok(registry::plan_store(survey, &registry, "registry import")?)
        })
    }
}

pub(super) fn read(file: &Path) -> Result<Registry, Failure> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        Failure::new("cli.import", format!("cannot read {}: {e}; give an exported file", file.display()))
    })?;
    Ok(Registry::from_toml(&text)?)
}
