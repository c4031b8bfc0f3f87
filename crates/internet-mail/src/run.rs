//! The service as a whole.

use crate::config::{InternetMailConfig, Sockets};
use crate::error::InternetMailError;
use crate::front::{FrontService, Kind};
use crate::listen::accept;
use crate::out::{OutService, Outbound};
use crate::pickup;
use crate::watch::{self, Hub};
use concord_base::Clock;
use concord_connector::{LmtpOptions, serve_lmtp};
use concord_entrance::Seats;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often outbound connections that nobody used are looked for.
const SWEEP: Duration = Duration::from_secs(2);

/// How often what is kept across restarts is written, if it has changed.
const KEEP_EVERY: Duration = Duration::from_secs(30);
/// How often counts of TLS sessions are written: so much a crash may lose.
const WRITE_COUNTS: Duration = Duration::from_secs(60);

/// For the core to be told what was cut off.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the service until `shutdown` is cancelled; then running transactions
/// are finished, within the configured stop time.
///
/// # Errors
/// Whatever keeps it from starting. Once it runs, it does not fail.
pub async fn run(
    config: InternetMailConfig,
    sockets: Sockets,
    shutdown: CancellationToken,
    clock: Arc<dyn Clock>,
) -> Result<(), InternetMailError> {
    crate::telemetry::describe();
    let config = Arc::new(config);
    let listeners = listeners(sockets.smtp, sockets.submission, sockets.submissions)?;
    let implicit = listeners.iter().any(|(kind, _)| *kind == Kind::SubmissionTls);
    if implicit && config.tls.is_none() {
        return Err(InternetMailError::NoCertificate);
    }
    let ours: Vec<SocketAddr> =
        listeners.iter().filter_map(|(_, listener)| listener.local_addr().ok()).collect();
    let hub = Hub::new(Arc::clone(&clock));
    let out =
        Arc::new(OutService::new(Arc::clone(&config), ours, Arc::clone(&hub), Arc::clone(&clock))?);
    let dns = out.resolver();
    let pickup_clock = Arc::clone(&clock);
    let front = FrontService::new(Arc::clone(&config), clock, dns, Arc::clone(&hub))?;
    let front = Arc::new(front);
    if let Some(listener) = sockets.watch {
        let fail = |cause| InternetMailError::Socket { what: "watch", cause };
        listener.set_nonblocking(true).map_err(fail)?;
        let listener = UnixListener::from_std(listener).map_err(fail)?;
        let reports = Arc::clone(&front.reports);
        tokio::spawn(watch::serve(listener, hub, reports, shutdown.clone()));
    }
    let sessions = Arc::new(Seats::new(config.max_sessions, config.max_sessions_per_client));
    let tasks = TaskTracker::new();
    let cut = CancellationToken::new();
    let lmtp = sockets
        .lmtp
        .map(|listener| lmtp(listener, &config, &out, (shutdown.clone(), cut.clone())))
        .transpose()?;
    tokio::select! {
        biased;
        () = shutdown.cancelled() => return Ok(()),
        () = config.go_ahead.cancelled() => {}
    }
    let kept = Arc::clone(&front);
    for (kind, listener) in listeners {
        let (front, sessions) = (Arc::clone(&front), Arc::clone(&sessions));
        tasks.spawn(accept(listener, kind, front, sessions, tasks.clone(), shutdown.clone()));
    }
    if let Some(lmtp) = lmtp {
        tasks.spawn(lmtp);
    }
    let core = Arc::clone(&front.core);
    tasks.spawn(pickup::run(Arc::clone(&config), core, pickup_clock, shutdown.clone()));
    let sweeper = tokio::spawn(sweep(Arc::clone(&out)));
    let keeper = tokio::spawn(keep(Arc::clone(&kept)));
    tasks.spawn(Arc::clone(&kept.reports).run(shutdown.clone()));
    shutdown.cancelled().await;
    tracing::info!("stopping: running transactions are finished");
    tasks.close();
    if tokio::time::timeout(config.stop_time, tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "stop time is over; sessions are cut off");
        cut.cancel();
        let _ = tokio::time::timeout(LAST_WORDS, tasks.wait()).await;
    }
    sweeper.abort();
    keeper.abort();
    save(kept).await;
    out.close_idle().await;
    out.write_counts().await;
    Ok(())
}

fn lmtp(
    listener: std::os::unix::net::UnixListener,
    config: &InternetMailConfig,
    out: &Arc<OutService>,
    (shutdown, cut): (CancellationToken, CancellationToken),
) -> Result<impl Future<Output = ()> + Send + 'static, InternetMailError> {
    let fail = |cause| InternetMailError::Socket { what: "LMTP", cause };
    listener.set_nonblocking(true).map_err(fail)?;
    let listener = UnixListener::from_std(listener).map_err(fail)?;
    let options = LmtpOptions {
        hostname: config.hostname.clone(),
        size_limit: config.message_size.saturating_mul(2),
        max_recipients: config.max_recipients,
    };
    let out = Arc::clone(out);
    let new_session = move || Outbound::new(Arc::clone(&out));
    Ok(serve_lmtp(listener, options, new_session, shutdown, cut))
}

async fn keep(front: Arc<FrontService>) {
    let mut tick = tokio::time::interval(KEEP_EVERY);
    loop {
        tick.tick().await;
        save(Arc::clone(&front)).await;
    }
}

async fn save(front: Arc<FrontService>) {
    // It only fails if it panics, which is logged.
    let _ = tokio::task::spawn_blocking(move || {
        front.reputation.save();
        front.reports.save();
    })
    .await;
}

async fn sweep(out: Arc<OutService>) {
    let mut tick = tokio::time::interval(SWEEP);
    let mut counts = tokio::time::interval(WRITE_COUNTS);
    loop {
        tokio::select! {
            _ = tick.tick() => out.sweep(),
            _ = counts.tick() => out.write_counts().await,
        }
    }
}

fn listeners(
    smtp: Vec<std::net::TcpListener>,
    submission: Vec<std::net::TcpListener>,
    submissions: Vec<std::net::TcpListener>,
) -> Result<Vec<(Kind, TcpListener)>, InternetMailError> {
    let smtp = smtp.into_iter().map(|l| (Kind::Smtp, "SMTP", l));
    let submission = submission.into_iter().map(|l| (Kind::Submission, "submission", l));
    let submissions = submissions.into_iter().map(|l| (Kind::SubmissionTls, "submission", l));
    let mut ready = Vec::new();
    for (kind, what, listener) in smtp.chain(submission).chain(submissions) {
        let fail = |cause| InternetMailError::Socket { what, cause };
        listener.set_nonblocking(true).map_err(fail)?;
        ready.push((kind, TcpListener::from_std(listener).map_err(fail)?));
    }
    Ok(ready)
}
