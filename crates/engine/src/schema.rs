//! The index: tables of SQLite, and the way from older ones.
//!
//! Whoever changes the tables raises [`SCHEMA_VERSION`] and adds a migration.
//! The columns of `engine` may only become more, because their first ones are
//! read from indexes of every schema.

use concord_base::StorageError;
use rusqlite::Connection;

/// Raised with every change of the tables below.
const SCHEMA_VERSION: i64 = 1;

/// One step from an older schema.
#[derive(Debug)]
pub(crate) struct Migration {
    /// The schema that it begins with.
    pub from: i64,
    /// The schema that it leads to.
    pub to: i64,
    /// Statements; they run in one transaction with those of the other steps.
    pub sql: &'static str,
}

/// The steps to [`SCHEMA_VERSION`], oldest first.
const MIGRATIONS: &[Migration] = &[];

/// One step more, which changes something and means nothing: so that updates
/// from one schema to the next can be exercised before there is a second one.
const EXERCISE: &[Migration] = &[Migration {
    from: SCHEMA_VERSION,
    to: SCHEMA_VERSION + 1,
    sql: "CREATE TABLE exercise (id INTEGER PRIMARY KEY, note TEXT NOT NULL);
          CREATE INDEX event_at ON event (at);",
}];

/// The schema that an engine works with.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    exercise: bool,
}

impl Schema {
    /// This release's. With the feature `schema-exercise` it is the next one.
    pub const fn of_this_release() -> Self {
        Self { exercise: cfg!(feature = "schema-exercise") }
    }

    /// The release's with or without the step that only exercises, whatever
    /// the feature says; for tests of updates.
    #[doc(hidden)]
    pub const fn with_exercise(exercise: bool) -> Self {
        Self { exercise }
    }

    /// Its number.
    pub const fn version(self) -> i64 {
        if self.exercise { SCHEMA_VERSION + 1 } else { SCHEMA_VERSION }
    }

    fn migrations(self) -> impl Iterator<Item = &'static Migration> {
        let exercise = if self.exercise { EXERCISE } else { &[] };
        MIGRATIONS.iter().chain(exercise)
    }

    /// Whether an index with schema `found` can be worked with.
    pub(crate) fn check(self, found: i64) -> Result<(), StorageError> {
        let needed = self.version();
        if found == needed { Ok(()) } else { Err(StorageError::Schema { found, needed }) }
    }

    /// Makes the tables.
    pub(crate) fn create(self, db: &Connection) -> Result<(), rusqlite::Error> {
        db.execute_batch(&format!("BEGIN;{SCHEMA}"))?;
        if self.exercise {
            EXERCISE.iter().try_for_each(|step| db.execute_batch(step.sql))?;
        }
        db.execute_batch("COMMIT")
    }

    /// Brings an index with schema `found` to this one, in one transaction.
    pub(crate) fn migrate(self, db: &mut Connection, found: i64) -> Result<(), StorageError> {
        let needed = self.version();
        if found == needed {
            return Ok(());
        }
        let mut at = found;
        let transaction = db.transaction().map_err(crate::index::index_error)?;
        for step in self.migrations().filter(|step| step.from >= found) {
            if step.from != at {
                break;
            }
            transaction.execute_batch(step.sql).map_err(crate::index::index_error)?;
            at = step.to;
        }
        if at != needed {
            // There is no way, because it is newer.
            return Err(StorageError::Schema { found, needed });
        }
        transaction
            .execute("UPDATE engine SET schema = ?1", [needed])
            .and_then(|_| transaction.commit())
            .map_err(crate::index::index_error)
    }
}

const SCHEMA: &str = "
-- One row: up to where the log is applied, and the counters.
CREATE TABLE engine (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    schema INTEGER NOT NULL,
    log_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    next_message INTEGER NOT NULL,
    next_delivery INTEGER NOT NULL,
    next_folder INTEGER NOT NULL,
    next_object INTEGER NOT NULL,
    last_uid_validity INTEGER NOT NULL
);
CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name_key TEXT NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (kind, name_key)
);
CREATE TABLE proxy (key TEXT PRIMARY KEY, object INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE member (member INTEGER NOT NULL, list INTEGER NOT NULL, PRIMARY KEY (member, list)) WITHOUT ROWID;
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    mailbox INTEGER NOT NULL,
    name TEXT NOT NULL,
    uid_validity INTEGER NOT NULL,
    uid_next INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    unseen INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    special_use TEXT,
    subscribed INTEGER NOT NULL,
    UNIQUE (mailbox, name)
);
CREATE TABLE item (
    folder INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    message INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    keywords TEXT,
    modseq INTEGER NOT NULL,
    date INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    PRIMARY KEY (folder, uid)
) WITHOUT ROWID;
CREATE INDEX item_modseq ON item (folder, modseq);
CREATE TABLE gone (
    folder INTEGER NOT NULL,
    modseq INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    PRIMARY KEY (folder, modseq, uid)
) WITHOUT ROWID;
-- place: 0 the body is gone, 1 in a segment, 2 in a file of its own (segment is its number).
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    octets INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    refs INTEGER NOT NULL,
    received INTEGER NOT NULL,
    return_path_octets INTEGER NOT NULL,
    sender TEXT,
    sender_key TEXT,
    header_id TEXT,
    subject TEXT,
    envelope BLOB
);
CREATE INDEX message_header ON message (header_id) WHERE header_id IS NOT NULL;
CREATE INDEX message_story ON message (received) WHERE envelope IS NOT NULL;
CREATE INDEX message_sender ON message (sender_key) WHERE sender_key IS NOT NULL;
CREATE TABLE event (
    message INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    recipient TEXT,
    detail TEXT NOT NULL,
    PRIMARY KEY (message, seq)
) WITHOUT ROWID;
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    connector TEXT NOT NULL,
    grp TEXT NOT NULL,
    state INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL,
    crashes INTEGER NOT NULL,
    in_flight INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX delivery_due ON delivery (connector, state, next_attempt);
CREATE INDEX delivery_message ON delivery (message);
CREATE INDEX delivery_flight ON delivery (in_flight) WHERE in_flight = 1;
";
