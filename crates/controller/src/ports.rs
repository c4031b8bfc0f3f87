//! Who holds a port, as far as this user may see (Linux procfs).

use crate::error::Holder;
use procfs::net::{TcpNetEntry, TcpState};
use procfs::process::{FDTarget, Process, all_processes};
use std::collections::HashSet;
use std::net::SocketAddr;

/// Servers that fork share a port among many processes; three name them.
const ENOUGH_HOLDERS: usize = 3;

/// The processes that listen where `address` would. Empty if they belong to
/// others and this user may not look. Blocks while it walks `/proc`.
pub fn holders(address: SocketAddr) -> Vec<Holder> {
    let inodes: HashSet<u64> = [procfs::net::tcp(), procfs::net::tcp6()]
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| collides(entry, address))
        .map(|entry| entry.inode)
        .collect();
    if inodes.is_empty() {
        return Vec::new();
    }
    let Ok(processes) = all_processes() else {
        return Vec::new();
    };
    processes
        .flatten()
        .filter(|process| has_socket(process, &inodes))
        .filter_map(|process| describe(&process))
        .take(ENOUGH_HOLDERS)
        .collect()
}

/// Whether the entry listens on the port at an address that overlaps. A
/// dual-stack `[::]` holds the port for IPv4 too.
fn collides(entry: &TcpNetEntry, address: SocketAddr) -> bool {
    let local = entry.local_address;
    entry.state == TcpState::Listen
        && local.port() == address.port()
        && (local.ip().to_canonical() == address.ip().to_canonical()
            || local.ip().is_unspecified()
            || address.ip().is_unspecified())
}

fn has_socket(process: &Process, inodes: &HashSet<u64>) -> bool {
    let Ok(files) = process.fd() else {
        return false;
    };
    files
        .flatten()
        .any(|file| matches!(file.target, FDTarget::Socket(inode) if inodes.contains(&inode)))
}

fn describe(process: &Process) -> Option<Holder> {
    let name = process.stat().ok()?.comm;
    let uid = process.uid().ok()?;
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = passwd
        .lines()
        .find(|line| line.split(':').nth(2) == Some(uid.to_string().as_str()))
        .and_then(|line| line.split(':').next())
        .map_or_else(|| uid.to_string(), str::to_owned);
    Some(Holder { pid: process.pid(), name, user })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_listener_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = holders(listener.local_addr().unwrap());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].pid, i32::try_from(std::process::id()).unwrap());
        assert!(!found[0].name.is_empty() && !found[0].user.is_empty());
    }
}
