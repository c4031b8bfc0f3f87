//! `concord list set`

use crate::commands::Run;
use crate::commands::recipient::{Recipient, names, yes_or_no};
use crate::commands::object::{self, LIST, Named, Names};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::Patch;

/// Change a distribution list
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Named,
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    recipient: Recipient,
    /// A mailbox that may change its members (may be given several times); 'none' clears the list
    #[arg(long, value_name = "MAILBOX")]
    owner: Vec<String>,
    /// Whether only owners and administrators see its members
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    hide_members: Option<bool>,
    /// Who hears of it when a message to it cannot be delivered
    #[arg(long, value_name = "WHO", value_parser = ["sender", "owner", "nobody"])]
    report_to: Option<String>,
    /// Add a member by name or address (may be given several times)
    #[arg(long, value_name = "MEMBER")]
    add_member: Vec<String>,
    /// Take a member away (may be given several times)
    #[arg(long, value_name = "MEMBER")]
    remove_member: Vec<String>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let patch = Patch {
            add_members: self.add_member,
            remove_members: self.remove_member,
            owners: names(self.owner),
            hide_members: self.hide_members,
            report_to: self.report_to,
            ..self.names.patch()
        };
        let patch = self.recipient.into_patch(patch);
        object::change(LIST, &self.which.name, &patch, context)
    }
}
