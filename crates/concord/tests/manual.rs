//! The manual and the program say the same.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// What stands in quotes and reads like an error code: an arm of a `code()`
/// function, or the first argument of a `Failure`.
fn codes() -> BTreeSet<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            sources(&source, &mut files);
        }
    }
    let is_code = |text: &str| {
        let parts: Vec<_> = text.split('.').collect();
        parts.len() == 2
            && parts.iter().all(|part| {
                part.starts_with(|c: char| c.is_ascii_lowercase())
                    && part
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            })
    };
    let mut codes = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for start in ["Failure::new(", "Failure::usage(", "Failure::not_running("] {
            let arguments = text.split(start).skip(1).map(str::trim_start);
            let first = arguments.filter_map(|a| a.strip_prefix('"')?.split('"').next());
            codes.extend(first.filter(|text| is_code(text)).map(str::to_owned));
        }
        let Some(place) = text.find("fn code(&self)") else { continue };
        let body = &text[place..];
        let body = &body[..body.find("\n    }\n").unwrap_or(body.len())];
        let quoted = body.split('"').skip(1).step_by(2);
        codes.extend(quoted.filter(|text| is_code(text)).map(str::to_owned));
    }
    codes
}

#[test]
fn every_error_code_is_in_the_manual() {
    let manual = read("docs/src/troubleshooting.md");
    let codes = codes();
    assert!(codes.len() > 50, "the codes were not found: {codes:?}");
    let missing: Vec<_> =
        codes.iter().filter(|code| !manual.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "docs/src/troubleshooting.md lacks {missing:?}");
}

#[test]
fn the_settings_page_is_the_programs_own() {
    let out =
        Command::new(env!("CARGO_BIN_EXE_concord")).args(["config", "reference"]).output().unwrap();
    assert!(out.status.success());
    // As a chapter of a page it stands one level lower.
    let lower = |line: &str| match line {
        "# Settings" => "## All settings".to_owned(),
        line => line.strip_prefix("## [").map_or_else(|| line.to_owned(), |l| format!("### [{l}")),
    };
    let text = String::from_utf8(out.stdout).unwrap();
    let expected: Vec<_> = text.lines().map(lower).collect();
    let page = read("docs/src/generated/configuration.md");
    let found: Vec<_> = page.lines().collect();
    assert!(
        found == expected,
        "docs/src/generated/configuration.md is old: write 'concord config reference' there, \
         its headings one level lower"
    );
}

#[test]
fn every_page_of_the_summary_exists_and_every_page_is_in_it() {
    let summary = read("docs/src/SUMMARY.md");
    let named: BTreeSet<_> = summary
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(page, _)| page.to_owned())
        .collect();
    let mut pages = BTreeSet::new();
    for (directory, before) in [("docs/src", ""), ("docs/src/findings", "findings/")] {
        for entry in std::fs::read_dir(root().join(directory)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") && name != "SUMMARY.md" {
                pages.insert(format!("{before}{name}"));
            }
        }
    }
    assert_eq!(named, pages);
}

/// Blocks of a page that begin with three backticks and this word.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let text = read(page);
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in text.lines() {
        let line = line.trim_start();
        match &mut block {
            Some(open) if line.starts_with("```") => {
                blocks.push(std::mem::take(open));
                block = None;
            }
            Some(open) => {
                open.push_str(line);
                open.push('\n');
            }
            None if line == format!("```{kind}") => block = Some(String::new()),
            None => {}
        }
    }
    assert!(!blocks.is_empty(), "{page} has no {kind}");
    blocks
}

#[test]
fn every_example_of_a_policy_is_one() {
    for block in blocks("docs/src/internet-mail.md", "toml") {
        let mistakes = concord_mail_policy::mistakes(&block);
        assert!(mistakes.is_empty(), "{mistakes:?} in:\n{block}");
        let policy = concord_mail_policy::Policy::parse(&block).unwrap();
        // What an example sets is not what an empty file says, so it is no misspelt nothing.
        assert_ne!(policy, concord_mail_policy::Policy::default(), "{block}");
    }
}

/// Every flag and argument of the manual's commands is one that they have: what
/// stands before --help is read.
#[test]
fn every_command_about_mail_in_the_manual_is_one() {
    let pages = ["dns.md", "internet-mail.md", "quick-start.md", "findings/CC-0904.md"];
    let mut count = 0;
    for page in pages {
        for block in blocks(&format!("docs/src/{page}"), "sh") {
            for line in block.lines().filter_map(|line| line.strip_prefix("concord ")) {
                let line = line.split(['#', '|', '>']).next().unwrap();
                // What stands between quotes is one word.
                let parts = line.split('\'').enumerate();
                let words: Vec<&str> = parts
                    .flat_map(|(number, part)| match number % 2 {
                        0 => part.split_whitespace().collect(),
                        _ => vec![part],
                    })
                    .collect();
                let out = Command::new(env!("CARGO_BIN_EXE_concord"))
                    .args(&words)
                    .arg("--help")
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&out.stderr);
                assert!(out.status.success(), "{page}: concord {line}: {said}");
                count += 1;
            }
        }
    }
    assert!(count > 30, "only {count} commands were found");
}
