//! `concord internet-mail check`

use super::{read, read_file};
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_mail_policy::mistakes;
use serde_json::json;
use std::path::PathBuf;

/// Report the mistakes of the policy, each with its line
///
/// Exit code 78 if there are some.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Another file than etc/internet-mail.toml, which is not put in its place
    file: Option<PathBuf>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let (file, text) = match self.file {
            Some(file) => {
                let text = read_file(&file)?;
                (file, text)
            }
            None => {
                let root = context.root()?;
                (root.mail_policy_file(), read(&root)?)
            }
        };
        let found = mistakes(&text);
        if context.json {
            print::json(&json!({ "file": file, "mistakes": found }));
        }
        if found.is_empty() {
            if !context.json {
                print::line(format_args!("{} has no mistakes", file.display()));
            }
            return Ok(());
        }
        let lines: Vec<String> = found
            .iter()
            .map(|mistake| match mistake.line {
                Some(line) => format!("  line {line}: {}", mistake.what),
                None => format!("  {}", mistake.what),
            })
            .collect();
        Err(Failure::configuration(format!(
            "cannot use {}; correct these:\n{}",
            file.display(),
            lines.join("\n")
        )))
    }
}
