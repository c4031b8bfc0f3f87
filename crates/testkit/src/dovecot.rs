//! Debian's Dovecot as a peer of benchmarks: LMTP in, Maildir, IMAP out.

use crate::command::tool;
use crate::log::Log;
use crate::process;
use crate::trouble::{Result, trouble};
use crate::wait::wait_until;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const START_LIMIT: Duration = Duration::from_secs(30);

/// A running Dovecot; dropping it ends it. Every user exists, the password is
/// [`crate::PASSWORD`].
#[derive(Debug)]
pub struct Dovecot {
    directory: tempfile::TempDir,
    child: Child,
    log: Log,
    lmtp: SocketAddr,
    imap: SocketAddr,
}

impl Dovecot {
    /// Starts it in a scratch directory with these ports of 127.0.0.1, and
    /// these environment variables for all its processes.
    ///
    /// # Errors
    /// It is not installed, we are not root, or it did not start.
    pub fn start(lmtp: u16, imap: u16, environment: &[(&str, &str)]) -> Result<Self> {
        let program = tool("dovecot").ok_or_else(|| trouble("dovecot is not installed"))?;
        let directory = tempfile::Builder::new().prefix("dovecot-").tempdir()?;
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
        let mail = directory.path().join("mail");
        std::fs::create_dir(&mail)?;
        std::fs::set_permissions(&mail, std::fs::Permissions::from_mode(0o777))?;
        let config = directory.path().join("dovecot.conf");
        std::fs::write(&config, dovecot_conf(directory.path(), lmtp, imap, environment))?;
        let mut child = Command::new(program)
            .arg("-F")
            .arg("-c")
            .arg(&config)
            .envs(environment.iter().copied())
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
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut peer = Self { directory, child, log, lmtp: at(lmtp), imap: at(imap) };
        let started = wait_until("dovecot to listen", START_LIMIT, || {
            if let Some(status) = peer.child.try_wait()? {
                return Err(trouble(format!("dovecot ended with {status}")));
            }
            Ok(TcpStream::connect(peer.imap).is_ok() && TcpStream::connect(peer.lmtp).is_ok())
        });
        let said = peer.said();
        started.map_err(|e| trouble(format!("{}\n{said}", e.text())))?;
        Ok(peer)
    }

    /// Where it takes mail.
    pub fn lmtp(&self) -> SocketAddr {
        self.lmtp
    }

    /// Where mail is read.
    pub fn imap(&self) -> SocketAddr {
        self.imap
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
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let all = process::descendants(self.child.id());
        let _ = process::terminate(self.child.id());
        let _ = wait_until("dovecot to end", Duration::from_secs(5), || {
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

fn dovecot_conf(directory: &Path, lmtp: u16, imap: u16, environment: &[(&str, &str)]) -> String {
    let at = directory.display();
    let names: Vec<&str> = environment.iter().map(|(name, _)| *name).collect();
    let names = names.join(" ");
    let password = crate::PASSWORD;
    format!(
        "protocols = imap lmtp\n\
         listen = 127.0.0.1\n\
         base_dir = {at}/run\n\
         state_dir = {at}/state\n\
         log_path = {at}/log\n\
         import_environment = TZ {names}\n\
         ssl = no\n\
         disable_plaintext_auth = no\n\
         auth_username_format = %n\n\
         mail_location = maildir:{at}/mail/%n\n\
         mail_max_userip_connections = 500\n\
         passdb {{\n  driver = static\n  args = password={password}\n}}\n\
         userdb {{\n  driver = static\n  args = uid=65534 gid=65534 home={at}/mail/%n allow_all_users=yes\n}}\n\
         service lmtp {{\n  process_limit = 200\n  client_limit = 1\n  inet_listener lmtp {{\n    address = 127.0.0.1\n    port = {lmtp}\n  }}\n}}\n\
         service imap-login {{\n  process_min_avail = 1\n  inet_listener imap {{\n    address = 127.0.0.1\n    port = {imap}\n  }}\n  inet_listener imaps {{\n    port = 0\n  }}\n}}\n\
         namespace inbox {{\n  inbox = yes\n}}\n"
    )
}
