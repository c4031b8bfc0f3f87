//! The real executable on a scratch root.

use crate::config::Config;
use crate::imap::Imap;
use crate::log::Log;
use crate::ports::Ports;
use crate::process;
use crate::smtp::Smtp;
use crate::trouble::{Result, trouble};
use crate::wait::{wait_for, wait_until};
use std::ffi::OsString;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A debug build replays and listens well within this, also on a busy machine.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// The last line of `concord up` when everything runs.
const WELCOME: &str = "Ctrl-C stops.";
/// Stopping drains sessions; more is a defect.
const STOP_LIMIT: Duration = Duration::from_secs(45);

/// The `concord` that is tested: `$CONCORD_BIN`, or the one that was built
/// beside this test.
///
/// # Errors
/// There is none.
pub fn executable() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("CONCORD_BIN") {
        return Ok(PathBuf::from(named));
    }
    let own = std::env::current_exe()?;
    own.ancestors()
        .skip(1)
        .take(3)
        .map(|dir| dir.join("concord"))
        .find(|file| file.is_file())
        .ok_or_else(|| trouble("no concord executable; run 'cargo build -p concord' first"))
}

/// How a server is to be started.
#[derive(Debug)]
pub struct ConcordBuilder {
    binary: PathBuf,
    root: Option<PathBuf>,
    scratch_in: Option<PathBuf>,
    environment: Vec<(OsString, OsString)>,
    ports: Ports,
    config: Config,
}

/// A server under test. Dropping it kills everything it started.
#[derive(Debug)]
pub struct Concord {
    binary: PathBuf,
    root: PathBuf,
    _scratch: Option<tempfile::TempDir>,
    environment: Vec<(OsString, OsString)>,
    mark: String,
    _ports: Ports,
    config: Config,
    child: Option<Child>,
    log: Log,
}

impl ConcordBuilder {
    /// Another executable than [`executable`].
    #[must_use]
    pub fn binary(mut self, binary: impl Into<PathBuf>) -> Self {
        self.binary = binary.into();
        self
    }

    /// Uses this root and leaves it behind, instead of a scratch one.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// Makes the scratch root in this directory.
    #[must_use]
    pub fn scratch_in(mut self, directory: impl Into<PathBuf>) -> Self {
        self.scratch_in = Some(directory.into());
        self
    }

    /// Adds an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Changes the configuration.
    #[must_use]
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// Writes the configuration and starts nothing yet.
    ///
    /// # Errors
    /// The root cannot be made.
    pub fn prepare(self) -> Result<Concord> {
        let (root, scratch) = match self.root {
            Some(root) => (root, None),
            None => {
                let mut builder = tempfile::Builder::new();
                builder.prefix("concord-");
                let scratch = match &self.scratch_in {
                    Some(directory) => builder.tempdir_in(directory)?,
                    None => builder.tempdir()?,
                };
                (scratch.path().join("root"), Some(scratch))
            }
        };
        std::fs::create_dir_all(root.join("etc"))?;
        let server = Concord {
            binary: self.binary,
            mark: root.display().to_string(),
            root,
            _scratch: scratch,
            environment: self.environment,
            _ports: self.ports,
            config: self.config,
            child: None,
            log: Log::default(),
        };
        server.write_config()?;
        Ok(server)
    }

    /// Starts the server and waits until it is ready.
    ///
    /// # Errors
    /// It did not become ready; the text has what it printed.
    pub fn start(self) -> Result<Concord> {
        let mut server = self.prepare()?;
        server.up()?;
        Ok(server)
    }
}

impl Concord {
    /// Plans a server: a scratch root, demo organisation, ports of its own.
    ///
    /// # Errors
    /// No executable or no free ports.
    pub fn builder() -> Result<ConcordBuilder> {
        let ports = Ports::take()?;
        let config = Config::demo(&ports)?;
        Ok(ConcordBuilder {
            binary: executable()?,
            root: None,
            scratch_in: None,
            environment: Vec::new(),
            ports,
            config,
        })
    }

    /// Starts a server with some settings changed.
    ///
    /// # Errors
    /// As [`ConcordBuilder::start`].
    pub fn start(change: impl FnOnce(&mut Config)) -> Result<Self> {
        Self::builder()?.config(change).start()
    }

    fn write_config(&self) -> Result<()> {
        std::fs::write(self.root.join("etc/concord.toml"), self.config.to_toml())?;
        Ok(())
    }

    /// Changes the configuration file; the next start reads it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn reconfigure(&mut self, change: impl FnOnce(&mut Config)) -> Result<()> {
        change(&mut self.config);
        self.write_config()
    }

    /// Replaces the environment variables of the next start.
    pub fn set_env(&mut self, variables: &[(&str, &str)]) {
        self.environment = variables.iter().map(|(n, v)| (n.into(), v.into())).collect();
    }

    /// Starts `concord up --demo` without waiting.
    ///
    /// # Errors
    /// It could not be started.
    pub fn spawn(&mut self) -> Result<()> {
        self.log = Log::default();
        let mut child = Command::new(&self.binary)
            .args(["up", "--demo", "--root"])
            .arg(&self.root)
            .envs(self.environment.iter().cloned())
            .env("CONCORD_TEST_ROOT", &self.mark)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| trouble(format!("cannot start {}: {e}", self.binary.display())))?;
        if let Some(stdout) = child.stdout.take() {
            self.log.follow(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            self.log.follow(stderr);
        }
        self.child = Some(child);
        Ok(())
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// It did not become ready.
    pub fn up(&mut self) -> Result<()> {
        self.spawn()?;
        self.wait_ready(READY_LIMIT)
    }

    /// Waits until it has said its welcome (the demonstration's mailboxes are
    /// there then) and every plain-text listener greets.
    ///
    /// # Errors
    /// It ended, or the time is over.
    pub fn wait_ready(&mut self, limit: Duration) -> Result<()> {
        let until = Instant::now() + limit;
        self.wait_while("welcome", until, |server| !server.log.text().contains(WELCOME))?;
        for listener in ["smtp", "submission", "imap", "pop3"] {
            let address = self.config.address(listener);
            self.wait_while(listener, until, |_| !greets(address))?;
        }
        Ok(())
    }

    fn wait_while(
        &mut self,
        what: &str,
        until: Instant,
        still: impl Fn(&Self) -> bool,
    ) -> Result<()> {
        while still(self) {
            if let Some(status) = self.ended()? {
                return Err(self.explained(&format!("concord ended with {status}")));
            }
            if Instant::now() > until {
                return Err(self.explained(&format!("no {what} in time")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn explained(&self, what: &str) -> crate::Trouble {
        let mut text = format!("{what}; it printed:\n{}", self.log.tail(30));
        let Ok(files) = std::fs::read_dir(self.root.join("log")) else { return trouble(text) };
        for file in files.flatten() {
            let log = std::fs::read_to_string(file.path()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = lines.get(lines.len().saturating_sub(10)..).unwrap_or_default().join("\n");
            text.push_str(&format!("\n{}:\n{last}", file.path().display()));
        }
        trouble(text)
    }

    /// Whether the controller has ended, and how.
    ///
    /// # Errors
    /// The system does not say.
    pub fn ended(&mut self) -> Result<Option<String>> {
        match &mut self.child {
            Some(child) => Ok(child.try_wait()?.map(|status| status.to_string())),
            None => Ok(Some("no start".to_owned())),
        }
    }

    /// The controller's process id.
    ///
    /// # Errors
    /// It was not started.
    pub fn controller(&self) -> Result<u32> {
        self.child.as_ref().map(Child::id).ok_or_else(|| trouble("concord was not started"))
    }

    /// Everything of this server that lives, also what lost its parent.
    pub fn processes(&self) -> Vec<u32> {
        process::marked(&self.mark)
            .into_iter()
            .filter(|pid| executable_of(*pid).is_some_and(|f| f == self.binary))
            .collect()
    }

    /// Kills the controller only, with SIGKILL.
    ///
    /// # Errors
    /// It was not started.
    pub fn kill_controller(&mut self) -> Result<()> {
        let mut child = self.child.take().ok_or_else(|| trouble("concord was not started"))?;
        child.kill()?;
        child.wait()?;
        Ok(())
    }

    /// Kills everything at once, as a power cut would.
    ///
    /// # Errors
    /// Something survives.
    pub fn kill_all(&mut self) -> Result<()> {
        let mut pids =
            self.child.as_ref().map(|c| process::descendants(c.id())).unwrap_or_default();
        pids.extend(self.processes());
        for pid in pids {
            process::kill(pid)?;
        }
        if let Some(mut child) = self.child.take() {
            child.wait()?;
        }
        wait_until("the end of all processes", STOP_LIMIT, || {
            let left = self.processes();
            for pid in &left {
                process::kill(*pid)?;
            }
            Ok(left.is_empty())
        })
    }

    /// Asks it to stop, as Ctrl-C and systemd do, and waits for its end.
    ///
    /// # Errors
    /// It did not end in time.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        process::terminate(child.id())?;
        let stopped = wait_for("concord to stop", STOP_LIMIT, || Ok(child.try_wait()?));
        if let Err(error) = stopped {
            child.kill()?;
            child.wait()?;
            return Err(self.explained(error.text()));
        }
        Ok(())
    }

    /// A session with the server for mail from strangers.
    ///
    /// # Errors
    /// No connection.
    pub fn smtp(&self) -> Result<Smtp> {
        Smtp::connect(self.config.address("smtp"))
    }

    /// A logged-in session with the submission server.
    ///
    /// # Errors
    /// No connection, or the login was refused.
    pub fn submission(&self, user: &str) -> Result<Smtp> {
        let mut session = Smtp::connect(self.config.address("submission"))?;
        session.hello()?;
        session.login(user, crate::PASSWORD)?;
        Ok(session)
    }

    /// A logged-in IMAP session.
    ///
    /// # Errors
    /// No connection, or the login was refused.
    pub fn imap(&self, user: &str) -> Result<Imap> {
        Imap::login(self.config.address("imap"), user, crate::PASSWORD)
    }

    /// Where it listens.
    pub fn address(&self, listener: &str) -> SocketAddr {
        self.config.address(listener)
    }

    /// The root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The program under test.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// What it printed.
    pub fn log(&self) -> &Log {
        &self.log
    }
}

impl Drop for Concord {
    fn drop(&mut self) {
        // Nobody can be told, and the next test must not meet leftovers.
        let _ = self.kill_all();
        if std::thread::panicking() {
            eprintln!("concord printed:\n{}", self.log.tail(30));
        }
    }
}

/// The program that a process runs. A rebuilt one is shown with a mark behind it.
fn executable_of(pid: u32) -> Option<PathBuf> {
    let link = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let text = link.to_str()?;
    Some(PathBuf::from(text.strip_suffix(" (deleted)").unwrap_or(text)))
}

fn greets(address: SocketAddr) -> bool {
    use std::io::Read;
    let short = Duration::from_secs(2);
    let Ok(mut stream) = TcpStream::connect_timeout(&address, short) else { return false };
    let mut first = [0; 1];
    stream.set_read_timeout(Some(short)).is_ok() && stream.read_exact(&mut first).is_ok()
}
