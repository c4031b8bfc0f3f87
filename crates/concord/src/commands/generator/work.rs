//! Work on everybody's addresses, with its progress.

use crate::commands::progress::Bar;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::wire::{ErrorInfo, StampFailed, StampNews};

/// What is told of while work goes on, and how it ended.
pub struct Work<T> {
    bar: Bar,
    ended: Option<Result<T, ErrorInfo>>,
}

impl<T> Work<T> {
    /// Work that has not begun.
    pub fn new(context: &Context) -> Self {
        Self { bar: Bar::new(context), ended: None }
    }

    /// Takes a line of the answer.
    pub fn take(&mut self, news: StampNews<T>) {
        match news {
            StampNews::Step { done, total } => self.bar.count("addresses", done, total),
            StampNews::Done(done) => self.ended = Some(Ok(done)),
            StampNews::Failed(body) => self.ended = Some(Err(body.error)),
        }
    }

    /// How it ended.
    pub fn end(self, asked: Result<(), Failure>) -> Result<T, Failure> {
        asked?;
        match self.ended {
            Some(Ok(done)) => Ok(done),
            Some(Err(error)) => Err(Failure::new("cli.not-stamped", &error)),
            None => Err(Failure::new(
                "cli.not-stamped",
                "cannot tell whether everybody has an address: the core ended meanwhile; say it \
                 again",
            )),
        }
    }
}

/// Prints those that got no address.
pub fn tell(failures: &[StampFailed]) {
    for failed in failures {
        print::line(format_args!("{}: {}", failed.mailbox, failed.cause));
    }
}

/// A failure if there are such.
pub fn all_have_one(failed: u64) -> Result<(), Failure> {
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::new(
        "cli.not-stamped",
        format!(
            "cannot give an address to {failed} mailboxes; change their names or the rule with \
             'concord generator set'"
        ),
    ))
}
