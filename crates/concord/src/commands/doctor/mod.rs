//! `concord doctor`

mod explain;

use super::Run;
use super::setup::run::{Manner, Question, host, show, told, verb_on};
use crate::context::Context;
use crate::failure::Failure;
use crate::{print, release};
use concord_setup::doctor::{self, Case, Finding, Severity};
use concord_setup::host::Host;
use concord_setup::survey::Survey;

/// Look for everything that is wrong, say why it matters and what mends it
///
/// Exit code 0: healthy (notes included), 2: findings, 1: it could not look.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Explain>,
    /// Mend what loses nothing, and the findings whose codes are given
    #[arg(long, value_name = "CODE", num_args = 0..)]
    fix: Option<Vec<String>>,
    /// Look also at what takes long: DNS, and all of the store, which is read
    #[arg(long)]
    deep: bool,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, clap::Subcommand)]
enum Explain {
    Explain(explain::Args),
}

impl Run for Args {
    fn run(self, context: &Context) -> Result<(), Failure> {
        if let Some(Explain::Explain(args)) = self.command {
            return args.run(context);
        }
        let host = host(&context.root()?);
        let mut watch = told(context, self.manner);
        concord_setup::settle(&host, release::VERSION, &mut watch)?;
        match &self.fix {
            None => look(&host, context, self.deep),
            Some(codes) => self.mend(&host, context, codes),
        }
    }
}

fn examine(host: &Host, survey: &Survey, deep: bool) -> Result<Vec<Finding>, Failure> {
    let release = release::facts();
    Ok(doctor::examine(&Case { host, survey, release: &release, deep })?)
}

fn look(host: &Host, context: &Context, deep: bool) -> Result<(), Failure> {
    let findings = examine(host, &Survey::take(host)?, deep)?;
    tell(&findings, context);
    if doctor::is_healthy(&findings) { Ok(()) } else { Err(Failure::pending()) }
}

fn tell(findings: &[Finding], context: &Context) {
    let healthy = doctor::is_healthy(findings);
    if context.json {
        let views: Vec<_> = findings.iter().map(Finding::view).collect();
        print::json(&serde_json::json!({ "healthy": healthy, "findings": views }));
        return;
    }
    for finding in findings {
        let severity = finding.code.severity.as_str();
        print::line(format_args!(
            "{} {severity}: {}\n  where   {}\n  seen    {}\n  matters {}\n  mend    {}",
            finding.code.code,
            finding.code.title,
            finding.place,
            finding.seen,
            finding.code.why,
            finding.mend.say()
        ));
        if finding.mend.is_possible() {
            print::line(if finding.mend.is_safe() {
                "          'concord doctor --fix' does it; nothing is lost".to_owned()
            } else {
                format!("          'concord doctor --fix {}' does it", finding.code.code)
            });
        }
    }
    let count = |severity| findings.iter().filter(|f| f.code.severity == severity).count();
    let (errors, warnings, notes) =
        (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    print::line(if findings.is_empty() {
        "healthy".to_owned()
    } else {
        let word = if healthy { "healthy; " } else { "" };
        format!("{word}{errors} errors, {warnings} warnings, {notes} notes")
    });
}

impl Args {
    fn mend(&self, host: &Host, context: &Context, codes: &[String]) -> Result<(), Failure> {
        for code in codes {
            if doctor::find(code).is_none() {
                return Err(Failure::usage(
                    "cli.doctor-code",
                    format!("cannot mend '{code}': there is no such code; \
                         'concord doctor' shows them, and '--fix' alone mends all that loses nothing"),
                ));
            }
        }
        let quiet = Context::quiet(context);
        verb_on(host, &quiet, self.manner, Question::None, "doctor --fix", |host, survey| {
            let findings = examine(host, survey, self.deep)?;
            let plan = doctor::plan_fix(host, survey, &findings, codes)?;
            if !context.json {
                show(&plan, context, self.manner, None);
            }
            Ok(plan)
        })?;
        look(host, context, self.deep)
    }
}
