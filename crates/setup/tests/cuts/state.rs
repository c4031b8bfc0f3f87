//! The state of a machine, for comparing.

use crate::machine::Machine;
use concord_registry::Database;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use uuid::Uuid;

/// What Setup keeps of its own work, and what two runs give other numbers.
const LEFT_OUT: [&str; 6] =
    ["history", "lock", "registry.db", "registry.copy.toml", "machine.json", "backups"];

/// Files, registry, and everything else, without what differs by chance.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    files: BTreeMap<String, String>,
    registry: String,
    rest: String,
}

impl State {
    pub fn of(machine: &Machine) -> Self {
        let mut files = BTreeMap::new();
        walk(machine.top(), machine.top(), &mut files);
        let mut registry = Database::new(machine.layout().registry()).load().map_err(|_| "damaged");
        if let Ok(Some(registry)) = &mut registry {
            registry.identity.server = Uuid::nil();
        }
        let text = |t: String| t.replace(&machine.top().display().to_string(), "TOP");
        let facts = machine.facts();
        Self {
            files,
            registry: text(format!("{registry:#?}")),
            rest: text(serde_json::to_string_pretty(&facts).unwrap()),
        }
    }

    /// What differs, for the one who has to find out why.
    pub fn difference(&self, other: &Self) -> String {
        let mut told = Vec::new();
        for (path, what) in &self.files {
            match other.files.get(path) {
                None => told.push(format!("+ {path} {}", short(what))),
                Some(there) if there != what => {
                    told.push(format!("~ {path} {} / {}", short(what), short(there)));
                }
                Some(_) => {}
            }
        }
        told.extend(
            other.files.keys().filter(|p| !self.files.contains_key(*p)).map(|p| format!("- {p}")),
        );
        for (a, b) in [(&self.registry, &other.registry), (&self.rest, &other.rest)] {
            let lines = |text: &String| text.lines().map(str::to_owned).collect::<Vec<_>>();
            let (a, b) = (lines(a), lines(b));
            told.extend(a.iter().filter(|l| !b.contains(l)).take(8).map(|l| format!("+ {l}")));
            told.extend(b.iter().filter(|l| !a.contains(l)).take(8).map(|l| format!("- {l}")));
        }
        told.truncate(12);
        told.join("\n")
    }
}

fn short(text: &str) -> String {
    text.chars().take(60).collect::<String>().replace('\n', " ")
}

fn walk(top: &Path, path: &Path, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(path).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let path = entry.path();
        let found = std::fs::symlink_metadata(&path).unwrap();
        let mode = found.mode() & 0o7777;
        let what = if found.is_symlink() {
            let target = std::fs::read_link(&path).unwrap().display().to_string();
            format!("-> {}", target.replace(&top.display().to_string(), "TOP"))
        } else if found.is_dir() {
            format!("{mode:o}")
        } else {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let text = text.replace(&top.display().to_string(), "TOP");
            // The server's id is another one in each run.
            let lines: Vec<_> = text.lines().filter(|l| !l.starts_with("server = ")).collect();
            format!("{mode:o} {}", lines.join("\n"))
        };
        files.insert(path.strip_prefix(top).unwrap().display().to_string(), what);
        if found.is_dir() {
            walk(top, &path, files);
        }
    }
}
