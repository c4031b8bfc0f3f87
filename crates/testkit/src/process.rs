//! Processes as /proc shows them.

use crate::trouble::{Result, trouble};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashMap;
use std::fs;

/// What a group of processes used.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessUse {
    /// CPU seconds, their ended and waited-for children's included.
    pub cpu_seconds: f64,
    /// Proportional resident memory (PSS) in bytes.
    pub resident: u64,
    /// How many processes live.
    pub processes: usize,
}

pub(crate) fn send(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| trouble("not a process id"))?;
    match kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Sends SIGKILL. A process that is gone already is fine.
///
/// # Errors
/// It is not ours to kill.
pub fn kill(pid: u32) -> Result<()> {
    send(pid, Signal::KILL)
}

/// Sends SIGTERM.
///
/// # Errors
/// As [`kill`].
pub fn terminate(pid: u32) -> Result<()> {
    send(pid, Signal::TERM)
}

/// The fields of /proc/PID/stat from the state on; the name before may hold anything.
fn stat(pid: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    Some(rest.split_whitespace().map(str::to_owned).collect())
}

/// The parent of a live process.
pub fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// Whether a process lives; one that only waits to be reaped does not.
pub fn exists(pid: u32) -> bool {
    stat(pid).and_then(|f| f.first().cloned()).is_some_and(|state| state != "Z" && state != "X")
}

fn all() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

/// A process and everything it started, itself first.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in all() {
        if let Some(up) = parent(pid) {
            children.entry(up).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        found.extend(children.remove(&pid).unwrap_or_default());
        next += 1;
    }
    found
}

/// Live processes whose environment or command line holds `text`: finds
/// children also after their parent was killed.
pub fn marked(text: &str) -> Vec<u32> {
    let holds = |pid: u32, file: &str| {
        fs::read(format!("/proc/{pid}/{file}"))
            .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
    };
    let own = std::process::id();
    all()
        .into_iter()
        .filter(|pid| *pid != own && exists(*pid))
        .filter(|pid| holds(*pid, "environ") || holds(*pid, "cmdline"))
        .collect()
}

/// What these processes used so far.
pub fn usage(pids: &[u32]) -> ProcessUse {
    let mut sum = ProcessUse::default();
    for pid in pids {
        let Some(fields) = stat(*pid) else { continue };
        // Fields 14-17 of proc(5): user and system time of itself and of its
        // reaped children, in ticks of 1/100 s.
        let ticks: u64 = fields.iter().skip(11).take(4).filter_map(|f| f.parse::<u64>().ok()).sum();
        sum.cpu_seconds += ticks as f64 / 100.0;
        sum.resident += pss(*pid);
        sum.processes += 1;
    }
    sum
}

fn pss(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("Pss:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

impl ProcessUse {
    /// What a process and everything it started used.
    pub fn of_tree(root: u32) -> Self {
        usage(&descendants(root))
    }
}
