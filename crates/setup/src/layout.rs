//! Where everything of one server is.

use concord_settings::Root;
use std::path::{Path, PathBuf};

/// The layout of a root as Setup sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: Root,
}

/// Setup's own directory, below the root.
pub const SETUP: &str = "setup";
/// Service records, below the root.
pub const SERVICES: &str = "services";
/// Staged releases, below the root.
pub const RELEASES: &str = "releases";
/// Packages of external connectors, below the root.
pub const CONNECTORS: &str = "connectors";
/// The link to the release that runs, below the root.
pub const CURRENT: &str = "current";

impl Layout {
    /// The layout of a root.
    pub fn new(root: Root) -> Self {
        Self { root }
    }
    /// The root.
    pub fn root(&self) -> &Root {
        &self.root
    }
    /// A path of the registry: relative ones are below the root.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        if path.as_os_str().is_empty() {
            self.root.path().to_owned()
        } else {
            self.root.resolve(path)
        }
    }
    /// Setup's own directory.
    pub fn setup(&self) -> PathBuf {
        self.root.path().join(SETUP)
    }
    /// What a new root is called until Setup's directory is in it, and an old one
    /// once nothing else is; beside the root.
    pub fn draft(&self) -> PathBuf {
        let name = self.root.path().file_name().unwrap_or_default().to_string_lossy();
        self.root.path().with_file_name(format!(".{name}.concord-draft"))
    }
    /// The registry's file.
    pub fn registry(&self) -> PathBuf {
        self.setup().join("registry.db")
    }
    /// The journal of the run that is under way.
    pub fn journal(&self) -> PathBuf {
        self.setup().join("journal")
    }
    /// Journals of runs that ended.
    pub fn history(&self) -> PathBuf {
        self.setup().join("history")
    }
    /// Held while a verb changes something.
    pub fn lock(&self) -> PathBuf {
        self.setup().join("lock")
    }
    /// What is unpacked before a run; worthless without one.
    pub fn staging(&self) -> PathBuf {
        self.setup().join("staging")
    }
    /// What runs need to undo themselves; worthless once they ended.
    pub fn scratch(&self, run: &str) -> PathBuf {
        self.setup().join("undo").join(run)
    }
    /// Where the scratch directories are.
    pub fn scratches(&self) -> PathBuf {
        self.setup().join("undo")
    }
    /// What a run takes away; purged behind its commit.
    pub fn trash(&self) -> PathBuf {
        self.setup().join("trash")
    }
    /// The index as it was before a release migrated it.
    pub fn saved_index(&self, schema: i64) -> PathBuf {
        self.setup().join("before").join(format!("index-{schema}.db"))
    }
    /// What was seen of releases: older ones are refused.
    pub fn seen(&self) -> PathBuf {
        self.setup().join("seen")
    }
    /// Where a release on trial gets a copy of the index; it must be able to
    /// write there.
    pub fn rehearsal(&self) -> PathBuf {
        self.root.data().join("rehearsal")
    }
    /// What was taken out of the way and is kept for the administrator.
    pub fn quarantine(&self) -> PathBuf {
        self.setup().join("quarantine")
    }
    /// The publisher's root of trust for updates.
    pub fn trust_root(&self) -> PathBuf {
        self.root.etc().join("trust/root.json")
    }
    /// Keys of those whose connector packages are taken.
    pub fn trusted_keys(&self) -> PathBuf {
        self.root.etc().join("trust/packages")
    }
    /// The directory of releases.
    pub fn releases(&self) -> PathBuf {
        self.root.path().join(RELEASES)
    }
    /// A staged release.
    pub fn release(&self, version: &str) -> PathBuf {
        self.releases().join(version)
    }
    /// The link to the release that runs.
    pub fn current(&self) -> PathBuf {
        self.root.path().join(CURRENT)
    }
    /// The directory of service records.
    pub fn services(&self) -> PathBuf {
        self.root.path().join(SERVICES)
    }
    /// A service's record.
    pub fn record(&self, service: &str) -> PathBuf {
        self.services().join(format!("{service}.toml"))
    }
    /// The directory of packages.
    pub fn connectors(&self) -> PathBuf {
        self.root.path().join(CONNECTORS)
    }
    /// The unpacked package of an external connector.
    pub fn connector(&self, name: &str, version: &str) -> PathBuf {
        self.connectors().join(name).join(version)
    }
    /// While it exists services take nothing in.
    pub fn hold(&self) -> PathBuf {
        self.root.run().join("hold")
    }
}
