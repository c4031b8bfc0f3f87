//! `concord public-folder`: folders that many read and mail can be sent to.

use super::Run;
use super::object::{self, Named, Names, PUBLIC_FOLDER, Remove};
use super::recipient::{Forwarding, Limit, Recipient, limit, names};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::Patch;

/// Add, show, list, change and remove public folders
///
/// Mail for a public folder lies in its INBOX. Its owners open it over IMAP as
/// LOGIN/FOLDER, with their own passwords.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Add a public folder
    Add(Add),
    /// Show a public folder
    Show(Named),
    /// List every public folder
    List,
    /// Change a public folder
    Set(Set),
    /// Remove a public folder with its messages
    Remove(Remove),
}

/// Options of `add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    #[command(flatten)]
    names: object::NewNames,
    #[command(flatten)]
    folder: Folder,
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
    folder: Folder,
    #[command(flatten)]
    forwarding: Forwarding,
    #[command(flatten)]
    recipient: Recipient,
}

#[derive(Debug, clap::Args)]
struct Folder {
    /// A mailbox that may open it (may be given several times); 'none' clears the list
    #[arg(long, value_name = "MAILBOX")]
    owner: Vec<String>,
    /// How much it may hold, for example '2 GiB', or 'none'
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    quota: Option<Limit>,
}

impl Folder {
    fn into_patch(self, patch: Patch) -> Patch {
        Patch {
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
                let patch = args.folder.into_patch(args.names.patch());
                object::add(PUBLIC_FOLDER, &args.recipient.into_patch(patch), context)
            }
            Self::Show(args) => object::show_one(PUBLIC_FOLDER, &args.name, context),
            Self::List => object::list(PUBLIC_FOLDER, context),
            Self::Set(args) => {
                let patch = args.folder.into_patch(args.names.patch());
                let patch = args.recipient.into_patch(args.forwarding.into_patch(patch));
                object::change(PUBLIC_FOLDER, &args.which.name, &patch, context)
            }
            Self::Remove(args) => {
                object::remove(PUBLIC_FOLDER, args, Some("with all its messages"), context)
            }
        }
    }
}
