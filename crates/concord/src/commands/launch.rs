//! `concord launch`: the step between the controller's fork and a service.

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use std::ffi::OsString;

/// Become a service's program, tied to the controller's life (used by the controller)
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Process id of the controller
    controller: i32,
    /// The program
    program: OsString,
    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

impl Run for Args {
    fn run(self, _context: &Context) -> Result<(), Failure> {
        let error = concord_controller::launch(self.controller, &self.program, &self.args);
        let program = self.program.to_string_lossy();
        Err(Failure::new("cli.launch", format!("cannot start {program}: {error}; services are started by 'concord up'")))
    }
}
