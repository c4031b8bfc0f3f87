//! `concord generator set`

use super::work::{self, Work};
use crate::commands::Run;
use crate::commands::object::GENERATOR;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{GeneratorPatch, NewRule, ObjectView, Restamped};
use concord_controller::{Method, path_of};

/// Change an address generator; addresses that are given out stay, unless --restamp is said
///
/// Exit code with --dry-run: 0 if no address would change, 2 if some would.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The address type
    #[arg(value_name = "TYPE")]
    kind: String,
    /// The rule: %m alias, %d display name, %g given name, %s surname, %i initials, %1g the first
    /// letter only, %rXY X becomes Y from here on, %% a percent
    #[arg(long)]
    rule: String,
    /// Give everybody an address by the new rule; generated ones stay as secondary addresses,
    /// those given by hand stay as they are
    #[arg(long)]
    restamp: bool,
    /// Change nothing; show what --restamp would do
    #[arg(long)]
    dry_run: bool,
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        let path = path_of(GENERATOR.path, &self.kind);
        if self.dry_run {
            return self.preview(&path, context);
        }
        if self.restamp {
            return self.restamp(&path, context);
        }
        let admin = context.admin()?;
        let patch = GeneratorPatch { rule: Some(self.rule), ..GeneratorPatch::default() };
        let changed: ObjectView = context.block_on(admin.send(Method::PATCH, &path, &patch))?;
        if context.json {
            print::json(&changed);
        } else {
            print::line(format_args!("generator {}: changed", changed.name));
        }
        Ok(())
    }
}

impl Args {
    fn preview(self, path: &str, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let path = format!("{path}/preview");
        let query = [("rule", self.rule.as_str())];
        let would: Restamped = context.block_on(admin.get(&path, &query))?;
        if context.json {
            print::json(&would);
        } else {
            tell(&would, "would change");
        }
        if would.moved + would.added == 0 { Ok(()) } else { Err(Failure::pending()) }
    }

    fn restamp(self, path: &str, context: &Context) -> Result<(), Failure> {
        let admin = context.admin()?;
        let (path, rule) = (format!("{path}/restamp"), NewRule { rule: self.rule });
        let mut work = Work::<Restamped>::new(context);
        let asked = context.block_on(admin.lines_of(&path, &rule, |news| work.take(news)));
        let done = work.end(asked)?;
        if context.json {
            print::json(&done);
        } else {
            tell(&done, "changed");
        }
        work::all_have_one(done.failed)
    }
}

fn tell(what: &Restamped, changed: &str) {
    work::tell(&what.failures);
    for change in &what.changes {
        let old = change.old.as_deref().unwrap_or("(none)");
        print::line(format_args!("{}: {old} -> {}", change.recipient, change.new));
    }
    let more = (what.moved + what.added).saturating_sub(what.changes.len() as u64);
    if more > 0 {
        print::line(format_args!("and {more} more"));
    }
    print::line(format_args!(
        "{} addresses {changed}, {} of them of recipients without one; {} stay as they are; {} were \
         given by hand and stay; {} recipients get none by the rule",
        what.moved + what.added,
        what.added,
        what.kept,
        what.by_hand,
        what.failed
    ));
}
