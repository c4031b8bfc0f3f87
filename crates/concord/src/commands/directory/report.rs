//! What an import came to.

use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use serde::Serialize;

/// What became of the lines of a file.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub added: Vec<String>,
    pub changed: Vec<Changed>,
    pub removed: Vec<String>,
    pub unchanged: u64,
    pub failed: Vec<FailedLine>,
}

#[derive(Debug, Serialize)]
pub(super) struct Changed {
    pub name: String,
    pub how: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct FailedLine {
    pub line: u64,
    pub cause: String,
}

impl Report {
    /// Prints it, and says how the command ends.
    pub fn tell(mut self, dry_run: bool, context: &Context) -> Result<(), Failure> {
        self.failed.sort_by_key(|failed| failed.line);
        let report = &self;
        let changes = report.added.len() + report.changed.len() + report.removed.len();
        if context.json {
            print::json(report);
        } else {
            let would = if dry_run { "would be " } else { "" };
            for name in &report.added {
                print::line(format!("+ {name}"));
            }
            for changed in &report.changed {
                print::line(format!("~ {}", changed.name));
                changed.how.iter().for_each(|how| print::line(format!("    {how}")));
            }
            for name in &report.removed {
                print::line(format!("- {name}"));
            }
            for failed in &report.failed {
                print::line(format!("! line {}: {}", failed.line, failed.cause));
            }
            print::line(format!(
                "{} {would}added, {} {would}changed, {} {would}removed, {} unchanged, {} failed",
                report.added.len(),
                report.changed.len(),
                report.removed.len(),
                report.unchanged,
                report.failed.len()
            ));
        }
        if !report.failed.is_empty() {
            return Err(Failure::new(
                "directory.lines-failed",
                format!(
                    "cannot carry out {} lines; correct them and import the file again, what is \
                     done already is left alone",
                    report.failed.len()
                ),
            ));
        }
        if dry_run && changes > 0 { Err(Failure::pending()) } else { Ok(()) }
    }
}
