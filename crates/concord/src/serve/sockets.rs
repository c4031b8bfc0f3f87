//! Sockets inherited from the controller (sd_listen_fds(3)).

use crate::failure::Failure;
use listenfd::ListenFd;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;

/// The listening sockets of this process by name, non-blocking.
#[derive(Debug, Default)]
pub struct Inherited {
    tcp: Vec<(String, TcpListener)>,
    unix: Vec<(String, UnixListener)>,
}

/// Names of Unix sockets; all others are TCP.
const UNIX: [&str; 7] = ["admin", "api", "submit", "deliver", "ldapi", "watch", "web"];

impl Inherited {
    /// Takes what the environment announces.
    pub fn take() -> Result<Self, Failure> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut fds = ListenFd::from_env();
        let names: Vec<_> = names.split(':').map(str::to_owned).collect();
        if fds.len() == 0 {
            return Err(Failure::new(
                "serve.sockets",
                "cannot serve: no sockets were handed over; services are started by the \
                 controller, run 'concord up'",
            ));
        }
        let mut inherited = Self::default();
        for (index, name) in names.into_iter().enumerate().take(fds.len()) {
            let bad = |e: std::io::Error| {
                Failure::new("serve.sockets", format!("cannot take over socket '{name}': {e}"))
            };
            if UNIX.contains(&name.as_str()) {
                let listener = fds.take_unix_listener(index).map_err(bad)?;
                inherited.unix.extend(listener.map(|l| (name, l)));
            } else {
                let listener = fds.take_tcp_listener(index).map_err(bad)?;
                inherited.tcp.extend(listener.map(|l| (name, l)));
            }
        }
        Ok(inherited)
    }

    /// The TCP listeners of this name; none if it is switched off.
    pub fn tcp(&mut self, name: &str) -> Vec<TcpListener> {
        take(&mut self.tcp, name)
    }

    /// The Unix listeners of this name.
    pub fn unix(&mut self, name: &str) -> Vec<UnixListener> {
        take(&mut self.unix, name)
    }
}

fn take<T>(all: &mut Vec<(String, T)>, name: &str) -> Vec<T> {
    all.extract_if(.., |(found, _)| found == name).map(|(_, socket)| socket).collect()
}
