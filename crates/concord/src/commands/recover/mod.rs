//! `concord recover`: from a backup to a running server, or a part of it.

mod single;
mod whole;

use super::Run;
use crate::commands::setup::run::Manner;
use crate::context::Context;
use crate::failure::Failure;
use concord_setup::backup::{Backup, Part};
use std::path::PathBuf;

/// Recover a server, a part of it, a mailbox or a message from a backup
///
/// Without more, everything: on a machine where nothing is installed the server is installed as
/// it was; where it is installed already, the backup's store takes the place of the present one,
/// which is kept in setup/quarantine. With --mailbox or --message, mail is put into the running
/// server, whatever organisation the backup is of.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The backup, DIRECTORY/concord-STAMP
    backup: PathBuf,
    /// Only these: store, directory (merged; mailboxes' contents stay), registry, config, keys,
    /// connectors
    #[arg(long, value_name = "PARTS", value_delimiter = ',', conflicts_with = "single")]
    parts: Vec<Part>,
    /// The server's new name; without it the backup's settings say it
    #[arg(long, value_name = "NAME", conflicts_with = "single")]
    hostname: Option<String>,
    /// Take over the store of another installation of the same organisation
    #[arg(long, conflicts_with = "single")]
    adopt_lineage: bool,
    /// Merging the directory: objects that differ become the backup's
    #[arg(long, conflicts_with = "single")]
    overwrite: bool,
    #[command(flatten)]
    machine: whole::Machine,
    #[command(flatten)]
    single: Single,
    #[command(flatten)]
    manner: Manner,
}

/// Single items.
#[derive(Debug, clap::Args)]
struct Single {
    /// This mailbox's mail, by its name or an address; the server must run
    #[arg(long, value_name = "NAME", group = "single")]
    mailbox: Option<String>,
    /// This message, by its queue id or its Message-ID; the server must run
    #[arg(long, value_name = "ID", group = "single", requires = "to")]
    message: Option<String>,
    /// The mailbox that it goes to [default: the one of the same name]
    #[arg(long, value_name = "MAILBOX", requires = "single")]
    to: Option<String>,
    /// Of a mailbox only this folder; for a message the folder that it goes to
    #[arg(long, value_name = "FOLDER", requires = "single")]
    folder: Option<String>,
    /// Take what can be read of a damaged backup
    #[arg(long, requires = "single")]
    salvage: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let backup = Backup::open(&self.backup)?;
        match (&self.single.mailbox, &self.single.message) {
            (None, None) => whole::run(&self, &backup, context),
            (Some(mailbox), _) => single::mailbox(&self, mailbox, &backup, context),
            (None, Some(message)) => single::message(&self, message, &backup, context),
        }
    }
}
