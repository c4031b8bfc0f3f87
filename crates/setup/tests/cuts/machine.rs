//! A machine for tests: real files below a scratch directory; users, units and
//! services in one file beside them, so that they outlive a process that is cut
//! off. The store is a file where an index would be.

use concord_base::{ManualClock, Timestamp};
use concord_settings::Root;
use concord_setup::host::{
    Account, Countdown, DirectoryState, Entry, EntryKey, Host, ObjectKey, ObjectState,
    ServiceState, StoreState, System, UnitState, UnitVerb,
};
use concord_setup::{Layout, Result, SetupError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The version of the program in these tests.
pub const VERSION: &str = "1.0.0";

/// What is not files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    pub users: BTreeMap<String, String>,
    pub units: BTreeMap<String, UnitState>,
    /// The records that a running controller has read; none: it does not run.
    pub running: Option<Vec<String>>,
    pub paused: bool,
    pub stamped: bool,
    /// An act that fails.
    #[serde(default)]
    pub refused: String,
}

/// What a store has, as the file says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    pub directory: DirectoryState,
    /// Objects other than connectors and generators.
    pub entries: Vec<Entry>,
    pub renumbered: bool,
}

impl Store {
    fn read(path: &Path) -> Option<Self> {
        Some(serde_json::from_str(&std::fs::read_to_string(path).ok()?).unwrap())
    }

    fn write(&self, path: &Path) {
        std::fs::write(path, serde_json::to_string(self).unwrap()).unwrap();
    }
}

/// Below the top; a backup has it under the same name.
const STORE: &str = "var/concord/data/index.db";

pub struct Machine {
    scratch: tempfile::TempDir,
}

impl Machine {
    pub fn new() -> Self {
        // What is synced survives by the order of the journal's writes, which is looked
        // at here; a disk would only make it slow.
        let memory = Path::new("/dev/shm");
        let scratch = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        std::fs::create_dir_all(scratch.path().join("etc/systemd")).unwrap();
        std::fs::create_dir_all(scratch.path().join("bin")).unwrap();
        std::fs::create_dir_all(scratch.path().join("var")).unwrap();
        std::fs::write(scratch.path().join("program"), "#!the program").unwrap();
        let machine = Self { scratch };
        machine.simulated().write(&Facts::default());
        machine
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    pub fn top(&self) -> &Path {
        self.scratch.path()
    }

    pub fn layout(&self) -> Layout {
        Layout::new(Root::new(&self.path("var/concord")).unwrap())
    }

    fn simulated(&self) -> Simulated {
        Simulated { file: self.path("machine.json"), top: self.top().to_owned() }
    }

    pub fn facts(&self) -> Facts {
        self.simulated().read()
    }

    pub fn change(&self, change: impl FnOnce(&mut Facts)) {
        let mut facts = self.facts();
        change(&mut facts);
        self.simulated().write(&facts);
    }

    pub fn change_store(&self, change: impl FnOnce(&mut Store)) {
        let mut store = Store::read(&self.path(STORE)).unwrap();
        change(&mut store);
        store.write(&self.path(STORE));
    }

    /// Lets an act of the machine fail from now on.
    pub fn refuse(&self, act: &str) {
        self.change(|facts| facts.refused = act.to_owned());
    }

    pub fn host(&self) -> Host {
        let clock = Arc::new(ManualClock::new(Timestamp::from_seconds(1_795_886_100)));
        Host::new(self.layout(), Box::new(self.simulated()), clock)
    }

    pub fn host_with(&self, trip: Arc<Countdown>) -> Host {
        self.host().with_trip(trip)
    }
}

struct Simulated {
    file: PathBuf,
    top: PathBuf,
}

impl Simulated {
    fn read(&self) -> Facts {
        serde_json::from_str(&std::fs::read_to_string(&self.file).unwrap()).unwrap()
    }

    fn write(&self, facts: &Facts) {
        std::fs::write(&self.file, serde_json::to_string(facts).unwrap()).unwrap();
    }

    fn change(&self, act: &str, change: impl FnOnce(&mut Facts)) -> Result<()> {
        let mut facts = self.read();
        if facts.refused == act {
            return Err(SetupError::Service { act: act.to_owned(), cause: "refused".to_owned() });
        }
        change(&mut facts);
        self.write(&facts);
        Ok(())
    }

    fn records(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.top.join("var/concord/services"))
            .map(|all| all.flatten().map(|e| std::fs::read_to_string(e.path()).unwrap()).collect())
            .unwrap_or_default();
        names.sort();
        names
    }
}

impl System for Simulated {
    fn user(&self, name: &str) -> Result<Option<Account>> {
        // Files can only be given to whoever runs the test.
        let own = std::fs::metadata(&self.top).unwrap();
        let account = Account {
            uid: std::os::unix::fs::MetadataExt::uid(&own),
            gid: std::os::unix::fs::MetadataExt::gid(&own),
        };
        Ok((name == "root" || self.read().users.contains_key(name)).then_some(account))
    }
    fn make_user(&self, name: &str, home: &Path) -> Result<()> {
        let home = home.display().to_string();
        self.change("make user", |f| {
            f.users.insert(name.to_owned(), home);
        })
    }
    fn remove_user(&self, name: &str) -> Result<()> {
        self.change("remove user", |f| {
            f.users.remove(name);
        })
    }
    fn has_systemd(&self) -> bool {
        true
    }
    fn unit(&self, name: &str) -> Result<UnitState> {
        Ok(self.read().units.get(name).copied().unwrap_or_default())
    }
    fn act_on_unit(&self, verb: UnitVerb, name: &str) -> Result<()> {
        let records = self.records();
        self.change("unit", |f| {
            let unit = f.units.entry(name.to_owned()).or_default();
            match verb {
                UnitVerb::Reload => {}
                UnitVerb::Enable => unit.enabled = true,
                UnitVerb::Disable => unit.enabled = false,
                UnitVerb::Start => {
                    unit.active = true;
                    f.running = Some(records);
                }
                UnitVerb::Stop => {
                    unit.active = false;
                    f.running = None;
                }
            }
            f.units.retain(|_, unit| unit.enabled || unit.active);
        })
    }
    fn services(&self) -> Result<Option<Vec<ServiceState>>> {
        let state = |record: &String| ServiceState {
            name: record.clone(),
            state: "ready".to_owned(),
            note: None,
            pid: None,
        };
        Ok(self.read().running.map(|all| all.iter().map(state).collect()))
    }
    fn reload(&self) -> Result<()> {
        let records = self.records();
        self.change("reload", |f| {
            if f.running.is_some() {
                f.running = Some(records);
            }
        })
    }
    fn pause(&self) -> Result<()> {
        self.change("pause", |f| f.paused = true)
    }
    fn resume(&self) -> Result<()> {
        self.change("resume", |f| f.paused = false)
    }
    fn replace(&self, _program: &Path, _arguments: &[String]) -> Result<()> {
        let records = self.records();
        self.change("replace", |f| {
            if f.running.is_some() {
                f.running = Some(records);
            }
        })
    }
    fn stop(&self) -> Result<()> {
        self.change("stop", |f| f.running = None)
    }
    fn await_ready(&self, _services: &[String]) -> Result<()> {
        self.change("await", |_| {})
    }
    fn directory(&self) -> Result<Option<DirectoryState>> {
        Ok(self.store().map(|store| store.directory))
    }
    fn store_at(&self, directory: &Path) -> Result<StoreState> {
        let directory = Store::read(&directory.join("index.db")).unwrap().directory;
        Ok(StoreState { directory, messages: 3, deliveries: 1 })
    }
    fn entries(&self) -> Result<Option<Vec<Entry>>> {
        Ok(self.store().map(|store| store.entries))
    }
    fn entries_at(&self, directory: &Path) -> Result<Vec<Entry>> {
        Ok(Store::read(&directory.join("index.db")).unwrap().entries)
    }
    fn put_entries(&self, entries: &[Entry]) -> Result<()> {
        self.must_rest("put entries")?;
        self.with_whole_store("put entries", |store| {
            for entry in entries {
                store.entries.retain(|there| there.key() != entry.key());
                store.entries.push(entry.clone());
            }
            store.entries.sort_by_key(Entry::key);
        })
    }
    fn remove_entries(&self, keys: &[EntryKey]) -> Result<()> {
        self.must_rest("remove entries")?;
        self.with_whole_store("remove entries", |store| {
            store.entries.retain(|there| !keys.contains(&there.key()));
        })
    }
    fn backup_store(&self, to: &Path, _told: &mut dyn FnMut(&str, u64, u64)) -> Result<bool> {
        let Some(store) = self.store() else { return Ok(false) };
        std::fs::create_dir(to).unwrap();
        store.write(&to.join("index.db"));
        Ok(true)
    }
    fn bootstrap(&self, organisation: &str, domain: &str, hostname: &str) -> Result<()> {
        self.with_store("bootstrap", |d| {
            d.organisation = Some(organisation.to_owned());
            d.domains = vec![domain.to_owned()];
            d.servers = vec![hostname.to_owned()];
        })
    }
    fn put_object(&self, object: &ObjectState) -> Result<()> {
        self.with_store("put", |d| {
            remove(d, &object.key());
            match object {
                ObjectState::Connector(c) => d.connectors.push(c.clone()),
                ObjectState::Generator(g) => d.generators.push(g.clone()),
            }
            d.connectors.sort_by(|a, b| a.name.cmp(&b.name));
        })
    }
    fn remove_object(&self, key: &ObjectKey) -> Result<()> {
        self.with_store("take", |d| remove(d, key))
    }
    fn stamp(&self) -> Result<()> {
        self.change("stamp", |f| f.stamped = true)
    }
    fn snapshot_index(&self, to: &Path) -> Result<()> {
        let schema = self.store().and_then(|s| s.directory.schema).unwrap_or_default();
        std::fs::write(to, schema.to_string()).map_err(|cause| SetupError::Io {
            act: "write",
            path: to.to_owned(),
            cause,
        })
    }
    fn check_index(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    fn renumber(&self) -> Result<()> {
        self.must_rest("renumber")?;
        self.with_whole_store("renumber", |store| store.renumbered = true)
    }
    fn put_index_back(&self, from: &Path) -> Result<()> {
        let schema = std::fs::read_to_string(from).unwrap().parse().ok();
        self.with_store("put back", |d| d.schema = schema)
    }
    fn run(&self, _program: &Path, arguments: &[String]) -> Result<String> {
        if arguments.contains(&"migrate".to_owned()) {
            self.with_store("migrate", |d| d.schema = Some(2))?;
        }
        Ok(String::new())
    }
    fn port_holder(&self, _address: std::net::SocketAddr) -> Option<String> {
        None
    }
    fn free_space(&self, _path: &Path) -> Option<u64> {
        Some(1 << 40)
    }
    fn own_program(&self) -> Result<PathBuf> {
        Ok(self.top.join("program"))
    }
}

impl Simulated {
    fn store(&self) -> Option<Store> {
        Store::read(&self.top.join(STORE))
    }

    /// What the engine does by itself cannot be done beside a core.
    fn must_rest(&self, act: &str) -> Result<()> {
        let facts = self.read();
        if facts.running.is_some() && !facts.paused {
            let cause = "the core has the store".to_owned();
            return Err(SetupError::Service { act: act.to_owned(), cause });
        }
        Ok(())
    }

    /// Changes the directory; a store is made if there is none, as the engine does.
    fn with_store(&self, act: &str, change: impl FnOnce(&mut DirectoryState)) -> Result<()> {
        self.with_whole_store(act, |store| change(&mut store.directory))
    }

    fn with_whole_store(&self, act: &str, change: impl FnOnce(&mut Store)) -> Result<()> {
        let path = self.top.join(STORE);
        self.change(act, |_| {
            let mut store = Store::read(&path).unwrap_or_else(|| Store {
                directory: DirectoryState { schema: Some(1), ..DirectoryState::default() },
                ..Store::default()
            });
            change(&mut store);
            store.write(&path);
        })
    }
}

fn remove(directory: &mut DirectoryState, key: &ObjectKey) {
    match key {
        ObjectKey::Connector(name) => directory.connectors.retain(|c| c.name != *name),
        ObjectKey::Generator(name) => directory.generators.retain(|g| g.address_type != *name),
    }
}
