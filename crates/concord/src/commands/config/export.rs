//! `concord config export`

use super::Run;
use crate::commands::setup::run::host;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_setup::survey::Survey;
use concord_setup::verb::config;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Write the whole configuration as one file: settings, what runs, connectors, generators
///
/// Settings of connectors may be secrets: the file is made for its owner only.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file; it must not exist. Without one it goes to stdout
    file: Option<PathBuf>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let host = host(&context.root()?);
        let found = config::export(&host, &Survey::take(&host)?)?;
        if self.file.is_none() && context.json {
            print::json(&found);
            return Ok(());
        }
        let text = found.to_text()?;
        let Some(file) = self.file else {
            print::text(&text);
            return Ok(());
        };
        let failed = |e: std::io::Error| {
            let file = file.display();
            Failure::new("cli.export", format!("cannot write {file}: {e}; choose another file"))
        };
        let mut options = std::fs::OpenOptions::new();
        let mut out =
            options.write(true).create_new(true).mode(0o600).open(&file).map_err(failed)?;
        out.write_all(text.as_bytes()).map_err(failed)?;
        if context.json {
            print::json(&serde_json::json!({ "file": file }));
        } else {
            print::line(format_args!("wrote {}", file.display()));
        }
        Ok(())
    }
}
