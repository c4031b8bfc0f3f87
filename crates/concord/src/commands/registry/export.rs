//! `concord registry export`

use super::{Run, load};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use std::path::PathBuf;

/// Write the registry as TOML to a file, or to stdout
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file; it must not exist
    file: Option<PathBuf>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let text = load(context)?.to_toml()?;
        let Some(file) = self.file else {
            print::text(&text);
            return Ok(());
        };
        let failed = |e: std::io::Error| {
            Failure::new(
                "cli.export",
                format!("cannot write {}: {e}; choose another file", file.display()),
            )
        };
        let mut out = std::fs::File::create_new(&file).map_err(failed)?;
        std::io::Write::write_all(&mut out, text.as_bytes()).map_err(failed)?;
        if context.json {
            print::json(&serde_json::json!({ "file": file }));
        } else {
            print::line(format_args!("wrote {}", file.display()));
        }
        Ok(())
    }
}
