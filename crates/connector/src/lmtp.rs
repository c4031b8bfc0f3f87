//! The LMTP server towards the core.

use crate::deliver::Deliver;
use bytes::Bytes;
use concord_smtp::{MailCommand, RcptCommand, Reply, Xforward};
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
///
/// When `cut` is cancelled, what still runs is answered 451 and its [`Deliver`]
/// is dropped: the core comes again, and does not take it for a crash.
pub async fn serve_lmtp<D, F>(
    listener: UnixListener,
    options: LmtpOptions,
    new_session: F,
    shutdown: CancellationToken,
    cut: CancellationToken,
) where
    D: Deliver + 'static,
    F: Fn() -> D + Send,
{
    let mut profile = ServerProfile::new(options.hostname, Mode::Lmtp);
    profile.size_limit = options.size_limit;
    profile.max_recipients = options.max_recipients;
    profile.extensions.xforward = true;
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
        let mut handler = Adapter { deliver: Some(new_session()), cut: cut.clone() };
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
/// answered for it (10 minutes); RFC 5321 section 4.5.3.2. One that holds the
/// message until it has come whole sends it then, for 20 minutes at most. The
/// core waits a little longer than all of it.
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
        data_end: minutes(34),
    }
}

struct Adapter<D> {
    /// `None` once it was cut off: what it was doing is half done.
    deliver: Option<D>,
    cut: CancellationToken,
}

impl<D: Deliver> Adapter<D> {
    /// What the connector says, unless it is cut off before it says it.
    async fn ask<T>(&mut self, call: impl AsyncFnOnce(&mut D) -> T) -> Result<T, Reply> {
        if let Some(deliver) = &mut self.deliver {
            tokio::select! {
                biased;
                answer = call(deliver) => return Ok(answer),
                () = self.cut.cancelled() => {}
            }
        }
        self.deliver = None;
        Err(Reply::new(451, (4, 3, 2), "the connector is being restarted"))
    }
}

#[async_trait::async_trait]
impl<D: Deliver> SmtpHandler for Adapter<D> {
    async fn connected(&mut self, _connection: &ConnectionInfo) -> Result<(), Reply> {
        self.ask(async |d: &mut D| d.connected().await).await?
    }

    async fn xforward(&mut self, attributes: &Xforward) -> Reply {
        let told = self.ask(async |d: &mut D| d.forwarded(attributes).await).await;
        told.map_or_else(|cut| cut, |()| Reply::new(250, (2, 0, 0), "ok"))
    }

    async fn mail(&mut self, mail: &MailCommand) -> Reply {
        let answer = self.ask(async |d: &mut D| d.mail(mail).await.to_reply()).await;
        answer.unwrap_or_else(|cut| cut)
    }

    async fn rcpt(&mut self, rcpt: &RcptCommand) -> Reply {
        let replies = self.rcpts(std::slice::from_ref(rcpt)).await;
        let missing = || Reply::new(451, (4, 3, 0), "no answer for this recipient");
        replies.into_iter().next().unwrap_or_else(missing)
    }

    async fn rcpts(&mut self, rcpts: &[RcptCommand]) -> Vec<Reply> {
        match self.ask(async |d: &mut D| d.recipients(rcpts).await).await {
            Ok(outcomes) => outcomes.iter().map(crate::Outcome::to_reply).collect(),
            Err(cut) => vec![cut; rcpts.len()],
        }
    }

    async fn begin_data(&mut self) -> Result<(), Reply> {
        let answer = self.ask(async |d: &mut D| d.begin().await).await?;
        answer.map_err(|outcome| outcome.to_reply())
    }

    async fn data(&mut self, chunk: Bytes) -> Result<(), Reply> {
        let answer = self.ask(async |d: &mut D| d.data(chunk).await).await?;
        answer.map_err(|outcome| outcome.to_reply())
    }

    async fn end_data(&mut self) -> DataReply {
        match self.ask(async |d: &mut D| d.finish().await).await {
            Ok(outcomes) => {
                DataReply::Each(outcomes.iter().map(crate::Outcome::to_reply).collect())
            }
            Err(cut) => DataReply::One(cut),
        }
    }

    async fn reset(&mut self) {
        let _ = self.ask(async |d: &mut D| d.reset().await).await;
    }

    async fn closed(&mut self, _how: &Ended) {
        let _ = self.ask(async |d: &mut D| d.closed().await).await;
    }
}
