//! Steps that put files into their places, and what was there into quarantine.

use super::{settings, staged};
use crate::backup::{Backup, FileEntry, OTHER_KEYS, Part};
use crate::error::Result;
use crate::hash::{sha256, sha256_of};
use crate::host::Host;
use crate::plan::Plan;
use crate::step::Step;
use crate::survey::entries;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Below the data directory and not of the store: keys are a part of their own,
/// a draft of a backup is worthless.
const NOT_STORE: [&str; 3] = ["tls", "keys", "backup-draft"];

/// Puts files into their places.
pub(super) struct Places<'a> {
    pub host: &'a Host,
    pub backup: &'a Backup,
    /// The user that services run as.
    pub owner: Option<String>,
    /// Where this recovery puts what was there.
    pub quarantine: PathBuf,
    /// Directories that a step before makes, and those that are there.
    made: BTreeSet<PathBuf>,
}

impl<'a> Places<'a> {
    pub fn new(host: &'a Host, backup: &'a Backup, owner: Option<String>) -> Self {
        let stamp = crate::verb::remove_all::stamp(host.now());
        let quarantine = host.layout.quarantine().join(format!("recover-{stamp}"));
        let quarantine = crate::doctor::free(quarantine);
        Self { host, backup, owner, quarantine, made: BTreeSet::new() }
    }

    /// Makes a directory, with those above it, by steps of their own: an undone
    /// run leaves no empty ones.
    fn directory(&mut self, path: &Path, owner: Option<&String>, plan: &mut Plan) {
        if path.exists() || self.made.contains(path) {
            return;
        }
        if let Some(above) = path.parent() {
            self.directory(above, owner, plan);
        }
        plan.step(Step::make_directory(path, 0o700, owner.cloned()));
        self.made.insert(path.to_owned());
    }

    /// A step before makes it.
    pub fn is_made(&mut self, path: PathBuf) {
        self.made.insert(path);
    }

    /// Where something of the root goes in quarantine.
    fn kept(&self, path: &Path) -> PathBuf {
        let root = self.host.layout.root().path();
        self.quarantine.join(path.strip_prefix(root).unwrap_or(path))
    }

    fn put_aside(&mut self, path: &Path, plan: &mut Plan) {
        let to = self.kept(path);
        if let Some(above) = to.parent() {
            self.directory(above, None, plan);
        }
        plan.step(Step::Move { from: path.to_owned(), to });
    }

    /// The whole store: what is there goes into quarantine entry by entry, since
    /// the data directory itself may be a volume.
    pub fn store(&mut self, plan: &mut Plan) {
        let data = self.host.layout.root().data();
        let here: Vec<PathBuf> = entries(&data)
            .into_iter()
            .filter(|path| {
                let name = path.file_name().unwrap_or_default();
                !NOT_STORE.iter().any(|other| *other == name)
            })
            .collect();
        let manifest = &self.backup.manifest;
        let why = format!(
            "{} mailboxes and {} messages of {}",
            manifest.counts.mailboxes, manifest.counts.messages, manifest.stamp
        );
        let what = format!("store in {}", data.display());
        plan.change(if here.is_empty() { "make" } else { "replace" }, what, why);
        if !here.is_empty() {
            let kept = self.kept(&data);
            plan.change(
                "keep",
                "store that is there now".to_owned(),
                format!("it is moved to {}", kept.display()),
            );
        }
        for path in here {
            self.put_aside(&path, plan);
        }
        // Indexes to go back to with an older release are of the old store too.
        let saved = self.host.layout.setup().join("before");
        if saved.exists() {
            self.put_aside(&saved, plan);
        }
        let place = Path::new(Part::Store.place());
        let names: BTreeSet<PathBuf> = self
            .backup
            .files_in(Part::Store.place())
            .filter_map(|file| first(file.path.strip_prefix(place).ok()?))
            .collect();
        for name in names {
            let from = staged(self.host).join(place).join(&name);
            plan.step(Step::Move { from, to: data.join(name) });
        }
        if let Some(owner) = self.owner.clone() {
            plan.step(Step::SetAccess { path: data, mode: 0o700, owner: Some(owner), whole: true });
        }
    }

    /// The files of a part, each that is another one here.
    pub fn part(
        &mut self,
        part: Part,
        top: &Path,
        settings_text: Option<&str>,
        plan: &mut Plan,
    ) -> Result<()> {
        self.tree(part.place(), top, settings_text, plan)
    }

    /// The keys: those of TLS, and the others, which stand below them.
    pub fn keys(&mut self, plan: &mut Plan) -> Result<()> {
        let (tls, keys) = {
            let root = self.host.layout.root();
            (root.tls(), root.keys())
        };
        self.tree(Part::Keys.place(), &tls, None, plan)?;
        self.tree(OTHER_KEYS, &keys, None, plan)
    }

    fn tree(
        &mut self,
        place: &str,
        top: &Path,
        settings_text: Option<&str>,
        plan: &mut Plan,
    ) -> Result<()> {
        let files: Vec<FileEntry> = self.backup.files_in(place).cloned().collect();
        for file in files {
            if place != OTHER_KEYS && file.path.starts_with(OTHER_KEYS) {
                continue;
            }
            let Ok(inside) = file.path.strip_prefix(place) else { continue };
            let to = top.join(inside);
            let text = settings_text.filter(|_| file.path == Path::new(settings::FILE));
            let wanted = text.map_or(file.sha256.clone(), |text| sha256(text.as_bytes()));
            let there = std::fs::symlink_metadata(&to).is_ok();
            if there && to.is_file() && sha256_of(&to)? == wanted {
                continue;
            }
            let why = if there {
                format!("it is another one; that one is moved to {}", self.kept(&to).display())
            } else {
                "it is not there".to_owned()
            };
            plan.change(if there { "replace" } else { "make" }, to.display().to_string(), why);
            if there {
                self.put_aside(&to, plan);
            }
            let owner = self.owner.clone();
            if let Some(above) = to.parent() {
                self.directory(above, owner.as_ref(), plan);
            }
            plan.step(Step::Move { from: staged(self.host).join(&file.path), to: to.clone() });
            if owner.is_some() {
                plan.step(Step::SetAccess { path: to, mode: file.mode, owner, whole: false });
            }
        }
        Ok(())
    }
}

/// A path's first part.
fn first(path: &Path) -> Option<PathBuf> {
    match path.components().next()? {
        Component::Normal(name) => Some(PathBuf::from(name)),
        _ => None,
    }
}
