//! Applying acts to the index. Deterministic: the same acts in the same order
//! give the same ids, UIDs and modification sequences, so a replay after a
//! crash arrives where the first run was.

mod directory;
mod file;
mod folders;
mod items;
mod maintenance;
mod queue;
mod take_in;
mod taken;

use crate::act::{Act, BodyRef, Meta};
use crate::index::{Applied, State, index_error};
use crate::schedule::Change;
use concord_base::{FolderId, MailboxId, MessageId, StorageError, Timestamp};
use concord_directory::{DirectoryError, Object};
use concord_message_log::Location;
use concord_store::{Appended, Copied, Folder, StoreError, StoredFlags};
use concord_transport::{TraceKind, TransportError};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::HashMap;
use std::sync::Arc;

/// What an act did.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Done,
    Message(MessageId),
    Folder(Folder),
    Appended(Appended),
    Copied(Copied),
    Flags(StoredFlags),
    Uids(Vec<u32>),
    Object(Arc<Object>),
    Count(u64),
}

/// Why an act did nothing.
#[derive(Debug, Clone)]
pub(crate) enum ActError {
    Store(StoreError),
    Directory(DirectoryError),
    Transport(TransportError),
    Storage(StorageError),
}

impl From<rusqlite::Error> for ActError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(index_error(error))
    }
}
impl From<StoreError> for ActError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
impl From<DirectoryError> for ActError {
    fn from(error: DirectoryError) -> Self {
        Self::Directory(error)
    }
}
impl From<TransportError> for ActError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

pub(crate) type Applying = Result<Outcome, ActError>;

/// What readers must hear of once a batch is committed.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Folders with their new modification sequence.
    pub folders: HashMap<FolderId, u64>,
    /// Folders that are gone.
    pub folders_gone: Vec<FolderId>,
    /// Deliveries came, went or changed.
    pub queue: bool,
    /// What came, went or changed, in order.
    pub deliveries: Vec<Change>,
    /// The directory changed.
    pub directory: bool,
    /// Files of large bodies that nobody refers to any more.
    pub large_dead: Vec<u64>,
}

/// A folder's counters, kept in memory within a batch.
#[derive(Debug, Clone)]
struct Counters {
    uid_validity: u32,
    uid_next: u32,
    modseq: u64,
    messages: i64,
    unseen: i64,
    octets: i64,
    dirty: bool,
}

/// The writer of the index.
pub(crate) struct Applier {
    db: Connection,
    state: State,
    folders: HashMap<FolderId, Counters>,
    inboxes: HashMap<MailboxId, FolderId>,
    effects: Effects,
    now: Timestamp,
    /// The number of the record that is being applied.
    sequence: u64,
    batches: u64,
}

/// Counters of more folders than this are not kept between batches.
const KEEP_FOLDERS: usize = 10_000;

/// A WAL of this size makes the writer wait; the checkpoint thread begins it
/// anew long before unless the load is extreme.
const MAX_WAL: u64 = 192 << 20;
/// Batches between looks at the WAL's size.
const LOOK_AT_WAL: u64 = 64;

/// One record to apply.
pub(crate) struct ToApply<'a> {
    pub meta: &'a Meta,
    pub body: Location,
    pub applied: Applied,
}

impl Applier {
    pub fn new(db: Connection, state: State) -> Self {
        Self {
            db,
            state,
            folders: HashMap::new(),
            inboxes: HashMap::new(),
            effects: Effects::default(),
            now: Timestamp(0),
            sequence: 0,
            batches: 0,
        }
    }

    pub fn connection(&self) -> &Connection {
        &self.db
    }

    /// Makes a new index that of a log that was there before it.
    pub fn adopt_log(&mut self, log_id: [u8; 16]) -> Result<(), StorageError> {
        self.db.execute("UPDATE engine SET log_id = ?1", [log_id]).map_err(index_error)?;
        self.state.log_id = log_id;
        Ok(())
    }

    /// Keeps the WAL from outgrowing the disk when more comes in than the
    /// checkpoint thread takes out: then the writer waits for a checkpoint.
    pub fn bound_wal(&mut self) {
        self.batches += 1;
        if !self.batches.is_multiple_of(LOOK_AT_WAL) {
            return;
        }
        let wal = self.db.path().map(|p| format!("{p}-wal"));
        let octets = wal.and_then(|p| std::fs::metadata(p).ok()).map_or(0, |m| m.len());
        if octets > MAX_WAL
            && let Err(error) = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        {
            let error = index_error(error);
            tracing::warn!(%error, "the index's WAL could not be shortened");
        }
    }

    /// Applies records in one transaction. On an error nothing of it is there,
    /// and it may be tried again.
    pub fn apply<'a>(
        &mut self,
        records: impl Iterator<Item = ToApply<'a>>,
    ) -> Result<(Vec<Vec<Applying>>, Effects), StorageError> {
        let before = self.state.clone();
        self.effects = Effects::default();
        let result = self.apply_in_transaction(records);
        match result {
            Ok(outcomes) => Ok((outcomes, std::mem::take(&mut self.effects))),
            Err(error) => {
                // Fails only when no transaction is open, which is as wanted.
                let _ = self.db.execute_batch("ROLLBACK");
                self.state = before;
                self.folders.clear();
                self.inboxes.clear();
                Err(error)
            }
        }
    }

    fn apply_in_transaction<'a>(
        &mut self,
        records: impl Iterator<Item = ToApply<'a>>,
    ) -> Result<Vec<Vec<Applying>>, StorageError> {
        self.statement("BEGIN IMMEDIATE").map_err(index_error)?;
        let mut outcomes = Vec::new();
        for record in records {
            self.now = record.meta.at;
            self.sequence = record.applied.sequence;
            let mut done = Vec::with_capacity(record.meta.acts.len());
            for act in &record.meta.acts {
                match self.act(act, record.body) {
                    Err(ActError::Storage(error)) => return Err(error),
                    other => done.push(other),
                }
            }
            self.state.applied = record.applied;
            outcomes.push(done);
        }
        self.flush().map_err(index_error)?;
        self.statement("COMMIT").map_err(index_error)?;
        if self.folders.len() > KEEP_FOLDERS {
            self.folders.clear();
            self.inboxes.clear();
        }
        Ok(outcomes)
    }

    /// One of the few statements without parameters, kept ready.
    fn statement(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.db.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn act(&mut self, act: &Act, body: Location) -> Applying {
        match act {
            Act::TakeIn(take_in) => self.take_in(take_in, body),
            Act::Append { folder, flags, internal_date, body: at } => {
                self.append(*folder, flags, *internal_date, *at, body)
            }
            Act::StoreFlags { folder, uids, change, unchanged_since } => {
                self.store_flags(*folder, uids, change, *unchanged_since)
            }
            Act::Copy { from, uids, to } => self.copy(*from, uids, *to, false),
            Act::Move { from, uids, to } => self.copy(*from, uids, *to, true),
            Act::Expunge { folder, uids } => self.expunge(*folder, uids),
            Act::CreateFolder { mailbox, name, special_use } => {
                self.create_folder(*mailbox, name, *special_use)
            }
            Act::RenameFolder { mailbox, old, new } => self.rename_folder(*mailbox, old, new),
            Act::DeleteFolder { mailbox, name } => self.delete_folder(*mailbox, name),
            Act::Subscribe { mailbox, name, subscribed } => {
                self.subscribe(*mailbox, name, *subscribed)
            }
            Act::Directory(act) => self.directory(act),
            Act::Answers(answers) => self.answers(answers),
            Act::Administer { message, act } => self.queue_act(*message, *act),
            Act::Claimed(deliveries) => self.claimed(deliveries),
            Act::Reroute(routes) => self.reroute(routes),
            Act::CoreStarted { retry_at } => self.core_started(*retry_at),
            Act::ForgetRemoved { before } => self.forget_removed(*before),
            Act::ConnectorState { connector, key, value } => {
                self.connector_state(connector, key, value.as_deref())
            }
            Act::ForgetStories { before } => self.forget_stories(*before),
            Act::Restored => self.restored(),
            Act::Carried { message, body: at } => self.carried(*message, *at, body),
        }
    }

    /// Writes back what is kept in memory.
    fn flush(&mut self) -> Result<(), rusqlite::Error> {
        let mut write = self.db.prepare_cached(
            "UPDATE folder SET uid_next = ?2, modseq = ?3, messages = ?4, unseen = ?5, octets = ?6
             WHERE id = ?1",
        )?;
        for (id, f) in self.folders.iter_mut().filter(|(_, f)| f.dirty) {
            write.execute(params![
                id.0 as i64,
                f.uid_next,
                f.modseq as i64,
                f.messages,
                f.unseen,
                f.octets
            ])?;
            f.dirty = false;
        }
        let s = &self.state;
        self.db
            .prepare_cached(
                "UPDATE engine SET sequence = ?1, segment = ?2, offset = ?3, next_message = ?4,
                 next_delivery = ?5, next_folder = ?6, next_object = ?7, last_uid_validity = ?8",
            )?
            .execute(params![
                s.applied.sequence as i64,
                s.applied.position.segment as i64,
                s.applied.position.offset as i64,
                s.next_message as i64,
                s.next_delivery as i64,
                s.next_folder as i64,
                s.next_object as i64,
                s.last_uid_validity
            ])?;
        Ok(())
    }

    /// A folder's counters, from memory or the index.
    fn counters(&mut self, folder: FolderId) -> Result<Option<&mut Counters>, rusqlite::Error> {
        if !self.folders.contains_key(&folder) {
            let found = self
                .db
                .prepare_cached(
                    "SELECT uid_validity, uid_next, modseq, messages, unseen, octets
                     FROM folder WHERE id = ?1",
                )?
                .query_row([folder.0 as i64], |r| {
                    Ok(Counters {
                        uid_validity: r.get(0)?,
                        uid_next: r.get(1)?,
                        modseq: r.get::<_, i64>(2)? as u64,
                        messages: r.get(3)?,
                        unseen: r.get(4)?,
                        octets: r.get(5)?,
                        dirty: false,
                    })
                })
                .optional()?;
            let Some(found) = found else { return Ok(None) };
            self.folders.insert(folder, found);
        }
        Ok(self.folders.get_mut(&folder))
    }

    /// Raises a folder's modification sequence for a change of its items.
    fn touch(&mut self, folder: FolderId) -> Result<u64, ActError> {
        let Some(counters) = self.counters(folder)? else {
            return Err(StoreError::FolderGone(folder).into());
        };
        counters.modseq += 1;
        counters.dirty = true;
        let modseq = counters.modseq;
        self.effects.folders.insert(folder, modseq);
        Ok(modseq)
    }

    /// Where an act's message is, as the index keeps it: place, segment, offset.
    fn place(at: BodyRef, body: Location) -> (i64, i64, i64) {
        match at {
            BodyRef::Here { offset, .. } => (1, body.segment as i64, (body.offset + offset) as i64),
            BodyRef::Large { number, .. } => (2, number as i64, 0),
        }
    }

    /// Gives back references to a message; the last one frees its body.
    fn release(&mut self, message: MessageId, references: u64) -> Result<(), rusqlite::Error> {
        let row = self
            .db
            .prepare_cached(
                "UPDATE message SET refs = refs - ?2 WHERE id = ?1
                 RETURNING refs, place, segment, envelope IS NULL",
            )?
            .query_row(params![message.0 as i64, references as i64], |r| {
                Ok((
                    r.get::<_, i64>(0)?,
                    r.get::<_, i64>(1)?,
                    r.get::<_, i64>(2)?,
                    r.get::<_, bool>(3)?,
                ))
            })
            .optional()?;
        let Some((refs, place, segment, without_story)) = row else { return Ok(()) };
        if refs > 0 {
            return Ok(());
        }
        if place == 2 {
            self.effects.large_dead.push(segment as u64);
        }
        let statement = if without_story {
            "DELETE FROM message WHERE id = ?1"
        } else {
            "UPDATE message SET place = 0 WHERE id = ?1"
        };
        self.db.prepare_cached(statement)?.execute([message.0 as i64])?;
        Ok(())
    }

    /// Adds to a message's story.
    fn event(
        &self,
        message: MessageId,
        seq: Option<i64>,
        kind: TraceKind,
        recipient: Option<&str>,
        detail: &str,
    ) -> Result<(), rusqlite::Error> {
        let number = TraceKind::ALL.iter().position(|k| *k == kind).unwrap_or_default() as i64;
        self.db
            .prepare_cached(
                "INSERT INTO event VALUES (?1,
                 coalesce(?2, (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE message = ?1)),
                 ?3, ?4, ?5, ?6)",
            )?
            .execute(params![message.0 as i64, seq, self.now.0, number, recipient, detail])?;
        Ok(())
    }
}
