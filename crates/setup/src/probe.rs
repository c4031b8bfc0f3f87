//! Whether the machine is fit: each probe says what it saw if it is not.

use concord_base::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::ToSocketAddrs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// 2100-01-01: a clock beyond it was set by mistake.
const TOO_LATE: Timestamp = Timestamp::from_seconds(4_102_444_800);
/// Longer than that nobody wants to wait for an answer about one name.
const RESOLVE_LIMIT: Duration = Duration::from_secs(3);
/// statfs(2): file systems on which sync and rename do not mean what we need.
const NETWORK: [(i64, &str); 5] = [
    (0x6969, "NFS"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x0102_1997, "9P"),
    (0x5346_414F, "AFS"),
];

/// Whether the clock can be right.
pub fn clock(now: Timestamp, built: Timestamp) -> Result<(), String> {
    let stamp = crate::verb::remove_all::stamp;
    if now < built {
        return Err(format!(
            "it says {}, but this program was built at {}",
            stamp(now),
            stamp(built)
        ));
    }
    if now > TOO_LATE {
        return Err(format!("it says {}", stamp(now)));
    }
    Ok(())
}

/// The nearest directory above a path that exists.
pub fn existing(path: &Path) -> PathBuf {
    path.ancestors().find(|p| p.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

/// Whether the file system of a path is local and writable.
pub fn file_system(path: &Path) -> Result<(), String> {
    let place = existing(path);
    let found = rustix::fs::statvfs(&place).map_err(|e| format!("it cannot be asked: {e}"))?;
    if found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        return Err(format!("{} is mounted read-only", place.display()));
    }
    let kind = rustix::fs::statfs(&place).map_err(|e| format!("it cannot be asked: {e}"))?;
    let magic = kind.f_type & 0xFFFF_FFFF;
    match NETWORK.iter().find(|(number, _)| *number == magic) {
        Some((_, name)) => Err(format!(
            "{} is on {name}, over a network: what is synced there may still be lost",
            place.display()
        )),
        None => Ok(()),
    }
}

/// Whether a file can be written, synced and renamed where a path will be.
/// Leaves nothing behind.
pub fn write(path: &Path) -> Result<(), String> {
    let place = existing(path);
    let draft = place.join(format!(".concord-probe-{}", std::process::id()));
    let final_name = place.join(format!(".concord-probe-{}.renamed", std::process::id()));
    let attempt = || -> Result<(), (&str, std::io::Error)> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&draft)
            .map_err(|e| ("make a file", e))?;
        file.write_all(&[0; 4096]).map_err(|e| ("write", e))?;
        file.sync_all().map_err(|e| ("sync a file", e))?;
        std::fs::rename(&draft, &final_name).map_err(|e| ("rename", e))?;
        File::open(&place).and_then(|d| d.sync_all()).map_err(|e| ("sync a directory", e))
    };
    let outcome = attempt();
    let _ = std::fs::remove_file(&draft);
    let _ = std::fs::remove_file(&final_name);
    outcome.map_err(|(act, cause)| format!("cannot {act} in {}: {cause}", place.display()))
}

/// Whether a name has an address.
pub fn resolves(name: &str) -> Result<(), String> {
    let (sender, answer) = mpsc::channel();
    let target = (name.to_owned(), 25);
    // The system's resolver has no limit of its own that we could set.
    std::thread::spawn(move || {
        let _ = sender.send(target.to_socket_addrs().map(|mut all| all.next().is_some()));
    });
    match answer.recv_timeout(RESOLVE_LIMIT) {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err("it has no address".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", RESOLVE_LIMIT.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        write(&dir.path().join("not/yet/there")).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        file_system(dir.path()).unwrap();
    }

    #[test]
    fn clocks_before_the_build_and_far_ahead_are_wrong() {
        let built = Timestamp::from_seconds(1_795_886_100);
        assert!(clock(built + Duration::from_secs(1), built).is_ok());
        assert!(clock(built - Duration::from_secs(1), built).is_err());
        assert!(clock(Timestamp::from_seconds(i64::MAX / 2000), built).is_err());
    }
}
