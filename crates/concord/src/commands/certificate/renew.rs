//! `concord certificate renew`

use super::Run;
use crate::context::Context;
use crate::failure::Failure;
use concord_web::wire::Wish;

/// Renew the certificate of [acme] if it is due
///
/// That happens by itself; this does not wait for it, and tries again at once after a failure.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Also if it is not due; authorities allow only some orders a week
    #[arg(long)]
    force: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        super::order::wish(context, if self.force { Wish::RenewNow } else { Wish::Renew })
    }
}
