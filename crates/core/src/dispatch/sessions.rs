//! LMTP sessions to one connector, kept for the next message.

use concord_connector::core_timeouts;
use concord_smtp_tokio::{ClientError, ClientTimeouts, HelloVerb, SmtpClient};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UnixStream;

/// Idle sessions that are kept; more than this many at once are rare.
const MAX_IDLE: usize = 20;
/// A connector that is being restarted has its socket, but greets only when it
/// is up.
const GREETING: Duration = Duration::from_secs(30);
/// For the end of an idle session.
const QUIT: Duration = Duration::from_millis(500);

pub(super) type Session = SmtpClient<UnixStream>;

pub(super) struct Sessions {
    socket: PathBuf,
    hostname: String,
    idle: Mutex<Vec<Session>>,
    failures: AtomicU32,
}

/// Whether the connector has not ended it while it was idle. Nobody talks to
/// us unasked, so anything to read is a goodbye.
fn is_alive(session: &Session) -> bool {
    let nothing = session.stream().try_read(&mut [0; 1]);
    nothing.is_err_and(|e| e.kind() == std::io::ErrorKind::WouldBlock)
}

impl Sessions {
    pub fn new(socket: PathBuf, hostname: String) -> Self {
        Self { socket, hostname, idle: Mutex::default(), failures: AtomicU32::new(0) }
    }

    pub async fn take(&self) -> Result<Session, ClientError> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match kept {
                Some(session) if is_alive(&session) => return Ok(session),
                Some(_) => {}
                None => return self.open().await,
            }
        }
    }

    async fn open(&self) -> Result<Session, ClientError> {
        let opened = self.try_open().await;
        match &opened {
            Ok(_) => self.failures.store(0, Ordering::Relaxed),
            Err(_) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
        }
        opened
    }

    async fn try_open(&self) -> Result<Session, ClientError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|e| ClientError::Io {
            phase: concord_smtp_tokio::Phase::Greeting,
            cause: format!("{}: {e}", self.socket.display()),
        })?;
        // The connector talks to the whole world before it answers; only the
        // greeting is its own.
        let timeouts = ClientTimeouts { greeting: GREETING, ..core_timeouts() };
        let (mut session, _) = SmtpClient::connect(stream, timeouts).await?;
        session.hello(HelloVerb::Lhlo, &self.hostname).await?;
        Ok(session)
    }

    pub fn give_back(&self, session: Session) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(session);
        }
    }

    /// Sessions that idled while another one broke are broken too.
    pub fn forget_idle(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub fn next_pause(&self, min: Duration, max: Duration) -> Duration {
        let doublings = self.failures.load(Ordering::Relaxed).saturating_sub(1).min(10);
        min.saturating_mul(1 << doublings).min(max)
    }

    pub async fn close(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for session in idle {
            session.quit(QUIT).await;
        }
    }
}
