//! The LMTP server towards the core.

use crate::deliver::Deliver;
use bytes::Bytes;
use concord_smtp::{MailCommand, RcptCommand, Reply};
use concord_smtp_tokio::{
    ClientTimeouts, ConnectionInfo, DataReply, Ended, MaybeTls, Mode, Peer, ServerProfile,
    SmtpHandler, serve,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// After a failed accept (no file descriptors, no memory) it waits, so that a
/// lasting cause does not burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the LMTP server bounds.
#[derive(Debug, Clone)]
pub struct LmtpOptions {
    /// Its name in greeting and LHLO.
    pub hostname: String,
    /// Octets of a message.
    pub size_limit: u64,
    /// Recipients of a message.
    pub max_recipients: usize,
}

/// Serves sessions of the core until `shutdown` is cancelled, and then until
/// the running transactions are done; each session has a [`Deliver`] of its own.
pub async fn serve_lmtp<D, F>(
    listener: UnixListener,
    options: LmtpOptions,
    new_session: F,
    shutdown: CancellationToken,
) where
    D: Deliver + 'static,
    F: Fn() -> D + Send,
{
    let mut profile = ServerProfile::new(options.hostname, Mode::Lmtp);
    profile.size_limit = options.size_limit;
    profile.max_recipients = options.max_recipients;
    let profile = Arc::new(profile);
    let sessions = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => MaybeTls::Plain(stream),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a session of the core");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let mut handler = Adapter(new_session());
        let (profile, stop) = (Arc::clone(&profile), shutdown.clone());
        sessions.spawn(async move {
            let connection = ConnectionInfo { peer: Peer::Unix, local: None };
            let ended = serve(stream, connection, profile, None, &mut handler, stop).await;
            tracing::debug!(?ended, "session of the core ended");
        });
    }
    sessions.close();
    sessions.wait().await;
}

/// How long the core waits for a connector. A connector answers RCPT only when
/// it has reached the remote host (at most 5 minutes) and that host has taken
/// MAIL and RCPT (5 minutes each), and the message when the remote host has
/// answered for it (10 minutes); RFC 5321 section 4.5.3.2. The core waits a
/// little longer than all of it.
pub const fn core_timeouts() -> ClientTimeouts {
    const fn minutes(m: u64) -> Duration {
        Duration::from_secs(m * 60)
    }
    ClientTimeouts {
        greeting: minutes(1),
        command: minutes(1),
        mail: minutes(1),
        rcpt: minutes(16),
        data_start: minutes(3),
        data_block: minutes(4),
        data_end: minutes(14),
    }
}

struct Adapter<D>(D);

#[async_trait::async_trait]
impl<D: Deliver> SmtpHandler for Adapter<D> {
    async fn mail(&mut self, mail: &MailCommand) -> Reply {
        self.0.mail(mail).await.to_reply()
    }

    async fn rcpt(&mut self, rcpt: &RcptCommand) -> Reply {
        let replies = self.rcpts(std::slice::from_ref(rcpt)).await;
        let missing = || Reply::new(451, (4, 3, 0), "no answer for this recipient");
        replies.into_iter().next().unwrap_or_else(missing)
    }

    async fn rcpts(&mut self, rcpts: &[RcptCommand]) -> Vec<Reply> {
        self.0.recipients(rcpts).await.iter().map(crate::Outcome::to_reply).collect()
    }

    async fn begin_data(&mut self) -> Result<(), Reply> {
        self.0.begin().await.map_err(|outcome| outcome.to_reply())
    }

    async fn data(&mut self, chunk: Bytes) -> Result<(), Reply> {
        self.0.data(chunk).await.map_err(|outcome| outcome.to_reply())
    }

    async fn end_data(&mut self) -> DataReply {
        DataReply::Each(self.0.finish().await.iter().map(crate::Outcome::to_reply).collect())
    }

    async fn reset(&mut self) {
        self.0.reset().await;
    }

    async fn closed(&mut self, _how: &Ended) {
        self.0.closed().await;
    }
}
