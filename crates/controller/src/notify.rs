//! What services tell the controller: the datagrams of sd_notify(3).

use crate::error::ControllerError;
use crate::sockets::remove_stale;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::net::UnixDatagram;

/// sd_notify(3): datagrams of at most 4 KiB are what systemd takes.
pub(crate) const MAX_DATAGRAM: usize = 4_096;
/// A status is one line for people.
const MAX_STATUS: usize = 200;

/// What one datagram says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) ready: bool,
    pub(crate) watchdog: bool,
    pub(crate) status: Option<String>,
}

/// Reads a datagram; what it does not know is left out, as the manual asks.
pub(crate) fn read(datagram: &[u8]) -> Notice {
    let mut notice = Notice::default();
    for line in String::from_utf8_lossy(datagram).lines() {
        match line.split_once('=') {
            Some(("READY", "1")) => notice.ready = true,
            Some(("WATCHDOG", "1")) => notice.watchdog = true,
            Some(("STATUS", text)) => {
                let clean = text.chars().filter(|c| !c.is_control()).take(MAX_STATUS);
                notice.status = Some(clean.collect());
            }
            _ => {}
        }
    }
    notice
}

/// A fresh socket for one process, so that the words of the one before it
/// cannot be taken for its own.
pub(crate) fn bind(path: &Path) -> Result<UnixDatagram, ControllerError> {
    remove_stale(path).map_err(ControllerError::io("remove", path))?;
    let socket = UnixDatagram::bind(path).map_err(ControllerError::io("bind", path))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        .map_err(ControllerError::io("protect", path))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_of_the_manual() {
        let notice = read(b"READY=1\nSTATUS=12 sessions\x1b[31m\nMAINPID=7\n");
        assert!(notice.ready && !notice.watchdog);
        assert_eq!(notice.status.as_deref(), Some("12 sessions[31m"));
        assert!(read(b"WATCHDOG=1").watchdog);
        assert_eq!(read(b"READY=0\nrubbish\n=\n\xff\xfe"), Notice::default());
    }
}
