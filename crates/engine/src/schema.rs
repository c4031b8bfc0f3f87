//! The index: tables of SQLite, and the way from older ones.
//!
//! Whoever changes the tables raises [`SCHEMA_VERSION`] and adds a migration.
//! The columns of `engine` may only become more, because their first ones are
//! read from indexes of every schema.

use concord_base::StorageError;
use rusqlite::Connection;

/// Raised with every change of the tables below.
const SCHEMA_VERSION: i64 = 3;

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
const MIGRATIONS: &[Migration] = &[
    Migration {
    from: 1,
    to: 2,
    sql: "ALTER TABLE engine ADD COLUMN removed_before INTEGER NOT NULL DEFAULT 0;
          ALTER TABLE object ADD COLUMN usn INTEGER NOT NULL DEFAULT 0;
          CREATE INDEX object_usn ON object (usn);
          CREATE INDEX proxy_object ON proxy (object);
          CREATE TABLE reference (target INTEGER NOT NULL, holder INTEGER NOT NULL, PRIMARY KEY (target, holder)) WITHOUT ROWID;
          CREATE INDEX reference_holder ON reference (holder);
          INSERT INTO reference SELECT member, list FROM member;
          DROP TABLE member;
          CREATE TABLE origin (connector TEXT NOT NULL, key TEXT NOT NULL, object INTEGER NOT NULL, PRIMARY KEY (connector, key)) WITHOUT ROWID;
          CREATE INDEX origin_object ON origin (object);
          CREATE TABLE removed (id INTEGER PRIMARY KEY, usn INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL);
          CREATE INDEX removed_usn ON removed (usn);
          CREATE TABLE connector_state (connector TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (connector, key)) WITHOUT ROWID;",
    },
    Migration {
        from: 2,
        to: 3,
        sql: "CREATE TABLE taken (message INTEGER PRIMARY KEY, connector TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL);
          CREATE UNIQUE INDEX taken_key ON taken (connector, key);",
    },
];

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
    last_uid_validity INTEGER NOT NULL,
    -- Removed objects up to this number are forgotten.
    removed_before INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name_key TEXT NOT NULL,
    data BLOB NOT NULL,
    usn INTEGER NOT NULL DEFAULT 0,
    UNIQUE (kind, name_key)
);
CREATE INDEX object_usn ON object (usn);
CREATE TABLE proxy (key TEXT PRIMARY KEY, object INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX proxy_object ON proxy (object);
CREATE TABLE reference (target INTEGER NOT NULL, holder INTEGER NOT NULL, PRIMARY KEY (target, holder)) WITHOUT ROWID;
CREATE INDEX reference_holder ON reference (holder);
CREATE TABLE origin (connector TEXT NOT NULL, key TEXT NOT NULL, object INTEGER NOT NULL, PRIMARY KEY (connector, key)) WITHOUT ROWID;
CREATE INDEX origin_object ON origin (object);
CREATE TABLE removed (id INTEGER PRIMARY KEY, usn INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX removed_usn ON removed (usn);
CREATE TABLE connector_state (connector TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (connector, key)) WITHOUT ROWID;
-- Keys under which connectors brought messages, so that none is taken twice.
CREATE TABLE taken (message INTEGER PRIMARY KEY, connector TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL);
CREATE UNIQUE INDEX taken_key ON taken (connector, key);
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
