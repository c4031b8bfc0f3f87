//! `concord rule add`

use super::options::Conditions;
use super::{done, rules_path};
use crate::commands::Run;
use crate::context::Context;
use crate::failure::Failure;
use clap::builder::NonEmptyStringValueParser;
use concord_admin_api::wire::{MailboxRule, NewMailboxRule};
use concord_controller::Method;

/// Add a rule to a mailbox
///
/// For example: concord rule add jane 'Copies' --when cc-me --unless from=boss@example.org
/// --move-to Copies
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox's name or one of its addresses
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    mailbox: String,
    /// What the rule is called
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    rule: String,
    #[command(flatten)]
    conditions: Conditions,
    /// One condition is enough [default: all must hold]
    #[arg(long)]
    any: bool,
    /// Move the message to this folder, 'Projects/Alpha'; it is made if it is missing
    #[arg(long, value_name = "FOLDER")]
    move_to: Option<String>,
    /// Mark the message as read
    #[arg(long)]
    mark_read: bool,
    /// Flag the message
    #[arg(long)]
    flag: bool,
    /// Ask no later rule
    #[arg(long)]
    stop: bool,
    /// Keep the rule without asking it
    #[arg(long)]
    disabled: bool,
    /// Where it stands, from 1 [default: behind the others]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    position: Option<u32>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let rule = MailboxRule {
            name: self.rule,
            enabled: !self.disabled,
            matches: if self.any { "any" } else { "all" }.to_owned(),
            when: self.conditions.when,
            unless: self.conditions.unless,
            move_to: self.move_to,
            mark_read: self.mark_read,
            flag: self.flag,
            stop: self.stop,
        };
        let new = NewMailboxRule { rule, position: self.position };
        let admin = context.admin()?;
        let path = rules_path(&self.mailbox);
        let added: MailboxRule = context.block_on(admin.send(Method::POST, &path, &new))?;
        done(&self.mailbox, &added, "added", context);
        Ok(())
    }
}
