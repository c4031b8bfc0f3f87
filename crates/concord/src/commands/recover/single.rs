//! Single mailboxes and messages, put into the running core.

use super::Args;
use crate::commands::backup::Bar;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_setup::backup::Backup;
use concord_setup::recover::{self, MailReport, MailboxOptions, MessageOptions};

pub fn mailbox(
    args: &Args,
    name: &str,
    backup: &Backup,
    context: &Context,
) -> Result<(), Failure> {
    let options = MailboxOptions {
        mailbox: name.to_owned(),
        to: args.single.to.clone(),
        folder: args.single.folder.clone(),
        salvage: args.single.salvage,
        dry_run: args.manner.dry_run,
    };
    let bar = Bar::new(context);
    let report =
        recover::mailbox(&context.admin()?, backup, &options, &mut |news| bar.tell(news))?;
    drop(bar);
    tell(&report, args, context)
}

pub fn message(args: &Args, id: &str, backup: &Backup, context: &Context) -> Result<(), Failure> {
    let options = MessageOptions {
        id: id.to_owned(),
        to: args.single.to.clone().unwrap_or_default(),
        folder: args.single.folder.clone(),
        salvage: args.single.salvage,
        dry_run: args.manner.dry_run,
    };
    let bar = Bar::new(context);
    let report =
        recover::message(&context.admin()?, backup, &options, &mut |news| bar.tell(news))?;
    drop(bar);
    tell(&report, args, context)
}

/// What could not be read makes it fail, so that scripts notice.
fn tell(report: &MailReport, args: &Args, context: &Context) -> Result<(), Failure> {
    let dry_run = args.manner.dry_run;
    if context.json {
        print::json(report);
    } else {
        let word = if dry_run { "would be put" } else { "put" };
        print::line(format_args!(
            "mailbox {}: {} messages of {} folders: {} {word} there, {} are there already, {} \
             cannot be read",
            report.mailbox,
            report.messages,
            report.folders,
            report.added,
            report.already,
            report.unread,
        ));
        for lost in &report.lost {
            print::line(format_args!("  lost    {} in {}: {}", lost.message, lost.folder, lost.cause));
        }
        for note in &report.notes {
            print::line(format_args!("  note    {note}"));
        }
    }
    if report.unread > 0 {
        let count = report.unread;
        return Err(Failure::new(
            "recover.unread",
            format!("cannot read {count} messages of the backup; try an older one for them"),
        ));
    }
    if dry_run && report.added > 0 {
        return Err(Failure::pending());
    }
    Ok(())
}
