//! `concord rule remove`

use super::{done, rule_path};
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use clap::builder::NonEmptyStringValueParser;
use concord_admin_api::wire::MailboxRule;
use concord_controller::Method;

/// Remove a rule; what it has filed stays where it is
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox's name or one of its addresses
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    mailbox: String,
    /// The rule's name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    rule: String,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let path = rule_path(&self.mailbox, &self.rule);
        let removed: MailboxRule = context.block_on(admin.act(Method::DELETE, &path))?;
        done(&self.mailbox, &removed, "removed", context);
        Ok(())
    }
}
