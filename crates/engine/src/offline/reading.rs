//! A look at a backup, or at a root whose core does not run, that changes
//! nothing: no lock, no replay.

use crate::backup::BackupReport;
use crate::delivery::decode;
use crate::index::{State, index_error, read_any};
use crate::rows;
use bytes::Bytes;
use concord_base::{FolderId, MailboxId, MessageId, ObjectId, QueueId, StorageError, Timestamp};
use concord_directory::{Kind, Object};
use concord_message_log::{LargeBodies, LargeBody, Location, Position, Reader};
use concord_store::{FlagSet, Folder};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use std::path::Path;

/// What is wrong with an index is told up to so many lines.
const CHECKED: u32 = 100;
/// Messages that one header id may name; a list's copies have their own ids.
const FOUND: i64 = 1_000;

/// An item of a folder as it stands in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadItem {
    /// Its UID.
    pub uid: u32,
    /// Its message.
    pub message: MessageId,
    /// Its flags.
    pub flags: FlagSet,
    /// When it came here.
    pub internal_date: Timestamp,
    /// Octets of the message.
    pub octets: u64,
    /// CRC-32C of the message.
    pub crc: u32,
    /// The message's Message-ID, as long as its story is not forgotten.
    pub header_id: Option<String>,
}

/// An opened look. What the log has behind the index's position is not seen.
pub struct Reading {
    db: Connection,
    schema: i64,
    state: State,
    bodies: Reader,
    large: LargeBodies,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Reading {
    /// Opens the engine's directory `directory` (`data` below a root, or a
    /// backup's). A WAL that a crash left behind is read too; then SQLite makes
    /// its own file beside it.
    ///
    /// # Errors
    /// [`StorageError::Index`] if the index is missing or damaged.
    pub fn open(directory: &Path) -> Result<Self, StorageError> {
        let index = directory.join("index.db");
        // Even an empty one: then a core may be at work, and the file changes.
        let wal = directory.join("index.db-wal").exists();
        let mode = if wal { "mode=ro" } else { "immutable=1" };
        let uri = format!("file:{}?{mode}", escaped(&index)?);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(uri, flags).map_err(index_error)?;
        let Some((schema, state)) = read_any(&db)? else {
            return Err(StorageError::Index("it is empty".into()));
        };
        Ok(Self {
            db,
            schema,
            state,
            bodies: Reader::new(directory.join("log")),
            large: LargeBodies::read_only(directory.join("large")),
        })
    }

    /// The index's schema.
    pub fn schema(&self) -> i64 {
        self.schema
    }

    /// The identity of the log.
    pub fn log_id(&self) -> [u8; 16] {
        self.state.log_id
    }

    /// Up to where in the log the index goes.
    pub fn position(&self) -> Position {
        self.state.applied.position
    }

    /// The number of the last record in the index.
    pub fn sequence(&self) -> u64 {
        self.state.applied.sequence
    }

    /// Whether this is what a backup wrote.
    pub fn is_of(&self, report: &BackupReport) -> bool {
        self.log_id() == report.log_id && self.sequence() == report.sequence
    }

    /// What is wrong with the index's file; nothing if it is sound.
    ///
    /// # Errors
    /// [`StorageError::Index`], as for every method here.
    pub fn quick_check(&self) -> Result<Vec<String>, StorageError> {
        let lines: Vec<String> =
            self.all(&format!("PRAGMA quick_check({CHECKED})"), |r| r.get(0))?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    /// Every object of the directory, by kind and name.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn objects(&self) -> Result<Vec<Object>, StorageError> {
        let sql = "SELECT data FROM object ORDER BY kind, name_key";
        self.all(sql, |r| decode(r.get_ref(0)?.as_blob()?))
    }

    /// How many objects there are of a kind.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn object_count(&self, kind: Kind) -> Result<u64, StorageError> {
        let sql = "SELECT count(*) FROM object WHERE kind = ?1";
        let count = self.db.query_row(sql, [kind.as_str()], |r| r.get::<_, i64>(0));
        Ok(count.map_err(index_error)? as u64)
    }

    /// Messages that have a body.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn message_count(&self) -> Result<u64, StorageError> {
        let sql = "SELECT count(*) FROM message WHERE place > 0";
        let count = self.db.query_row(sql, [], |r| r.get::<_, i64>(0));
        Ok(count.map_err(index_error)? as u64)
    }

    /// Messages that have a body, by id, of those behind `after`; at most `limit`.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn messages_after(
        &self,
        after: MessageId,
        limit: u32,
    ) -> Result<Vec<MessageId>, StorageError> {
        let sql = format!(
            "SELECT id FROM message WHERE place > 0 AND id > {} ORDER BY id LIMIT {limit}",
            after.0 as i64
        );
        self.all(&sql, |r| Ok(MessageId(r.get::<_, i64>(0)? as u64)))
    }

    /// Deliveries that are still to be made, held and quarantined ones among them.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn delivery_count(&self) -> Result<u64, StorageError> {
        let count = self.db.query_row("SELECT count(*) FROM delivery", [], |r| r.get::<_, i64>(0));
        Ok(count.map_err(index_error)? as u64)
    }

    /// Where a message lies: the mailbox, the folder's name, and the item there.
    /// Not quick: every item is looked at.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn places(
        &self,
        message: MessageId,
    ) -> Result<Vec<(MailboxId, String, ReadItem)>, StorageError> {
        let sql = format!(
            "SELECT {ITEM_COLUMNS}, f.mailbox, f.name
             FROM item i JOIN message m ON m.id = i.message JOIN folder f ON f.id = i.folder
             WHERE i.message = {} ORDER BY f.mailbox, f.name, i.uid",
            message.0 as i64
        );
        self.all(&sql, |r| Ok((MailboxId(r.get::<_, i64>(8)? as u64), r.get(9)?, read_item(r)?)))
    }

    /// A mailbox's folders, by name.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn folders(&self, mailbox: MailboxId) -> Result<Vec<Folder>, StorageError> {
        let sql = format!(
            "SELECT {} FROM folder WHERE mailbox = {} ORDER BY name",
            rows::FOLDER_COLUMNS,
            mailbox.0 as i64
        );
        self.all(&sql, rows::folder)
    }

    /// A folder's items, by UID.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn items(&self, folder: FolderId) -> Result<Vec<ReadItem>, StorageError> {
        let sql = format!(
            "SELECT {ITEM_COLUMNS} FROM item i JOIN message m ON m.id = i.message
             WHERE i.folder = {} ORDER BY i.uid",
            folder.0 as i64
        );
        self.all(&sql, read_item)
    }

    /// A whole message, checked against its checksum; `None` if the index has
    /// no body of it. As large as the message.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] if it is not what was written.
    pub fn body(&self, message: MessageId) -> Result<Option<Bytes>, StorageError> {
        let found = self
            .db
            .query_row(
                "SELECT place, segment, offset, octets, crc FROM message WHERE id = ?1",
                [message.0 as i64],
                |r| {
                    let [place, segment, offset, octets] =
                        [r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?].map(|n: i64| n as u64);
                    Ok((place, Location { segment, offset, octets }, r.get::<_, u32>(4)?))
                },
            )
            .optional()
            .map_err(index_error)?;
        match found {
            Some((1, location, crc)) => self.bodies.read_checked(location, crc).map(Some),
            Some((2, Location { segment, octets, .. }, crc)) => {
                let body = LargeBody { number: segment, octets, crc };
                let bytes = self.large.read(body, 0..octets)?;
                if crc32c::crc32c(&bytes) == crc {
                    return Ok(Some(bytes));
                }
                Err(StorageError::Damaged {
                    path: self.large.path(segment).display().to_string(),
                    offset: 0,
                    cause: "the message does not match its checksum".into(),
                })
            }
            _ => Ok(None),
        }
    }

    /// Messages of a queue id or a Message-ID (with or without angle brackets).
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn find_message(&self, id: &str) -> Result<Vec<MessageId>, StorageError> {
        let mut found = Vec::new();
        if let Ok(QueueId(message)) = id.parse::<QueueId>() {
            let sql = "SELECT EXISTS (SELECT 1 FROM message WHERE id = ?1)";
            let there = self.db.query_row(sql, [message.0 as i64], |r| r.get(0));
            if there.map_err(index_error)? {
                found.push(message);
            }
        }
        let header = id.trim_start_matches('<').trim_end_matches('>');
        let read = || -> Result<Vec<i64>, rusqlite::Error> {
            self.db
                .prepare("SELECT id FROM message WHERE header_id = ?1 ORDER BY id LIMIT ?2")?
                .query_map((header, FOUND), |r| r.get(0))?
                .collect()
        };
        found.extend(read().map_err(index_error)?.into_iter().map(|id| MessageId(id as u64)));
        Ok(found)
    }

    /// Mailboxes that have folders and no object: nobody can open them.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn mailboxes_without_object(&self) -> Result<Vec<MailboxId>, StorageError> {
        self.all(
            "SELECT DISTINCT mailbox FROM folder
             WHERE mailbox NOT IN (SELECT id FROM object WHERE kind = 'mailbox')
             ORDER BY mailbox",
            |r| Ok(MailboxId(r.get::<_, i64>(0)? as u64)),
        )
    }

    /// Objects of mailboxes that have no folder: their mail cannot be delivered.
    ///
    /// # Errors
    /// [`StorageError::Index`]
    pub fn objects_without_mailbox(&self) -> Result<Vec<ObjectId>, StorageError> {
        self.all(
            "SELECT id FROM object WHERE kind = 'mailbox'
             AND id NOT IN (SELECT mailbox FROM folder) ORDER BY id",
            |r| Ok(ObjectId(r.get::<_, i64>(0)? as u64)),
        )
    }

    fn all<T>(
        &self,
        sql: &str,
        row: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, StorageError> {
        let read = || self.db.prepare(sql)?.query_map([], row)?.collect::<Result<Vec<T>, _>>();
        read().map_err(index_error)
    }
}

const ITEM_COLUMNS: &str =
    "i.uid, i.message, i.flags, i.keywords, i.date, i.octets, m.crc, m.header_id";

/// An item from [`ITEM_COLUMNS`].
fn read_item(r: &Row<'_>) -> Result<ReadItem, rusqlite::Error> {
    Ok(ReadItem {
        uid: r.get(0)?,
        message: MessageId(r.get::<_, i64>(1)? as u64),
        flags: rows::flags(r, 2)?,
        internal_date: Timestamp(r.get(4)?),
        octets: r.get::<_, i64>(5)? as u64,
        crc: r.get(6)?,
        header_id: r.get(7)?,
    })
}

/// A path as SQLite wants it in a URI (RFC 3986 section 2.1).
fn escaped(path: &Path) -> Result<String, StorageError> {
    let text = path.to_str().ok_or_else(|| {
        let path = path.display();
        StorageError::Unfit(format!("cannot read {path}: its name is not UTF-8; rename it"))
    })?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if plain(c) {
            out.push(c);
        } else {
            let mut octets = [0; 4];
            c.encode_utf8(&mut octets).bytes().for_each(|b| out.push_str(&format!("%{b:02X}")));
        }
    }
    Ok(out)
}
