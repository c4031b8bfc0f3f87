//! `concord rule`: what becomes of mail for a mailbox.

mod add;
mod list;
mod options;
mod remove;
mod set;
mod test;

use super::Run;
use super::object::MAILBOX;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::MailboxRule;
use concord_controller::path_of;

/// List, add, change, remove and try out the rules of a mailbox
///
/// Rules are asked in their order when a message is delivered. They move it to a folder, mark it
/// as read or flag it; they do not forward or answer it.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    List(list::Args),
    Add(add::Args),
    Set(Box<set::Args>),
    Remove(remove::Args),
    Test(test::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(args) => args.run(context),
            Self::Add(args) => args.run(context),
            Self::Set(args) => args.run(context),
            Self::Remove(args) => args.run(context),
            Self::Test(args) => args.run(context),
        }
    }
}

/// Where the API has a mailbox's rules.
fn rules_path(mailbox: &str) -> String {
    format!("{}/rules", path_of(MAILBOX.path, mailbox))
}

/// Where the API has one rule.
fn rule_path(mailbox: &str, rule: &str) -> String {
    path_of(&rules_path(mailbox), rule)
}

/// Says what was done with a rule.
fn done(mailbox: &str, rule: &MailboxRule, what: &str, context: &Context) {
    if context.json {
        print::json(rule);
    } else {
        print::line(format_args!("rule '{}' of {mailbox}: {what}", rule.name));
    }
}
