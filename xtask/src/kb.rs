//! `cargo xtask kb`: the table of knowledge base articles and their evidence.

use crate::workspace;
use concord_testkit::{Result, trouble};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// The table, from the workspace's directory.
const INDEX: &str = "docs/kb/index.toml";

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
    /// `path#name`: a file of the workspace, and a text that stands in it (the
    /// name of a test or a function).
    #[serde(default)]
    evidence: Vec<String>,
    #[serde(default)]
    #[allow(dead_code)] // for readers of the table
    note: String,
}

/// Checks every row and prints counts.
pub fn run() -> Result<()> {
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
        mistakes.extend(article.evidence.iter().filter_map(|e| missing(&article.q, e)));
    }
    if !mistakes.is_empty() {
        return Err(trouble(format!("{INDEX} is wrong:\n  {}", mistakes.join("\n  "))));
    }
    let counts: Vec<String> = counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
    println!("kb: {} articles: {}", index.article.len(), counts.join(", "));
    Ok(())
}

/// What is wrong with a piece of evidence.
fn missing(q: &str, evidence: &str) -> Option<String> {
    let Some((path, name)) = evidence.split_once('#') else {
        return Some(format!("{q}: '{evidence}' is not path#name"));
    };
    match std::fs::read_to_string(workspace::root().join(path)) {
        Err(error) => Some(format!("{q}: cannot read {path}: {error}")),
        Ok(text) if !text.contains(name) => Some(format!("{q}: {path} does not have '{name}'")),
        Ok(_) => None,
    }
}
