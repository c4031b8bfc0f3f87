//! `concord rule set`

use super::options::Conditions;
use super::{done, rule_path};
use crate::commands::Run;
use crate::commands::recipient::{names, yes_or_no};
use crate::context::Context;
use crate::failure::Failure;
use clap::builder::NonEmptyStringValueParser;
use concord_admin_api::wire::{MailboxRule, MailboxRulePatch};
use concord_controller::Method;

/// Change a rule of a mailbox
///
/// Conditions and exceptions that are given take the place of all that are there.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox's name or one of its addresses
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    mailbox: String,
    /// The rule's name
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    rule: String,
    /// A new name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// In place of its conditions and exceptions; 'none' takes them away
    #[command(flatten)]
    conditions: Conditions,
    /// How many conditions must hold
    #[arg(long = "match", value_name = "all|any", value_parser = ["all", "any"])]
    matches: Option<String>,
    /// Move the message to this folder; 'none' leaves it where it is
    #[arg(long, value_name = "FOLDER")]
    move_to: Option<String>,
    /// Whether it marks the message as read
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    mark_read: Option<bool>,
    /// Whether it flags the message
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    flag: Option<bool>,
    /// Whether later rules are not asked
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    stop: Option<bool>,
    /// Whether it is asked
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    enabled: Option<bool>,
    /// Where it stands, from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    position: Option<u32>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let patch = MailboxRulePatch {
            name: self.name,
            enabled: self.enabled,
            matches: self.matches,
            when: names(self.conditions.when),
            unless: names(self.conditions.unless),
            move_to: self
                .move_to
                .map(|folder| Some(folder).filter(|folder| !folder.eq_ignore_ascii_case("none"))),
            mark_read: self.mark_read,
            flag: self.flag,
            stop: self.stop,
            position: self.position,
        };
        if patch == MailboxRulePatch::default() {
            return Err(Failure::usage(
                "cli.nothing-to-do",
                "cannot change the rule: nothing was said of how; see 'concord rule set --help'",
            ));
        }
        let admin = context.admin()?;
        let path = rule_path(&self.mailbox, &self.rule);
        let changed: MailboxRule = context.block_on(admin.send(Method::PATCH, &path, &patch))?;
        done(&self.mailbox, &changed, "changed", context);
        Ok(())
    }
}
