//! What is on a machine, to see what a program leaves behind.

use crate::machine::Machine;
use crate::trouble::Result;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What changes by itself, or by every change of users and packages.
const NOISE: [&str; 18] = [
    "dev",
    "proc",
    "sys",
    "run",
    "tmp",
    "var/tmp",
    "var/log",
    "var/cache",
    "var/lib/systemd",
    "etc/machine-id",
    "etc/passwd-",
    "etc/group-",
    "etc/shadow-",
    "etc/gshadow-",
    "etc/subuid-",
    "etc/subgid-",
    "etc/.pwd.lock",
    "etc/.updated",
];
/// dpkg's own bookkeeping.
const BOOKS: &str = "var/lib/dpkg/";

/// Every path with its mode and owner; links with what they lead to, files of
/// `/etc` with what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces(BTreeMap<String, String>);

impl Traces {
    /// Looks through the whole machine.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn of(machine: &Machine) -> Result<Self> {
        let top = machine.path("");
        let mut found = BTreeMap::new();
        collect(&top, "", &mut found)?;
        Ok(Self(found))
    }

    /// What is different now, a line each.
    pub fn differences(&self, now: &Self) -> Vec<String> {
        let paths: BTreeSet<&String> = self.0.keys().chain(now.0.keys()).collect();
        let told = |path: &String| match (self.0.get(path), now.0.get(path)) {
            (Some(before), Some(after)) if before == after => None,
            (Some(_), Some(after)) => Some(format!("{path} is now {after}")),
            (None, Some(_)) => Some(format!("{path} is new")),
            (_, None) => Some(format!("{path} is gone")),
        };
        paths.into_iter().filter_map(told).collect()
    }
}

fn collect(top: &Path, below: &str, found: &mut BTreeMap<String, String>) -> Result<()> {
    for entry in std::fs::read_dir(top.join(below))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let is_old_book = path.starts_with(BOOKS) && path.ends_with("-old");
        if NOISE.contains(&path.as_str()) || is_old_book {
            continue;
        }
        let place = top.join(&path);
        let about = place.symlink_metadata()?;
        let mut text = format!("{:o} {}:{}", about.mode(), about.uid(), about.gid());
        if about.is_symlink() {
            text.push_str(&format!(" to {}", place.read_link()?.display()));
        } else if about.is_file() && path.starts_with("etc/") {
            text.push_str(&format!(" {}", String::from_utf8_lossy(&std::fs::read(&place)?)));
        }
        let deeper = about.is_dir();
        found.insert(path.clone(), text);
        if deeper {
            collect(top, &path, found)?;
        }
    }
    Ok(())
}
