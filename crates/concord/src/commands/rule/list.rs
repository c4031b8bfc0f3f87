//! `concord rule list`

use super::rules_path;
use crate::commands::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use clap::builder::NonEmptyStringValueParser;
use concord_admin_api::wire::{MailboxRule, Page};

/// List the rules of a mailbox in the order in which they are asked
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox's name or one of its addresses
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    mailbox: String,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let rules: Page<MailboxRule> =
            context.block_on(admin.get(&rules_path(&self.mailbox), &[]))?;
        if context.json {
            print::json(&rules.items);
            return Ok(());
        }
        let rows = rules.items.iter().enumerate().map(|(place, rule)| row(place, rule)).collect();
        show::table(&["", "RULE", "WHEN", "UNLESS", "DOES"], rows, "there are none");
        Ok(())
    }
}

fn row(place: usize, rule: &MailboxRule) -> Vec<String> {
    let between = if rule.matches == "any" { " or " } else { " and " };
    let when = match rule.when.is_empty() {
        true => "always".to_owned(),
        false => rule.when.join(between),
    };
    vec![
        (place + 1).to_string(),
        show::said(&rule.name),
        show::said(&when),
        show::said(&rule.unless.join(" or ")),
        show::said(&does(rule)),
    ]
}

fn does(rule: &MailboxRule) -> String {
    let mut does = Vec::new();
    if !rule.enabled {
        does.push("(disabled)".to_owned());
    }
    does.extend(rule.move_to.as_ref().map(|folder| format!("move to {folder}")));
    for (set, what) in [(rule.mark_read, "mark as read"), (rule.flag, "flag"), (rule.stop, "stop")]
    {
        does.extend(set.then(|| what.to_owned()));
    }
    does.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_one_line() {
        let rule = MailboxRule {
            name: "Copies".into(),
            enabled: false,
            matches: "any".into(),
            when: vec!["cc-me".into(), "report".into()],
            unless: vec![],
            move_to: Some("Copies".into()),
            mark_read: true,
            flag: false,
            stop: true,
        };
        assert_eq!(
            row(0, &rule),
            ["1", "Copies", "cc-me or report", "", "(disabled), move to Copies, mark as read, stop"]
        );
        let always = MailboxRule { when: vec![], ..rule };
        assert_eq!(row(1, &always)[2], "always");
    }
}
