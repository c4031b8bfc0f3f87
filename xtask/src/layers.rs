//! `cargo xtask layers`: the house plan of ARCHITECTURE.md as one table.

use crate::workspace;
use concord_testkit::{Result, trouble};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The floors from the ground up. A crate may use those of its own floor and
/// of the floors under it.
const FLOORS: &[(&str, &[&str])] = &[
    (
        "ground",
        &[
            "base",
            "address",
            "client-setup",
            "ebcdic",
            "files",
            "mapping",
            "message",
            "resolver",
            "rules",
            "settings",
            "tls",
            "testkit",
        ],
    ),
    (
        "protocol",
        &[
            "cms-mail",
            "entrance",
            "groupwise-api",
            "milter",
            "nje",
            "nje-tokio",
            "proxy-protocol",
            "smtp",
            "smtp-tokio",
        ],
    ),
    (
        "domain",
        &[
            "acme",
            "directory",
            "store",
            "transport",
            "transport-security",
            "sasl",
            "message-log",
            "mail-filter",
            "engine",
            "connector",
            "dirsync",
            "mail-policy",
            "mail-authentication",
            "dns-check",
            "registry",
            "reputation",
        ],
    ),
    ("lifecycle", &["bundle", "controller", "setup"]),
    (
        "services",
        &["admin-api", "imap", "ldap", "pop3", "core", "groupwise", "internet-mail", "ovvm", "web"],
    ),
    ("daemon", &["concord"]),
    ("tools", &["xtask", "start", "bench", "tests"]),
];

/// The testkit sees the server as strangers do; used by anything but tools (and
/// as a dev-dependency) it would end up in the product.
const ONLY_FOR_TOOLS: &str = "testkit";

/// Checks every manifest of the workspace against the table.
pub fn run() -> Result<()> {
    let root = workspace::root();
    let mut mistakes = Vec::new();
    let mut arrows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for directory in members(&root)? {
        let name = short_name(&directory);
        let text = std::fs::read_to_string(directory.join("Cargo.toml"))?;
        let manifest: Table = toml::from_str(&text)?;
        arrows.insert(name, ours(&manifest));
    }
    for (name, used) in &arrows {
        let Some(floor) = floor_of(name) else {
            mistakes.push(format!("{name} is on no floor; add it to xtask/src/layers.rs"));
            continue;
        };
        for other in used {
            match floor_of(other) {
                Some(below) if below <= floor => {}
                Some(_) => mistakes.push(format!("{name} points up to {other}")),
                None => mistakes.push(format!("{name} uses {other}, which is on no floor")),
            }
            if other == ONLY_FOR_TOOLS && Some(floor) != floor_of("xtask") {
                mistakes.push(format!("{name} uses {other}; only tools and tests may"));
            }
        }
    }
    mistakes.extend(cycles(&arrows));
    for (name, _) in FLOORS.iter().flat_map(|(_, crates)| crates.iter()).map(|n| (*n, ())) {
        if !arrows.contains_key(name) {
            mistakes.push(format!("{name} is in the table of floors but not in the workspace"));
        }
    }
    if mistakes.is_empty() {
        let count: usize = arrows.values().map(Vec::len).sum();
        println!("layers: {} crates, {count} arrows, all point down", arrows.len());
        return Ok(());
    }
    Err(trouble(format!("the house plan is broken:\n  {}", mistakes.join("\n  "))))
}

fn floor_of(name: &str) -> Option<usize> {
    FLOORS.iter().position(|(_, crates)| crates.contains(&name))
}

/// The directories of the workspace's members.
fn members(root: &Path) -> Result<Vec<PathBuf>> {
    let manifest: Table = toml::from_str(&std::fs::read_to_string(root.join("Cargo.toml"))?)?;
    let listed = manifest
        .get("workspace")
        .and_then(|w| w.get("members"))
        .and_then(Value::as_array)
        .ok_or_else(|| trouble("the workspace lists no members"))?;
    let mut found = Vec::new();
    for member in listed.iter().filter_map(Value::as_str) {
        match member.strip_suffix("/*") {
            Some(parent) => {
                for entry in std::fs::read_dir(root.join(parent))? {
                    let path = entry?.path();
                    if path.join("Cargo.toml").is_file() {
                        found.push(path);
                    }
                }
            }
            None => found.push(root.join(member)),
        }
    }
    found.sort();
    Ok(found)
}

fn short_name(directory: &Path) -> String {
    directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Short names of our crates that this one is built from.
fn ours(manifest: &Table) -> Vec<String> {
    let mut tables: Vec<&Table> = Vec::new();
    let mut collect = |table: &'_ Table| -> Vec<String> {
        ["dependencies", "build-dependencies"]
            .iter()
            .filter_map(|kind| table.get(*kind)?.as_table())
            .flat_map(Table::keys)
            .filter(|name| *name == "concord" || name.starts_with("concord-"))
            .map(|name| name.strip_prefix("concord-").unwrap_or(name).to_owned())
            .collect()
    };
    if let Some(targets) = manifest.get("target").and_then(Value::as_table) {
        tables.extend(targets.values().filter_map(Value::as_table));
    }
    let mut names = collect(manifest);
    names.extend(tables.into_iter().flat_map(&mut collect));
    names
}

/// Two crates of one floor may not need each other, not even over a third.
/// Cargo itself refuses that for built crates; the table says why.
fn cycles(arrows: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let reaches = |from: &str, to: &str| {
        let mut open = vec![from.to_owned()];
        let mut seen = Vec::new();
        while let Some(name) = open.pop() {
            for next in arrows.get(&name).into_iter().flatten() {
                if next == to {
                    return true;
                }
                if !seen.contains(next) {
                    seen.push(next.clone());
                    open.push(next.clone());
                }
            }
        }
        false
    };
    arrows.keys().filter(|n| reaches(n, n)).map(|n| format!("{n} needs itself")).collect()
}
