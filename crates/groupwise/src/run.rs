//! The service as a whole.

use crate::book::Book;
use crate::error::GroupWiseError;
use crate::gateway::Gateway;
use crate::inbound::FromGroupWise;
use crate::link::Link;
use crate::outbound::ToGroupWise;
use crate::settings::GroupWiseSettings;
use crate::sync::Answers;
use concord_address::Domain;
use concord_base::{Clock, Fault as _};
use concord_connector::wire::OwnObject;
use concord_connector::{
    ConnectorConfig, ConversionMemory, LmtpOptions, Submissions, another_handle, changed_settings,
    own_object, serve_lmtp,
};
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// For the core to be told what was cut off.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Idle sessions to the core that are kept; as many as files are in hand.
const MAX_IDLE: usize = 16;
/// Recipients of one message from the core.
const MAX_RECIPIENTS: usize = 1_000;
/// Runs the service until `shutdown` is cancelled; what is in hand is finished.
/// `ready` is called once it can take messages. Settings that change are taken
/// over while it runs.
///
/// # Errors
/// Whatever keeps it from starting. A gateway that cannot be reached does not:
/// it may come back.
pub async fn run(
    config: ConnectorConfig,
    listener: Option<UnixListener>,
    shutdown: CancellationToken,
    clock: Arc<dyn Clock>,
    ready: impl FnOnce() + Send,
) -> Result<(), GroupWiseError> {
    crate::telemetry::describe();
    let Some(mut own) = own_object(&config.api, &shutdown).await? else { return Ok(()) };
    let mut current = Arc::new(link(&config, &own, &clock)?);
    let mut hangup = signal(SignalKind::hangup()).map_err(GroupWiseError::Socket)?;
    ready();
    tokio::select! {
        biased;
        () = shutdown.cancelled() => return Ok(()),
        () = config.go_ahead.cancelled() => {}
    }
    sweep(&current).await;
    while !shutdown.is_cancelled() {
        let lmtp =
            listener.as_ref().map(another_handle).transpose().map_err(GroupWiseError::Socket)?;
        let stop = shutdown.child_token();
        let host = own.host.clone();
        let served = serve(&config, &host, Arc::clone(&current), lmtp, stop.clone());
        tokio::pin!(served);
        let read = |object: &OwnObject| link(&config, object, &clock);
        let changed = tokio::select! {
            () = &mut served => None,
            changed = changed_settings(&config.api, &own, &mut hangup, read) => Some(changed),
        };
        let Some((object, link)) = changed else { break };
        tracing::info!(audience = "operator", "new settings are taken over");
        stop.cancel();
        served.await;
        (own, current) = (object, Arc::new(link));
    }
    Ok(())
}

/// Serves with one state of the settings until `stop` is cancelled.
async fn serve(
    config: &ConnectorConfig,
    host: &str,
    link: Arc<Link>,
    lmtp: Option<tokio::net::UnixListener>,
    stop: CancellationToken,
) {
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    if let Some(listener) = lmtp {
        let (link, runtime) = (Arc::clone(&link), config.runtime.clone());
        let options = LmtpOptions {
            hostname: host.to_owned(),
            size_limit: config.message_size.saturating_mul(2),
            max_recipients: MAX_RECIPIENTS,
        };
        let session = move || ToGroupWise::gathering(Arc::clone(&link), runtime.clone());
        tasks.spawn(serve_lmtp(listener, options, session, stop.clone(), cut.clone()));
    }
    let answers = Arc::new(Answers::default());
    tasks.spawn(FromGroupWise::new(Arc::clone(&link), Arc::clone(&answers)).run(stop.clone()));
    tasks.spawn(crate::work::run(Arc::clone(&link), answers, stop.clone()));
    stop.cancelled().await;
    tracing::info!("stopping: what is in hand is finished");
    tasks.close();
    if tokio::time::timeout(config.stop_time, tasks.wait()).await.is_err() {
        tracing::warn!(left = tasks.len(), "stop time is over; sessions are cut off");
        cut.cancel();
        let _ = tokio::time::timeout(LAST_WORDS, tasks.wait()).await;
    }
}

fn link(
    config: &ConnectorConfig,
    own: &OwnObject,
    clock: &Arc<dyn Clock>,
) -> Result<Link, GroupWiseError> {
    let wrong = |mistakes| GroupWiseError::Settings { connector: config.name.clone(), mistakes };
    let settings = GroupWiseSettings::read(own).map_err(wrong)?;
    let host: Domain = own
        .host
        .parse()
        .map_err(|_| wrong(vec![format!("the server's name '{}' is no domain", own.host)]))?;
    Ok(Link {
        name: config.name.clone(),
        host,
        message_size: config.message_size,
        gateway: Arc::new(Gateway::new(settings.directory.clone())),
        book: Book::new(config.api.clone(), &settings.foreign_domain, &settings.post_office),
        api: config.api.clone(),
        submissions: Submissions::new(config.submit_socket.clone(), &config.name, MAX_IDLE),
        clock: Arc::clone(clock),
        memory: ConversionMemory::default(),
        say: Arc::clone(&config.say),
        settings,
    })
}

/// What an earlier life left half written goes.
async fn sweep(link: &Link) {
    match link.gateway.blocking(|gateway| gateway.sweep()).await {
        Ok(0) => {}
        Ok(sets) => tracing::info!(sets, "half-written messages of an earlier life are removed"),
        Err(error) => tracing::warn!(code = error.code(), %error, "cannot look into ATT_IN"),
    }
}
