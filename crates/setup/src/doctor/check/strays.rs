//! Paths that nobody owns, and what processes left behind.

use super::services::free;
use crate::doctor::{Case, Finding, Mend, codes};
use crate::error::Result;
use crate::manifest::UNIT_NAME;
use crate::step::{Step, When};
use crate::survey::entries;
use concord_registry::{Registry, Resource};
use std::collections::BTreeSet;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

pub(super) fn check(case: &Case<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if let Some(registry) = case.survey.known() {
        findings.extend(strange_paths(case, registry));
        findings.extend(orphan_unit(case, registry));
    }
    findings.extend(stale_sockets(case));
    findings.extend(backup_draft(case));
    Ok(findings)
}

/// Paths that some component owns, and directories of which each entry must.
fn owned(case: &Case<'_>, registry: &Registry) -> (BTreeSet<PathBuf>, Vec<PathBuf>) {
    let layout = &case.host.layout;
    let mut paths = BTreeSet::new();
    let mut listed = Vec::new();
    for owned in &registry.resources {
        match &owned.resource {
            Resource::Directory { path, whole, .. } => {
                paths.insert(layout.resolve(path));
                if !whole {
                    listed.push(layout.resolve(path));
                }
            }
            Resource::Service { name, .. } => {
                paths.insert(layout.record(name));
            }
            other => paths.extend(other.path().map(|path| layout.resolve(path))),
        }
    }
    (paths, listed)
}

fn strange_paths(case: &Case<'_>, registry: &Registry) -> Vec<Finding> {
    let layout = &case.host.layout;
    let (paths, listed) = owned(case, registry);
    let above = |entry: &Path| paths.iter().any(|path| path.starts_with(entry));
    let mut findings = Vec::new();
    for directory in listed {
        for entry in entries(&directory) {
            let record = directory == layout.services()
                && entry.extension().is_some_and(|ending| ending == "toml");
            // Orphan records have a code of their own.
            // mkfs makes lost+found where the root is a volume of its own.
            if above(&entry) || record || entry.ends_with("lost+found") {
                continue;
            }
            if is_needed(case, &entry) {
                continue;
            }
            let inside = entry.strip_prefix(layout.root().path()).unwrap_or(&entry);
            let to = free(layout.quarantine().join(inside));
            let leftover = [layout.releases(), layout.services()].contains(&directory)
                || directory.starts_with(layout.connectors());
            findings.push(Finding {
                code: if leftover { &codes::LEFTOVER } else { &codes::ORPHAN_PATH },
                place: entry.display().to_string(),
                seen: if entry.is_dir() {
                    format!("a directory with {} entries", entries(&entry).len())
                } else {
                    "a file".to_owned()
                },
                mend: Mend::Steps {
                    what: format!("move it to {}", to.display()),
                    steps: vec![Step::Move { from: entry, to }],
                    after: Vec::new(),
                    // Nothing is lost, but it may be somebody's.
                    loses_nothing: leftover,
                },
            });
        }
    }
    findings
}

/// The package of a connector that the directory knows waits to be installed
/// again.
fn is_needed(case: &Case<'_>, entry: &Path) -> bool {
    let directory = case.survey.directory.as_ref();
    let name = crate::resource::directory::name_of(entry);
    entry.parent() == Some(&case.host.layout.connectors())
        && directory.is_some_and(|d| d.connectors.iter().any(|c| c.name == name))
}

/// A unit that starts Concord from a root where nothing is.
fn orphan_unit(case: &Case<'_>, registry: &Registry) -> Option<Finding> {
    let directory = registry.installation.unit_directory.as_ref()?;
    let ours = registry.resources.iter().any(|o| matches!(o.resource, Resource::Unit { .. }));
    let path = directory.join(UNIT_NAME);
    let text = std::fs::read_to_string(&path).ok()?;
    let root = format!("--root \"{}\"", case.host.layout.root().path().display());
    if ours || !text.contains(&root) {
        return None;
    }
    Some(Finding {
        code: &codes::ORPHAN_UNIT,
        place: path.display().to_string(),
        seen: "this server was not installed with a unit".to_owned(),
        mend: Mend::Steps {
            what: "disable it and move its file into quarantine".to_owned(),
            steps: vec![
                Step::SetUnit { name: UNIT_NAME.to_owned(), enabled: false, active: Some(false) },
                Step::Move {
                    from: path,
                    to: free(case.host.layout.quarantine().join("units").join(UNIT_NAME)),
                },
            ],
            after: Vec::new(),
            loses_nothing: true,
        },
    })
}

/// Sockets without a controller; a hold without an update.
fn stale_sockets(case: &Case<'_>) -> Option<Finding> {
    let layout = &case.host.layout;
    let mut stale: Vec<PathBuf> = Vec::new();
    if case.survey.services.is_none() {
        stale.extend(entries(&layout.root().run()).into_iter().filter(|path| {
            std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
        }));
    }
    if case.survey.holder.is_none() && layout.hold().exists() {
        stale.push(layout.hold());
    }
    if stale.is_empty() {
        return None;
    }
    let names: Vec<String> = stale.iter().map(|p| crate::resource::directory::name_of(p)).collect();
    Some(Finding {
        code: &codes::STALE_SOCKET,
        place: layout.root().run().display().to_string(),
        seen: names.join(", "),
        mend: Mend::Steps {
            what: "remove them".to_owned(),
            steps: vec![Step::tell(crate::step::Control::Reload, When::Undoing)],
            after: stale.into_iter().map(|path| Step::Purge { path }).collect(),
            loses_nothing: true,
        },
    })
}

/// What a backup leaves that was cut off: its links keep what compaction removes.
fn backup_draft(case: &Case<'_>) -> Option<Finding> {
    let draft = crate::backup::store_draft(&case.host.layout);
    if case.survey.holder.is_some() || !draft.exists() {
        return None;
    }
    Some(Finding {
        code: &codes::LEFTOVER,
        place: draft.display().to_string(),
        seen: "a backup was cut off".to_owned(),
        mend: Mend::Steps {
            what: "remove it; the next backup does so too".to_owned(),
            steps: vec![Step::tell(crate::step::Control::Reload, When::Undoing)],
            after: vec![Step::Purge { path: draft }],
            loses_nothing: true,
        },
    })
}
