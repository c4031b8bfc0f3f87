//! What a server is, as far as two runs of the same verb have it in common.

use super::stage::{MAILBOX, Stage};
use concord_testkit::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Below the root: what processes write, what Setup keeps of its work, and the
/// note when the last backup was made: a backup that is whole and lacks the note
/// is a backup.
const LEFT_OUT: [&str; 6] = [
    "root/run",
    "root/log",
    "root/setup/history",
    "root/setup/lock",
    "root/setup/registry.db-journal",
    "root/setup/last-backup",
];
/// Copies of a store: which segments they have is chance. Of these only what is
/// this deep is compared, without contents.
const STORES: [(&str, usize); 4] =
    [("root/data", 1), ("root/setup/quarantine", 2), ("root.removed-", 2), ("backups", 2)];
/// What a backup leaves that was cut off; the next one removes it.
const BACKUP_DRAFT: &str = "backups/.concord-draft-";
/// Larger files are programs, compared by their length.
const SMALL: u64 = 1 << 20;
/// Keys of the registry and of objects that are ids and times.
const BY_CHANCE: [&str; 6] = ["created", "installed", "server", "lineage", "id", "changed"];

/// Two views of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Files and the registry: there at once.
    pub files: Facts,
    /// What a running server says: services may still be starting.
    pub looks: Facts,
}

/// What was seen, by what it was seen of.
pub type Facts = BTreeMap<String, String>;

impl Snapshot {
    /// Looks at everything.
    pub fn take(stage: &mut Stage<'_>) -> Result<Self> {
        Ok(Self { files: files(stage)?, looks: looks(stage)? })
    }

    /// Whether the doctor finds nothing and nothing is to do.
    pub fn is_healthy(&self) -> bool {
        let is = |key: &str, what: &str| self.looks.get(key).is_some_and(|text| text == what);
        is("doctor", "0 []") && is("setup plan", "0")
    }
}

/// Files below and beside the root, and what the registry says.
pub fn files(stage: &Stage<'_>) -> Result<Facts> {
    let mut found = Facts::new();
    walk(stage.site.top(), stage.site.top(), &mut found)?;
    let registry = stage.site.run(&["--json", "registry", "show"])?;
    let text = match serde_json::from_str::<Value>(&registry.stdout) {
        Ok(mut value) => {
            forget_chance(&mut value);
            serde_json::to_string_pretty(&value)?
        }
        Err(_) => format!("none: {:?}", registry.code),
    };
    // A line each, so that a difference can be read.
    for (number, line) in text.lines().enumerate() {
        found.insert(format!("registry {number:05}"), line.to_owned());
    }
    Ok(found)
}

/// What is only seen by asking.
pub fn looks(stage: &mut Stage<'_>) -> Result<Facts> {
    let mut found = Facts::new();
    let up = stage.site.is_up();
    found.insert("controller".into(), if up { "runs" } else { "does not run" }.into());
    if up {
        for list in ["connector", "generator"] {
            let done = stage.site.run(&["--json", list, "list"])?;
            let mut value = serde_json::from_str(&done.stdout).unwrap_or(Value::Null);
            forget_chance(&mut value);
            found.insert(format!("{list} list"), format!("{:?} {value}", done.code));
        }
        let mail = stage.site.imap(MAILBOX).and_then(|mut imap| imap.count("INBOX"));
        found.insert("mail".into(), mail.map_or_else(|e| e.to_string(), |n| n.to_string()));
    }
    for backup in entries(Path::new(&stage.backups()))? {
        if !backup.starts_with('.') {
            let path = Path::new(&stage.backups()).join(&backup).display().to_string();
            let done = stage.site.run(&["backup", "verify", &path])?;
            found.insert(normal(&backup, 4), format!("{:?}", done.code));
        }
    }
    let doctor = stage.site.run(&["--json", "doctor"])?;
    let codes = codes(&serde_json::from_str(&doctor.stdout).unwrap_or(Value::Null));
    let code = doctor.code.unwrap_or(-1);
    found.insert("doctor".into(), format!("{code} [{}]", codes.join(" ")));
    let plan = stage.site.run(&["setup", "plan"])?;
    found.insert("setup plan".into(), plan.code.unwrap_or(-1).to_string());
    Ok(found)
}

/// Codes of findings that are no notes.
fn codes(report: &Value) -> Vec<String> {
    let list = report.get("findings").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    list.iter()
        .filter(|finding| text(finding, "severity") != "note")
        .map(|finding| format!("{} {}", text(finding, "code"), text(finding, "seen")))
        .collect()
}

/// Lines that differ, `+` of the first and `-` of the second.
pub fn difference(found: &Facts, wanted: &Facts) -> Vec<String> {
    /// More than a screen nobody reads.
    const MOST: usize = 20;
    let lines = |of: &Facts, other: &Facts, sign: char| -> Vec<String> {
        of.iter()
            .filter(|(key, what)| other.get(*key) != Some(*what))
            .map(|(key, what)| {
                let what: String = what.chars().take(300).collect();
                format!("    {sign} {key}: {what}")
            })
            .collect()
    };
    let mut all = lines(found, wanted, '+');
    all.extend(lines(wanted, found, '-'));
    all.sort_by(|a, b| a.get(6..).cmp(&b.get(6..)));
    all.truncate(MOST);
    all
}

fn forget_chance(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if BY_CHANCE.contains(&key.as_str()) && !value.is_null() {
                    *value = Value::from("some");
                } else {
                    forget_chance(value);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(forget_chance),
        _ => {}
    }
}

/// Runs of so many digits are times.
fn normal(text: &str, least: usize) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        out.push_str(if digits.len() >= least { "N" } else { &digits });
        digits.clear();
        if character != '\0' {
            out.push(character);
        }
    }
    out
}

fn entries(directory: &Path) -> Result<Vec<String>> {
    let Ok(list) = std::fs::read_dir(directory) else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for entry in list {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn walk(top: &Path, directory: &Path, found: &mut Facts) -> Result<()> {
    for name in entries(directory)? {
        let path = directory.join(&name);
        let inside = path.strip_prefix(top)?.display().to_string();
        if LEFT_OUT.contains(&inside.as_str()) || inside.starts_with(BACKUP_DRAFT) {
            continue;
        }
        let seen = std::fs::symlink_metadata(&path)?;
        let store = STORES.iter().find(|(prefix, _)| inside.starts_with(prefix));
        let depth = inside.matches('/').count();
        let rooted = store.map_or(0, |(prefix, _)| prefix.matches('/').count());
        let below = depth - rooted;
        match store {
            // Names of files of a store are chance too.
            Some(_) if below > 0 && !seen.is_dir() => continue,
            Some((_, deep)) if below > *deep => continue,
            _ => {}
        }
        // Where backups go is the administrator's; an empty place is none.
        if inside != "backups" {
            found.insert(normal(&inside, 4), describe(&path, &seen, store.is_some())?);
        }
        if seen.is_dir() {
            walk(top, &path, found)?;
        }
    }
    Ok(())
}

fn describe(path: &Path, seen: &Metadata, store: bool) -> Result<String> {
    let mode = seen.mode() & 0o7777;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if seen.is_symlink() {
        return Ok(format!("-> {}", std::fs::read_link(path)?.display()));
    }
    if seen.is_dir() || store || name.ends_with(".db") || name == "registry.copy.toml" {
        return Ok(format!("{mode:o}"));
    }
    if seen.len() > SMALL {
        return Ok(format!("{mode:o} {} octets", seen.len()));
    }
    let mut text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
    // Two runs write the members of an object in different orders.
    if name.ends_with(".json")
        && let Ok(value) = serde_json::from_str::<Value>(&text)
    {
        text = value.to_string();
    }
    Ok(format!("{mode:o} {}", normal(&text, 10)))
}
