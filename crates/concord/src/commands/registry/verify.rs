//! `concord registry verify`

use super::{Run, database};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;

/// Check the registry's file, every rule, and the copy beside it
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let database = database(context)?;
        database.verify()?;
        let same = database.load()? == database.load_copy()?;
        if context.json {
            print::json(&serde_json::json!({ "sound": true, "copy_is_the_same": same }));
        } else {
            print::line(format_args!("{} is sound", database.path().display()));
            if !same {
                print::line("its copy is another state; the next change writes it anew");
            }
        }
        Ok(())
    }
}
