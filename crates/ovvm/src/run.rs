//! The service as a whole.

use crate::book::Book;
use crate::error::OvvmError;
use crate::inbound::{FromHosts, InHand};
use crate::links::LinkStates;
use crate::orders::Operators;
use crate::outbound::{Confirmed, ToHosts};
use crate::settings::OvvmSettings;
use crate::shared::{Running, Shared};
use concord_address::Domain;
use concord_base::Clock;
use concord_connector::wire::OwnObject;
use concord_connector::{
    ConnectorConfig, ConversionMemory, LmtpOptions, Submissions, another_handle, changed_settings,
    own_object, serve_lmtp,
};
use concord_nje_tokio::{Application, Dialler, Neighbour, Node, TcpDialler};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// For the core to be told what was cut off, and partners that we sign off.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Idle sessions to the core that are kept; as many as streams of two links.
const MAX_IDLE: usize = 14;
/// Recipients of one message from the core.
const MAX_RECIPIENTS: usize = 1_000;
/// Sockets that were handed over.
#[derive(Debug, Default)]
pub struct Sockets {
    /// Where the core brings messages (LMTP).
    pub deliver: Option<UnixListener>,
    /// Where partners open links.
    pub nje: Vec<TcpListener>,
}

/// Runs the service until `shutdown` is cancelled; what is in hand is finished.
/// `ready` is called once it can take messages. Settings that change are taken
/// over while it runs; links are opened anew then.
///
/// # Errors
/// Whatever keeps it from starting. A partner that cannot be reached does not: it
/// may come back.
pub async fn run(
    config: ConnectorConfig,
    sockets: Sockets,
    shutdown: CancellationToken,
    clock: Arc<dyn Clock>,
    ready: impl FnOnce() + Send,
) -> Result<(), OvvmError> {
    crate::telemetry::describe();
    let Some(mut own) = own_object(&config.api, &shutdown).await? else { return Ok(()) };
    let kept = Kept {
        confirmed: Arc::default(),
        in_hand: Arc::new(InHand::read(config.runtime.join(format!("{}.in-hand", config.name)))),
    };
    let mut current = Arc::new(shared(&config, &own, &clock, &kept)?);
    let mut hangup = signal(SignalKind::hangup()).map_err(OvvmError::Socket)?;
    ready();
    tokio::select! {
        biased;
        () = shutdown.cancelled() => return Ok(()),
        () = config.go_ahead.cancelled() => {}
    }
    while !shutdown.is_cancelled() {
        let lmtp =
            sockets.deliver.as_ref().map(another_handle).transpose().map_err(OvvmError::Socket)?;
        let nje = sockets.nje.iter().map(tcp_to_tokio).collect::<Result<Vec<_>, _>>()?;
        let stop = shutdown.child_token();
        let host = own.host.clone();
        let served = serve(&config, &host, Arc::clone(&current), (lmtp, nje), stop.clone());
        tokio::pin!(served);
        let read = |object: &OwnObject| shared(&config, object, &clock, &kept);
        let changed = tokio::select! {
            () = &mut served => None,
            changed = changed_settings(&config.api, &own, &mut hangup, read) => Some(changed),
        };
        let Some((object, next)) = changed else { break };
        tracing::info!(audience = "operator", "new settings are taken over");
        stop.cancel();
        served.await;
        (own, current) = (object, Arc::new(next));
    }
    Ok(())
}

/// What stays when settings change.
struct Kept {
    confirmed: Arc<Confirmed>,
    in_hand: Arc<InHand>,
}

/// Serves with one state of the settings until `stop` is cancelled.
async fn serve(
    config: &ConnectorConfig,
    host: &str,
    shared: Arc<Shared>,
    (lmtp, nje): (Option<tokio::net::UnixListener>, Vec<tokio::net::TcpListener>),
    stop: CancellationToken,
) {
    let (tasks, cut) = (TaskTracker::new(), CancellationToken::new());
    let arrivals = Arc::new(FromHosts::new(Arc::clone(&shared), stop.clone()));
    let application: Arc<dyn Application> = Arc::clone(&arrivals) as Arc<dyn Application>;
    let node = Node::start_with_clock(
        shared.settings.node,
        neighbours(&shared.settings),
        &application,
        &shared.clock,
    );
    let running = Arc::new(Running { shared, arrivals: Arc::clone(&arrivals), node });
    for listener in nje {
        let (running, stop) = (Arc::clone(&running), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = running.node.listen(listener) => {}
            }
        });
    }
    if let Some(listener) = lmtp {
        let (running, runtime) = (Arc::clone(&running), config.runtime.clone());
        let options = LmtpOptions {
            hostname: host.to_owned(),
            size_limit: config.message_size.saturating_mul(2),
            max_recipients: MAX_RECIPIENTS,
        };
        let session = move || ToHosts::gathering(Arc::clone(&running), runtime.clone());
        tasks.spawn(serve_lmtp(listener, options, session, stop.clone(), cut.clone()));
    }
    tasks.spawn(crate::work::run(Arc::clone(&running), stop.clone()));
    stop.cancelled().await;
    tracing::info!("stopping: what is in hand is finished");
    tasks.close();
    let in_hand = async {
        tasks.wait().await;
        arrivals.idle().await;
    };
    if tokio::time::timeout(config.stop_time, in_hand).await.is_err() {
        tracing::warn!(left = tasks.len(), "stop time is over; sessions are cut off");
        cut.cancel();
        let _ = tokio::time::timeout(LAST_WORDS, tasks.wait()).await;
    }
    // Whoever still holds it was cut off; its links end with the last of them.
    if let Some(running) = Arc::into_inner(running) {
        let _ = tokio::time::timeout(LAST_WORDS, running.node.stop()).await;
    }
}

fn neighbours(settings: &OvvmSettings) -> Vec<Neighbour> {
    let dialler = |address: &String| -> Arc<dyn Dialler> {
        Arc::new(TcpDialler { address: address.clone() })
    };
    let neighbour = |link: &crate::settings::LinkSetting| Neighbour {
        settings: link.settings.clone(),
        dialler: link.dial.as_ref().map(dialler),
        back_off: link.back_off,
        capture: None,
    };
    settings.links.iter().map(neighbour).collect()
}

/// Another handle, as [`another_handle`].
fn tcp_to_tokio(listener: &TcpListener) -> Result<tokio::net::TcpListener, OvvmError> {
    let listener = listener.try_clone().map_err(OvvmError::Socket)?;
    listener.set_nonblocking(true).map_err(OvvmError::Socket)?;
    tokio::net::TcpListener::from_std(listener).map_err(OvvmError::Socket)
}

fn shared(
    config: &ConnectorConfig,
    own: &OwnObject,
    clock: &Arc<dyn Clock>,
    kept: &Kept,
) -> Result<Shared, OvvmError> {
    let wrong = |mistakes| OvvmError::Settings { connector: config.name.clone(), mistakes };
    let settings = OvvmSettings::read(own).map_err(wrong)?;
    let host: Domain = own
        .host
        .parse()
        .map_err(|_| wrong(vec![format!("the server's name '{}' is no domain", own.host)]))?;
    Ok(Shared {
        name: config.name.clone(),
        host,
        message_size: config.message_size,
        book: Book::new(config.api.clone()),
        api: config.api.clone(),
        submissions: Submissions::new(config.submit_socket.clone(), &config.name, MAX_IDLE),
        clock: Arc::clone(clock),
        memory: ConversionMemory::default(),
        confirmed: Arc::clone(&kept.confirmed),
        in_hand: Arc::clone(&kept.in_hand),
        alone: Arc::default(),
        links: LinkStates::new(settings.links.iter().map(|link| link.partner)),
        operators: Operators::default(),
        say: Arc::clone(&config.say),
        settings,
    })
}
