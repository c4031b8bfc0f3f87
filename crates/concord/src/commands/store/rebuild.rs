//! `concord store rebuild`

use super::{news, offline};
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Make the index anew from the message log: at once if no core runs, else when the core next
/// starts
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match news::online("/v1/store/rebuild-index", context)? {
            Some(report) => report.print(context),
            None => offline::rebuild(context)?.print(context),
        }
    }
}
