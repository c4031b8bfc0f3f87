//! Programs that tests start in the foreground, and end again.

use crate::process;
use crate::trouble::{Result, trouble};
use crate::wait::{wait_for, wait_until};
use rustix::process::Signal;
use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Programs that read large tables at their start take seconds on a busy machine.
const START: Duration = Duration::from_secs(240);
/// For an orderly end.
const END: Duration = Duration::from_secs(10);

/// A running program; it ends when it is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts it; what it says goes to `directory/name.out`.
    ///
    /// # Errors
    /// It is not installed.
    pub fn start(command: &mut Command, directory: &Path, name: &str) -> Result<Self> {
        let log = directory.join(format!("{name}.out"));
        let out = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stderr(out.try_clone()?)
            .stdout(out)
            .spawn()
            .map_err(|e| trouble(format!("cannot start {name}: {e}")))?;
        Ok(Self { child, log })
    }

    /// Waits until `ready` says so.
    ///
    /// # Errors
    /// It ended, or took too long; with what it said.
    #[track_caller]
    pub fn wait(&mut self, ready: impl Fn() -> bool) -> Result<()> {
        let waited =
            wait_for("the program to be ready", START, || match self.child.try_wait()? {
                Some(status) => Err(trouble(format!("it ended with {status}"))),
                None => Ok(ready().then_some(())),
            });
        waited.map_err(|e| trouble(format!("{}\n{}", e.text(), self.said())))
    }

    /// What it said.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it until [`Daemon::go_on`]: it lives and does nothing.
    ///
    /// # Errors
    /// It is gone.
    pub fn stop(&self) -> Result<()> {
        process::send(self.pid(), Signal::STOP)
    }

    /// See [`Daemon::stop`].
    ///
    /// # Errors
    /// It is gone.
    pub fn go_on(&self) -> Result<()> {
        process::send(self.pid(), Signal::CONT)
    }

    /// Kills it.
    ///
    /// # Errors
    /// It is not ours to kill.
    pub fn kill(&self) -> Result<()> {
        process::kill(self.pid())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let all = process::descendants(self.pid());
        let _ = self.go_on();
        // Children of rspamd end with it when it is asked to.
        let _ = process::terminate(self.pid());
        let _ = wait_until("the program to end", END, || Ok(self.child.try_wait()?.is_some()));
        for pid in all {
            if process::exists(pid) {
                let _ = process::kill(pid);
            }
        }
        let _ = self.child.wait();
    }
}

/// Whether somebody listens at a port of 127.0.0.1.
pub fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Writes a file below a directory, with the directories that it needs.
///
/// # Errors
/// The system's.
pub fn write_below(directory: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = directory.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(&path, text)?;
    Ok(path)
}
