//! The doctor: what is wrong, why it matters, and what mends it.
//!
//! A check looks at the [`Survey`] (and at files) and changes nothing. A
//! finding has the steps that mend it; `--fix` carries out those that lose
//! nothing and asks for the others.

mod check;
pub(crate) mod codes;
mod fix;

pub(crate) use check::free;
pub use codes::{CODES, Code, Severity, find};
pub use fix::plan_fix;

use crate::error::Result;
use crate::host::Host;
use crate::step::Step;
use crate::survey::Survey;
use crate::verb::ReleaseFacts;
use serde::Serialize;
use std::time::Duration;

/// What mends a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mend {
    /// Making the resource as it is declared.
    Repair(Vec<String>),
    /// Installing a component that the directory needs.
    Add(String),
    /// Steps of its own.
    Steps {
        /// What they do, for people.
        what: String,
        /// The steps, in front of the commit.
        steps: Vec<Step>,
        /// Steps behind the commit.
        after: Vec<Step>,
        /// Nothing is lost by them; else they are done only when asked for by code.
        loses_nothing: bool,
    },
    /// Taking over what was found into the registry.
    Learn {
        /// What is taken over.
        what: String,
        /// Done without being asked for by code.
        loses_nothing: bool,
    },
    /// Taking a component out whose files are gone.
    Forget(String),
    /// Something that only the administrator can do.
    Advice(String),
}

impl Mend {
    /// What mends it, for people.
    pub fn say(&self) -> String {
        match self {
            Self::Repair(words) => words.join("; "),
            Self::Add(name) => format!("install component {name} again"),
            Self::Steps { what, .. } | Self::Learn { what, .. } => what.clone(),
            Self::Forget(name) => {
                format!("remove component {name}, or install its package again")
            }
            Self::Advice(what) => what.clone(),
        }
    }

    /// Whether `--fix` does it without being asked for the code.
    pub fn is_safe(&self) -> bool {
        match self {
            Self::Repair(_) | Self::Add(_) => true,
            Self::Steps { loses_nothing, .. } | Self::Learn { loses_nothing, .. } => *loses_nothing,
            Self::Forget(_) | Self::Advice(_) => false,
        }
    }

    /// Whether the doctor can do it at all.
    pub fn is_possible(&self) -> bool {
        !matches!(self, Self::Advice(_))
    }
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which row of the table.
    pub code: &'static Code,
    /// The file, service or object.
    pub place: String,
    /// What was seen.
    pub seen: String,
    /// What mends it.
    pub mend: Mend,
}

/// A finding as JSON has it.
#[derive(Debug, Serialize)]
pub struct FindingView<'a> {
    code: &'a str,
    severity: Severity,
    title: &'a str,
    place: &'a str,
    seen: &'a str,
    why: &'a str,
    mend: String,
    fixable: bool,
    loses_nothing: bool,
    articles: &'a [&'a str],
}

impl Finding {
    /// As JSON has it.
    pub fn view(&self) -> FindingView<'_> {
        FindingView {
            code: self.code.code,
            severity: self.code.severity,
            title: self.code.title,
            place: &self.place,
            seen: &self.seen,
            why: self.code.why,
            mend: self.mend.say(),
            fixable: self.mend.is_possible(),
            loses_nothing: self.mend.is_safe(),
            articles: self.code.articles,
        }
    }
}

/// What checks work with.
pub struct Case<'a> {
    /// The machine.
    pub host: &'a Host,
    /// What is there.
    pub survey: &'a Survey,
    /// The program that asks.
    pub release: &'a ReleaseFacts,
    /// Also what takes long: DNS, the whole store.
    pub deep: bool,
}

/// Looks at everything. Findings come in the order of their codes.
pub fn examine(case: &Case<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for check in check::CHECKS {
        findings.extend(check(case)?);
    }
    findings.sort_by(|a, b| a.code.code.cmp(b.code.code).then_with(|| a.place.cmp(&b.place)));
    findings.dedup();
    Ok(findings)
}

/// Whether anything is wrong: notes are not.
pub fn is_healthy(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.code.severity == Severity::Note)
}

/// A backup older than this is told.
const BACKUP_AGE: Duration = Duration::from_secs(7 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn codes_are_unique_and_in_order_and_have_their_page() {
        let codes: Vec<&str> = CODES.iter().map(|code| code.code).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
        for code in CODES {
            let head = format!("# {}: {}", code.code, code.title);
            assert!(code.page.starts_with(&head), "{} begins with '{head}'", code.code);
            for article in code.articles {
                assert!(code.page.contains(article), "{} does not name {article}", code.code);
            }
        }
    }

    #[test]
    fn every_page_has_its_code_and_its_line_in_the_summary() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src");
        let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
        for entry in std::fs::read_dir(docs.join("findings")).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            let code = name.strip_suffix(".md").unwrap();
            if code != "index" {
                assert!(find(code).is_some(), "{name} is the page of no code");
            }
            assert!(summary.contains(&format!("findings/{name}")), "{name} is not in SUMMARY.md");
        }
    }
}
