//! How many messages have arrived.

use crate::pair::{USERS, user};
use concord_testkit::{Imap, PASSWORD, Result};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A cheap way to count what is in the mailboxes.
pub enum Mailboxes {
    /// STATUS in sessions that stay logged in.
    Imap(Vec<Imap>),
    /// The files of the Maildirs: costs the server nothing at all.
    Maildir(PathBuf),
}

impl Mailboxes {
    /// Logs in as every user.
    pub fn by_imap(at: SocketAddr) -> Result<Self> {
        let sessions = (0..USERS).map(|n| Imap::login(at, &user(n), PASSWORD));
        Ok(Self::Imap(sessions.collect::<Result<_>>()?))
    }

    /// Looks under this directory.
    pub fn by_maildir(directory: &Path) -> Self {
        Self::Maildir(directory.to_path_buf())
    }

    /// All messages of all users.
    pub fn count(&mut self) -> Result<u64> {
        match self {
            Self::Imap(sessions) => {
                let mut sum = 0;
                for session in sessions {
                    sum += u64::from(session.count("INBOX")?);
                }
                Ok(sum)
            }
            Self::Maildir(directory) => {
                let files = |path: PathBuf| std::fs::read_dir(path).map_or(0, Iterator::count);
                Ok((0..USERS)
                    .flat_map(|n| ["new", "cur"].map(|d| directory.join(format!("u{n}")).join(d)))
                    .map(|path| files(path) as u64)
                    .sum())
            }
        }
    }
}
