//! The record of running services, and what to do with those that a dead
//! controller left behind.
//!
//! A service hears of the controller's death from the kernel and stops by
//! itself. This is the second net: the next controller waits for what the
//! record names, and ends what does not end.

use crate::error::ControllerError;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// A process that was started, with what tells it from a later one of the
/// same number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) pid: i32,
    /// Clock ticks after boot (proc(5), field 22 of stat).
    pub(crate) started: u64,
    /// How long it may take to stop, in milliseconds.
    pub(crate) stop_time: u64,
}

/// When the process started; `None` if it is gone.
pub(crate) fn start_of(pid: i32) -> Option<u64> {
    procfs::process::Process::new(pid).ok()?.stat().ok().map(|stat| stat.starttime)
}

/// Replaces the record in one step.
pub(crate) fn write(path: &Path, services: &[Recorded]) -> Result<(), ControllerError> {
    let text = serde_json::to_vec_pretty(services)
        .map_err(|e| ControllerError::io("write", path)(std::io::Error::other(e)))?;
    let draft = path.with_extension("json.new");
    std::fs::write(&draft, text)
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(ControllerError::io("write", path))
}

/// Asks every recorded process that still lives to stop, waits for its stop
/// time, kills what is left, and empties the record. Names what it ended.
/// Blocks; the caller holds the lock.
pub(crate) fn clean(path: &Path) -> Result<Vec<String>, ControllerError> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(ControllerError::io("read", path)(error)),
    };
    // A record torn by a power failure names processes that the same failure ended.
    let recorded: Vec<Recorded> = serde_json::from_slice(&text).unwrap_or_default();
    let mut alive: Vec<(Recorded, OwnedFd)> =
        recorded.into_iter().filter_map(|r| handle(&r).map(|fd| (r, fd))).collect();
    let mut ended = Vec::new();
    for (record, fd) in &alive {
        tracing::warn!(service = record.name, pid = record.pid, "left by a dead controller");
        ended.push(record.name.clone());
        let _ = pidfd_send_signal(fd, Signal::TERM);
    }
    let begun = Instant::now();
    for (record, fd) in alive.drain(..) {
        let left = Duration::from_millis(record.stop_time).saturating_sub(begun.elapsed());
        if !ends_within(&fd, left) {
            tracing::warn!(service = record.name, pid = record.pid, "killed: it did not stop");
            let _ = pidfd_send_signal(&fd, Signal::KILL);
            ends_within(&fd, KILLED);
        }
    }
    write(path, &[])?;
    Ok(ended)
}

/// A killed process ends as soon as it leaves the kernel; a disk that hangs
/// may keep it longer, and then waiting does not help.
const KILLED: Duration = Duration::from_secs(5);

/// A handle to the very process that was recorded.
fn handle(record: &Recorded) -> Option<OwnedFd> {
    let fd = pidfd_open(Pid::from_raw(record.pid)?, PidfdFlags::empty()).ok()?;
    // Looked at after the handle exists: the number cannot change hands now.
    let same = start_of(record.pid) == Some(record.started);
    // One that has ended and was not yet reaped by init has nothing left to end.
    (same && !ends_within(&fd, Duration::ZERO)).then_some(fd)
}

fn ends_within(process: &OwnedFd, limit: Duration) -> bool {
    let end = Instant::now() + limit;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let wait = Timespec::try_from(left).ok();
        let mut fds = [PollFd::new(process, PollFlags::IN)];
        match poll(&mut fds, wait.as_ref()) {
            Ok(0) => return false,
            Ok(_) => return true,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn record_of(child: &std::process::Child, stop_time: u64) -> Recorded {
        let pid = i32::try_from(child.id()).unwrap();
        Recorded { name: "s".into(), pid, started: start_of(pid).unwrap(), stop_time }
    }

    #[test]
    fn a_leftover_that_does_not_stop_is_killed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("services.json");
        let mut child = Command::new("sh")
            .args(["-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        write(&path, &[record_of(&child, 300)]).unwrap();
        assert_eq!(clean(&path).unwrap(), ["s"]);
        let status = child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
        assert!(clean(&path).unwrap().is_empty());
    }

    #[test]
    fn another_process_with_the_same_number_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("services.json");
        let mut child = Command::new("sleep").arg("30").spawn().unwrap();
        let mut record = record_of(&child, 100);
        record.started += 1;
        write(&path, &[record]).unwrap();
        assert!(clean(&path).unwrap().is_empty());
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
