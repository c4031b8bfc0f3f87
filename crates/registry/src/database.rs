//! The registry on disk: `registry.db`, and a copy of its newest state.

use crate::error::RegistryError;
use crate::model::Registry;
use concord_base::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// States that are kept; each is some ten kilobytes.
const KEEP: i64 = 50;
/// A second Setup is kept out by its lock; a reader may hold the file a moment.
const BUSY: Duration = Duration::from_secs(10);
/// The form of the tables.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS revision (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    verb TEXT NOT NULL,
    registry TEXT NOT NULL
);";

/// One stored state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Its number; larger is newer.
    pub number: i64,
    /// When it was stored.
    pub at: Timestamp,
    /// What stored it.
    pub verb: String,
}

/// The registry's file. Each call opens it anew: Setup holds its own lock, and
/// a handle that is kept would outlive a removal.
#[derive(Debug, Clone)]
pub struct Database {
    path: PathBuf,
}

impl Database {
    /// The database at `path`; nothing is opened yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The copy of the newest state, for the day on which the database is damaged.
    pub fn copy_path(&self) -> PathBuf {
        self.path.with_extension("copy.toml")
    }

    /// What the copy is called while it is written.
    pub fn copy_draft_path(&self) -> PathBuf {
        self.copy_path().with_extension("toml.new")
    }

    /// The newest state; `None` if there is no registry. Blocks.
    ///
    /// # Errors
    /// [`RegistryError::Damaged`] if there is a file that is none.
    pub fn load(&self) -> Result<Option<Registry>, RegistryError> {
        let Some(db) = self.open_to_read()? else { return Ok(None) };
        let text: Option<String> = db
            .query_row("SELECT registry FROM revision ORDER BY number DESC LIMIT 1", [], |r| {
                r.get(0)
            })
            .optional()
            .map_err(|e| self.failed("read", &e))?;
        text.map(|text| self.decode(&text)).transpose()
    }

    /// Every stored state, newest first.
    ///
    /// # Errors
    /// As [`Database::load`].
    pub fn history(&self) -> Result<Vec<Revision>, RegistryError> {
        let Some(db) = self.open_to_read()? else { return Ok(Vec::new()) };
        let read = || {
            db.prepare("SELECT number, at, verb FROM revision ORDER BY number DESC")?
                .query_map([], |r| {
                    Ok(Revision { number: r.get(0)?, at: Timestamp(r.get(1)?), verb: r.get(2)? })
                })?
                .collect::<Result<Vec<_>, rusqlite::Error>>()
        };
        read().map_err(|e| self.failed("read", &e))
    }

    /// A stored state by its number.
    ///
    /// # Errors
    /// [`RegistryError::NoRevision`]
    pub fn revision(&self, number: i64) -> Result<Registry, RegistryError> {
        let db = self.open_to_read()?.ok_or(RegistryError::NoRevision(number))?;
        let text: Option<String> = db
            .query_row("SELECT registry FROM revision WHERE number = ?1", [number], |r| r.get(0))
            .optional()
            .map_err(|e| self.failed("read", &e))?;
        self.decode(&text.ok_or(RegistryError::NoRevision(number))?)
    }

    /// Stores a state as the newest; the one before stays in the history.
    /// Durable when it returns. Storing what is stored already changes nothing.
    ///
    /// # Errors
    /// [`RegistryError::Mistakes`] with every broken rule; nothing was stored.
    pub fn store(
        &self,
        registry: &Registry,
        verb: &str,
        at: Timestamp,
    ) -> Result<(), RegistryError> {
        let mistakes = registry.check();
        if !mistakes.is_empty() {
            return Err(RegistryError::Mistakes(mistakes));
        }
        if self.load()?.as_ref() != Some(registry) {
            let text = serde_json::to_string(registry)
                .map_err(|e| RegistryError::Unreadable(e.to_string()))?;
            self.insert(&text, verb, at)?;
        }
        self.write_copy(registry)
    }

    fn insert(&self, text: &str, verb: &str, at: Timestamp) -> Result<(), RegistryError> {
        let is_new = !self.path.exists();
        let write = || {
            let mut db = Connection::open(&self.path)?;
            db.busy_timeout(BUSY)?;
            // One file at rest, so that a removal and a copy are one file too.
            db.pragma_update(None, "journal_mode", "DELETE")?;
            db.pragma_update(None, "synchronous", "EXTRA")?;
            let transaction = db.transaction()?;
            transaction.execute_batch(TABLES)?;
            transaction.execute(
                "INSERT INTO revision (at, verb, registry) VALUES (?1, ?2, ?3)",
                (at.0, verb, text),
            )?;
            transaction.execute(
                "DELETE FROM revision WHERE number <= (SELECT max(number) FROM revision) - ?1",
                [KEEP],
            )?;
            transaction.commit()
        };
        write().map_err(|e| self.failed("write", &e))?;
        if is_new {
            std::fs::set_permissions(
                &self.path,
                std::os::unix::fs::PermissionsExt::from_mode(0o600),
            )
            .map_err(|e| self.io("protect", &self.path, &e))?;
            self.sync_directory()?;
        }
        Ok(())
    }

    /// The newest state as the copy has it; `None` if there is no copy.
    ///
    /// # Errors
    /// [`RegistryError::Unreadable`] if it is none.
    pub fn load_copy(&self) -> Result<Option<Registry>, RegistryError> {
        let path = self.copy_path();
        match std::fs::read_to_string(&path) {
            Ok(text) => Registry::from_toml(&text).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("read", &path, &error)),
        }
    }

    /// Where a damaged one is put.
    pub fn aside_path(&self) -> PathBuf {
        self.path.with_extension("damaged.db")
    }

    /// Moves a damaged file aside, so that a sound one can be stored. Gives back
    /// where it is now.
    ///
    /// # Errors
    /// [`RegistryError::Io`]
    pub fn put_aside(&self) -> Result<PathBuf, RegistryError> {
        let aside = self.aside_path();
        std::fs::rename(&self.path, &aside).map_err(|e| self.io("rename", &self.path, &e))?;
        let _ = std::fs::remove_file(self.path.with_extension("db-journal"));
        self.sync_directory()?;
        Ok(aside)
    }

    /// Whether the file is a sound database with a sound registry in it.
    ///
    /// # Errors
    /// What is wrong.
    pub fn verify(&self) -> Result<(), RegistryError> {
        let Some(db) = self.open_to_read()? else { return Ok(()) };
        let word: String = db
            .query_row("PRAGMA integrity_check", [], |r| r.get(0))
            .map_err(|e| self.failed("check", &e))?;
        if word != "ok" {
            return Err(RegistryError::Damaged { path: self.path.clone(), cause: word });
        }
        let mistakes = self.load()?.map(|r| r.check()).unwrap_or_default();
        if mistakes.is_empty() { Ok(()) } else { Err(RegistryError::Mistakes(mistakes)) }
    }

    fn write_copy(&self, registry: &Registry) -> Result<(), RegistryError> {
        let (path, draft) = (self.copy_path(), self.copy_draft_path());
        let text = registry.to_toml()?;
        if std::fs::read_to_string(&path).is_ok_and(|there| there == text) {
            // Of a process that was killed before it could give it its name.
            let _ = std::fs::remove_file(draft);
            return Ok(());
        }
        let write = || {
            let mut file =
                File::options().create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)
        };
        write().map_err(|e| self.io("write", &path, &e))?;
        self.sync_directory()
    }

    fn sync_directory(&self) -> Result<(), RegistryError> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        File::open(directory).and_then(|d| d.sync_all()).map_err(|e| self.io("sync", directory, &e))
    }

    fn open_to_read(&self) -> Result<Option<Connection>, RegistryError> {
        if !self.path.exists() {
            return Ok(None);
        }
        // Not read-only: what a kill left half written must be rolled back.
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let db = Connection::open_with_flags(&self.path, flags)?;
            db.busy_timeout(BUSY)?;
            let tables: i64 = db.query_row(
                "SELECT count(*) FROM sqlite_master WHERE name = 'revision'",
                [],
                |r| r.get(0),
            )?;
            Ok((tables > 0).then_some(db))
        };
        open().map_err(|e| self.failed("open", &e))
    }

    fn decode(&self, text: &str) -> Result<Registry, RegistryError> {
        #[derive(serde::Deserialize)]
        struct Form {
            schema: i64,
        }
        let damaged = |e: serde_json::Error| RegistryError::Damaged {
            path: self.path.clone(),
            cause: e.to_string(),
        };
        let form: Form = serde_json::from_str(text).map_err(damaged)?;
        if form.schema > Registry::SCHEMA {
            return Err(RegistryError::Newer { found: form.schema, known: Registry::SCHEMA });
        }
        serde_json::from_str(text).map_err(damaged)
    }

    fn failed(&self, act: &'static str, error: &rusqlite::Error) -> RegistryError {
        let cause = error.to_string();
        let path = self.path.clone();
        match error.sqlite_error_code() {
            Some(
                ErrorCode::NotADatabase
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::SchemaChanged
                | ErrorCode::TypeMismatch,
            ) => RegistryError::Damaged { path, cause },
            _ => RegistryError::Io { act, path, cause },
        }
    }

    fn io(&self, act: &'static str, path: &Path, cause: &std::io::Error) -> RegistryError {
        RegistryError::Io { act, path: path.to_owned(), cause: cause.to_string() }
    }
}

impl Registry {
    /// The exported form, TOML.
    ///
    /// # Errors
    /// [`RegistryError::Unreadable`] for what TOML cannot say.
    pub fn to_toml(&self) -> Result<String, RegistryError> {
        let body =
            toml::to_string_pretty(self).map_err(|e| RegistryError::Unreadable(e.to_string()))?;
        Ok(format!("# Registry of a Concord server; read by 'concord registry import'.\n{body}"))
    }

    /// Reads the exported form; rules are not checked.
    ///
    /// # Errors
    /// [`RegistryError::Unreadable`] with line and cause.
    pub fn from_toml(text: &str) -> Result<Self, RegistryError> {
        toml::from_str(text).map_err(|e| RegistryError::Unreadable(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::sound;

    fn database() -> (tempfile::TempDir, Database) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("registry.db");
        (directory, Database::new(path))
    }

    #[test]
    fn what_is_stored_is_read_back_and_the_one_before_is_kept() {
        let (_directory, db) = database();
        assert_eq!(db.load().unwrap(), None);
        let first = sound();
        db.store(&first, "install", Timestamp(1)).unwrap();
        let mut second = first.clone();
        second.identity.hostname = "new.example.test".into();
        db.store(&second, "rename", Timestamp(2)).unwrap();
        db.store(&second, "again", Timestamp(3)).unwrap();
        assert_eq!(db.load().unwrap(), Some(second.clone()));
        assert_eq!(db.load_copy().unwrap(), Some(second));
        let history = db.history().unwrap();
        assert_eq!(history.len(), 2, "storing the same again is no revision: {history:?}");
        assert_eq!(db.revision(history[1].number).unwrap(), first);
        db.verify().unwrap();
    }

    #[test]
    fn a_registry_that_breaks_rules_is_refused_and_the_old_one_stays() {
        let (_directory, db) = database();
        let good = sound();
        db.store(&good, "install", Timestamp(1)).unwrap();
        let mut bad = good.clone();
        bad.current = "9.9.9".into();
        assert!(matches!(
            db.store(&bad, "edit", Timestamp(2)),
            Err(RegistryError::Mistakes(m)) if m.len() == 4
        ));
        assert_eq!(db.load().unwrap(), Some(good));
    }

    #[test]
    fn a_damaged_registry_is_named_and_the_one_before_is_kept() {
        let (_directory, db) = database();
        db.store(&sound(), "install", Timestamp(1)).unwrap();
        let octets = std::fs::read(db.path()).unwrap();
        let half: Vec<u8> = octets.iter().map(|o| o ^ 0x55).collect();
        std::fs::write(db.path(), half).unwrap();
        assert!(matches!(db.load(), Err(RegistryError::Damaged { .. })));
        let copy = db.load_copy().unwrap().unwrap();
        db.put_aside().unwrap();
        db.store(&copy, "restore", Timestamp(2)).unwrap();
        assert_eq!(db.load().unwrap(), Some(sound()));
    }

    #[test]
    fn the_exported_form_reads_back() {
        let text = sound().to_toml().unwrap();
        assert_eq!(Registry::from_toml(&text).unwrap(), sound());
        assert!(Registry::from_toml(&text.replace("hostname", "host-name")).is_err());
    }

    #[test]
    fn a_newer_form_is_told_apart_from_damage() {
        let (_directory, db) = database();
        let mut newer = sound();
        newer.schema = Registry::SCHEMA + 1;
        db.insert(&serde_json::to_string(&newer).unwrap(), "x", Timestamp(1)).unwrap();
        assert!(matches!(db.load(), Err(RegistryError::Newer { .. })));
    }
}
