//! Mail servers of others that deliver by MX under TLS: Postfix, Exim and
//! OpenSMTPD, each with names, users and trusted authorities of its own.

mod enclave;
mod exim;
mod names;
mod net;
mod opensmtpd;
mod policies;
mod postfix;
mod tree;

pub use enclave::Enclave;
pub use names::SignedNames;
pub use net::Loopback;
pub use policies::PolicyHost;
pub use tree::peer_trees;

use crate::log::Log;
use crate::postfix::Postfix;
use crate::process;
use crate::trouble::{Result, trouble};
use crate::wait::wait_until;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A peer greets well within this, also on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(30);
/// Where messages for others are given to a peer, in the clear.
const SUBMISSION: u16 = 2525;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerKind {
    /// Debian's; towards others it goes by DANE only (`dane-only`).
    Postfix,
    /// Debian's, with GnuTLS; towards others it goes by DANE only
    /// (`hosts_require_dane`).
    Exim,
    /// It knows no DANE; towards others it asks for a certificate of a trusted
    /// issuer.
    OpenSmtpd,
}

/// How a peer is set up.
#[derive(Debug, Clone)]
pub struct PeerSettings {
    /// What it calls itself.
    pub hostname: String,
    /// Domains whose mail it keeps.
    pub domains: Vec<String>,
    /// Where it listens: port 25 takes mail under TLS only.
    pub address: IpAddr,
    /// PEM files, certificate and key.
    pub certificate: (PathBuf, PathBuf),
    /// Whether port 25 offers STARTTLS, or hides it.
    pub offers_tls: bool,
}

/// A running peer; dropping it ends it.
#[derive(Debug)]
pub struct Peer {
    running: Running,
    boxes: PathBuf,
    address: IpAddr,
}

#[derive(Debug)]
enum Running {
    Postfix(Postfix),
    Program(Child, Log),
}

impl Peer {
    /// Starts it inside an enclave.
    ///
    /// # Errors
    /// It is not installed, we are not root, or it did not start.
    pub fn start(kind: PeerKind, enclave: &Enclave, settings: &PeerSettings) -> Result<Self> {
        let (running, boxes) = match kind {
            PeerKind::Postfix => {
                let (postfix, boxes) = postfix::start(enclave, settings)?;
                (Running::Postfix(postfix), boxes)
            }
            PeerKind::Exim => follow(exim::command(enclave, settings)?)?,
            PeerKind::OpenSmtpd => follow(opensmtpd::command(enclave, settings)?)?,
        };
        let mut peer = Self { running, boxes, address: settings.address };
        let at = SocketAddr::new(settings.address, 25);
        let started = wait_until("the peer to listen", START_LIMIT, || {
            if let Running::Program(child, _) = &mut peer.running
                && let Some(status) = child.try_wait()?
            {
                return Err(trouble(format!("the peer ended with {status}")));
            }
            Ok(TcpStream::connect(at).is_ok())
        });
        started.map_err(|e| trouble(format!("{}\n{}", e.text(), peer.said())))?;
        Ok(peer)
    }

    /// Where it takes messages for others, in the clear.
    pub fn submission(&self) -> SocketAddr {
        SocketAddr::new(self.address, SUBMISSION)
    }

    /// How many messages it keeps.
    pub fn count(&self) -> usize {
        std::fs::read_dir(self.boxes.join("new")).map_or(0, Iterator::count)
    }

    /// The messages that it keeps, with CRLF.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn messages(&self) -> Result<Vec<Vec<u8>>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(self.boxes.join("new"))? {
            found.push(crlf(&std::fs::read(entry?.path())?));
        }
        Ok(found)
    }

    /// What it logged last.
    pub fn said(&self) -> String {
        match &self.running {
            Running::Postfix(postfix) => postfix.said(),
            Running::Program(_, log) => {
                // Exim logs into its spool.
                let file = self.boxes.with_file_name("exim").join("mainlog");
                let text = std::fs::read_to_string(file).unwrap_or_default();
                format!("{}{text}", log.text())
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let Running::Program(child, _) = &mut self.running else { return };
        let all = process::descendants(child.id());
        let _ = process::terminate(child.id());
        let _ = wait_until("the peer to end", Duration::from_secs(5), || {
            Ok(child.try_wait()?.is_some())
        });
        for pid in all {
            if process::exists(pid) {
                let _ = process::kill(pid);
            }
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn follow((mut command, boxes): (Command, PathBuf)) -> Result<(Running, PathBuf)> {
    let (child, log) = spawn(&mut command)?;
    Ok((Running::Program(child, log), boxes))
}

fn spawn(command: &mut Command) -> Result<(Child, Log)> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let log = Log::default();
    if let Some(stdout) = child.stdout.take() {
        log.follow(stdout);
    }
    if let Some(stderr) = child.stderr.take() {
        log.follow(stderr);
    }
    Ok((child, log))
}

/// Makes a directory that belongs to a user of the enclave.
fn directory_of(path: &Path, user: u32) -> Result<()> {
    std::fs::create_dir_all(path)?;
    std::os::unix::fs::chown(path, Some(user), Some(user))?;
    Ok(())
}

/// Maildirs have bare line feeds.
fn crlf(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 40);
    for line in text.split_inclusive(|b| *b == b'\n') {
        out.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        out.extend_from_slice(b"\r\n");
    }
    out
}
