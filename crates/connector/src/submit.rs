//! Sessions to the core's submission socket.

use concord_base::{EnhancedStatus, Fault, Retry};
use concord_smtp::Reply;
use concord_smtp_tokio::{ClientError, ClientTimeouts, HelloVerb, SmtpClient};
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::Instant;

/// How the core's answer to a good login begins; the user's name follows. The
/// connector counts by it.
pub const AUTHENTICATED_AS: &str = "authenticated as ";

/// How the core's answer begins to a message whose key it took before; its queue
/// id follows. The connector counts by it, and decides nothing.
pub const ALREADY_TAKEN: &str = "taken already as ";

/// The core is on this machine; it answers an envelope at once, and a message
/// after a sync. Beyond this it hangs, and the client should come again.
const CORE_TIMEOUT: Duration = Duration::from_secs(120);

/// A session that was idle so long is closed rather than used again.
const MAX_IDLE: Duration = Duration::from_secs(60);

/// Why there is no session to the core.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Nobody listens on the socket.
    #[error("cannot reach the core at {path}: {cause}; is the core running?")]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// The system's words.
        cause: String,
    },
    /// The session broke.
    #[error("the session to the core failed: {0}")]
    Session(#[from] ClientError),
}

impl Fault for SubmitError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "connector.core-unreachable",
            Self::Session(_) => "connector.core-session",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Temporary
    }

    /// RFC 3463: X.3.2 system not accepting network messages.
    fn enhanced_status(&self) -> EnhancedStatus {
        EnhancedStatus::new(4, 3, 2)
    }
}

impl SubmitError {
    /// What a client of ours is told; it comes again.
    pub fn reply(&self) -> Reply {
        match self {
            // The core's own 4xx and 5xx words say more (busy, stopping).
            Self::Session(ClientError::Refused { reply, .. }) if reply.is_temporary() => {
                reply.clone()
            }
            _ => Reply::new(451, (4, 3, 2), "the mail store is not available, try again later"),
        }
    }
}

/// A session to the core, greeted.
pub type CoreSession = SmtpClient<UnixStream>;

/// Keeps sessions to the core that nobody uses at the moment.
#[derive(Debug)]
pub struct Submissions {
    path: PathBuf,
    name: String,
    max_idle: usize,
    idle: Mutex<Vec<(CoreSession, Instant)>>,
}

impl Submissions {
    /// Sessions to the socket `path`, in which the connector calls itself
    /// `name`; at most `max_idle` are kept.
    pub fn new(path: PathBuf, name: impl Into<String>, max_idle: usize) -> Self {
        Self { path, name: name.into(), max_idle, idle: Mutex::new(Vec::new()) }
    }

    /// An idle session, or a new one. An idle one may turn out to be closed by
    /// the core at its first use; then take a [`fresh`](Self::fresh) one.
    /// The flag tells whether it was idle.
    pub async fn get(&self) -> Result<(CoreSession, bool), SubmitError> {
        while let Some((session, since)) = self.take_idle() {
            if since.elapsed() < MAX_IDLE && is_quiet(session.stream()) {
                return Ok((session, true));
            }
        }
        Ok((self.fresh().await?, false))
    }

    /// A new session.
    pub async fn fresh(&self) -> Result<CoreSession, SubmitError> {
        let unreachable = |e: std::io::Error| SubmitError::Unreachable {
            path: self.path.clone(),
            cause: e.to_string(),
        };
        let stream = UnixStream::connect(&self.path).await.map_err(unreachable)?;
        let timeouts = ClientTimeouts::all(CORE_TIMEOUT);
        let (mut session, _) = SmtpClient::connect(stream, timeouts).await?;
        session.hello(HelloVerb::Ehlo, &self.name).await?;
        Ok(session)
    }

    /// Gives a session back that is between transactions and not authenticated.
    pub fn put(&self, session: CoreSession) {
        if let Ok(mut idle) = self.idle.lock()
            && idle.len() < self.max_idle
        {
            idle.push((session, Instant::now()));
        }
    }

    /// The one that was used last, so that the others can grow old.
    fn take_idle(&self) -> Option<(CoreSession, Instant)> {
        self.idle.lock().ok()?.pop()
    }
}

/// Between transactions the core says nothing, unless it closes.
fn is_quiet(stream: &UnixStream) -> bool {
    let mut octet = [0u8; 1];
    matches!(stream.try_read(&mut octet), Err(e) if e.kind() == ErrorKind::WouldBlock)
}
