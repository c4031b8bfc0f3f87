//! `concord resource`: rooms and things.

use super::Run;
use super::object::{self, Named, Names, RESOURCE, Remove};
use super::recipient::{Forwarding, Limit, Recipient, limit, names};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::Patch;

/// Add, show, list, change and remove rooms and equipment
///
/// Mail for a resource lies in its INBOX. Its owners open it over IMAP as
/// LOGIN/RESOURCE, with their own passwords.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Add a resource
    Add(Add),
    /// Show a resource
    Show(Named),
    /// List every resource
    List,
    /// Change a resource
    Set(Set),
    /// Remove a resource with its messages
    Remove(Remove),
}

/// Options of `add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    #[command(flatten)]
    names: object::NewNames,
    #[command(flatten)]
    facts: Facts,
    #[command(flatten)]
    recipient: Recipient,
}

/// Options of `set`.
#[derive(Debug, clap::Args)]
pub struct Set {
    #[command(flatten)]
    which: Named,
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    facts: Facts,
    #[command(flatten)]
    forwarding: Forwarding,
    #[command(flatten)]
    recipient: Recipient,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    Room,
    Equipment,
}

#[derive(Debug, clap::Args)]
struct Facts {
    /// What it is [default: room]
    #[arg(long, value_enum)]
    kind: Option<What>,
    /// People that it is for
    #[arg(long, value_name = "N")]
    capacity: Option<u32>,
    /// A mailbox that may open it (may be given several times); 'none' clears the list
    #[arg(long, value_name = "MAILBOX")]
    owner: Vec<String>,
    /// How much it may hold, for example '2 GiB', or 'none'
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    quota: Option<Limit>,
}

impl Facts {
    fn into_patch(self, patch: Patch) -> Patch {
        Patch {
            resource: self.kind.map(|what| match what {
                What::Room => "room".to_owned(),
                What::Equipment => "equipment".to_owned(),
            }),
            capacity: self.capacity.map(Some),
            owners: names(self.owner),
            quota: self.quota.map(|quota| quota.0.map(|size| size.0)),
            ..patch
        }
    }
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(args) => {
                let patch = args.facts.into_patch(args.names.patch());
                object::add(RESOURCE, &args.recipient.into_patch(patch), context)
            }
            Self::Show(args) => object::show_one(RESOURCE, &args.name, context),
            Self::List => object::list(RESOURCE, context),
            Self::Set(args) => {
                let patch = args.facts.into_patch(args.names.patch());
                let patch = args.recipient.into_patch(args.forwarding.into_patch(patch));
                object::change(RESOURCE, &args.which.name, &patch, context)
            }
            Self::Remove(args) => {
                object::remove(RESOURCE, args, Some("with all its messages"), context)
            }
        }
    }
}
