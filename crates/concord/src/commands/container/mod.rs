//! `concord container`: parts of the site's recipients.

use super::Run;
use super::object::{self, CONTAINER, Named, Remove};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::Patch;

/// Add, show, list, change and remove containers of recipients
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Add a container
    Add(Add),
    /// Show a container
    Show(Named),
    /// List every container
    List,
    /// Rename or move a container; recipients in it stay in it
    Set(Set),
    /// Remove a container that is empty
    Remove(Remove),
}

/// Options of `add`.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Its name, unique in the site
    name: String,
    /// The container that it is in [default: Recipients]
    #[arg(long, value_name = "NAME")]
    within: Option<String>,
}

/// Options of `set`.
#[derive(Debug, clap::Args)]
pub struct Set {
    #[command(flatten)]
    which: Named,
    /// A new name
    #[arg(long = "name", id = "new-name", value_name = "NAME")]
    name: Option<String>,
    /// Move it into this container; 'none' is Recipients itself
    #[arg(long, value_name = "NAME")]
    within: Option<String>,
}

fn place(within: Option<String>) -> Option<Option<String>> {
    within.map(|name| Some(name).filter(|name| !name.eq_ignore_ascii_case("none")))
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(args) => {
                let container = place(args.within);
                let patch = Patch { name: Some(args.name), container, ..Patch::default() };
                object::add(CONTAINER, &patch, context)
            }
            Self::Show(args) => object::show_one(CONTAINER, &args.name, context),
            Self::List => object::list(CONTAINER, context),
            Self::Set(args) => {
                let container = place(args.within);
                let patch = Patch { name: args.name, container, ..Patch::default() };
                object::change(CONTAINER, &args.which.name, &patch, context)
            }
            Self::Remove(args) => object::remove(CONTAINER, args, None, context),
        }
    }
}
