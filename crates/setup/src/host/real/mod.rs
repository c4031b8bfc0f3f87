//! The machine that Setup really runs on: Debian's user commands, systemd, the
//! controller's and the core's own interfaces, the engine where no core runs.

mod backup;
mod directory;
mod entries;
mod offline;
mod online;
mod services;
mod systemd;
mod users;

use super::{
    Account, DirectoryState, Entry, EntryKey, ObjectKey, ObjectState, ServiceState, StoreState,
    System, UnitState, UnitVerb,
};
use crate::error::{Result, SetupError};
use concord_controller::{ControlClient, JsonClient};
use concord_settings::Root;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The machine, seen from one root.
pub struct RealSystem {
    root: Root,
    /// The user that services run as, once it is known.
    user: Mutex<Option<String>>,
}

impl RealSystem {
    /// The machine, seen from `root`, with services of `user`.
    pub fn new(root: Root, user: Option<String>) -> Self {
        Self { root, user: Mutex::new(user) }
    }

    /// From now on services run as this user.
    pub fn set_user(&self, user: Option<String>) {
        *self.user.lock().unwrap_or_else(PoisonError::into_inner) = user;
    }

    fn user_name(&self) -> Option<String> {
        self.user.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The services' user, if it exists and we may act for it.
    fn account(&self) -> Result<Option<Account>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        match self.user_name() {
            Some(name) => users::find(&name),
            None => Ok(None),
        }
    }

    fn control(&self) -> ControlClient {
        ControlClient::new(&self.root.controller_socket())
    }

    fn admin(&self) -> JsonClient {
        JsonClient::of_service("core", self.root.admin_socket(), self.root.controller_socket())
    }
}

/// A conversation with an API to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|cause| SetupError::invalid("start a runtime", cause))?;
    Ok(runtime.block_on(work))
}

/// Runs a program to its end; anything but exit code 0 is an error with its words.
fn command(act: &str, command: &mut Command) -> Result<String> {
    let line = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ");
    let fail =
        |how: String| SetupError::Command { act: act.to_owned(), command: line.clone(), how };
    let done = command
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|cause| fail(format!("cannot be started: {cause}")))?;
    let words = |octets: &[u8]| String::from_utf8_lossy(octets).trim().to_owned();
    if done.status.success() {
        return Ok(words(&done.stdout));
    }
    let said = [words(&done.stderr), words(&done.stdout)].join(" ");
    Err(fail(format!("ended with {} and said: {}", done.status, said.trim())))
}

impl System for RealSystem {
    fn user(&self, name: &str) -> Result<Option<Account>> {
        users::find(name)
    }
    fn make_user(&self, name: &str, home: &Path) -> Result<()> {
        users::make(name, home)
    }
    fn remove_user(&self, name: &str) -> Result<()> {
        users::remove(name)
    }

    fn has_systemd(&self) -> bool {
        systemd::runs()
    }
    fn unit(&self, name: &str) -> Result<UnitState> {
        Ok(systemd::state(name))
    }
    fn act_on_unit(&self, verb: UnitVerb, name: &str) -> Result<()> {
        systemd::act(verb, name)
    }

    fn services(&self) -> Result<Option<Vec<ServiceState>>> {
        services::list(&self.control())
    }
    fn reload(&self) -> Result<()> {
        services::reload(&self.control())
    }
    fn pause(&self) -> Result<()> {
        services::pause(&self.control())
    }
    fn resume(&self) -> Result<()> {
        services::resume(&self.control())
    }
    fn replace(&self, program: &Path, arguments: &[String]) -> Result<()> {
        services::replace(&self.control(), program, arguments)
    }
    fn stop(&self) -> Result<()> {
        services::stop(&self.control())
    }
    fn await_ready(&self, services: &[String]) -> Result<()> {
        services::await_ready(&self.control(), services)
    }

    fn directory(&self) -> Result<Option<DirectoryState>> {
        directory::state(self)
    }
    fn bootstrap(&self, organisation: &str, domain: &str, hostname: &str) -> Result<()> {
        offline::bootstrap(self, organisation, domain, hostname)
    }
    fn put_object(&self, object: &ObjectState) -> Result<()> {
        if online::put(self, object)? { Ok(()) } else { offline::put(self, object) }
    }
    fn remove_object(&self, key: &ObjectKey) -> Result<()> {
        if online::remove(self, key)? { Ok(()) } else { offline::remove(self, key) }
    }
    fn store_at(&self, directory: &Path) -> Result<StoreState> {
        entries::state_at(directory)
    }
    fn entries(&self) -> Result<Option<Vec<Entry>>> {
        entries::list(self)
    }
    fn entries_at(&self, directory: &Path) -> Result<Vec<Entry>> {
        entries::list_at(directory)
    }
    fn put_entries(&self, entries: &[Entry]) -> Result<()> {
        entries::put(self, entries)
    }
    fn remove_entries(&self, keys: &[EntryKey]) -> Result<()> {
        entries::remove(self, keys)
    }
    fn stamp(&self) -> Result<()> {
        online::stamp(self)
    }

    fn snapshot_index(&self, to: &Path) -> Result<()> {
        offline::snapshot_index(self, to)
    }
    fn check_index(&self) -> Result<Vec<String>> {
        offline::check_index(self)
    }
    fn renumber(&self) -> Result<()> {
        offline::renumber(self)
    }
    fn put_index_back(&self, from: &Path) -> Result<()> {
        offline::put_index_back(self, from)
    }
    fn backup_store(&self, to: &Path, told: &mut dyn FnMut(&str, u64, u64)) -> Result<bool> {
        backup::store(self, to, told)
    }
    fn run(&self, program: &Path, arguments: &[String]) -> Result<String> {
        let mut child = Command::new(program);
        child.args(arguments);
        if let Some(account) = self.account()? {
            use std::os::unix::process::CommandExt;
            // What it writes belongs to the services.
            child.uid(account.uid).gid(account.gid);
        }
        command("run the program", &mut child)
    }

    fn port_holder(&self, address: SocketAddr) -> Option<String> {
        let taken = std::net::TcpListener::bind(address)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse);
        if !taken {
            return None;
        }
        let holders = concord_controller::port_holders(address);
        if holders.is_empty() {
            return Some("a process of another user".to_owned());
        }
        let names = holders.iter().map(|h| format!("{} (pid {}, user {})", h.name, h.pid, h.user));
        Some(names.collect::<Vec<_>>().join(", "))
    }
    fn free_space(&self, path: &Path) -> Option<u64> {
        let found = rustix::fs::statvfs(crate::probe::existing(path)).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }
    fn own_program(&self) -> Result<PathBuf> {
        std::env::current_exe().map_err(|cause| SetupError::Io {
            act: "find",
            path: PathBuf::from("/proc/self/exe"),
            cause,
        })
    }
}
