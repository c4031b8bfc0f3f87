//! One client's session: greeting, the loop over commands, the end.

use crate::command;
use crate::config::{MAX_BAD_COMMANDS, MAX_FAILED_LOGINS};
use crate::connection::Connection;
use crate::error::{Done, End, Fail, Outcome};
use crate::reader::{self, Incoming};
use crate::selected::{Expunges, Selected, Told};
use crate::server::ImapServer;
use concord_base::MailboxId;
use concord_directory::Object;
use concord_sasl::Mechanism;
use std::sync::Arc;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// A command has been answered, or wants its tagged answer.
pub(crate) enum Reply {
    /// `OK` with this.
    Ok(Done),
    /// The answer has been written already.
    Written,
}

impl From<Done> for Reply {
    fn from(done: Done) -> Self {
        Self::Ok(done)
    }
}

/// A session.
pub(crate) struct Session {
    pub server: Arc<ImapServer>,
    pub connection: Connection,
    pub tls: bool,
    pub shutdown: CancellationToken,
    pub user: Option<Arc<Object>>,
    pub selected: Option<Selected>,
    /// The client has asked for something of RFC 7162.
    pub condstore: bool,
    bad_commands: u32,
    pub failed_logins: u32,
    login_by: Instant,
}

impl Session {
    pub(crate) fn new(
        server: Arc<ImapServer>,
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
            selected: None,
            condstore: false,
            bad_commands: 0,
            failed_logins: 0,
            login_by,
        }
    }

    pub(crate) async fn run(mut self) {
        let greeting = format!(
            "* OK [CAPABILITY {}] {} Concord IMAP is ready\r\n",
            self.capabilities(),
            self.server.config.host_name
        );
        self.connection.push(greeting.as_bytes());
        let end = loop {
            let incoming = match self.next().await {
                Ok(incoming) => incoming,
                Err(end) => break end,
            };
            if let Err(end) = self.handle(incoming).await {
                break end;
            }
        };
        match &end {
            End::Bye(text) => {
                tracing::info!(text, "told BYE");
                self.connection.push(format!("* BYE {text}\r\n").as_bytes());
            }
            End::Io(error) => tracing::debug!(%error, "the connection failed"),
            End::Stuck => tracing::info!("the client did not read its answers"),
            End::Closed | End::Logout => {}
        }
        // a client that sent half a command and hung up still gets its answers
        if !matches!(end, End::Stuck) && self.connection.flush().await.is_ok() {
            self.connection.close().await;
        }
        tracing::debug!("session over");
    }

    /// Waits for a command and reads it.
    async fn next(&mut self) -> Result<Incoming, End> {
        if self.connection.input.is_empty() {
            self.connection.flush().await?;
            self.connection.rest();
            let (until, text) = match self.user {
                Some(_) => (
                    Instant::now() + self.server.config.idle_timeout,
                    "you were silent for too long",
                ),
                None => (self.login_by, "log in sooner"),
            };
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Err(End::Bye("the server is shutting down")),
                got = timeout_at(until, self.connection.fill()) => got.map_err(|_| End::Bye(text))??,
            }
        }
        if self.shutdown.is_cancelled() {
            return Err(End::Bye("the server is shutting down"));
        }
        // whoever keeps talking without logging in gets no more time for it
        if self.user.is_none() && Instant::now() > self.login_by {
            return Err(End::Bye("log in sooner"));
        }
        let logged_in = self.user.is_some();
        timeout(
            self.server.config.command_timeout,
            reader::read_command(&mut self.connection, logged_in),
        )
        .await
        .map_err(|_| End::Bye("the command took too long to arrive"))?
    }

    async fn handle(&mut self, incoming: Incoming) -> Result<(), End> {
        match incoming {
            Incoming::Bad { tag, text } => self.bad(&tag, text)?,
            Incoming::Command(octets) => command::run(self, &octets).await?,
            Incoming::Append { command, octets, synchronising } => {
                crate::append::run(self, &command, octets, synchronising).await?;
            }
        }
        self.connection.flush_if_full().await
    }

    /// Answers a command that makes no sense, and ends the session if there
    /// were too many.
    pub(crate) fn bad(&mut self, tag: &str, text: &str) -> Result<(), End> {
        self.bad_commands += 1;
        self.connection.push(format!("{tag} BAD {text}\r\n").as_bytes());
        if self.bad_commands >= MAX_BAD_COMMANDS {
            return Err(End::Bye("too many bad commands"));
        }
        Ok(())
    }

    /// Tells what changed in the selected folder, then writes the tagged answer.
    pub(crate) async fn finish(
        &mut self,
        tag: &str,
        outcome: Outcome<Reply>,
        expunges: Expunges,
        told: Told,
    ) -> Result<(), End> {
        let outcome = match outcome {
            Ok(Reply::Written) => return Ok(()),
            Err(Fail::End(end)) => return Err(end),
            outcome => outcome,
        };
        if let Some(selected) = &mut self.selected {
            let told = Told { modseq: self.condstore, ..told };
            let store = &*self.server.store;
            match selected.sync(store, &mut self.connection.out, expunges, told).await {
                Err(Fail::End(end)) => return Err(end),
                Err(fail) => tracing::warn!(?fail, "cannot tell what changed"),
                Ok(()) => {}
            }
        }
        match outcome {
            Ok(Reply::Ok(done)) => {
                self.bad_commands = 0;
                self.tagged(tag, "OK", &done.code, done.text);
            }
            Err(Fail::No(code, text)) => {
                self.bad_commands = 0;
                self.tagged(tag, "NO", code, &text);
            }
            Err(Fail::Bad(text)) => self.bad(tag, text)?,
            Err(Fail::End(_)) | Ok(Reply::Written) => {}
        }
        if self.failed_logins >= MAX_FAILED_LOGINS {
            return Err(End::Bye("too many refused logins"));
        }
        Ok(())
    }

    /// `<tag> <word> [code] text`
    pub(crate) fn tagged(&mut self, tag: &str, word: &str, code: &str, text: &str) {
        let out = &mut self.connection.out;
        for piece in [tag, " ", word, " "] {
            out.extend_from_slice(piece.as_bytes());
        }
        if !code.is_empty() {
            out.push(b'[');
            out.extend_from_slice(code.as_bytes());
            out.extend_from_slice(b"] ");
        }
        // texts quote names that clients chose
        out.extend(text.bytes().map(|c| if (0x20..0x7f).contains(&c) { c } else { b'?' }));
        out.extend_from_slice(b"\r\n");
    }

    /// The CAPABILITY list as of now.
    pub(crate) fn capabilities(&self) -> String {
        let mut list = "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE".to_owned();
        if self.user.is_none() {
            if !self.tls && self.server.entrance.has_tls() {
                list.push_str(" STARTTLS");
            }
            for mechanism in Mechanism::ALL {
                if self.may_send_passwords() || !mechanism.shows_password() {
                    list.push_str(" AUTH=");
                    list.push_str(mechanism.name());
                }
            }
            if !self.may_send_passwords() {
                list.push_str(" LOGINDISABLED");
            }
            return list;
        }
        list.push_str(
            " NAMESPACE CHILDREN SPECIAL-USE UIDPLUS MOVE UNSELECT CONDSTORE WITHIN \
             QUOTA QUOTA=RES-STORAGE STATUS=SIZE",
        );
        list.push_str(&format!(" APPENDLIMIT={}", self.server.config.message_size_limit.0));
        if self.server.config.compress && !self.connection.is_compressed() {
            list.push_str(" COMPRESS=DEFLATE");
        }
        list
    }

    /// Whether a password may cross this connection.
    pub(crate) fn may_send_passwords(&self) -> bool {
        self.tls || self.server.config.allow_plaintext_login
    }

    /// The mailbox that is logged in.
    pub(crate) fn mailbox(&self) -> Outcome<MailboxId> {
        self.user.as_ref().map(|user| user.id.into()).ok_or(Fail::Bad("log in first"))
    }

    /// The selected folder.
    pub(crate) fn selected(&mut self) -> Outcome<&mut Selected> {
        self.selected.as_mut().ok_or(Fail::Bad("select a folder first"))
    }

    /// The selected folder, for a change.
    pub(crate) fn selected_for_change(&mut self) -> Outcome<&mut Selected> {
        let selected = self.selected()?;
        if selected.read_only {
            return Err(Fail::No("READ-ONLY", "the folder is open for reading only".to_owned()));
        }
        Ok(selected)
    }

    /// Lets others run, and ends long work when the server stops.
    pub(crate) async fn breathe(&mut self) -> Result<(), End> {
        tokio::task::yield_now().await;
        if self.shutdown.is_cancelled() {
            return Err(End::Bye("the server is shutting down"));
        }
        Ok(())
    }
}
