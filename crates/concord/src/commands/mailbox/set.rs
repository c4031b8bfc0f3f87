//! `concord mailbox set`

use crate::commands::object::{self, MAILBOX, Named, Names};
use crate::commands::recipient::{Forwarding, Limit, Recipient, limit};
use crate::commands::{Run, password};
use crate::context::Context;
use crate::failure::Failure;
use concord_admin_api::wire::{ObjectView, Patch, SetPassword};
use concord_controller::{Method, path_of};

/// Change a mailbox
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    which: Named,
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    forwarding: Forwarding,
    #[command(flatten)]
    recipient: Recipient,
    /// How much it may hold, for example '2 GiB', or 'none'
    #[arg(long, value_name = "SIZE", value_parser = limit)]
    quota: Option<Limit>,
    /// Bar logging in; mail still arrives
    #[arg(long, conflicts_with = "enable_login")]
    disable_login: bool,
    /// Allow logging in again
    #[arg(long)]
    enable_login: bool,
    /// Ask for a new password
    #[arg(long)]
    password: bool,
    #[command(flatten)]
    source: password::Source,
    /// Take the password away: nobody can log in
    #[arg(long, conflicts_with_all = ["password", "password_stdin"])]
    no_password: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let login_disabled = match (self.disable_login, self.enable_login) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        let patch = Patch {
            quota: self.quota.map(|quota| quota.0.map(|size| size.0)),
            login_disabled,
            ..self.names.patch()
        };
        let patch = self.recipient.into_patch(self.forwarding.into_patch(patch));
        let asked = self.password || self.source.password_stdin;
        let password = match (asked, self.no_password) {
            (true, _) => Some(SetPassword { password: Some(self.source.read()?) }),
            (_, true) => Some(SetPassword { password: None }),
            _ => None,
        };
        let Some(password) = password else {
            return object::change(MAILBOX, &self.which.name, &patch, context);
        };
        let admin = context.admin()?;
        let path = format!("{}/password", path_of(MAILBOX.path, &self.which.name));
        // The password first: its own name may be what changes next.
        let set: ObjectView = context.block_on(admin.send(Method::PUT, &path, &password))?;
        if patch == Patch::default() {
            object::done(&set, "password changed", context);
            return Ok(());
        }
        object::change(MAILBOX, &self.which.name, &patch, context)
    }
}
