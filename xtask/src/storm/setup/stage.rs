//! A server in the state that a verb begins with, which can be had again.

use crate::goods::Goods;
use crate::workspace::{must, program};
use concord_testkit::{Result, Site, kill};
use std::path::Path;

/// Messages that are in the mailbox before the storm.
const MESSAGES: usize = 3;
/// The one mailbox.
pub const MAILBOX: &str = "alice";

/// A scratch root, and a copy of everything in and beside it.
pub struct Stage<'a> {
    pub site: Site,
    pub goods: &'a Goods,
    kept: tempfile::TempDir,
    running: bool,
}

impl<'a> Stage<'a> {
    /// Nothing is installed.
    pub fn new(goods: &'a Goods) -> Result<Self> {
        let site = Site::with_binary(&goods.program)?;
        site.answers()?;
        let kept = tempfile::Builder::new().prefix("concord-kept-").tempdir()?;
        Ok(Self { site, goods, kept, running: false })
    }

    /// Installed, running, with mail.
    pub fn begin(&mut self) -> Result<()> {
        self.site.install()?;
        self.site.up()?;
        self.site.add_mailbox(MAILBOX)?;
        for number in 0..MESSAGES {
            self.site.send(MAILBOX, &format!("m{number}"))?;
        }
        self.site.ok(&["update", "trust", &self.goods.trust])?;
        Ok(())
    }

    /// Words that install the webhook under a name.
    pub fn install_words(&self, name: &str) -> Result<Vec<String>> {
        let listen = format!("127.0.0.1:{}", self.site.port()?);
        Ok(self.goods.connector_words(name, &listen))
    }

    /// Installs the webhook.
    pub fn connect(&self) -> Result<()> {
        let words = self.install_words("webhook")?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.site.ok(&words).map(|_| ())
    }

    /// Where backups go.
    pub fn backups(&self) -> String {
        self.site.top().join("backups").display().to_string()
    }

    /// Keeps the present state for [`Stage::restore`].
    pub fn keep(&mut self, running: bool) -> Result<()> {
        self.site.stop()?;
        copy(self.site.top(), self.kept.path())?;
        self.running = running;
        if running { self.site.up() } else { Ok(()) }
    }

    /// Makes everything as it was kept.
    pub fn restore(&mut self) -> Result<()> {
        for pid in self.site.processes() {
            kill(pid)?;
        }
        self.site.wait_ended()?;
        for entry in std::fs::read_dir(self.site.top())? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                std::fs::remove_dir_all(path)?;
            } else {
                std::fs::remove_file(path)?;
            }
        }
        copy(self.kept.path(), self.site.top())?;
        if self.running { self.site.up() } else { Ok(()) }
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    must(program("cp").args(["--archive", "--no-target-directory"]).args([from, to]))
}
