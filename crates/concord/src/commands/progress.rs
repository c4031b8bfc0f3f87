//! How far long work is, at a terminal.

use crate::context::Context;
use concord_setup::backup::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// A progress bar on stderr; hidden where nobody looks at it.
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar that has not begun.
    pub fn new(context: &Context) -> Self {
        if context.json || !std::io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {percent}% {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        Self(ProgressBar::new(0).with_style(style))
    }

    /// Shows how far it is.
    pub fn at(&self, what: &'static str, done: usize, total: usize) {
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.count(what, number(done), number(total));
    }

    /// Shows how far it is.
    pub fn count(&self, what: &'static str, done: u64, total: u64) {
        self.tell(Progress { what, done, total });
    }

    /// Shows how far it is.
    pub fn tell(&self, progress: Progress<'_>) {
        self.0.set_length(progress.total.max(progress.done));
        self.0.set_position(progress.done);
        if self.0.message() != progress.what {
            self.0.set_message(progress.what.to_owned());
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
