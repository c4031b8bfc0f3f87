//! Acts on a store whose core does not run.

use crate::act::Act;
use crate::apply::Outcome;
use crate::embedded::Embedded;
use crate::open::EngineOptions;
use concord_base::StorageError;
use concord_directory::{Directory, DirectoryAct, DirectoryError, Object};
use std::sync::Arc;

/// Carries out directory acts one after the other; each succeeds or fails by
/// itself. Opens the engine and closes it again; blocks, but may be called
/// within a runtime.
///
/// # Errors
/// [`StorageError`] if the engine cannot be opened.
pub fn change_directory(
    options: &EngineOptions,
    acts: Vec<DirectoryAct>,
) -> Result<Vec<Result<Object, DirectoryError>>, StorageError> {
    with_engine(options, async |engine| {
        let mut outcomes = Vec::with_capacity(acts.len());
        for act in acts {
            outcomes.push(engine.change(act).await.map(Arc::unwrap_or_clone));
        }
        Ok(outcomes)
    })
}

/// Gives every folder a new UIDVALIDITY, so that mail programs read everything
/// anew (RFC 3501 section 2.3.1.1): for a store that was put back to an earlier
/// state, or comes from elsewhere, where the UIDs that they know may be given
/// to other messages. Gives back how many folders there are. Opens the engine
/// and closes it again; blocks, but may be called within a runtime.
///
/// # Errors
/// [`StorageError`]
pub fn renumber(options: &EngineOptions) -> Result<u64, StorageError> {
    with_engine(options, async |engine| match engine.act_one(Act::Restored).await? {
        Ok(Outcome::Count(folders)) => Ok(folders),
        _ => Err(StorageError::Bug("an act had another act's outcome".into())),
    })
}

/// Opens the engine for one piece of work. On a thread of its own, because a
/// runtime cannot wait within another one.
fn with_engine<T: Send>(
    options: &EngineOptions,
    work: impl AsyncFnOnce(&Embedded) -> Result<T, StorageError> + Send,
) -> Result<T, StorageError> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| failed(&e.to_string()))?;
        runtime.block_on(opened(options, work))
    };
    std::thread::scope(|scope| {
        scope.spawn(run).join().unwrap_or_else(|_| Err(failed("it panicked")))
    })
}

async fn opened<T>(
    options: &EngineOptions,
    work: impl AsyncFnOnce(&Embedded) -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    let (engine, report) = Embedded::open(options.clone()).await?;
    tracing::debug!(?report, "opened for one piece of work");
    // Dropping the engine waits until all is applied.
    work(&engine).await
}

fn failed(cause: &str) -> StorageError {
    StorageError::Bug(format!("work on the store ended: {cause}"))
}
