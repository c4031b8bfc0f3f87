//! `concord internet-mail edit`

use super::{read, store};
use crate::commands::Run;
use crate::commands::setup::run::Manner;
use crate::context::Context;
use crate::editor;
use crate::failure::Failure;
use crate::print;
use concord_mail_policy::{EXAMPLE, mistakes};
use std::io::Write;

/// Edit a copy of the policy in $EDITOR; it takes its place only if it has no mistakes
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    manner: Manner,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let root = context.root()?;
        let before = read(&root)?;
        let failed = |what: String| Failure::new("cli.edit", what);
        let unwritable = |error: std::io::Error| {
            failed(format!("cannot write a copy: {error}; see whether $TMPDIR has room"))
        };
        // Not to be guessed, for this user only, and kept if something is wrong with it.
        let mut copy = tempfile::Builder::new()
            .prefix("internet-mail-")
            .suffix(".toml")
            .tempfile()
            .map_err(unwritable)?;
        let text = if before.is_empty() { EXAMPLE } else { before.as_str() };
        copy.write_all(text.as_bytes()).map_err(unwritable)?;
        let (_, path) = copy.keep().map_err(|error| unwritable(error.error))?;
        editor::edit(&path)?;
        let after = super::read_file(&path)?;
        if after == text && !before.is_empty() {
            let _ = std::fs::remove_file(&path);
            print::line("nothing was changed");
            return Ok(());
        }
        let found = mistakes(&after);
        if !found.is_empty() {
            let lines: Vec<String> = found
                .iter()
                .map(|mistake| format!("  line {}: {}", mistake.line.unwrap_or(1), mistake.what))
                .collect();
            return Err(Failure::configuration(format!(
                "cannot use what was written; nothing was changed, your copy is {}. Correct \
                 these:\n{}",
                path.display(),
                lines.join("\n")
            )));
        }
        store(context, self.manner, "internet-mail edit", &after).inspect_err(|_| {
            eprintln!("your copy is {}", path.display());
        })?;
        let _ = std::fs::remove_file(&path);
        Ok(())
    }
}
