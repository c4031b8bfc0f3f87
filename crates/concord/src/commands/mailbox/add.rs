//! `concord mailbox add`

use crate::commands::object::{self, MAILBOX, NewNames};
use crate::commands::{Run, password};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::NewMailbox;
use concord_base::ByteSize;

/// Add a mailbox; asks for its password
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    names: NewNames,
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
        let (name, addresses) = self.names.parted();
        let new = NewMailbox {
            name,
            display_name: self.names.display_name,
            addresses,
            quota: self.quota.map(|quota| quota.0),
            password,
            login_disabled: false,
        };
        object::add(MAILBOX, &new, context)
    }
}
