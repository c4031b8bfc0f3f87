//! `concord ovvm query`

use super::{Which, heard};
use crate::commands::Run;
use crate::context::{Context, runtime};
use crate::failure::Failure;
use crate::print;
use concord_ovvm::operator::{QUERY, Query, Replies};

/// Give a node a command, such as QUERY LINKS or CPQ TIME, and print what it replies
///
/// The command is the node's own (RSCS, JES2, ...), and it is obeyed as far as that node lets a
/// user of another node. Nothing in the protocol says which reply is the last: two seconds
/// without another one end it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The node
    node: String,
    /// Its command
    #[arg(required = true)]
    command: Vec<String>,
    /// Wait at most so long for replies, up to 20
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
    #[command(flatten)]
    which: Which,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        runtime()?.block_on(async {
            let orders = self.which.find(context).await?;
            let (node, command) = (self.node, self.command.join(" "));
            let query = Query { node: node.clone(), command, seconds: Some(self.seconds) };
            let replies: Replies = orders.give(QUERY, &query).await?;
            if context.json {
                print::json(&replies);
            } else {
                replies.replies.iter().for_each(|reply| print::line(heard(reply)));
            }
            if !replies.replies.is_empty() {
                return Ok(());
            }
            Err(Failure::new(
                "ovvm.no-reply",
                format!(
                    "cannot tell what {node} did: no reply came within {} seconds; it may not let \
                     this node give the command, or may not know it",
                    self.seconds
                ),
            ))
        })
    }
}
