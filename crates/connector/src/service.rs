//! What the service of every connector of ours begins with, and what it goes on
//! with when its settings change.

use crate::wire::OwnObject;
use crate::{ApiError, CoreApi};
use concord_base::{Fault, Retry};
use std::io;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio_util::sync::CancellationToken;

/// The core may start at the same time: for so long its API may be away.
const CORE_PATIENCE: Duration = Duration::from_secs(20);
/// Between two attempts to reach it.
const CORE_PAUSE: Duration = Duration::from_millis(200);
/// Between looks at the settings; SIGHUP asks at once.
const EVERY: Duration = Duration::from_secs(5);

/// For the core's administrators; a line of text.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// How a connector reaches the core, and what it may take.
pub struct ConnectorConfig {
    /// The connector's name.
    pub name: String,
    /// The core's API.
    pub api: CoreApi,
    /// The socket on which the core takes messages.
    pub submit_socket: PathBuf,
    /// Where large messages wait, in files without a name, while they come in.
    pub runtime: PathBuf,
    /// Octets of a message.
    pub message_size: u64,
    /// After the end is asked for, for what is in hand.
    pub stop_time: Duration,
    /// Cancelled when mail may be moved.
    pub go_ahead: CancellationToken,
    /// What `concord service status` shows.
    pub say: Say,
}

/// The connector's object; none if the end was asked for first.
///
/// # Errors
/// [`ApiError`], when it stays or the core is away for too long.
pub async fn own_object(
    api: &CoreApi,
    shutdown: &CancellationToken,
) -> Result<Option<OwnObject>, ApiError> {
    let until = tokio::time::Instant::now() + CORE_PATIENCE;
    loop {
        match api.own_object().await {
            Ok(own) => return Ok(Some(own)),
            Err(error)
                if error.retry() == Retry::Temporary && tokio::time::Instant::now() < until => {}
            Err(error) => return Err(error),
        }
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(None),
            () = tokio::time::sleep(CORE_PAUSE) => {}
        }
    }
}

/// Waits for other settings that can be used, which `read` tells. Others are told
/// of once, and the old ones stay.
pub async fn changed_settings<T, E: Fault>(
    api: &CoreApi,
    own: &OwnObject,
    hangup: &mut Signal,
    read: impl Fn(&OwnObject) -> Result<T, E>,
) -> (OwnObject, T) {
    let mut refused = None;
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
        let Ok(object) = api.own_object().await else { continue };
        if object.settings == own.settings || refused.as_ref() == Some(&object.settings) {
            continue;
        }
        match read(&object) {
            Ok(read) => return (object, read),
            Err(error) => {
                let text = format!("{error}; the settings of before stay in force");
                api.leave_notice(error.code(), &text).await;
                refused = Some(object.settings);
            }
        }
    }
}

/// Another handle of the socket; connections wait in it from one to the next.
///
/// # Errors
/// It is no socket that listens, or there are too many open files.
pub fn another_handle(listener: &UnixListener) -> io::Result<tokio::net::UnixListener> {
    let listener = listener.try_clone()?;
    listener.set_nonblocking(true)?;
    tokio::net::UnixListener::from_std(listener)
}
