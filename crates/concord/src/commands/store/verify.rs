//! `concord store verify`

use super::{news, offline};
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Read everything on disk and check it; works with and without a running core
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match news::online("/v1/store/verify", context)? {
            Some(report) => report.print(context),
            None => offline::verify(context)?.print(context),
        }
    }
}
