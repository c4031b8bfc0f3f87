//! `concord backup create`

use super::{Bar, Run};
use crate::commands::setup::run::{Manner, host, told};
use crate::context::Context;
use crate::failure::Failure;
use crate::{print, release};
use concord_base::ByteSize;
use concord_setup::backup::{self, CreateOptions, Created};
use concord_setup::survey::Survey;
use concord_setup::{Session, SetupError, settle};
use std::path::PathBuf;

/// Back this server up to DIRECTORY/concord-STAMP, while it runs or not
///
/// Mail, directory and queue, settings, keys, connector packages, and what is installed. What
/// has not changed since the backup before in DIRECTORY is linked to it and takes no room.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where backups are; made if it is missing
    directory: PathBuf,
    /// Keep so many whole backups of this server there and remove older ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let host = host(&context.root()?);
        let manner = Manner::default();
        settle(&host, release::VERSION, &mut told(context, manner))?;
        if Survey::take(&host)?.known().is_none() {
            return Err(SetupError::NotInstalled(host.layout.root().path().to_owned()).into());
        }
        let options = CreateOptions {
            directory: self.directory,
            keep: self.keep.and_then(|keep| usize::try_from(keep).ok()),
        };
        let mut watch = told(context, manner);
        let session = Session::begin(&host, "backup create", release::VERSION, &mut watch)?;
        let bar = Bar::new(context);
        let outcome = Survey::take(&host).and_then(|survey| {
            let facts = release::facts();
            backup::create(&host, &survey, &facts, &options, &mut |news| bar.tell(news))
        });
        drop(bar);
        session.close()?;
        tell(&outcome?, context);
        Ok(())
    }
}

fn tell(created: &Created, context: &Context) {
    let manifest = &created.manifest;
    if context.json {
        print::json(&serde_json::json!({
            "path": created.path,
            "stamp": manifest.stamp,
            "holds": manifest.holds,
            "identity": manifest.identity,
            "release": manifest.release,
            "counts": manifest.counts,
            "size": manifest.size(),
            "copied": created.copied,
            "linked": created.linked,
            "removed": created.removed,
            "notes": created.notes,
        }));
        return;
    }
    print::line(format_args!("made {}", created.path.display()));
    print::line(format_args!(
        "  {} mailboxes, {} messages, {} deliveries in the queue; {} copied, {} linked",
        manifest.counts.mailboxes,
        manifest.counts.messages,
        manifest.counts.deliveries,
        ByteSize(created.copied),
        ByteSize(created.linked),
    ));
    for removed in &created.removed {
        print::line(format_args!("  removed {}", removed.display()));
    }
    for note in &created.notes {
        print::line(format_args!("  note    {note}"));
    }
}
