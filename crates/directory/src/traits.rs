//! What an engine gives the directory.

use crate::{DirectoryError, Kind, NewObject, Object};
use concord_address::{Domain, TypedAddress};
use concord_base::ObjectId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::watch::Receiver;

/// A change to the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectoryAct {
    /// Adds an object. A mailbox gets its folders (INBOX, Drafts, Sent, Junk,
    /// Trash, Archive) in the same commit.
    Add(NewObject),
    /// Replaces the object with this id; its kind may not change.
    Set(Object),
    /// Replaces several objects in one commit, or none of them: what one gives up
    /// (a name, an address) another may take. Gives back the last one.
    SetTogether(Vec<Object>),
    /// Removes an object. A mailbox goes with its folders and items. An object
    /// leaves the lists it is a member of. A domain with recipients, and the
    /// organisation, site and server in use, stay ([`DirectoryError::InUse`]).
    Remove(ObjectId),
}

/// Changes that one question answers at most; a page of LDAP's usual size times
/// ten.
pub const MAX_CHANGES: usize = 10_000;

/// An object that is not there any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// When it went, among the changes.
    pub usn: u64,
    /// It as it was.
    pub object: Arc<Object>,
}

/// What has changed since a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Objects as they are now, by the number of their last change.
    pub objects: Vec<Arc<Object>>,
    /// Objects that went, by the number of their going.
    pub removed: Vec<Removed>,
    /// Ask from here next time.
    pub up_to: u64,
    /// Whether there is more at this moment.
    pub more: bool,
    /// What was removed so long ago is not known any more, or the directory was
    /// put back to an earlier state: whoever keeps a copy begins anew.
    pub begin_anew: bool,
}

/// The directory of an engine. Reads see every finished change at once and do
/// not wait for writers.
#[async_trait::async_trait]
pub trait Directory: Send + Sync + 'static {
    /// The object with this id.
    async fn object(&self, id: ObjectId) -> Result<Option<Arc<Object>>, DirectoryError>;

    /// The object of this kind and name (case does not matter).
    async fn find(&self, kind: Kind, name: &str) -> Result<Option<Arc<Object>>, DirectoryError>;

    /// All objects of a kind, by name.
    async fn list(&self, kind: Kind) -> Result<Vec<Arc<Object>>, DirectoryError>;

    /// Objects of a kind whose names (in lower case) come behind `after`, by name,
    /// at most `limit`.
    async fn page(
        &self,
        kind: Kind,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Arc<Object>>, DirectoryError> {
        let mut objects = self.list(kind).await?;
        objects.retain(|object| object.name.to_lowercase().as_str() > after);
        objects.sort_by_cached_key(|object| object.name.to_lowercase());
        objects.truncate(limit);
        Ok(objects)
    }

    /// The object that has this proxy address.
    async fn lookup(&self, address: &TypedAddress) -> Result<Option<Arc<Object>>, DirectoryError>;

    /// Whether the domain is one whose recipients are in this directory.
    async fn is_local_domain(&self, domain: &Domain) -> Result<bool, DirectoryError>;

    /// The mailbox that a login name means: its alias, or one of its Internet
    /// addresses.
    async fn login(&self, name: &str) -> Result<Option<Arc<Object>>, DirectoryError>;

    /// Changes with a number greater than `after`, oldest first: at most `limit`
    /// (or [`MAX_CHANGES`]) objects, and all that were removed up to the last of
    /// them. Changes of one number never come in two parts.
    async fn directory_changes(&self, after: u64, limit: usize) -> Result<Changes, DirectoryError>;

    /// What a connector keeps here under a name; none if nothing.
    async fn connector_state(
        &self,
        connector: &str,
        key: &str,
    ) -> Result<Option<Vec<u8>>, DirectoryError>;

    /// Keeps a value for a connector, durable when it returns; none takes it
    /// away. It goes with the connector's object.
    async fn set_connector_state(
        &self,
        connector: &str,
        key: &str,
        value: Option<Vec<u8>>,
    ) -> Result<(), DirectoryError>;

    /// Forgets what was removed before a moment.
    async fn forget_removed(&self, before: concord_base::Timestamp) -> Result<u64, DirectoryError>;

    /// Carries out one change, durable when it returns; gives back the object
    /// as stored (as it was, for a removal).
    async fn change(&self, act: DirectoryAct) -> Result<Arc<Object>, DirectoryError>;

    /// Tells of changes (the value counts them). It has risen before the
    /// [`change`](Self::change) that it tells of returns.
    fn directory_changed(&self) -> Receiver<u64>;
}
