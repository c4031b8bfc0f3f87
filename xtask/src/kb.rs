//! `cargo xtask kb`: the tables of knowledge base articles and of acceptance
//! scenarios, and their evidence.

use crate::workspace;
use concord_testkit::{Result, trouble};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The articles, from the workspace's directory.
const INDEX: &str = "docs/kb/index.toml";
/// The scenarios.
const SCENARIOS: &str = "docs/kb/scenarios.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    #[serde(default)]
    article: Vec<Article>,
}

/// A row: an article about a fault of the ancestors, and what answers it here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Article {
    /// The article's number, for example `Q242762`.
    q: String,
    title: String,
    area: String,
    /// What became of it here, one word.
    disposition: String,
    /// `path#name`: a file of the workspace, and a test in it.
    #[serde(default)]
    evidence: Vec<String>,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenarios {
    scenario: Vec<Scenario>,
}

/// A row: what an administrator does or suffers, and what shows how it ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Scenario {
    number: usize,
    title: String,
    /// As an article's.
    #[serde(default)]
    evidence: Vec<String>,
    /// What is not built yet, of all or a part of it.
    #[serde(default)]
    waits_for: String,
}

/// Checks every row and prints counts.
pub fn run() -> Result<()> {
    articles()?;
    scenarios()
}

fn scenarios() -> Result<()> {
    let text = std::fs::read_to_string(workspace::root().join(SCENARIOS))?;
    let rows: Scenarios =
        toml::from_str(&text).map_err(|e| trouble(format!("cannot read {SCENARIOS}: {e}")))?;
    let mut mistakes = Vec::new();
    for (place, row) in rows.scenario.iter().enumerate() {
        if row.number != place + 1 {
            mistakes.push(format!("'{}' is not number {}", row.title, place + 1));
        }
        if row.evidence.is_empty() && row.waits_for.is_empty() {
            mistakes.push(format!("{}: there is neither evidence nor a reason", row.number));
        }
        let name = format!("scenario {}", row.number);
        mistakes.extend(row.evidence.iter().filter_map(|e| missing(&name, e)));
    }
    if !mistakes.is_empty() {
        return Err(trouble(format!("{SCENARIOS} is wrong:\n  {}", mistakes.join("\n  "))));
    }
    let count = |wanted: fn(&Scenario) -> bool| rows.scenario.iter().filter(|r| wanted(r)).count();
    println!(
        "kb: {} scenarios: {} whole, {} in part, {} wait",
        rows.scenario.len(),
        count(|r| r.waits_for.is_empty()),
        count(|r| !r.waits_for.is_empty() && !r.evidence.is_empty()),
        count(|r| r.evidence.is_empty()),
    );
    Ok(())
}

fn articles() -> Result<()> {
    let file = workspace::root().join(INDEX);
    if !file.is_file() {
        println!("kb: no {INDEX}");
        return Ok(());
    }
    let index: Index = toml::from_str(&std::fs::read_to_string(&file)?)
        .map_err(|e| trouble(format!("cannot read {INDEX}: {e}")))?;
    let mut mistakes = Vec::new();
    let mut seen = BTreeSet::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for article in &index.article {
        *counts.entry(&article.disposition).or_default() += 1;
        if !seen.insert(&article.q) {
            mistakes.push(format!("{} stands twice", article.q));
        }
        if article.title.is_empty() || article.area.is_empty() || article.disposition.is_empty() {
            mistakes.push(format!("{} lacks title, area or disposition", article.q));
        }
        mistakes.extend(rule(article));
        mistakes.extend(article.evidence.iter().filter_map(|e| missing(&article.q, e)));
    }
    if !mistakes.is_empty() {
        return Err(trouble(format!("{INDEX} is wrong:\n  {}", mistakes.join("\n  "))));
    }
    let counts: Vec<String> = counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
    println!("kb: {} articles: {}", index.article.len(), counts.join(", "));
    Ok(())
}

/// Dispositions, and whether they need evidence.
const DISPOSITIONS: [(&str, bool); 7] = [
    ("impossible", true),
    ("found", true),
    ("refused", true),
    ("feature", true),
    ("answered", true),
    ("not-applicable", false),
    ("open", false),
];

/// What is wrong with a row beside its evidence.
fn rule(article: &Article) -> Option<String> {
    let Some((_, needs)) = DISPOSITIONS.iter().find(|(name, _)| *name == article.disposition)
    else {
        return Some(format!("{}: '{}' is no disposition", article.q, article.disposition));
    };
    if *needs == article.evidence.is_empty() {
        let word = if *needs { "needs" } else { "has no use for" };
        return Some(format!("{}: {} {word} evidence", article.q, article.disposition));
    }
    let tells = match article.disposition.as_str() {
        "found" => article.note.contains("CC-0"),
        "not-applicable" | "open" => !article.note.is_empty(),
        _ => true,
    };
    (!tells).then(|| format!("{}: its note says neither code nor reason", article.q))
}

/// What is wrong with a piece of evidence: it must be a test.
fn missing(q: &str, evidence: &str) -> Option<String> {
    let Some((path, name)) = evidence.split_once('#') else {
        return Some(format!("{q}: '{evidence}' is not path#name"));
    };
    match std::fs::read_to_string(workspace::root().join(path)) {
        Err(error) => Some(format!("{q}: cannot read {path}: {error}")),
        Ok(text) if !is_test(&text, name) => Some(format!("{q}: {path} has no test '{name}'")),
        Ok(_) => None,
    }
}

/// Whether a source file has a test of this name.
fn is_test(text: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    let Some(at) = text.find(&head) else { return false };
    // Whole lines only: the function's own is cut off at its name.
    let above = text.get(..at).and_then(|t| t.rsplit_once('\n')).map_or("", |(above, _)| above);
    let before: Vec<&str> = above.lines().rev().take(8).collect();
    let ends = |line: &&&str| line.trim() == "}" || line.trim().is_empty();
    before.iter().take_while(|line| !ends(line)).any(|line| line.contains("test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tests_are_evidence() {
        let text = "fn helper() {\n}\n\n    #[test]\n    fn proof() {\n}\n\n/// x\n#[tokio::test]\nasync fn other() {}\n";
        assert!(is_test(text, "proof") && is_test(text, "other"));
        assert!(!is_test(text, "helper") && !is_test(text, "pro"));
    }
}
