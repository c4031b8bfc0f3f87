//! `concord domain`: mail domains whose recipients are here.

use super::Run;
use super::object::{self, DOMAIN, Remove};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::NewDomain;

/// Add, list and remove mail domains
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    Add(Add),
    /// List every mail domain
    List,
    /// Remove a mail domain that nobody has an address in
    Remove(Remove),
}

/// Add a mail domain: mail for it is taken in
#[derive(Debug, clap::Args)]
pub struct Add {
    /// The DNS name
    name: String,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Add(args) => object::add(DOMAIN, &NewDomain { name: args.name }, context),
            Self::List => object::list(DOMAIN, context),
            Self::Remove(args) => object::remove(DOMAIN, args, None, context),
        }
    }
}
