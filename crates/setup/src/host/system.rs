//! What Setup needs of the machine besides files.

use super::{Entry, EntryKey};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// A user of the operating system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
}

/// A unit as systemd sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnitState {
    /// It starts with the machine.
    pub enabled: bool,
    /// It runs.
    pub active: bool,
}

/// What to do with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitVerb {
    /// Read unit files again.
    Reload,
    /// Start with the machine.
    Enable,
    /// Do not.
    Disable,
    /// Start now; returns when it is ready.
    Start,
    /// Stop now; returns when it has stopped.
    Stop,
}

/// A connector object of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectorObject {
    /// Its name, which is also its service's.
    pub name: String,
    /// The component that serves it.
    pub component: String,
    /// Whether it takes messages.
    pub enabled: bool,
    /// As the admin API writes them.
    pub address_spaces: Vec<serde_json::Value>,
    /// Its settings.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// An address generator of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorObject {
    /// The address type, upper case.
    pub address_type: String,
    /// The component that it belongs to.
    pub component: String,
    /// Its rule.
    pub rule: String,
}

/// Which object of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", content = "name", rename_all = "kebab-case")]
pub enum ObjectKey {
    /// A connector by name.
    Connector(String),
    /// A generator by address type.
    Generator(String),
}

/// An object of the directory that Setup looks after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "object", rename_all = "kebab-case")]
pub enum ObjectState {
    /// A connector.
    Connector(ConnectorObject),
    /// A generator.
    Generator(GeneratorObject),
}

impl ObjectState {
    /// Which it is.
    pub fn key(&self) -> ObjectKey {
        match self {
            Self::Connector(c) => ObjectKey::Connector(c.name.clone()),
            Self::Generator(g) => ObjectKey::Generator(g.address_type.clone()),
        }
    }
}

/// What the directory and the store say, as far as Setup compares it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DirectoryState {
    /// The id of the message log.
    pub lineage: Option<Uuid>,
    /// The schema of the index.
    pub schema: Option<i64>,
    /// What of the message log is gone that the index has seen.
    pub lost_end: Option<String>,
    /// The organisation, if there is one.
    pub organisation: Option<String>,
    /// Server objects.
    pub servers: Vec<String>,
    /// Mail domains.
    pub domains: Vec<String>,
    /// Connector objects.
    pub connectors: Vec<ConnectorObject>,
    /// Generators.
    pub generators: Vec<GeneratorObject>,
    /// How many mailboxes there are.
    pub mailboxes: u64,
    /// Mailboxes that lack an address of a generator's type, by type.
    pub without_address: Vec<(String, u64)>,
}

impl DirectoryState {
    /// An object that Setup looks after.
    pub fn object(&self, key: &ObjectKey) -> Option<ObjectState> {
        match key {
            ObjectKey::Connector(name) => self
                .connectors
                .iter()
                .find(|c| c.name == *name)
                .cloned()
                .map(ObjectState::Connector),
            ObjectKey::Generator(name) => self
                .generators
                .iter()
                .find(|g| g.address_type == *name)
                .cloned()
                .map(ObjectState::Generator),
        }
    }
}

/// What a store says that is not this server's, a backup's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StoreState {
    /// Its directory.
    pub directory: DirectoryState,
    /// Messages with a body, each once.
    pub messages: u64,
    /// Deliveries that are still to be made.
    pub deliveries: u64,
}

/// A service as the controller sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceState {
    /// Its name.
    pub name: String,
    /// `ready`, `failed`, ...
    pub state: String,
    /// Why, if it is known.
    pub note: Option<String>,
    /// Its process, if there is one.
    pub pid: Option<i32>,
}

/// Users, units, services and directory. Implementations block; each call is
/// one effect, idempotent unless it says otherwise.
pub trait System: Send + Sync {
    /// The user of this name.
    fn user(&self, name: &str) -> Result<Option<Account>>;
    /// Makes a system user; one that is there stays as it is.
    fn make_user(&self, name: &str, home: &Path) -> Result<()>;
    /// Removes a user; nobody of that name is fine.
    fn remove_user(&self, name: &str) -> Result<()>;

    /// Whether systemd manages this machine.
    fn has_systemd(&self) -> bool;
    /// What systemd says of a unit.
    fn unit(&self, name: &str) -> Result<UnitState>;
    /// Does something with a unit.
    fn act_on_unit(&self, verb: UnitVerb, name: &str) -> Result<()>;

    /// What the controller runs; `None` if no controller runs.
    fn services(&self) -> Result<Option<Vec<ServiceState>>>;
    /// Lets the controller read the service records again. No controller is fine.
    fn reload(&self) -> Result<()>;
    /// Stops every service but keeps the sockets. No controller is fine.
    fn pause(&self) -> Result<()>;
    /// Starts them again. No controller is fine.
    fn resume(&self) -> Result<()>;
    /// Lets the paused controller become another program. No controller is fine.
    fn replace(&self, program: &Path, arguments: &[String]) -> Result<()>;
    /// Stops the controller and every service, and waits for it.
    fn stop(&self) -> Result<()>;
    /// Waits until no service of these changes its state; an error names those
    /// that are not ready. No controller is fine.
    fn await_ready(&self, services: &[String]) -> Result<()>;

    /// What directory and store say; `None` if there is no store yet.
    fn directory(&self) -> Result<Option<DirectoryState>>;
    /// Begins a directory; what is there stays. An organisation of another name is
    /// an error.
    fn bootstrap(&self, organisation: &str, domain: &str, hostname: &str) -> Result<()>;
    /// Adds or changes an object.
    fn put_object(&self, object: &ObjectState) -> Result<()>;
    /// Removes an object; none is fine.
    fn remove_object(&self, key: &ObjectKey) -> Result<()>;
    /// What a store in another directory says; changes nothing.
    fn store_at(&self, directory: &Path) -> Result<StoreState>;
    /// Whole objects of this server's directory; `None` if there is no store. An
    /// error if it is not known what is in it.
    fn entries(&self) -> Result<Option<Vec<Entry>>>;
    /// Whole objects of a store in another directory; changes nothing.
    fn entries_at(&self, directory: &Path) -> Result<Vec<Entry>>;
    /// Adds objects, or makes those that are there as they are given; nothing may
    /// run. Members that are not there are left out.
    fn put_entries(&self, entries: &[Entry]) -> Result<()>;
    /// Removes objects, mailboxes with what is in them; none is fine; nothing may
    /// run.
    fn remove_entries(&self, keys: &[EntryKey]) -> Result<()>;
    /// Gives mailboxes their missing addresses of registered types.
    fn stamp(&self) -> Result<()>;

    /// Copies the index, beside a running core too.
    fn snapshot_index(&self, to: &Path) -> Result<()>;
    /// All of index, log and bodies read, beside a running core too; what does
    /// not fit, bounded.
    fn check_index(&self) -> Result<Vec<String>>;
    /// Gives every folder a new UIDVALIDITY; nothing may run.
    fn renumber(&self) -> Result<()>;
    /// Puts a copied index in the place of the index; nothing may run.
    fn put_index_back(&self, from: &Path) -> Result<()>;
    /// Copies the store to the new directory `to` below the data directory,
    /// beside a running core too; files that do not change any more may be
    /// links. `told` hears what is copied, how much of it is done, and of how
    /// much. `false` if there is no store.
    fn backup_store(&self, to: &Path, told: &mut dyn FnMut(&str, u64, u64)) -> Result<bool>;
    /// Runs a program of Concord's to its end; an error carries its words.
    fn run(&self, program: &Path, arguments: &[String]) -> Result<String>;

    /// The processes that hold a TCP address, as text; `None` if it is free.
    fn port_holder(&self, address: std::net::SocketAddr) -> Option<String>;
    /// Octets free where a path is or will be.
    fn free_space(&self, path: &Path) -> Option<u64>;
    /// The path of the program that runs now.
    fn own_program(&self) -> Result<PathBuf>;
}
