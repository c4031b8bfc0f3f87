//! Debian's Postfix as a peer: its own configuration, queue and ports.

use crate::command::{run, tool};
use crate::log::Log;
use crate::peers::Enclave;
use crate::process;
use crate::trouble::{Result, trouble};
use crate::wait::wait_until;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Postfix checks its whole queue tree at the start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// How the peer is set up.
#[derive(Debug, Clone)]
pub struct PostfixSettings {
    /// Where it listens, a port of 127.0.0.1.
    pub port: u16,
    /// Lines for main.cf beside the base ones; a later one wins.
    pub main: Vec<String>,
}

/// Where it runs.
#[derive(Debug)]
pub(crate) struct PostfixPlace<'a> {
    /// The address that it listens at.
    pub address: IpAddr,
    /// Lines for master.cf beside the base ones.
    pub more: Vec<String>,
    /// What it sees of the machine.
    pub enclave: Option<&'a Enclave>,
}

/// A running Postfix; dropping it ends it.
#[derive(Debug)]
pub struct Postfix {
    directory: tempfile::TempDir,
    address: SocketAddr,
    child: Child,
    log: Log,
}

impl Postfix {
    /// Starts it in a scratch directory.
    ///
    /// # Errors
    /// It is not installed, we are not root, or it did not start.
    pub fn start(settings: &PostfixSettings) -> Result<Self> {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self::start_at(settings, &PostfixPlace { address, more: Vec::new(), enclave: None })
    }

    pub(crate) fn start_at(settings: &PostfixSettings, place: &PostfixPlace<'_>) -> Result<Self> {
        let program = tool("postfix").ok_or_else(|| trouble("postfix is not installed"))?;
        let directory = tempfile::Builder::new().prefix("postfix-").tempdir()?;
        open_to_others(directory.path())?;
        for name in ["etc", "queue", "data"] {
            std::fs::create_dir_all(directory.path().join(name))?;
            open_to_others(&directory.path().join(name))?;
        }
        let etc = directory.path().join("etc");
        std::fs::write(etc.join("main.cf"), main_cf(directory.path(), &settings.main))?;
        let address = SocketAddr::new(place.address, settings.port);
        std::fs::write(etc.join("master.cf"), master_cf(address, &place.more))?;
        let inside = || match place.enclave {
            Some(enclave) => enclave.command(&program),
            None => Command::new(&program),
        };
        run(Command::new("chown").arg("postfix").arg(directory.path().join("data")), START_LIMIT)?
            .ok()?;
        // "check" makes the queue's directories; its warnings are harmless here.
        run(inside().arg("-c").arg(&etc).arg("check"), START_LIMIT)?;
        let mut child = inside()
            .arg("-c")
            .arg(&etc)
            .arg("start-fg")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let log = Log::default();
        if let Some(stdout) = child.stdout.take() {
            log.follow(stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            log.follow(stderr);
        }
        let mut peer = Self { directory, address, child, log };
        let started = wait_until("postfix to listen", START_LIMIT, || {
            if let Some(status) = peer.child.try_wait()? {
                return Err(trouble(format!("postfix ended with {status}")));
            }
            Ok(TcpStream::connect(address).is_ok())
        });
        let said = peer.said();
        started.map_err(|e| trouble(format!("{}\n{said}", e.text())))?;
        Ok(peer)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process; the others are this one's children.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its files are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What it logged.
    pub fn said(&self) -> String {
        let file = self.directory.path().join("log");
        let mut text = std::fs::read_to_string(file).unwrap_or_default();
        text.push_str(&self.log.text());
        text
    }

    /// How many messages wait in its queue.
    pub fn queued(&self) -> usize {
        ["incoming", "active", "deferred", "maildrop", "hold"]
            .iter()
            .map(|name| files_under(&self.directory.path().join("queue").join(name)))
            .sum()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // master ends its children when it is asked; what is left is killed.
        let all = process::descendants(self.child.id());
        let _ = process::terminate(self.child.id());
        let _ = wait_until("postfix to end", Duration::from_secs(5), || {
            Ok(self.child.try_wait()?.is_some())
        });
        for pid in all {
            if process::exists(pid) {
                let _ = process::kill(pid);
            }
        }
        let _ = self.child.wait();
    }
}

fn open_to_others(path: &Path) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn files_under(directory: &PathBuf) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries.flatten().map(|e| if e.path().is_dir() { files_under(&e.path()) } else { 1 }).sum()
}

fn main_cf(directory: &Path, more: &[String]) -> String {
    let at = directory.display();
    let base = format!(
        "compatibility_level = 3.6\n\
         queue_directory = {at}/queue\n\
         data_directory = {at}/data\n\
         command_directory = /usr/sbin\n\
         daemon_directory = /usr/lib/postfix/sbin\n\
         mail_owner = postfix\n\
         setgid_group = postdrop\n\
         maillog_file = {at}/log\n\
         maillog_file_prefixes = /tmp, /var, /dev/shm\n\
         myhostname = peer.test\n\
         mydestination =\n\
         local_recipient_maps =\n\
         alias_maps =\n\
         alias_database =\n\
         inet_interfaces = loopback-only\n\
         inet_protocols = ipv4\n\
         mynetworks = 127.0.0.0/8\n\
         smtpd_relay_restrictions = permit_mynetworks, reject\n\
         smtpd_client_connection_count_limit = 0\n\
         smtpd_client_connection_rate_limit = 0\n\
         smtpd_peername_lookup = no\n\
         smtp_dns_support_level = disabled\n\
         lmtp_dns_support_level = disabled\n\
         smtp_host_lookup = native\n\
         lmtp_host_lookup = native\n\
         smtputf8_enable = yes\n\
         in_flow_delay = 0\n\
         message_size_limit = 52428800\n\
         mailbox_size_limit = 0\n\
         minimal_backoff_time = 5s\n\
         queue_run_delay = 5s\n\
         maximal_backoff_time = 10s\n"
    );
    // Of what is said twice Postfix warns with each command.
    let name = |line: &str| line.split_once('=').map(|(name, _)| name.trim().to_owned());
    let given: Vec<_> = more.iter().map(|line| name(line)).collect();
    let kept = base.lines().filter(|line| !given.contains(&name(line)));
    let mut text = String::new();
    for line in kept.chain(more.iter().map(String::as_str)) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn master_cf(address: SocketAddr, more: &[String]) -> String {
    let mut text = format!("{address} inet n - n - - smtpd\n");
    for line in more {
        text.push_str(line);
        text.push('\n');
    }
    for line in [
        "pickup unix n - n 60 1 pickup",
        "cleanup unix n - n - 0 cleanup",
        "qmgr unix n - n 300 1 qmgr",
        "rewrite unix - - n - - trivial-rewrite",
        "bounce unix - - n - 0 bounce",
        "defer unix - - n - 0 bounce",
        "trace unix - - n - 0 bounce",
        "verify unix - - n - 1 verify",
        "flush unix n - n 1000? 0 flush",
        "proxymap unix - - n - - proxymap",
        "proxywrite unix - - n - 1 proxymap",
        "smtp unix - - n - - smtp",
        "relay unix - - n - - smtp",
        "lmtp unix - - n - - lmtp",
        "showq unix n - n - - showq",
        "error unix - - n - - error",
        "retry unix - - n - - error",
        "discard unix - - n - - discard",
        "local unix - n n - - local",
        "virtual unix - n n - - virtual",
        "anvil unix - - n - 1 anvil",
        "scache unix - - n - 1 scache",
        // without it nothing has TLS
        "tlsmgr unix - - n 1000? 1 tlsmgr",
        "postlog unix-dgram n - n - 1 postlogd",
    ] {
        text.push_str(line);
        text.push('\n');
    }
    text
}
