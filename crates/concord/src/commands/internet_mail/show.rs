//! `concord internet-mail show`

use super::read;
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_mail_policy::{EXAMPLE, Policy};

/// Print what the policy says, without its comments
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the file that a new server begins with instead: every section, commented out
    #[arg(long)]
    example: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        if self.example {
            print::text(EXAMPLE);
            return Ok(());
        }
        let root = context.root()?;
        let text = read(&root)?;
        let file = root.mail_policy_file();
        let unusable = |cause: String| {
            Failure::configuration(format!("cannot use {}:\n{cause}", file.display()))
        };
        Policy::parse(&text).map_err(|error| unusable(error.to_string()))?;
        let values: toml::Table = toml::from_str(&text).map_err(|e| unusable(e.to_string()))?;
        if context.json {
            print::json(&values);
            return Ok(());
        }
        if values.is_empty() {
            print::line("the policy says nothing: every value is the default");
            return Ok(());
        }
        let shown = toml::to_string_pretty(&values).map_err(|e| unusable(e.to_string()))?;
        print::text(&shown);
        Ok(())
    }
}
