//! One client's session: greeting, commands, update.

use crate::command::{self, Command};
use crate::config::{MAX_BAD_COMMANDS, MAX_FAILED_LOGINS, MAX_LINE};
use crate::connection::{Connection, End};
use crate::lock::Lock;
use crate::login;
use crate::send::{Extent, Sender};
use crate::server::Pop3Server;
use concord_base::FolderId;
use concord_sasl::Mechanism;
use concord_store::{FlagChange, FlagSet, Item, MAX_READ, StoreError, SystemFlags, UidSet};
use std::sync::Arc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// Octets read from the store at once while a message is sent.
const PIECE: u64 = if MAX_READ < 256 * 1024 { MAX_READ } else { 256 * 1024 };

/// What the client sees of its mailbox: the INBOX as it was at the login.
pub(crate) struct Maildrop {
    pub folder: FolderId,
    pub uid_validity: u32,
    pub items: Arc<Vec<Item>>,
    /// Numbers (from 0) that go at QUIT.
    pub deleted: Vec<bool>,
    /// Given back when the session ends.
    pub _lock: Lock,
}

impl Maildrop {
    /// A message that is there and not deleted.
    fn get(&self, number: usize) -> Option<&Item> {
        let at = number.checked_sub(1)?;
        if self.deleted.get(at).copied().unwrap_or(true) { None } else { self.items.get(at) }
    }

    fn live(&self) -> impl Iterator<Item = (usize, &Item)> {
        let live = self.items.iter().zip(&self.deleted).enumerate();
        live.filter(|(_, (_, deleted))| !**deleted).map(|(at, (item, _))| (at + 1, item))
    }
}

/// A session.
pub(crate) struct Session {
    pub server: Arc<Pop3Server>,
    pub connection: Connection,
    pub tls: bool,
    pub shutdown: CancellationToken,
    pub user: Option<String>,
    pub maildrop: Option<Maildrop>,
    bad_commands: u32,
    pub failed_logins: u32,
    login_by: Instant,
}

impl Session {
    pub(crate) fn new(
        server: Arc<Pop3Server>,
        connection: Connection,
        tls: bool,
        shutdown: CancellationToken,
    ) -> Self {
        let login_by = Instant::now() + server.config.login_timeout;
        Self {
            server,
            connection,
            tls,
            shutdown,
            user: None,
            maildrop: None,
            bad_commands: 0,
            failed_logins: 0,
            login_by,
        }
    }

    pub(crate) async fn run(mut self) {
        let greeting = format!("+OK {} Concord POP3 is ready", self.server.config.host_name);
        self.connection.line(&greeting);
        let end = loop {
            let line = match self.next().await {
                Ok(line) => line,
                Err(end) => break end,
            };
            if let Err(end) = self.handle(line).await {
                break end;
            }
        };
        if let End::Farewell(text) = end {
            self.connection.line(&format!("-ERR {text}"));
        }
        if !matches!(end, End::Stuck) && self.connection.flush().await.is_ok() {
            self.connection.close().await;
        }
    }

    /// Waits for a line.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, End> {
        if !self.connection.has_input() {
            self.connection.flush().await?;
            let (until, text) = match self.maildrop {
                Some(_) => (
                    Instant::now() + self.server.config.idle_timeout,
                    "you were silent for too long",
                ),
                None => (self.login_by, "log in sooner"),
            };
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => {
                    return Err(End::Farewell("[SYS/TEMP] the server is shutting down"));
                }
                got = timeout_at(until, self.connection.fill()) => {
                    got.map_err(|_| End::Farewell(text))??;
                }
            }
        }
        // whoever keeps talking without logging in gets no more time for it
        if self.maildrop.is_none() && Instant::now() > self.login_by {
            return Err(End::Farewell("log in sooner"));
        }
        let wait = self.server.config.command_timeout;
        timeout(wait, self.connection.read_line(MAX_LINE))
            .await
            .map_err(|_| End::Farewell("the command took too long to arrive"))?
    }

    async fn handle(&mut self, line: Option<Vec<u8>>) -> Result<(), End> {
        let Some(line) = line else { return self.bad("the line is too long") };
        let Some(command) = command::parse(&line) else {
            return self.bad("unknown command or wrong arguments");
        };
        // commands by name, whatever came of them
        metrics::counter!("pop3_commands_total", "command" => command.name()).increment(1);
        let known = match (&command, &self.maildrop) {
            (Command::Capa | Command::Quit, _) => true,
            (
                Command::Auth { .. } | Command::Pass(_) | Command::Stls | Command::User(_),
                maildrop,
            ) => maildrop.is_none(),
            (_, maildrop) => maildrop.is_some(),
        };
        if !known {
            return self.bad("this command has no place here");
        }
        self.execute(command).await?;
        if self.failed_logins >= MAX_FAILED_LOGINS {
            return Err(End::Farewell("too many refused logins"));
        }
        self.connection.flush_if_full().await
    }

    fn bad(&mut self, text: &str) -> Result<(), End> {
        self.bad_commands += 1;
        self.connection.line(&format!("-ERR {text}"));
        if self.bad_commands >= MAX_BAD_COMMANDS {
            return Err(End::Farewell("too many bad commands"));
        }
        Ok(())
    }

    async fn execute(&mut self, command: Command<'_>) -> Result<(), End> {
        match command {
            Command::Capa => self.capa(),
            Command::Quit => return self.quit().await,
            Command::Stls => return login::stls(self).await,
            Command::User(name) => login::user(self, name),
            Command::Pass(password) => return login::pass(self, password).await,
            Command::Auth { mechanism, initial } => {
                return login::auth(self, mechanism, initial).await;
            }
            Command::Noop => self.connection.line("+OK"),
            Command::Stat => self.stat(),
            Command::Rset => {
                if let Some(drop) = &mut self.maildrop {
                    drop.deleted.fill(false);
                }
                self.connection.line("+OK nothing is deleted");
            }
            Command::Dele(number) => self.dele(number),
            Command::List(number) => {
                return self.list(number, |_, item| item.octets.to_string()).await;
            }
            Command::Uidl(number) => {
                return self
                    .list(number, |drop, i| format!("{}.{}", drop.uid_validity, i.uid))
                    .await;
            }
            Command::Retr(number) => return self.send(number, Extent::Whole).await,
            Command::Top { message, lines } => return self.send(message, Extent::Top(lines)).await,
        }
        Ok(())
    }

    fn capa(&mut self) {
        let passwords = login::may_send_passwords(self);
        let mut sasl = String::from("SASL");
        for mechanism in Mechanism::ALL {
            if passwords || !mechanism.shows_password() {
                sasl.push(' ');
                sasl.push_str(mechanism.name());
            }
        }
        self.connection.line("+OK capabilities follow");
        for line in ["TOP", "UIDL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE"] {
            self.connection.line(line);
        }
        if passwords {
            self.connection.line("USER");
        }
        self.connection.line(&sasl);
        if !self.tls && self.server.entrance.has_tls() && self.maildrop.is_none() {
            self.connection.line("STLS");
        }
        self.connection.line("IMPLEMENTATION Concord");
        self.connection.line(".");
    }

    fn stat(&mut self) {
        let (count, octets) = self.maildrop.as_ref().map_or((0, 0), |drop| {
            drop.live().fold((0u64, 0u64), |(n, sum), (_, i)| (n + 1, sum.saturating_add(i.octets)))
        });
        self.connection.line(&format!("+OK {count} {octets}"));
    }

    fn no_such_message(&mut self) {
        self.connection.line("-ERR there is no such message");
    }

    fn dele(&mut self, number: usize) {
        let slot = number.checked_sub(1).and_then(|at| self.maildrop.as_mut()?.deleted.get_mut(at));
        match slot {
            Some(deleted) if !*deleted => {
                *deleted = true;
                self.connection.line("+OK deleted at QUIT");
            }
            _ => self.no_such_message(),
        }
    }

    /// LIST and UIDL, of one message or of all.
    async fn list(
        &mut self,
        number: Option<usize>,
        show: impl Fn(&Maildrop, &Item) -> String,
    ) -> Result<(), End> {
        let Some(drop) = &self.maildrop else { return Ok(()) };
        if let Some(number) = number {
            match drop.get(number).map(|item| show(drop, item)) {
                Some(text) => self.connection.line(&format!("+OK {number} {text}")),
                None => self.no_such_message(),
            }
            return Ok(());
        }
        self.connection.line("+OK");
        for (number, item) in drop.live() {
            self.connection.line(&format!("{number} {}", show(drop, item)));
            self.connection.flush_if_full().await?;
        }
        self.connection.line(".");
        Ok(())
    }

    /// RETR and TOP. The first piece is read before the answer begins, so that
    /// a message that is gone is an error and not half a message.
    async fn send(&mut self, number: usize, extent: Extent) -> Result<(), End> {
        let item = self.maildrop.as_ref().and_then(|drop| drop.get(number)).cloned();
        let Some(item) = item else {
            self.no_such_message();
            return Ok(());
        };
        let store = Arc::clone(&self.server.store);
        let mut sender = Sender::new(extent);
        let mut at = 0;
        loop {
            let piece = match store.read(item.message, at..item.octets.min(at + PIECE)).await {
                Ok(piece) => piece,
                Err(error) if at == 0 => {
                    self.refuse(&error);
                    return Ok(());
                }
                Err(error) => {
                    tracing::error!(%error, "cannot read on in a message");
                    return Err(End::Closed);
                }
            };
            if at == 0 {
                self.connection.line(&format!("+OK {} octets", item.octets));
            }
            at += u64::try_from(piece.len()).unwrap_or(PIECE);
            sender.push(&mut self.connection.out, &piece);
            self.connection.flush_if_full().await?;
            if piece.is_empty() && at < item.octets {
                // half a message must not look whole
                return Err(End::Closed);
            }
            if at >= item.octets || sender.is_done() {
                break;
            }
        }
        sender.finish(&mut self.connection.out);
        Ok(())
    }

    pub(crate) fn refuse(&mut self, error: &StoreError) {
        tracing::warn!(%error, "the store refused");
        self.connection.line(match error {
            StoreError::MessageGone(_) => "-ERR the message is gone",
            _ => "-ERR [SYS/TEMP] the mailbox cannot be read now",
        });
    }

    /// QUIT: what was deleted goes now (the UPDATE state).
    async fn quit(&mut self) -> Result<(), End> {
        if let Some(drop) = self.maildrop.take() {
            let gone = drop.items.iter().zip(&drop.deleted).filter(|(_, deleted)| **deleted);
            let uids: UidSet = gone.map(|(item, _)| item.uid).collect();
            if !uids.is_empty()
                && let Err(error) = self.remove(drop.folder, &uids).await
            {
                tracing::error!(%error, "cannot remove messages at QUIT");
                self.connection.line("-ERR [SYS/TEMP] some deleted messages are not removed");
                return Err(End::Quit);
            }
        }
        self.connection.line("+OK goodbye");
        Err(End::Quit)
    }

    async fn remove(&mut self, folder: FolderId, uids: &UidSet) -> Result<(), StoreError> {
        let store = Arc::clone(&self.server.store);
        let change = FlagChange::Add(FlagSet::system(SystemFlags::DELETED));
        store.store_flags(folder, uids, change, None).await?;
        store.expunge(folder, uids).await?;
        Ok(())
    }
}
