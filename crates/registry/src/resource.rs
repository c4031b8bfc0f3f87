//! What a component can own.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// What a path is for; decides what happens to it when its owner goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Program files; made again from the release.
    Program,
    /// What the administrator wrote.
    Config,
    /// Mail, directory, queue.
    Data,
    /// Private keys; never removed unless asked for by name.
    Keys,
    /// Sockets and locks; worthless once nothing runs.
    Runtime,
    /// Logs.
    Log,
    /// Setup's own: registry, journal, quarantine.
    Setup,
}

impl Class {
    /// Stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Config => "config",
            Self::Data => "data",
            Self::Keys => "keys",
            Self::Runtime => "runtime",
            Self::Log => "log",
            Self::Setup => "setup",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a file comes to its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seed {
    /// Setup writes exactly this; anything else is a difference.
    Exact(String),
    /// Setup writes this if there is no file; from then on it is the
    /// administrator's.
    Once(String),
}

/// Something that exists on the machine because a component is installed.
///
/// Paths below the server's root are relative to it; those outside are absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Resource {
    /// A directory.
    Directory {
        /// Where.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
        /// Whether the service user owns it; else whoever runs Setup.
        service_owned: bool,
        /// Everything in it belongs to it; else each entry needs an owner of its own.
        whole: bool,
        /// What it is for.
        class: Class,
    },
    /// A file that Setup writes.
    File {
        /// Where.
        path: PathBuf,
        /// Permission bits.
        mode: u32,
        /// Whether the service user owns it.
        service_owned: bool,
        /// Its content.
        seed: Seed,
        /// What it is for.
        class: Class,
    },
    /// A symbolic link.
    Link {
        /// Where.
        path: PathBuf,
        /// Where to.
        target: PathBuf,
    },
    /// A tree of program files whose hashes are known.
    Tree {
        /// Where.
        path: PathBuf,
        /// Every file in it, sorted by path.
        files: Vec<TreeFile>,
    },
    /// A user of the operating system that services run as.
    User {
        /// Its name.
        name: String,
        /// Its home, the server's root.
        home: PathBuf,
    },
    /// A unit of systemd.
    Unit {
        /// Its file's name, `concord.service`.
        name: String,
        /// The directory of unit files.
        directory: PathBuf,
        /// The whole file.
        content: String,
    },
    /// A service record: what the controller runs.
    Service {
        /// The service's name; its file is `services/NAME.toml`.
        name: String,
        /// The record, TOML.
        record: String,
    },
    /// A connector object of the directory.
    Connector {
        /// Its name.
        name: String,
    },
    /// An address generator of the directory.
    Generator {
        /// The address type, upper case.
        address_type: String,
        /// Its rule.
        rule: String,
    },
    /// A listening TCP socket's name; its address is a setting.
    Listener {
        /// Its name, unique on the server.
        name: String,
    },
    /// The version of a store's schema.
    Schema {
        /// Which: `index`.
        store: String,
        /// Its version.
        version: i64,
    },
}

/// A file of a [`Resource::Tree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeFile {
    /// Relative to the tree.
    pub path: PathBuf,
    /// Lower-case hex.
    pub sha256: String,
    /// Octets.
    pub size: u64,
    /// Whether it can be run.
    pub executable: bool,
}

impl Resource {
    /// What tells it from every other resource: `kind:name`.
    pub fn key(&self) -> String {
        match self {
            Self::Directory { path, .. }
            | Self::File { path, .. }
            | Self::Link { path, .. }
            | Self::Tree { path, .. } => {
                format!("path:{}", path.display())
            }
            Self::User { name, .. } => format!("user:{name}"),
            Self::Unit { name, .. } => format!("unit:{name}"),
            Self::Service { name, .. } => format!("service:{name}"),
            Self::Connector { name } => format!("connector:{name}"),
            Self::Generator { address_type, .. } => format!("generator:{address_type}"),
            Self::Listener { name } => format!("listener:{name}"),
            Self::Schema { store, .. } => format!("schema:{store}"),
        }
    }

    /// Its path as written, if it has one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Directory { path, .. }
            | Self::File { path, .. }
            | Self::Link { path, .. }
            | Self::Tree { path, .. } => Some(path),
            _ => None,
        }
    }

    /// What its path is for.
    pub fn class(&self) -> Class {
        match self {
            Self::Directory { class, .. } | Self::File { class, .. } => *class,
            Self::Service { .. } | Self::Unit { .. } | Self::Link { .. } | Self::Tree { .. } => {
                Class::Program
            }
            _ => Class::Config,
        }
    }

    /// A few words for people.
    pub fn what(&self) -> String {
        match self {
            Self::Directory { path, .. } if path.as_os_str().is_empty() => "the root".to_owned(),
            Self::Directory { path, .. } => format!("directory {}", path.display()),
            Self::File { path, .. } => format!("file {}", path.display()),
            Self::Link { path, .. } => format!("link {}", path.display()),
            Self::Tree { path, .. } => format!("program files in {}", path.display()),
            Self::User { name, .. } => format!("user {name}"),
            Self::Unit { name, .. } => format!("unit {name}"),
            Self::Service { name, .. } => format!("service {name}"),
            Self::Connector { name } => format!("connector object {name}"),
            Self::Generator { address_type, .. } => format!("address generator {address_type}"),
            Self::Listener { name } => format!("listener {name}"),
            Self::Schema { store, version } => format!("schema {version} of the {store}"),
        }
    }
}
