//! The directory.

use super::{Embedded, other_outcome};
use crate::act::Act;
use crate::apply::{ActError, Outcome};
use crate::cache::DirectoryKey;
use crate::delivery::decode;
use concord_address::{Domain, SmtpAddress, TypedAddress};
use concord_base::{ObjectId, StorageError, Timestamp};
use concord_directory::{
    Changes, Directory, DirectoryAct, DirectoryError, Kind, MAX_CHANGES, Object, Removed,
};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;
use tokio::sync::watch;

impl Embedded {
    pub(super) fn read_object_by_id(
        &self,
        id: ObjectId,
    ) -> Result<Option<Arc<Object>>, StorageError> {
        self.read_object(DirectoryKey::Id(id))
    }

    async fn done(&self, act: Act) -> Result<Outcome, DirectoryError> {
        match self.act_one(act).await? {
            Ok(outcome) => Ok(outcome),
            Err(ActError::Directory(error)) => Err(error),
            Err(ActError::Storage(error)) => Err(error.into()),
            Err(_) => Err(other_outcome().into()),
        }
    }

    fn read_object(&self, key: DirectoryKey) -> Result<Option<Arc<Object>>, StorageError> {
        self.shared.signals.caches.object(key, |key| {
            let row = |r: &rusqlite::Row<'_>| decode::<Object>(r.get_ref(0)?.as_blob()?);
            let found = self.readers.with(|db| match key {
                DirectoryKey::Id(id) => db
                    .prepare_cached("SELECT data FROM object WHERE id = ?1")?
                    .query_row([id.0 as i64], row)
                    .optional(),
                DirectoryKey::Address(address) => db
                    .prepare_cached(
                        "SELECT data FROM object WHERE id = (SELECT object FROM proxy WHERE key = ?1)",
                    )?
                    .query_row([address], row)
                    .optional(),
                DirectoryKey::Name(kind, name) => db
                    .prepare_cached("SELECT data FROM object WHERE kind = ?1 AND name_key = ?2")?
                    .query_row([kind, name.as_str()], row)
                    .optional(),
            })?;
            Ok(found.map(Arc::new))
        })
    }
}

#[async_trait::async_trait]
impl Directory for Embedded {
    async fn object(&self, id: ObjectId) -> Result<Option<Arc<Object>>, DirectoryError> {
        Ok(self.read_object(DirectoryKey::Id(id))?)
    }

    async fn find(&self, kind: Kind, name: &str) -> Result<Option<Arc<Object>>, DirectoryError> {
        Ok(self.read_object(DirectoryKey::Name(kind.as_str(), name.to_lowercase()))?)
    }

    async fn list(&self, kind: Kind) -> Result<Vec<Arc<Object>>, DirectoryError> {
        Ok(self.readers.with(|db| {
            db.prepare_cached("SELECT data FROM object WHERE kind = ?1 ORDER BY name_key")?
                .query_map([kind.as_str()], |r| decode::<Object>(r.get_ref(0)?.as_blob()?))?
                .map(|object| object.map(Arc::new))
                .collect()
        })?)
    }

    async fn page(
        &self,
        kind: Kind,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Arc<Object>>, DirectoryError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(self.readers.with(|db| {
            db.prepare_cached(
                "SELECT data FROM object WHERE kind = ?1 AND name_key > ?2
                 ORDER BY name_key LIMIT ?3",
            )?
            .query_map(params![kind.as_str(), after, limit], |r| {
                decode::<Object>(r.get_ref(0)?.as_blob()?)
            })?
            .map(|object| object.map(Arc::new))
            .collect()
        })?)
    }

    async fn lookup(&self, address: &TypedAddress) -> Result<Option<Arc<Object>>, DirectoryError> {
        Ok(self.read_object(DirectoryKey::Address(address.key()))?)
    }

    async fn is_local_domain(&self, domain: &Domain) -> Result<bool, DirectoryError> {
        let Some(name) = domain.name() else { return Ok(false) };
        let key = DirectoryKey::Name(Kind::Domain.as_str(), name.to_owned());
        Ok(self.read_object(key)?.is_some())
    }

    async fn login(&self, name: &str) -> Result<Option<Arc<Object>>, DirectoryError> {
        let found = match name.parse::<SmtpAddress>() {
            Ok(address) => self.lookup(&address.into()).await?,
            Err(_) => self.find(Kind::Mailbox, name).await?,
        };
        Ok(found.filter(|object| object.kind() == Kind::Mailbox))
    }

    async fn directory_changes(&self, after: u64, limit: usize) -> Result<Changes, DirectoryError> {
        let limit = limit.clamp(1, MAX_CHANGES);
        Ok(self.readers.with(|db| changes(db, after, limit))?)
    }

    async fn connector_state(
        &self,
        connector: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, DirectoryError> {
        Ok(self.readers.with(|db| {
            db.prepare_cached(
                "SELECT value FROM connector_state WHERE connector = ?1 AND key = ?2",
            )?
            .query_row([connector, key], |r| r.get(0))
            .optional()
        })?)
    }

    async fn set_connector_state(
        &self,
        connector: &str,
        key: &str,
        value: Option<Vec<u8>>,
    ) -> Result<(), DirectoryError> {
        let (connector, key) = (connector.to_owned(), key.to_owned());
        self.done(Act::ConnectorState { connector, key, value }).await.map(drop)
    }

    async fn forget_removed(&self, before: Timestamp) -> Result<u64, DirectoryError> {
        match self.done(Act::ForgetRemoved { before }).await? {
            Outcome::Count(gone) => Ok(gone),
            _ => Err(other_outcome().into()),
        }
    }

    async fn change(&self, act: DirectoryAct) -> Result<Arc<Object>, DirectoryError> {
        match self.done(Act::Directory(Box::new(act))).await? {
            Outcome::Object(object) => Ok(object),
            _ => Err(other_outcome().into()),
        }
    }

    fn directory_changed(&self) -> watch::Receiver<u64> {
        self.shared.signals.watch_directory()
    }
}

/// One transaction, so that objects and removals are of one moment.
fn changes(db: &Connection, after: u64, limit: usize) -> Result<Changes, rusqlite::Error> {
    let transaction = db.unchecked_transaction()?;
    let (applied, forgotten) = transaction
        .prepare_cached("SELECT sequence, removed_before FROM engine")?
        .query_row([], |r| Ok((r.get::<_, i64>(0)? as u64, r.get::<_, i64>(1)? as u64)))?;
    if after > applied || after > 0 && after < forgotten {
        return Ok(Changes { begin_anew: true, ..Changes::default() });
    }
    // The number of the last change that fits; what shares it comes with it.
    let last: Option<i64> = transaction
        .prepare_cached("SELECT usn FROM object WHERE usn > ?1 ORDER BY usn LIMIT 1 OFFSET ?2")?
        .query_row([after as i64, limit as i64 - 1], |r| r.get(0))
        .optional()?;
    let up_to = last.unwrap_or(applied as i64);
    let objects = transaction
        .prepare_cached("SELECT data FROM object WHERE usn > ?1 AND usn <= ?2 ORDER BY usn, id")?
        .query_map([after as i64, up_to], |r| decode::<Object>(r.get_ref(0)?.as_blob()?))?
        .map(|object| object.map(Arc::new))
        .collect::<Result<Vec<_>, _>>()?;
    let removed = transaction
        .prepare_cached("SELECT usn, data FROM removed WHERE usn > ?1 AND usn <= ?2 ORDER BY usn")?
        .query_map([after as i64, up_to], |r| {
            let object = Arc::new(decode::<Object>(r.get_ref(1)?.as_blob()?)?);
            Ok(Removed { usn: r.get::<_, i64>(0)? as u64, object })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let up_to = up_to as u64;
    Ok(Changes {
        objects,
        removed,
        up_to,
        more: up_to < applied && last.is_some(),
        begin_anew: false,
    })
}
