//! `concord mailbox add`

use crate::commands::object::{self, MAILBOX};
use crate::commands::{Run, password};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::NewMailbox;
use concord_base::ByteSize;

/// Add a mailbox; asks for its password
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its name, which is also a login name
    name: String,
    /// What address books show [default: the name]
    #[arg(long)]
    display_name: Option<String>,
    /// An address, the first of each type is primary (may be given several times) [default: the
    /// name in the only mail domain]
    #[arg(long, value_name = "ADDRESS")]
    address: Vec<String>,
    /// How much it may hold, for example '2 GiB' [default: no limit]
    #[arg(long, value_name = "SIZE")]
    quota: Option<ByteSize>,
    #[command(flatten)]
    password: password::Source,
    /// Give it no password yet: it receives, but nobody can log in
    #[arg(long, conflicts_with = "password_stdin")]
    no_password: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let password = if self.no_password { None } else { Some(self.password.read()?) };
        let new = NewMailbox {
            name: self.name,
            display_name: self.display_name,
            addresses: self.address,
            quota: self.quota.map(|quota| quota.0),
            password,
            login_disabled: false,
        };
        object::add(MAILBOX, &new, context)
    }
}
