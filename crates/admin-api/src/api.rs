//! What the API is served over.

use concord_base::{Clock, MessageId};
use concord_directory::Directory;
use concord_store::Store;
use concord_transport::{Administer, Queue, TransportError};
use metrics_exporter_prometheus::PrometheusHandle;
use std::fmt;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use crate::Maintenance;

/// Returns a queued message: a failure report for each recipient that still
/// waits goes to the sender, and the message leaves the queue, in one commit.
#[async_trait::async_trait]
pub trait ReturnMail: Send + Sync + 'static {
    /// Returns one message. Who wants no failure report gets none.
    ///
    /// # Errors
    /// [`TransportError::NotQueued`]
    async fn return_to_sender(&self, message: MessageId) -> Result<(), TransportError>;
}

/// Everything that the endpoints need.
#[derive(Clone)]
pub struct AdminApi {
    /// The directory.
    pub directory: Arc<dyn Directory>,
    /// The information store, for the use of mailboxes.
    pub store: Arc<dyn Store>,
    /// The queue, for what waits.
    pub queue: Arc<dyn Queue>,
    /// The queue and the tracking data, for administrators.
    pub administer: Arc<dyn Administer>,
    /// Returns messages.
    pub return_mail: Arc<dyn ReturnMail>,
    /// Verifies, compacts and rebuilds.
    pub maintenance: Arc<dyn Maintenance>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The name of this host.
    pub hostname: String,
    /// Octets of a message.
    pub message_size: u64,
    /// Renders the metrics of this process; without it `/metrics` is empty.
    pub prometheus: Option<PrometheusHandle>,
    /// Cancelled when changes are taken; until then only questions are answered.
    pub go_ahead: CancellationToken,
}

impl fmt::Debug for AdminApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminApi").field("hostname", &self.hostname).finish_non_exhaustive()
    }
}

/// Password hashes that are made at once: each takes 19 MiB and a CPU.
const MAX_HASHING: usize = 2;

/// What handlers get.
pub(crate) struct Shared {
    pub api: AdminApi,
    /// Held from reading an object to writing it back, so that two changes of
    /// one object do not undo each other.
    pub directory_writer: tokio::sync::Mutex<()>,
    /// See [`MAX_HASHING`].
    pub hashing: tokio::sync::Semaphore,
}

impl Shared {
    pub fn new(api: AdminApi) -> Arc<Self> {
        Arc::new(Self {
            api,
            directory_writer: tokio::sync::Mutex::new(()),
            hashing: tokio::sync::Semaphore::new(MAX_HASHING),
        })
    }
}

/// The state of the router.
pub(crate) type State = axum::extract::State<Arc<Shared>>;
