//! The directory.

use super::{Embedded, other_outcome};
use crate::act::Act;
use crate::apply::{ActError, Outcome};
use crate::cache::DirectoryKey;
use crate::delivery::decode;
use concord_address::{Domain, SmtpAddress, TypedAddress};
use concord_base::{ObjectId, StorageError};
use concord_directory::{Directory, DirectoryAct, DirectoryError, Kind, Object};
use rusqlite::OptionalExtension;
use std::sync::Arc;
use tokio::sync::watch;

impl Embedded {
    pub(super) fn read_object_by_id(
        &self,
        id: ObjectId,
    ) -> Result<Option<Arc<Object>>, StorageError> {
        self.read_object(DirectoryKey::Id(id))
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

    async fn change(&self, act: DirectoryAct) -> Result<Arc<Object>, DirectoryError> {
        match self.act_one(Act::Directory(Box::new(act))).await? {
            Ok(Outcome::Object(object)) => Ok(object),
            Err(ActError::Directory(error)) => Err(error),
            Err(ActError::Storage(error)) => Err(error.into()),
            _ => Err(other_outcome().into()),
        }
    }

    fn directory_changed(&self) -> watch::Receiver<u64> {
        self.shared.signals.watch_directory()
    }
}
