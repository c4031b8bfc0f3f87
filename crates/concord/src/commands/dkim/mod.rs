//! `concord dkim`: the keys that mail is signed with.

mod add;
mod keys;
mod list;
mod publish;
mod remove;
mod rotate;

pub use keys::{make_missing, with_keys};

use super::Run;
use crate::context::Context;
use crate::failure::Failure;

/// Make, publish, change and remove the keys that mail is signed with (DKIM)
///
/// A key is first published: its record is wanted in the DNS, it does not sign. Then it is
/// active. When the next one takes over it is retired: its record stays for mail under way.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    List(list::Args),
    Add(add::Args),
    Publish(publish::Args),
    Rotate(rotate::Args),
    Remove(remove::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::List(args) => args.run(context),
            Self::Add(args) => args.run(context),
            Self::Publish(args) => args.run(context),
            Self::Rotate(args) => args.run(context),
            Self::Remove(args) => args.run(context),
        }
    }
}

fn state_word(state: concord_mail_authentication::KeyState) -> &'static str {
    match state {
        concord_mail_authentication::KeyState::Published => "published",
        concord_mail_authentication::KeyState::Active => "active",
        concord_mail_authentication::KeyState::Retired => "retired",
    }
}

fn algorithm_word(algorithm: concord_mail_authentication::KeyAlgorithm) -> &'static str {
    match algorithm {
        concord_mail_authentication::KeyAlgorithm::Rsa => "rsa",
        concord_mail_authentication::KeyAlgorithm::Ed25519 => "ed25519",
    }
}
