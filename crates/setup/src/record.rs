//! Service records: what the controller is to run, one file per service.
//!
//! Written by Setup alone; the controller reads them at its start and when it
//! is told to. So what runs on a machine stands in one directory, and a record
//! that no component owns is found as such (Q242762, Q196305).

use crate::error::{Result, SetupError};
use crate::layout::Layout;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A record is some hundred octets; a larger file is some other file.
const MAX_OCTETS: u64 = 64 << 10;

/// A service record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceRecord {
    /// The service's name.
    pub service: String,
    /// The component that it belongs to.
    pub component: String,
    /// That component's version.
    pub version: String,
    /// Whether it is to run.
    pub enabled: bool,
    /// Its program; relative ones are below the root.
    pub program: PathBuf,
    /// The program's arguments.
    pub arguments: Vec<String>,
    /// Services that must be ready first.
    pub needs: Vec<String>,
    /// Names of TCP listeners whose addresses are settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<String>,
    /// Names of Unix sockets and their files in `run`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sockets: BTreeMap<String, String>,
    /// TCP listeners with their addresses, `address:port`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<String, String>,
    /// More of its environment; `{root}` stands for the root.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

impl ServiceRecord {
    /// The file's text.
    pub fn to_text(&self) -> String {
        let body = toml::to_string(self).unwrap_or_default();
        format!(
            "# Written by Concord Setup. Do not edit: 'concord doctor' would call it changed.\n{body}"
        )
    }

    /// Reads a file's text; the error says what does not fit.
    pub fn from_text(text: &str) -> std::result::Result<Self, String> {
        toml::from_str(text).map_err(|e| e.message().to_owned())
    }

    /// The absolute path of its program.
    pub fn program_path(&self, layout: &Layout) -> PathBuf {
        layout.resolve(&self.program)
    }
}

/// A file in the directory of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// The name that it stands for.
    pub name: String,
    /// Its text; empty if it could not be read.
    pub text: String,
    /// The record, or what does not fit.
    pub record: std::result::Result<ServiceRecord, String>,
}

/// Every record, by name. A directory that is not there has none.
pub fn read_all(directory: &Path) -> Result<Vec<Found>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Vec::new());
        }
        Err(error) => return Err(SetupError::io("list", directory)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(SetupError::io("list", directory))?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()?.strip_suffix(".toml")) else {
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        found.push(read(&path, name));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn read(path: &Path, name: &str) -> Found {
    let text = match std::fs::metadata(path) {
        Ok(found) if found.len() > MAX_OCTETS => Err("it is too large for a record".to_owned()),
        Ok(_) => std::fs::read_to_string(path).map_err(|e| e.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let record = text.as_ref().map_err(Clone::clone).and_then(|text| {
        let record = ServiceRecord::from_text(text)?;
        if record.service == name {
            Ok(record)
        } else {
            Err(format!("it says it is the record of '{}'", record.service))
        }
    });
    Found { path: path.to_owned(), name: name.to_owned(), text: text.unwrap_or_default(), record }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_strangers_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let record = ServiceRecord {
            service: "core".into(),
            component: "core".into(),
            version: "1.0.0".into(),
            enabled: true,
            program: "current/concord".into(),
            arguments: vec!["serve".into(), "core".into()],
            needs: vec![],
            listeners: vec!["imap".into()],
            sockets: [("admin".to_owned(), "admin.sock".to_owned())].into(),
            addresses: BTreeMap::new(),
            environment: BTreeMap::new(),
        };
        std::fs::write(dir.path().join("core.toml"), record.to_text()).unwrap();
        std::fs::write(dir.path().join("b.toml"), record.to_text()).unwrap();
        std::fs::write(dir.path().join("c.toml"), "what").unwrap();
        std::fs::write(dir.path().join("readme"), "no record").unwrap();
        let all = read_all(dir.path()).unwrap();
        let names: Vec<_> = all.iter().map(|f| (f.name.as_str(), f.record.is_ok())).collect();
        assert_eq!(names, [("b", false), ("c", false), ("core", true)]);
        assert_eq!(all[2].record, Ok(record));
        assert_eq!(read_all(&dir.path().join("none")).unwrap(), []);
    }
}
