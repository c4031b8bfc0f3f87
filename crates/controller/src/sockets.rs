//! Opening listening sockets.

use crate::error::{ControllerError, SocketCause, SocketProblem};
use crate::ports::holders;
use crate::spec::{SocketAddress, SocketSpec};
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

/// Connections that wait while a service restarts. Linux cuts it to
/// `net.core.somaxconn` (4,096 by default).
const BACKLOG: i32 = 4_096;
/// `sun_path` of Linux holds 108 bytes with its final NUL (unix(7)).
const MAX_UNIX_PATH: usize = 107;

/// A listening socket, non-blocking, close-on-exec.
#[derive(Debug)]
pub(crate) struct OpenSocket {
    pub(crate) name: String,
    /// As its description has it; the port may be 0.
    pub(crate) asked: SocketAddress,
    /// Where it really listens.
    pub(crate) address: SocketAddress,
    pub(crate) fd: OwnedFd,
}

impl OpenSocket {
    /// The same socket once more.
    pub(crate) fn duplicate(&self) -> Result<Self, ControllerError> {
        let fd = self
            .fd
            .try_clone()
            .map_err(|cause| ControllerError::System { act: "duplicate a socket", cause })?;
        let (name, asked, address) = (self.name.clone(), self.asked.clone(), self.address.clone());
        Ok(Self { name, asked, address, fd })
    }

    fn is(&self, spec: &SocketSpec) -> bool {
        self.name == spec.name && self.asked == spec.address
    }
}

/// Takes out of `pool` what is open already; of several, one of the same name.
pub(crate) fn take(pool: &mut Vec<OpenSocket>, spec: &SocketSpec) -> Option<OpenSocket> {
    let same = pool.iter().position(|open| open.is(spec));
    let found = same.or_else(|| pool.iter().position(|open| open.asked == spec.address))?;
    let mut taken = pool.swap_remove(found);
    taken.name.clone_from(&spec.name);
    Some(taken)
}

/// Opens every socket that is not in `pool`, or says what is wrong with each
/// that cannot be, and then leaves `pool` as it was. A listener on `[::]` is
/// left out on a machine without IPv6.
pub(crate) fn open(
    specs: &[SocketSpec],
    pool: &mut Vec<OpenSocket>,
) -> Result<Vec<OpenSocket>, ControllerError> {
    let mut open = Vec::new();
    let mut had = Vec::new();
    let mut problems = Vec::new();
    for spec in specs {
        if let Some(found) = take(pool, spec) {
            had.push(open.len());
            open.push(found);
            continue;
        }
        match open_one(spec) {
            Ok(found) => open.extend(found),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        return Ok(open);
    }
    for at in had.into_iter().rev() {
        pool.push(open.swap_remove(at));
    }
    Err(ControllerError::Sockets(problems))
}

/// Opens one socket; `None` if this machine cannot have it and need not.
pub(crate) fn open_one(spec: &SocketSpec) -> Result<Option<OpenSocket>, SocketProblem> {
    match bind(&spec.address) {
        Ok(Some((fd, address))) => Ok(Some(OpenSocket {
            name: spec.name.clone(),
            asked: spec.address.clone(),
            address,
            fd,
        })),
        Ok(None) => {
            tracing::info!(
                listener = spec.name,
                address = %spec.address,
                "left out: this machine has no IPv6"
            );
            Ok(None)
        }
        Err(cause) => {
            Err(SocketProblem { name: spec.name.clone(), address: spec.address.to_string(), cause })
        }
    }
}

fn bind(address: &SocketAddress) -> Result<Option<(OwnedFd, SocketAddress)>, SocketCause> {
    match address {
        SocketAddress::Unix(path) => {
            let fd = open_unix(path)?;
            Ok(Some((fd, address.clone())))
        }
        SocketAddress::Tcp(tcp) => match open_tcp(*tcp) {
            Ok((fd, bound)) => Ok(Some((fd, SocketAddress::Tcp(bound)))),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::ADDRINUSE) => Err(SocketCause::Taken(holders(*tcp))),
                Some(Errno::ACCESS | Errno::PERM) => Err(SocketCause::NotPermitted),
                Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL)
                    if tcp.is_ipv6() && tcp.ip().is_unspecified() =>
                {
                    Ok(None)
                }
                Some(Errno::ADDRNOTAVAIL) => Err(SocketCause::NoSuchAddress),
                _ => Err(SocketCause::Other(error)),
            },
        },
    }
}

fn open_tcp(address: SocketAddr) -> io::Result<(OwnedFd, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    // Connections of the run before may linger in TIME_WAIT on the port.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let bound = socket.local_addr()?.as_socket().unwrap_or(address);
    Ok((socket.into(), bound))
}

fn open_unix(path: &Path) -> Result<OwnedFd, SocketCause> {
    if path.as_os_str().len() > MAX_UNIX_PATH {
        return Err(SocketCause::PathTooLong { most: MAX_UNIX_PATH });
    }
    unix_listener(path).map_err(SocketCause::Other)
}

fn unix_listener(path: &Path) -> io::Result<OwnedFd> {
    remove_stale(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    // Between bind and here the directory's mode 0700 keeps others out.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Removes a socket that a dead controller left. The caller holds the lock,
/// so no living one owns it. Anything but a socket stays and makes bind fail.
pub(crate) fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(name: &str, address: SocketAddress) -> SocketSpec {
        SocketSpec { name: name.to_owned(), address }
    }

    #[test]
    fn all_taken_ports_are_named_with_their_holder() {
        let a = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let b = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let specs =
            [&a, &b].map(|l| spec("smtp", SocketAddress::Tcp(l.local_addr().unwrap()))).to_vec();
        let text = open(&specs, &mut Vec::new()).unwrap_err().to_string();
        let us = format!("(pid {}, user ", std::process::id());
        assert!(text.starts_with("cannot open 2 listeners\n"), "{text}");
        assert_eq!(text.matches(&us).count(), 2, "{text}");
        assert!(text.contains("[listen]"), "{text}");
    }

    #[test]
    fn stale_unix_sockets_are_replaced_and_other_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let open_now =
            open(&[spec("a", SocketAddress::Unix(path.clone()))], &mut Vec::new()).unwrap();
        assert_eq!(open_now.len(), 1);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());

        let file = dir.path().join("file");
        std::fs::write(&file, "mine").unwrap();
        assert!(open(&[spec("b", SocketAddress::Unix(file.clone()))], &mut Vec::new()).is_err());
        assert_eq!(std::fs::read_to_string(file).unwrap(), "mine");
    }

    #[test]
    fn a_path_that_is_too_long_says_so() {
        let path = Path::new("/tmp").join("x".repeat(120));
        let text =
            open(&[spec("a", SocketAddress::Unix(path))], &mut Vec::new()).unwrap_err().to_string();
        assert!(text.contains("shorter path"), "{text}");
    }
}
