//! Giving mailboxes the addresses that generators make for them.

use crate::ApiError;
use crate::api::Shared;
use crate::endpoint::generators_stamp;
use crate::lines::lines;
use crate::wire::{StampNews, Stamped};
use axum::response::Response;
use concord_address::{AddressType, Names};
use concord_base::{ObjectId, StorageError};
use concord_directory::{Kind, Proxy, Stamp};
use serde::Serialize;
use std::collections::HashSet;
use tokio::sync::mpsc::Sender;

/// Kinds that get generated addresses. Contacts are not among them: they have an
/// address of the system that they are of.
pub(crate) const STAMPED: [Kind; 4] =
    [Kind::Mailbox, Kind::List, Kind::PublicFolder, Kind::Resource];

/// Recipients changed side by side, so that they share a sync; between batches
/// other changes get their turn.
pub(crate) const BATCH: usize = 100;

/// Who is told how far the work is.
pub(crate) struct Listener<T>(Option<Sender<StampNews<T>>>);

impl<T> Listener<T> {
    /// Nobody is told.
    pub fn nobody() -> Self {
        Self(None)
    }

    /// Tells how far it is. Fails when nobody listens any more, so that the work
    /// ends at a good place.
    pub async fn step(&self, done: usize, total: usize) -> Result<(), ApiError> {
        let Some(lines) = &self.0 else { return Ok(()) };
        let step = StampNews::Step { done: done as u64, total: total as u64 };
        lines.send(step).await.map_err(|_| StorageError::Stopping.into())
    }
}

/// Work whose steps and end are sent in lines, whatever time it takes.
pub(crate) fn told<T: Serialize + Send + 'static, W>(
    work: impl FnOnce(Listener<T>) -> W + Send + 'static,
) -> Response
where
    W: Future<Output = Result<T, ApiError>> + Send,
{
    let (put, answer) = lines();
    tokio::spawn(async move {
        let last = match work(Listener(Some(put.clone()))).await {
            Ok(done) => StampNews::Done(done),
            Err(error) => StampNews::Failed(error.body()),
        };
        // Nobody listens any more if this fails.
        let _ = put.send(last).await;
    });
    answer
}

/// The recipients of these kinds.
pub(crate) async fn ids(shared: &Shared, kinds: &[Kind]) -> Result<Vec<ObjectId>, ApiError> {
    let mut ids = Vec::new();
    for kind in kinds {
        ids.extend(shared.api.directory.list(*kind).await?.iter().map(|object| object.id));
    }
    Ok(ids)
}

/// Gives every recipient here the addresses that it lacks, as
/// `POST /v1/generators/stamp` does. The core does so when it starts: a
/// generator may have come while it did not run.
///
/// # Errors
/// The directory could not be read or written.
pub(crate) async fn stamp_missing(shared: &Shared) -> Result<Stamped, ApiError> {
    generators_stamp::stamp_all(shared, &Listener::nobody()).await
}

/// The Internet address that a generator makes for who is added without one; none
/// if there is no generator for them.
pub(crate) async fn internet(shared: &Shared, names: &Names) -> Result<Option<String>, ApiError> {
    let directory = &*shared.api.directory;
    let stamps = Stamp::all(directory).await?;
    let Some(stamp) = stamps.iter().find(|stamp| stamp.kind.is_smtp()) else { return Ok(None) };
    match stamp.free_address(directory, names, &HashSet::new()).await {
        Ok(address) => Ok(Some(address.to_string())),
        Err(cause) => Err(ApiError::Invalid(format!(
            "cannot choose an address: the generator of Internet addresses makes none ({cause}); \
             give one with --address"
        ))),
    }
}

/// Whether there is no address of a type.
pub(crate) fn lacks(proxies: &[Proxy], kind: &AddressType) -> bool {
    !proxies.iter().any(|proxy| proxy.address.kind() == kind)
}

/// [`Stamp::add`]; what cannot be made is in the log as well.
pub(crate) async fn add(
    shared: &Shared,
    stamps: &[Stamp],
    names: &Names,
    proxies: &mut Vec<Proxy>,
    taken: &mut HashSet<String>,
) -> (usize, Vec<String>) {
    let done = Stamp::add(&*shared.api.directory, stamps, names, proxies, taken).await;
    for cause in &done.causes {
        tracing::warn!(mailbox = names.alias, cause, "no address was generated");
    }
    (done.added, done.causes)
}
