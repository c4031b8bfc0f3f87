//! The two servers that are compared, side by side.

use crate::mailboxes::Mailboxes;
use crate::meter::SyncCounter;
use clap::ValueEnum;
use concord_testkit::{
    Concord, DOMAIN, Dovecot, Ports, Postfix, PostfixSettings, Result, executable, trouble,
};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Mailboxes that take mail in turn.
pub const USERS: usize = 20;

/// Which servers are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// Concord.
    Concord,
    /// Postfix and Dovecot.
    Peer,
}

/// Starts the servers that are asked for, ours first.
pub fn start(only: Option<Which>, delay_us: u64) -> Result<Vec<Box<dyn Server>>> {
    let mut servers: Vec<Box<dyn Server>> = Vec::new();
    if only != Some(Which::Peer) {
        servers.push(Box::new(Ours::start(delay_us)?));
    }
    if only != Some(Which::Concord) {
        servers.push(Box::new(Peer::start(delay_us)?));
    }
    Ok(servers)
}

/// A server under test.
pub trait Server {
    /// Its name in tables.
    fn name(&self) -> &'static str;
    /// Where mail comes in.
    fn smtp(&self) -> SocketAddr;
    /// Where mail is read.
    fn imap(&self) -> SocketAddr;
    /// Its first processes.
    fn roots(&self) -> Result<Vec<u32>>;
    /// Counts its syncs.
    fn counter(&self) -> &SyncCounter;
    /// Where its files are.
    fn directory(&self) -> PathBuf;
    /// Counts what is in the mailboxes.
    fn mailboxes(&self) -> Result<Mailboxes>;
}

/// The address of a user.
pub fn user(n: usize) -> String {
    format!("u{n}@{DOMAIN}")
}

/// All recipients.
pub fn users() -> Vec<String> {
    (0..USERS).map(user).collect()
}

/// The variables of the layer that counts syncs.
pub(crate) fn layer(counter: &SyncCounter, delay_us: u64) -> Result<Vec<(&'static str, String)>> {
    let library = std::env::var("SYNC_LAYER")
        .map_err(|_| trouble("SYNC_LAYER does not name the layer; run 'cargo xtask bench'"))?;
    Ok(vec![
        ("LD_PRELOAD", library),
        ("SYNC_COUNT_FILE", counter.path().display().to_string()),
        ("SYNC_DELAY_US", delay_us.to_string()),
    ])
}

/// Concord with its usual settings.
pub struct Ours {
    server: Concord,
    counter: SyncCounter,
    _scratch: tempfile::TempDir,
}

impl Ours {
    /// Starts it and makes the mailboxes.
    pub fn start(delay_us: u64) -> Result<Self> {
        let scratch = scratch("bench-ours-")?;
        let counter = SyncCounter::new(&scratch.path().join("syncs"))?;
        let mut builder =
            Concord::builder()?.binary(executable()?).root(scratch.path().join("root"));
        for (name, value) in layer(&counter, delay_us)? {
            builder = builder.env(name, value);
        }
        let server = builder.start()?;
        for name in users() {
            server.add_mailbox(&name)?;
        }
        Ok(Self { server, counter, _scratch: scratch })
    }
}

impl Server for Ours {
    fn name(&self) -> &'static str {
        "Concord"
    }
    fn smtp(&self) -> SocketAddr {
        self.server.address("smtp")
    }
    fn imap(&self) -> SocketAddr {
        self.server.address("imap")
    }
    fn roots(&self) -> Result<Vec<u32>> {
        Ok(vec![self.server.controller()?])
    }
    fn counter(&self) -> &SyncCounter {
        &self.counter
    }
    fn directory(&self) -> PathBuf {
        self.server.root().join("data")
    }
    fn mailboxes(&self) -> Result<Mailboxes> {
        Mailboxes::by_imap(self.imap())
    }
}

/// Postfix that hands over to Dovecot by LMTP.
pub struct Peer {
    postfix: Postfix,
    dovecot: Dovecot,
    counter: SyncCounter,
    _scratch: tempfile::TempDir,
    _ports: Ports,
}

impl Peer {
    /// Starts both.
    pub fn start(delay_us: u64) -> Result<Self> {
        let scratch = scratch("bench-peer-")?;
        let counter = SyncCounter::new(&scratch.path().join("syncs"))?;
        let layer = layer(&counter, delay_us)?;
        let ports = Ports::take()?;
        let (lmtp, imap, smtp) = (ports.next()?, ports.next()?, ports.next()?);
        let borrowed: Vec<(&str, &str)> =
            layer.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let dovecot = Dovecot::start(lmtp, imap, &borrowed)?;
        let imported: Vec<String> =
            layer.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let main = vec![
            format!(
                "import_environment = MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ LANG=C {}",
                imported.join(" ")
            ),
            format!("virtual_mailbox_domains = {DOMAIN}"),
            "virtual_mailbox_maps = static:all".to_owned(),
            format!("virtual_transport = lmtp:inet:127.0.0.1:{lmtp}"),
            // As generous as a loaded server's administrator would be.
            "default_process_limit = 150".to_owned(),
            "lmtp_destination_concurrency_limit = 20".to_owned(),
            "virtual_destination_concurrency_limit = 20".to_owned(),
        ];
        let postfix = Postfix::start(&PostfixSettings { port: smtp, main })?;
        Ok(Self { postfix, dovecot, counter, _scratch: scratch, _ports: ports })
    }
}

impl Server for Peer {
    fn name(&self) -> &'static str {
        "Postfix + Dovecot"
    }
    fn smtp(&self) -> SocketAddr {
        self.postfix.address()
    }
    fn imap(&self) -> SocketAddr {
        self.dovecot.imap()
    }
    fn roots(&self) -> Result<Vec<u32>> {
        Ok(vec![self.postfix.pid(), self.dovecot.pid()])
    }
    fn counter(&self) -> &SyncCounter {
        &self.counter
    }
    fn directory(&self) -> PathBuf {
        self.dovecot.directory().to_path_buf()
    }
    fn mailboxes(&self) -> Result<Mailboxes> {
        Ok(Mailboxes::by_maildir(&self.dovecot.directory().join("mail")))
    }
}

/// A directory that servers of other users can enter.
pub(crate) fn scratch(prefix: &str) -> Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::Builder::new().prefix(prefix).tempdir()?;
    open(directory.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(directory)
}

fn open(path: &Path, permissions: std::fs::Permissions) -> Result<()> {
    std::fs::set_permissions(path, permissions)?;
    Ok(())
}
