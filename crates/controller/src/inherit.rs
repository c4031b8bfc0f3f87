//! Handing every listening socket to the program that takes this process over
//! by exec(2), and taking them over from the one before.
//!
//! The sockets travel through a socket pair whose other end is the new
//! program's standard input (SCM_RIGHTS, unix(7)): a descriptor that is merely
//! left open is a bare number there, which safe code cannot adopt or close.
//! What they are stands in the environment. Both ends may be of different
//! releases, so the form may only grow.

use crate::error::ControllerError;
use crate::sockets::OpenSocket;
use crate::spec::SocketAddress;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Says what comes through standard input, as JSON of [`Described`].
pub(crate) const VARIABLE: &str = "CONCORD_INHERITED";
/// Descriptors in one message; the kernel takes 253 (SCM_MAX_FD).
const IN_ONE: usize = 64;
/// The service of what is the controller's own.
pub(crate) const OWN: &str = super::control::ITSELF;
/// The name of the lock among the controller's own.
pub(crate) const LOCK: &str = "lock";
/// The name of the control socket among the controller's own.
pub(crate) const CONTROL: &str = "control";

/// What the environment says.
#[derive(Debug, Serialize, Deserialize)]
struct Described {
    /// The process that is meant, so that a child does not take it for its own.
    pid: u32,
    /// In the order in which their descriptors come.
    sockets: Vec<DescribedSocket>,
    /// Services that an administrator stopped.
    #[serde(default)]
    stopped: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct DescribedSocket {
    service: String,
    name: String,
    asked: SocketAddress,
    address: SocketAddress,
}

/// Whether this process was another program's before, which handed its sockets
/// over (see [`ControlClient::replace`](crate::ControlClient::replace)).
pub fn is_successor() -> bool {
    let own = std::process::id();
    let described = std::env::var(VARIABLE).ok();
    let described = described.and_then(|text| serde_json::from_str::<Described>(&text).ok());
    described.is_some_and(|described| described.pid == own)
}

/// A socket and the service that it belongs to.
#[derive(Debug)]
pub(crate) struct Owned {
    pub(crate) service: String,
    pub(crate) socket: OpenSocket,
}

/// What the program before this one had.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    pub(crate) sockets: Vec<Owned>,
    /// Services that an administrator stopped.
    pub(crate) stopped: Vec<String>,
}

/// A socket on its way to the next program.
pub(crate) struct Handed<'a> {
    pub(crate) service: &'a str,
    pub(crate) name: &'a str,
    pub(crate) asked: SocketAddress,
    pub(crate) address: SocketAddress,
    pub(crate) fd: BorrowedFd<'a>,
}

/// What the next program gets: its standard input, and the variable's value.
pub(crate) fn hand_over(
    sockets: &[Handed<'_>],
    stopped: Vec<String>,
) -> Result<(OwnedFd, String), ControllerError> {
    let described = Described {
        pid: std::process::id(),
        stopped,
        sockets: sockets
            .iter()
            .map(|s| DescribedSocket {
                service: s.service.to_owned(),
                name: s.name.to_owned(),
                asked: s.asked.clone(),
                address: s.address.clone(),
            })
            .collect(),
    };
    let text = serde_json::to_string(&described).map_err(|e| failed(std::io::Error::other(e)))?;
    let fds: Vec<_> = sockets.iter().map(|s| s.fd).collect();
    let stdin = send(&fds).map_err(failed)?;
    Ok((stdin, text))
}

fn failed(cause: std::io::Error) -> ControllerError {
    ControllerError::System { act: "hand the sockets over", cause }
}

/// Puts descriptors into a fresh socket pair; gives back the end to read from.
fn send(fds: &[BorrowedFd<'_>]) -> std::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (from, to) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    for some in fds.chunks(IN_ONE) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(IN_ONE))];
        let mut message = SendAncillaryBuffer::new(&mut space);
        message.push(SendAncillaryMessage::ScmRights(some));
        sendmsg(&from, &[IoSlice::new(b"s")], &mut message, SendFlags::NOSIGNAL)?;
    }
    Ok(to)
}

/// Everything that comes through `input` and is there already.
fn receive(input: impl AsFd) -> Vec<OwnedFd> {
    let mut found = Vec::new();
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(IN_ONE))];
        let mut message = RecvAncillaryBuffer::new(&mut space);
        let mut octet = [0];
        let mut parts = [IoSliceMut::new(&mut octet)];
        let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
        match recvmsg(&input, &mut parts, &mut message, flags) {
            Ok(got) if got.bytes > 0 => {}
            // The end, nothing more there, or no socket at all.
            _ => return found,
        }
        for part in message.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = part {
                found.extend(fds);
            }
        }
    }
}

/// After an exec(2) that failed: standard input is the socket pair's end by
/// now, and what waits in it would keep the sockets open for ever.
pub(crate) fn take_back() {
    drop(receive(std::io::stdin()));
}

/// What the program before this one in the same process handed over; `None`
/// if there was none.
pub(crate) fn take_over() -> Option<Inherited> {
    let text = std::env::var(VARIABLE).ok()?;
    let described: Described = serde_json::from_str(&text).ok()?;
    if described.pid != std::process::id() {
        return None;
    }
    let fds = receive(std::io::stdin());
    // Taken already, by an earlier call.
    if fds.is_empty() {
        return None;
    }
    if fds.len() != described.sockets.len() {
        tracing::warn!(
            announced = described.sockets.len(),
            came = fds.len(),
            "sockets were lost on their way from the controller before"
        );
    }
    let owned = described.sockets.into_iter().zip(fds).map(|(s, fd)| Owned {
        service: s.service,
        socket: OpenSocket { name: s.name, asked: s.asked, address: s.address, fd },
    });
    Some(Inherited { sockets: owned.collect(), stopped: described.stopped })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_arrive_in_order_and_once() {
        let listeners: Vec<_> =
            (0..100).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let fds: Vec<_> = listeners.iter().map(AsFd::as_fd).collect();
        let input = send(&fds).unwrap();
        let ports: Vec<_> = listeners.iter().map(|l| l.local_addr().unwrap()).collect();
        drop(fds);
        drop(listeners);
        let came: Vec<_> = receive(&input)
            .into_iter()
            .map(|fd| std::net::TcpListener::from(fd).local_addr().unwrap())
            .collect();
        assert_eq!(came, ports);
        assert!(receive(&input).is_empty());
    }
}
