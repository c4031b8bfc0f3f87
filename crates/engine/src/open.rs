//! Opening an engine: replay, and tidying up what a crash left behind.

use crate::act::Meta;
use crate::apply::{Applier, ToApply};
use crate::delivery::{DeliveryData, Envelope, decode};
use crate::index::{self, Applied, Readers};
use crate::rows;
use crate::schedule::{Schedule, Standing, Waiting};
use crate::schema::Schema;
use concord_base::{Clock, DeliveryId, MessageId, StorageError, Timestamp};
use concord_message_log::{Damage, LargeBodies, Location, Log, LogOptions, Reader};
use concord_transport::{Group, Urgency};
use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Records applied in one transaction while replaying.
const REPLAY_BATCH: usize = 1_000;
/// Held while a process has the directory.
const LOCK_FILE: &str = "engine.lock";

/// How an engine is kept.
#[derive(Clone)]
pub struct EngineOptions {
    /// The directory that it owns (`data` below the root).
    pub directory: PathBuf,
    /// Closed segments have this size.
    pub segment_octets: u64,
    /// Bodies above this size get a file of their own.
    pub large_threshold: u64,
    /// Memory for bodies that are not committed yet.
    pub intake_budget: u64,
    /// Intake is refused while less is free.
    pub reserve: u64,
    /// The schema of the index.
    pub schema: Schema,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl EngineOptions {
    /// Options with the defaults of the manual.
    pub fn new(directory: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            directory,
            segment_octets: 64 << 20,
            large_threshold: 1 << 20,
            intake_budget: 64 << 20,
            reserve: 256 << 20,
            schema: Schema::of_this_release(),
            clock,
        }
    }

    pub(crate) fn log_directory(&self) -> PathBuf {
        self.directory.join("log")
    }
    pub(crate) fn large_directory(&self) -> PathBuf {
        self.directory.join("large")
    }
    pub(crate) fn index_path(&self) -> PathBuf {
        self.directory.join("index.db")
    }
    pub(crate) fn snapshot_directory(&self) -> PathBuf {
        self.directory.join("snapshots")
    }
}

/// What opening did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Records of the log that the index did not have yet.
    pub replayed: u64,
    /// The index was made anew from the log.
    pub rebuilt: bool,
    /// Damage found in the part that was replayed.
    pub damage: Vec<Damage>,
    /// Deliveries that were in a connector's hands when the core ended.
    pub were_in_flight: u64,
}

pub(crate) struct Parts {
    pub log: Log,
    pub applier: Applier,
    pub readers: Readers,
    pub bodies: Reader,
    pub large: LargeBodies,
    pub schedule: Schedule,
    pub report: OpenReport,
    pub lock: File,
}

pub(crate) fn io(act: &'static str, path: &Path, cause: &std::io::Error) -> StorageError {
    StorageError::Io { act, path: path.display().to_string(), cause: cause.to_string() }
}

/// Takes the directory for this process; the kernel gives it free at its end.
pub(crate) fn lock(directory: &Path) -> Result<File, StorageError> {
    std::fs::create_dir_all(directory).map_err(|e| io("make", directory, &e))?;
    let path = directory.join(LOCK_FILE);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|e| io("open", &path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StorageError::Io {
            act: "lock",
            path: path.display().to_string(),
            cause: "another process has it; stop the core first".into(),
        }),
        Err(TryLockError::Error(e)) => Err(io("lock", &path, &e)),
    }
}

pub(crate) fn open(options: &EngineOptions) -> Result<Parts, StorageError> {
    let lock = lock(&options.directory)?;
    let index_path = options.index_path();
    let mut report = OpenReport::default();
    if !index_path.exists() {
        let has_log = has_whole_log(options)?;
        report.rebuilt = crate::snapshot::restore_newest(options)? || has_log;
    }
    let db = index::open_writer(&index_path, options.schema)?;
    let (state, is_new) = match index::read_state(&db, options.schema)? {
        Some(state) => (state, false),
        None => {
            let new_id = uuid::Uuid::now_v7().into_bytes();
            (index::insert_state(&db, options.schema, new_id)?, true)
        }
    };
    let log_id = state.log_id;
    // Before the first record of a foreign log is applied.
    let of_log = concord_message_log::log_id(&options.log_directory())?;
    if !is_new && of_log.is_some_and(|of_log| of_log != log_id) {
        return Err(other_log());
    }
    let from = state.applied;
    let mut applier = Applier::new(db, state);
    let log_options = LogOptions {
        directory: options.log_directory(),
        segment_octets: options.segment_octets,
        new_log_id: log_id,
    };
    let mut replay = Replay { applier: &mut applier, pending: Vec::new(), replayed: 0 };
    let opened = Log::open(log_options, from.position, from.sequence, &mut |record| {
        replay.add(
            record.meta,
            record.body,
            Applied { sequence: record.sequence, position: record.next },
        )
    })?;
    replay.flush()?;
    let replayed = replay.replayed;
    if is_new {
        applier.adopt_log(opened.log.log_id())?;
    } else if opened.log.log_id() != log_id {
        return Err(other_log());
    }
    report.replayed = replayed;
    report.damage = opened.summary.damage;
    let large = LargeBodies::open(options.large_directory())?;
    remove_abandoned(applier.connection(), &large)?;
    let schedule = read_schedule(applier.connection()).map_err(index::index_error)?;
    Ok(Parts {
        log: opened.log,
        applier,
        readers: Readers::open(&index_path)?,
        bodies: Reader::new(options.log_directory()),
        large,
        schedule,
        report,
        lock,
    })
}

fn other_log() -> StorageError {
    StorageError::Index("it belongs to another message log; run 'concord store rebuild'".into())
}

/// Whether there is a log; without its beginning and without a snapshot an
/// index cannot be made from it.
pub(crate) fn has_whole_log(options: &EngineOptions) -> Result<bool, StorageError> {
    let found = concord_message_log::segments(&options.log_directory()).unwrap_or_default();
    let Some(first) = found.first() else { return Ok(false) };
    if *first > 1 && crate::snapshot::list(options).is_empty() {
        let directory = options.directory.display();
        return Err(StorageError::Unfit(format!(
            "cannot make an index in {directory}: the log's beginning was compacted away, and \
             there is no snapshot of the index; restore a backup"
        )));
    }
    Ok(true)
}

/// Collects records and applies them in large transactions.
struct Replay<'a> {
    applier: &'a mut Applier,
    pending: Vec<(Meta, Location, Applied)>,
    replayed: u64,
}

impl Replay<'_> {
    fn add(
        &mut self,
        meta: bytes::Bytes,
        body: Location,
        applied: Applied,
    ) -> Result<(), StorageError> {
        match Meta::decode(&meta) {
            Ok(meta) => self.pending.push((meta, body, applied)),
            // Its checksum held, so it was written so, by a newer release. To pass
            // it over would shift what all later records mean.
            Err(cause) => {
                return Err(StorageError::Index(format!(
                    "record {} of the message log is not of this release ({cause}); run the \
                     release that wrote it",
                    applied.sequence
                )));
            }
        }
        if self.pending.len() >= REPLAY_BATCH { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.pending);
        let records = batch.iter().map(|(meta, body, applied)| ToApply {
            meta,
            body: *body,
            applied: *applied,
        });
        self.applier.apply(records)?;
        self.replayed += batch.len() as u64;
        Ok(())
    }
}

/// Removes files of large bodies that no message refers to: their commit never
/// came, or their removal was interrupted.
fn remove_abandoned(db: &rusqlite::Connection, large: &LargeBodies) -> Result<(), StorageError> {
    let numbers = large.numbers()?;
    if numbers.is_empty() {
        return Ok(());
    }
    let read = || -> Result<HashSet<u64>, rusqlite::Error> {
        db.prepare("SELECT segment FROM message WHERE place = 2")?
            .query_map([], |r| Ok(r.get::<_, i64>(0)? as u64))?
            .collect()
    };
    let known = read().map_err(index::index_error)?;
    for number in numbers.into_iter().filter(|n| !known.contains(n)) {
        large.remove(number)?;
    }
    if let Some(newest) = known.into_iter().max() {
        large.reserve(newest);
    }
    Ok(())
}

/// Reads what waits, in one scan.
fn read_schedule(db: &rusqlite::Connection) -> Result<Schedule, rusqlite::Error> {
    let mut schedule = Schedule::default();
    let mut urgency_of = db.prepare("SELECT received, envelope FROM message WHERE id = ?1")?;
    let mut statement = db.prepare(
        "SELECT id, message, connector, grp, state, next_attempt, crashes, data FROM delivery",
    )?;
    let mut found = statement.query([])?;
    // Deliveries of one message stand together.
    let mut last: Option<(MessageId, Timestamp, Urgency)> = None;
    while let Some(r) = found.next()? {
        let message = MessageId(r.get::<_, i64>(1)? as u64);
        let (received, urgency) = match last {
            Some((same, received, urgency)) if same == message => (received, urgency),
            _ => urgency_of.query_row([message.0 as i64], |m| {
                let envelope =
                    m.get_ref(1)?.as_blob_or_null()?.map(decode::<Envelope>).transpose()?;
                let urgency = envelope.map(|e| e.options.urgency).unwrap_or_default();
                Ok((Timestamp(m.get(0)?), urgency))
            })?,
        };
        last = Some((message, received, urgency));
        let data: DeliveryData = decode(r.get_ref(7)?.as_blob()?)?;
        let now = Standing {
            state: rows::state(r.get(4)?),
            next_attempt: Timestamp(r.get(5)?),
            attempts: data.attempts,
            crashes: r.get(6)?,
            delay_reported: data.delay_reported,
        };
        schedule.add(
            DeliveryId(r.get::<_, i64>(0)? as u64),
            Group { connector: r.get(2)?, group: r.get(3)? },
            Waiting { message, received, urgency, now },
        );
    }
    Ok(schedule)
}
