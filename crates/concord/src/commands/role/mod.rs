//! `concord role`: who may change which containers.

use super::Run;
use super::object::{self, Named, ROLE, Remove};
use super::recipient::names;
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::Patch;

/// Add, show, list, change and remove roles: who may change which containers over LDAP
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Add a role
    Add(Add),
    /// Show a role with its members
    Show(Named),
    /// List every role
    List,
    /// Change a role
    Set(Set),
    /// Remove a role
    Remove(Remove),
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Right {
    /// See everything, hidden recipients and restrictions too
    View,
    /// Change recipients and their passwords
    Recipients,
    /// Change containers and configuration as well
    Full,
}

/// Options of `add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Its name
    name: String,
    #[command(flatten)]
    facts: Facts,
}

/// Options of `set`.
#[derive(Debug, clap::Args)]
pub struct Set {
    #[command(flatten)]
    which: Named,
    /// A new name
    #[arg(long = "name", id = "new-name", value_name = "NAME")]
    name: Option<String>,
    /// Take a member away (may be given several times)
    #[arg(long, value_name = "MEMBER")]
    remove_member: Vec<String>,
    #[command(flatten)]
    facts: Facts,
}

#[derive(Debug, clap::Args)]
struct Facts {
    /// What its members may do [default: view]
    #[arg(long, value_enum)]
    right: Option<Right>,
    /// A container in which it counts, with those below it (may be given several times); '*' is
    /// everywhere, 'none' nowhere
    #[arg(long, value_name = "CONTAINER")]
    scope: Vec<String>,
    /// A mailbox, or a list of them, that has it (may be given several times)
    #[arg(long, value_name = "MEMBER")]
    member: Vec<String>,
}

impl Facts {
    fn into_patch(self, patch: Patch) -> Patch {
        Patch {
            right: self.right.map(|right| match right {
                Right::View => "view".to_owned(),
                Right::Recipients => "recipients".to_owned(),
                Right::Full => "full".to_owned(),
            }),
            scope: names(self.scope),
            add_members: self.member,
            ..patch
        }
    }
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(args) => {
                let patch = Patch { name: Some(args.name), ..Patch::default() };
                object::add(ROLE, &args.facts.into_patch(patch), context)
            }
            Self::Show(args) => object::show_one(ROLE, &args.name, context),
            Self::List => object::list(ROLE, context),
            Self::Set(args) => {
                let patch = Patch {
                    name: args.name,
                    remove_members: args.remove_member,
                    ..Patch::default()
                };
                object::change(ROLE, &args.which.name, &args.facts.into_patch(patch), context)
            }
            Self::Remove(args) => object::remove(ROLE, args, None, context),
        }
    }
}
