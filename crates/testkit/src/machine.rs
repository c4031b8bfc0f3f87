//! A machine of its own: Debian with systemd in a container, started by
//! systemd-nspawn(1) from a copy of a tree that debootstrap(8) made once.
//!
//! Needs root. The container has no network but its own loopback; [`Machine::inside`]
//! lets a test connect to what listens there.

use crate::command::{Finished, run, run_with_input, tool};
use crate::log::Log;
use crate::process;
use crate::trouble::{Result, trouble};
use crate::wait::wait_for;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A tree is fetched over the network.
const MAKE_LIMIT: Duration = Duration::from_secs(600);
/// A container boots in a second; a busy machine gets patience.
const BOOT_LIMIT: Duration = Duration::from_secs(90);
/// No command of a test takes longer.
const COMMAND_LIMIT: Duration = Duration::from_secs(180);
/// Besides what every Debian has.
const PACKAGES: &str = "--include=systemd,systemd-sysv,dbus,libgcc-s1";
/// Where an administrator's shell looks.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Makes the tree if it is not there yet: `debian-tree` in the build directory.
///
/// # Errors
/// debootstrap failed.
pub fn debian_tree() -> Result<PathBuf> {
    let tree = build_directory()?.join("debian-tree");
    let lock = File::create(tree.with_extension("lock"))?;
    lock.lock()?;
    if tree.is_dir() {
        return Ok(tree);
    }
    let draft = tree.with_extension("draft");
    if draft.exists() {
        std::fs::remove_dir_all(&draft)?;
    }
    let mut make = Command::new("debootstrap");
    make.args(["--variant=minbase", PACKAGES, &suite()?]).arg(&draft);
    run(&mut make, MAKE_LIMIT)?.ok()?;
    // A test copies all of it, and fetches nothing.
    for worthless in ["var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/locale"] {
        let _ = std::fs::remove_dir_all(draft.join(worthless));
    }
    std::fs::rename(&draft, &tree)?;
    Ok(tree)
}

/// The directory that cargo builds in, which it marks.
fn build_directory() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let marked = own.ancestors().find(|directory| directory.join("CACHEDIR.TAG").is_file());
    marked.map(Path::to_owned).ok_or_else(|| trouble("this test is in no build directory"))
}

/// The same Debian as here: a program that was linked here must run there.
fn suite() -> Result<String> {
    let told = std::fs::read_to_string("/etc/os-release")?;
    let name = told.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let name = name.ok_or_else(|| trouble("/etc/os-release names no release of Debian"))?;
    Ok(name.trim_matches('"').to_owned())
}

/// A machine. Dropping it ends everything that runs on it and removes it.
#[derive(Debug)]
pub struct Machine {
    /// Containers that are started without a session manager share its place in
    /// the hierarchy of control groups: there is one at a time.
    _only: File,
    _scratch: tempfile::TempDir,
    tree: PathBuf,
    container: Option<Child>,
    /// Its first process, as seen from here.
    init: u32,
    log: Log,
}

impl Machine {
    /// What is missing for machines; nothing if they are possible.
    pub fn missing() -> Option<String> {
        if !rustix::process::geteuid().is_root() {
            return Some("only root can start containers".to_owned());
        }
        let wanted = ["debootstrap", "systemd-nspawn", "nsenter", "setpriv"];
        let missing = wanted.iter().find(|name| tool(name).is_none())?;
        Some(format!("{missing} is not installed"))
    }

    /// A machine that is switched off.
    ///
    /// # Errors
    /// There is no tree to copy.
    pub fn new() -> Result<Self> {
        let only = File::create(std::env::temp_dir().join("concord-test-machine.lock"))?;
        only.lock()?;
        let template = debian_tree()?;
        let above = template.parent().unwrap_or(&template);
        remove_old(above)?;
        let scratch = tempfile::Builder::new().prefix("machine-").tempdir_in(above)?;
        let tree = scratch.path().join("concord-test");
        let mut copy = Command::new("cp");
        copy.args(["--archive", "--reflink=auto"]).arg(&template).arg(&tree);
        run(&mut copy, COMMAND_LIMIT)?.ok()?;
        Ok(Self {
            _only: only,
            _scratch: scratch,
            tree,
            container: None,
            init: 0,
            log: Log::default(),
        })
    }

    /// A path of the machine as seen from here.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.tree.join(inside.trim_start_matches('/'))
    }

    fn nspawn(&self) -> Command {
        // Whatever becomes of the test, the container ends with it.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "systemd-nspawn", "--quiet", "--register=no"]);
        command.args(["--keep-unit", "--private-network", "--link-journal=no"]);
        command.args(["--resolv-conf=off", "--timezone=off", "--directory"]).arg(&self.tree);
        command
    }

    /// Switches it on and waits until systemd has started everything.
    ///
    /// # Errors
    /// It does not boot.
    pub fn boot(&mut self) -> Result<()> {
        self.log = Log::default();
        let mut start = self.nspawn();
        start.arg("--boot").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = start.spawn()?;
        if let Some(stdout) = child.stdout.take() {
            self.log.follow(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            self.log.follow(stderr);
        }
        let pid = child.id();
        self.container = Some(child);
        wait_for("the machine to boot", BOOT_LIMIT, || {
            let Some(init) = process::descendants(pid).into_iter().find(|pid| is_init(*pid)) else {
                return self.alive().map(|()| None);
            };
            self.init = init;
            self.alive()?;
            let asked = self.run(&["systemctl", "is-system-running"])?.stdout;
            Ok(matches!(asked.trim(), "running" | "degraded").then_some(()))
        })
        .map_err(|e| trouble(format!("{}\n{}", e.text(), self.log.tail(30))))
    }

    fn alive(&mut self) -> Result<()> {
        match self.container.as_mut().map(Child::try_wait).transpose()?.flatten() {
            Some(status) => {
                Err(trouble(format!("the machine ended with {status}\n{}", self.log.tail(30))))
            }
            None => Ok(()),
        }
    }

    /// Switches it off in order.
    ///
    /// # Errors
    /// It goes on.
    pub fn shut_down(&mut self) -> Result<()> {
        // The answer may be cut off by what it asks for.
        let _ = self.run(&["systemctl", "--no-block", "poweroff"]);
        if let Some(child) = self.container.as_mut() {
            wait_for("the machine to go off", BOOT_LIMIT, || Ok(child.try_wait()?))?;
        }
        self.container = None;
        Ok(())
    }

    /// Pulls the plug.
    ///
    /// # Errors
    /// Something survives.
    pub fn cut_power(&mut self) -> Result<()> {
        let Some(mut child) = self.container.take() else { return Ok(()) };
        let everything = process::descendants(child.id());
        for pid in &everything {
            process::kill(*pid)?;
        }
        child.wait()?;
        wait_for("the machine to be dead", BOOT_LIMIT, || {
            Ok((!everything.iter().any(|pid| process::exists(*pid))).then_some(()))
        })
    }

    /// A command on the machine. One that is switched off is entered for it,
    /// and then has no systemd.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = if self.container.is_some() {
            let mut enter = Command::new("nsenter");
            enter.args(["--target", &self.init.to_string(), "--all", "--"]);
            enter.env_clear();
            enter
        } else {
            let mut enter = self.nspawn();
            enter.args(["--pipe", "--"]);
            enter
        };
        command.args(words).env("PATH", PATH).env("LANG", "C.UTF-8").env("HOME", "/root");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// It could not be started, or did not end.
    pub fn run(&self, words: &[&str]) -> Result<Finished> {
        run(&mut self.command(words), COMMAND_LIMIT)
    }

    /// Runs a command that must end with exit code 0; gives back what it printed.
    ///
    /// # Errors
    /// Another exit code.
    #[track_caller]
    pub fn ok(&self, words: &[&str]) -> Result<String> {
        self.ok_with(words, "")
    }

    /// The same with text for its standard input.
    ///
    /// # Errors
    /// As [`Machine::ok`].
    #[track_caller]
    pub fn ok_with(&self, words: &[&str], input: &str) -> Result<String> {
        let done = run_with_input(&mut self.command(words), input.as_bytes(), COMMAND_LIMIT)?;
        if done.code == Some(0) {
            return Ok(done.stdout);
        }
        let line = words.join(" ");
        let (out, err) = (done.stdout, done.stderr);
        Err(trouble(format!("'{line}' ended with {:?}\n{out}{err}", done.code)))
    }

    /// Runs a command that must end with another exit code; gives back what it
    /// printed and complained.
    ///
    /// # Errors
    /// Another exit code than `code`.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) -> Result<String> {
        let done = self.run(words)?;
        let said = format!("{}{}", done.stdout, done.stderr);
        if done.code == Some(code) {
            return Ok(said);
        }
        let line = words.join(" ");
        Err(trouble(format!("'{line}' ended with {:?}, not {code}\n{said}", done.code)))
    }

    /// Does something with the machine's network; sockets that it opens keep it.
    ///
    /// # Errors
    /// The machine is switched off, or `act` failed.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let network = File::open(format!("/proc/{}/ns/net", self.init))?;
        // A thread of its own: this one stays where it is.
        std::thread::scope(|scope| {
            let enter = move || {
                move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))?;
                act()
            };
            scope.spawn(enter).join().map_err(|_| trouble("the visitor panicked"))?
        })
    }
}

/// Machines of tests that were killed: there is one at a time, and it is ours.
fn remove_old(directory: &Path) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("machine-")) {
            std::fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

/// Whether a process is the first one of a container in ours.
fn is_init(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    line.is_some_and(|ids| {
        let ids: Vec<&str> = ids.split_whitespace().collect();
        ids.len() > 1 && ids.last() == Some(&"1")
    })
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the machine printed:\n{}", self.log.tail(30));
        }
        let _ = self.cut_power();
    }
}
