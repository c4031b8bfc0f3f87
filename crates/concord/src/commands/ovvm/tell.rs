//! `concord ovvm tell`

use super::Which;
use crate::commands::Run;
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_ovvm::operator::{TELL, Tell, Told};

/// Send a message to a user of a host, or to its operator
///
/// It appears on their screen if they are logged on, and nowhere else: nobody says whether it did.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node, or the node and the user: VM1 or VM1.BOB
    #[arg(value_name = "NODE[.USER]")]
    whom: String,
    /// What to say, up to 132 characters
    #[arg(required = true)]
    text: Vec<String>,
    #[command(flatten)]
    which: Which,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        runtime()?.block_on(async {
            let orders = self.which.find(context).await?;
            let (node, user) = match self.whom.split_once('.') {
                Some((node, user)) => (node.to_owned(), Some(user.to_owned())),
                None => (self.whom, None),
            };
            let tell = Tell { node, user, text: self.text.join(" ") };
            let told: Told = orders.give(TELL, &tell).await?;
            if context.json {
                print::json(&told);
            } else {
                print::line(format!("sent by the link to {}", told.link));
            }
            Ok(())
        })
    }
}
