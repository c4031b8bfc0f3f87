//! `concord internet-mail`: the policy of Internet mail, and conversations.

mod check;
mod edit;
mod effective;
mod mode;
mod show;
mod watch;

use super::Run;
use crate::commands::setup::run::{Manner, Question, verb};
use crate::context::Context;
use crate::failure::Failure;
use concord_settings::Root;
use std::path::Path;

/// Look at and change the policy of Internet mail, and watch conversations
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Check(check::Args),
    Show(show::Args),
    Effective(effective::Args),
    Edit(edit::Args),
    Mode(mode::Args),
    Watch(watch::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Check(args) => args.run(context),
            Self::Show(args) => args.run(context),
            Self::Effective(args) => args.run(context),
            Self::Edit(args) => args.run(context),
            Self::Mode(args) => args.run(context),
            Self::Watch(args) => args.run(context),
        }
    }
}

/// A policy's text; a file of the root that is not there is empty.
fn read(root: &Root) -> Result<String, Failure> {
    let file = root.mail_policy_file();
    match file.exists() {
        true => read_file(&file),
        false => Ok(String::new()),
    }
}

fn read_file(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| {
        Failure::configuration(format!(
            "cannot read {}: {error}; see that it is there and yours to read",
            file.display()
        ))
    })
}

/// Puts a text in the policy's place, if it has no mistakes.
fn store(context: &Context, manner: Manner, name: &str, text: &str) -> Result<(), Failure> {
    verb(context, manner, Question::None, name, |host, survey| {
        Ok(concord_setup::verb::mail::plan_policy(host, survey, name, text)?)
    })
}
