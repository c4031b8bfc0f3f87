//! What the API is served over.

use concord_address::{SmtpAddress, TypedAddress};
use concord_base::{Clock, MessageId};
use concord_directory::{Directory, DirectoryError, Object, Resolution, Routes, Situation, Writer};
use concord_rules::{Facts, Verdict};
use concord_store::Store;
use concord_transport::{Administer, Queue, TransportError};
use metrics_exporter_prometheus::PrometheusHandle;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use crate::Maintenance;
use crate::connectors::WorkBoard;
use crate::sync::Runs;
use crate::wire::RelayView;

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

/// What routing depends on at the moment.
#[async_trait::async_trait]
pub trait RoutingState: Send + Sync + 'static {
    /// The routing table, and what a choice for a message of this sender depends
    /// on beside it.
    ///
    /// # Errors
    /// The directory could not be read.
    async fn situation(
        &self,
        sender: Option<&Object>,
    ) -> Result<(Arc<Routes>, Situation), DirectoryError>;

    /// What an address means, as RCPT would take it.
    ///
    /// # Errors
    /// The directory could not be read.
    async fn meaning(&self, address: &TypedAddress) -> Result<Resolution, DirectoryError>;

    /// What a client would hear who wants to send.
    ///
    /// # Errors
    /// The directory could not be read.
    async fn relay_check(&self, query: &RelayQuestion) -> Result<RelayView, DirectoryError>;

    /// Starts mail of a domain that waits to be asked for; gives back how many
    /// deliveries are on their way, `None` if mail of the domain does not wait.
    ///
    /// # Errors
    /// The directory could not be read.
    async fn start_domain(&self, domain: &str, below: bool) -> Result<Option<u64>, DirectoryError>;

    /// What a mailbox's rules say of a message, as they would if it came now.
    ///
    /// # Errors
    /// The directory could not be read.
    async fn judge(&self, mailbox: &Object, message: &Facts) -> Result<Verdict, DirectoryError>;
}

/// Who wants to send, from whom, to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayQuestion {
    /// The client's address.
    pub client: IpAddr,
    /// The address of ours that it connected to.
    pub interface: Option<IpAddr>,
    /// Whether it speaks TLS.
    pub encrypted: bool,
    /// The recipient that it has logged in as.
    pub user: Option<Arc<Object>>,
    /// The reverse-path; none is `<>`.
    pub from: Option<SmtpAddress>,
    /// As RCPT has it.
    pub to: SmtpAddress,
}

/// Everything that the endpoints need.
#[derive(Clone)]
pub struct AdminApi {
    /// The directory.
    pub directory: Arc<dyn Directory>,
    /// Turns at changing it, shared with every other way into it.
    pub writer: Arc<Writer>,
    /// The information store, for the use of mailboxes.
    pub store: Arc<dyn Store>,
    /// The queue, for what waits.
    pub queue: Arc<dyn Queue>,
    /// The queue and the tracking data, for administrators.
    pub administer: Arc<dyn Administer>,
    /// Returns messages.
    pub return_mail: Arc<dyn ReturnMail>,
    /// What routing depends on.
    pub routing: Arc<dyn RoutingState>,
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
    /// See [`MAX_HASHING`].
    pub hashing: tokio::sync::Semaphore,
    /// What connectors are asked to do.
    pub board: WorkBoard,
    /// Runs of directory synchronisation.
    pub runs: Runs,
    /// Held while everybody gets addresses by a new rule.
    pub restamping: tokio::sync::Mutex<()>,
}

impl Shared {
    pub fn new(api: AdminApi) -> Arc<Self> {
        Arc::new(Self {
            api,
            hashing: tokio::sync::Semaphore::new(MAX_HASHING),
            board: WorkBoard::default(),
            runs: Runs::default(),
            restamping: tokio::sync::Mutex::default(),
        })
    }
}

/// The state of the router.
pub(crate) type State = axum::extract::State<Arc<Shared>>;
