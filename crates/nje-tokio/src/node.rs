//! A node and its links.

use crate::application::Application;
use crate::link::{Inbound, LinkHandle, LinkTask};
use crate::listen::{read_open, refuse};
use async_trait::async_trait;
use concord_base::{Clock, SystemClock};
use concord_nje::{LinkSettings, NakReason, Name, Opening};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections whose OPEN has not come yet: peers are few, and each may take
/// fifteen seconds.
const MAX_UNKNOWN: usize = 64;
/// How long a listener waits when the operating system refuses it a connection
/// (no file descriptor is free, for example).
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Anything that octets go over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection.
pub type Connection = Box<dyn Stream>;

/// Connects to a partner.
#[async_trait]
pub trait Dialler: Send + Sync + 'static {
    /// Makes a connection. May take its time; it is dropped when the partner opens
    /// the link meanwhile.
    async fn dial(&self) -> io::Result<Connection>;
}

/// Connects by TCP.
#[derive(Debug, Clone)]
pub struct TcpDialler {
    /// Host name or address, and port: `vm.example:175`.
    pub address: String,
}

#[async_trait]
impl Dialler for TcpDialler {
    async fn dial(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect(&self.address).await?;
        // Answers are small and are waited for.
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

/// How long to wait before a link is opened again: from `least`, doubled with each
/// failure, to `most`; a random part is taken off so that ends do not fall in
/// step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// After the first failure.
    pub least: Duration,
    /// At most.
    pub most: Duration,
}

impl Default for BackOff {
    fn default() -> Self {
        Self { least: Duration::from_secs(5), most: Duration::from_secs(300) }
    }
}

impl BackOff {
    /// The wait after so many failures in a row.
    pub(crate) fn after(&self, failures: u32) -> Duration {
        let doubled = self.least.saturating_mul(2_u32.saturating_pow(failures.min(20)));
        doubled.min(self.most).mul_f64(rand::random_range(0.5..=1.0))
    }
}

/// A node to which there is a link.
#[derive(Clone)]
pub struct Neighbour {
    /// The link's settings. The own node is set by [`Node::start`].
    pub settings: LinkSettings,
    /// How it is reached; `None` leaves opening the link to the partner.
    pub dialler: Option<Arc<dyn Dialler>>,
    /// When the link is opened again.
    pub back_off: BackOff,
    /// A file that everything on the link is written to.
    pub capture: Option<PathBuf>,
}

/// A node with its links.
pub struct Node {
    own: Name,
    links: BTreeMap<Name, (LinkHandle, mpsc::Sender<Inbound>)>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    unknown: Arc<Semaphore>,
}

impl Node {
    /// Starts the links of a node. Must be called within a runtime.
    pub fn start(
        own: Name,
        neighbours: Vec<Neighbour>,
        application: &Arc<dyn Application>,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self::start_with_clock(own, neighbours, application, &clock)
    }

    /// The same, with a clock for the question for the time.
    pub fn start_with_clock(
        own: Name,
        neighbours: Vec<Neighbour>,
        application: &Arc<dyn Application>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let mut links = BTreeMap::new();
        for mut neighbour in neighbours {
            neighbour.settings.own_node = own;
            let partner = neighbour.settings.partner_node;
            let (handle, orders, board) = LinkHandle::new();
            // One connection at a time is judged.
            let (inbound, opened) = mpsc::channel(1);
            let task = LinkTask::new(
                neighbour,
                Arc::clone(application),
                Arc::clone(clock),
                (orders, opened),
                board,
                stop.clone(),
            );
            tasks.spawn(task.run());
            links.insert(partner, (handle, inbound));
        }
        Self { own, links, stop, tasks, unknown: Arc::new(Semaphore::new(MAX_UNKNOWN)) }
    }

    /// The own name.
    pub const fn name(&self) -> Name {
        self.own
    }

    /// The link to a partner.
    pub fn link(&self, partner: Name) -> Option<&LinkHandle> {
        self.links.iter().find(|(name, _)| name.same(&partner)).map(|(_, (handle, _))| handle)
    }

    /// All links, by the names of the partners.
    pub fn links(&self) -> impl Iterator<Item = (Name, &LinkHandle)> {
        self.links.iter().map(|(name, (handle, _))| (*name, handle))
    }

    /// Takes connections until the node stops. A peer that is not a neighbour is
    /// refused.
    pub async fn listen(&self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    // A socket that cannot be set is not a reason to refuse.
                    let _ = stream.set_nodelay(true);
                    self.accept(Box::new(stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept an NJE connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Takes a connection that somebody opened. It is dropped if too many wait for
    /// their OPEN.
    pub fn accept(&self, mut connection: Connection) {
        let Ok(permit) = Arc::clone(&self.unknown).try_acquire_owned() else { return };
        let links: Vec<_> = self.links.iter().map(|(name, link)| (*name, link.1.clone())).collect();
        tokio::spawn(async move {
            let Some(open) = read_open(&mut connection).await else { return };
            drop(permit);
            let link = links.into_iter().find(|(name, _)| name.same(&open.sender));
            let unknown = match link {
                Some((_, link)) => {
                    let sent = link.send(Inbound { connection, open }).await;
                    sent.err().map(|unsent| unsent.0.connection)
                }
                None => Some(connection),
            };
            if let Some(connection) = unknown
                && let Opening::Refused { nak, .. } =
                    concord_nje::refuse(&open, NakReason::NoSuchLink)
            {
                refuse(connection, nak);
            }
        });
    }

    /// Signs off from every partner and ends. Jobs that were not confirmed fail
    /// with [`crate::SendError::Stopped`].
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}
