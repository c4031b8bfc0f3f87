//! Long work: its progress on stderr, its result on stdout.

use crate::commands::show;
use crate::context::Context;
use crate::failure::Failure;
use crate::print;
use concord_admin_api::{Outcome, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::time::Duration;

/// How often the spinner turns while there is no news.
const TURN: Duration = Duration::from_millis(120);

/// What work came to.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Value>,
    outcome: Outcome,
}

/// Asks the core for the work; `None` if no core runs, so that it may be done
/// without.
pub fn online(path: &str, context: &Context) -> Result<Option<Report>, Failure> {
    let admin = context.admin()?;
    let bar = bar();
    let mut report = Report::default();
    let mut failed = None;
    let asked = context.block_on(async {
        let each = |news: Progress| match news {
            Progress::Step { what, done, total } => {
                bar.set_length(total.max(done));
                bar.set_position(done);
                bar.set_message(what);
            }
            Progress::Finding { code, place, what } => {
                report.findings.push(finding(&code, &place, &what));
            }
            Progress::Done(outcome) => report.outcome = outcome,
            Progress::Failed(body) => failed = Some(body.error),
        };
        match admin.lines(path, each).await {
            Err(error) if error.is_not_running() => Ok(false),
            other => other.map(|()| true),
        }
    });
    bar.finish_and_clear();
    if !asked? {
        return Ok(None);
    }
    match failed {
        Some(error) => Err(Failure::new("store.failed", &error)),
        None => Ok(Some(report)),
    }
}

/// Work done here, without a core.
pub fn offline<T, E: Into<Failure>>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, Failure> {
    let bar = bar();
    bar.set_message(what);
    bar.enable_steady_tick(TURN);
    let done = work();
    bar.finish_and_clear();
    done.map_err(Into::into)
}

/// A finding as JSON has it.
pub fn finding(code: &str, place: &str, what: &str) -> Value {
    serde_json::json!({ "code": code, "place": place, "what": what })
}

impl Report {
    /// What was found and how it ended.
    pub fn new(findings: Vec<Value>, outcome: Outcome) -> Self {
        Self { findings, outcome }
    }

    /// Prints it; findings make the command fail, so that scripts notice.
    pub fn print(self, context: &Context) -> Result<(), Failure> {
        if context.json {
            print::json(&serde_json::json!({
                "findings": self.findings, "outcome": self.outcome,
            }));
        } else {
            let text = |finding: &Value, key: &str| {
                show::said(finding.get(key).and_then(Value::as_str).unwrap_or_default())
            };
            for finding in &self.findings {
                let (place, what) = (text(finding, "place"), text(finding, "what"));
                print::line(format!("{place}: {what} [{}]", text(finding, "code")));
            }
            print::line(&self.outcome.summary);
        }
        if self.outcome.findings == 0 {
            return Ok(());
        }
        Err(Failure::new(
            "store.findings",
            format!(
                "cannot call the store sound: findings: {}; restore what they touch from a backup",
                self.outcome.findings
            ),
        ))
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {percent}% {eta}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}
