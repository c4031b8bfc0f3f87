//! Debian's HAProxy in front of a server under test.

use crate::command::tool;
use crate::daemon::{Daemon, write_below};
use crate::trouble::{Result, trouble};
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;

/// One listener of the proxy and what stands behind it.
#[derive(Debug, Clone, Copy)]
pub struct ProxyFront<'a> {
    /// Where clients connect.
    pub at: SocketAddr,
    /// The server behind it.
    pub server: SocketAddr,
    /// What HAProxy is told about that server: `send-proxy`, `send-proxy-v2`.
    pub options: &'a str,
}

/// A running HAProxy; dropping it ends it.
#[derive(Debug)]
pub struct HaProxy {
    /// Its process.
    pub daemon: Daemon,
    _directory: tempfile::TempDir,
}

impl HaProxy {
    /// Starts it. Its connections to the servers come from `source`, an address
    /// of this machine.
    ///
    /// # Errors
    /// It is not installed, or did not start.
    pub fn start(source: Ipv4Addr, fronts: &[ProxyFront<'_>]) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("haproxy-").tempdir()?;
        let mut text = String::from(
            "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n",
        );
        for ProxyFront { at, server, options } in fronts {
            write!(
                text,
                "listen port{}\n  bind {at}\n  source {source}\n  \
                 server behind {server} {options}\n",
                at.port()
            )?;
        }
        let file = write_below(directory.path(), "haproxy.cfg", &text)?;
        let program = tool("haproxy").ok_or_else(|| trouble("haproxy is not installed"))?;
        let mut command = Command::new(program);
        command.args(["-db", "-f"]).arg(file);
        let mut daemon = Daemon::start(&mut command, directory.path(), "haproxy")?;
        daemon.wait(|| fronts.iter().all(|front| TcpStream::connect(front.at).is_ok()))?;
        Ok(Self { daemon, _directory: directory })
    }
}
