//! `concord rule test`

use crate::commands::object::MAILBOX;
use crate::commands::{Run, show};
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use clap::builder::NonEmptyStringValueParser;
use concord_admin_api::wire::{ConditionAnswer, JudgedRule, RulesTested};
use concord_controller::path_of;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Tell what a mailbox's rules would do with a message, and why; nothing is done
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The mailbox's name or one of its addresses
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    mailbox: String,
    /// The message, as a file; '-' is stdin
    #[arg(value_name = "FILE")]
    message: PathBuf,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let message = read(&self.message)?;
        let admin = context.admin()?;
        let path = format!("{}/rule-test", path_of(MAILBOX.path, &self.mailbox));
        let tested: RulesTested =
            context.block_on(admin.post_octets(&path, &[], message.into()))?;
        if context.json {
            print::json(&tested);
        } else {
            tell(&tested);
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let octets = if path == Path::new("-") {
        let mut octets = Vec::new();
        std::io::stdin().lock().read_to_end(&mut octets).map(|_| octets)
    } else {
        std::fs::read(path)
    };
    octets.map_err(|cause| {
        Failure::new(
            "rule.message-unread",
            format!(
                "cannot read the message {}: {cause}; name a file with a whole message, or '-'",
                path.display()
            ),
        )
    })
}

fn tell(tested: &RulesTested) {
    for rule in &tested.rules {
        print::line(format_args!("{}: {}", show::said(&rule.name), outcome(rule)));
        for (word, answers) in [("when", &rule.when), ("unless", &rule.unless)] {
            for ConditionAnswer { condition, answer } in answers {
                print::line(format_args!("  {word} {}: {answer}", show::said(condition)));
            }
        }
    }
    let marks = match (tested.read, tested.flagged) {
        (true, true) => ", as read and flagged",
        (true, false) => ", as read",
        (false, true) => ", flagged",
        (false, false) => "",
    };
    print::line(format_args!("the message goes into {}{marks}", show::said(&tested.folder)));
}

fn outcome(rule: &JudgedRule) -> &'static str {
    match rule.outcome.as_str() {
        "fires" => "fires",
        "unjudged" => "does not fire, because the message cannot be read well enough to say",
        "disabled" => "is disabled",
        "not-reached" => "is not asked, because an earlier rule stops",
        _ => "does not fire",
    }
}
