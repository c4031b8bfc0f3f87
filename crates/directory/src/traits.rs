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
    /// Removes an object. A mailbox goes with its folders and items. An object
    /// leaves the lists it is a member of. A domain with recipients, and the
    /// organisation, site and server in use, stay ([`DirectoryError::InUse`]).
    Remove(ObjectId),
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

    /// The object that has this proxy address.
    async fn lookup(&self, address: &TypedAddress) -> Result<Option<Arc<Object>>, DirectoryError>;

    /// Whether the domain is one whose recipients are in this directory.
    async fn is_local_domain(&self, domain: &Domain) -> Result<bool, DirectoryError>;

    /// The mailbox that a login name means: its alias, or one of its Internet
    /// addresses.
    async fn login(&self, name: &str) -> Result<Option<Arc<Object>>, DirectoryError>;

    /// Carries out one change, durable when it returns; gives back the object
    /// as stored (as it was, for a removal).
    async fn change(&self, act: DirectoryAct) -> Result<Arc<Object>, DirectoryError>;

    /// Tells of changes (the value counts them). It has risen before the
    /// [`change`](Self::change) that it tells of returns.
    fn directory_changed(&self) -> Receiver<u64>;
}
