//! The frame in which a service runs.

use super::log::log_to_stdout;
use super::sockets::Inherited;
use crate::failure::Failure;
use concord_controller::HOLD_VARIABLE;
use concord_settings::{Root, Settings};
use sd_notify::NotifyState;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a service gets to work with.
pub struct Served {
    /// Its root.
    pub root: Root,
    /// The settings, valid.
    pub settings: Settings,
    /// Its sockets.
    pub sockets: Inherited,
    /// Cancelled when the service is to finish its work and end.
    pub stop: CancellationToken,
    /// Cancelled when it may take mail in, accept clients and send. Before
    /// that an update looks whether the service comes up.
    pub go_ahead: CancellationToken,
}

/// How often a hold is looked for: mail waits at most so long for its end.
const HOLD_EVERY: Duration = Duration::from_millis(10);

impl Served {
    /// Tells the controller that the service does its work now.
    pub fn ready(&self) {
        tell(&[NotifyState::Ready]);
        if !self.go_ahead.is_cancelled() {
            tell(&[NotifyState::Status(HELD)]);
        }
    }
}

/// Runs a service: log, settings, sockets, signals, watchdog. `work` serves
/// until `stop` is cancelled, finishes what it has begun, and returns.
///
/// If it has not returned within the stop time the process ends by itself,
/// so that it is gone even when no controller is there to kill it.
pub fn serve<F, E>(root: Root, work: impl FnOnce(Served) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), E>>,
    Failure: From<E>,
{
    let settings = concord_settings::load(&root)?;
    log_to_stdout(&settings.logging);
    super::open_files::raise();
    let sockets = Inherited::take()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new("serve.runtime", format!("cannot start: {e}")))?;
    let stop = CancellationToken::new();
    let stop_time = settings.controller.stop_time;
    let outcome = runtime.block_on(async {
        watch_signals(stop.clone(), stop_time)?;
        tokio::spawn(sign_of_life());
        let go_ahead = go_ahead();
        work(Served { root, settings, sockets, stop, go_ahead }).await.map_err(Failure::from)
    });
    if let Err(failure) = &outcome {
        tracing::error!(error = %failure, "the service ends");
    }
    // Work on blocking threads has no more claim to be waited for.
    runtime.shutdown_background();
    outcome
}

/// What a held service says of itself.
const HELD: &str = "held: ready, but moves no mail until the update lets it";

/// Cancelled at once, or when the hold is over that the controller named.
fn go_ahead() -> CancellationToken {
    let go_ahead = CancellationToken::new();
    let hold = std::env::var_os(HOLD_VARIABLE).map(PathBuf::from).filter(|file| file.exists());
    let Some(hold) = hold else {
        go_ahead.cancel();
        return go_ahead;
    };
    tracing::info!(hold = %hold.display(), "held");
    let over = go_ahead.clone();
    tokio::spawn(async move {
        while hold.exists() {
            tokio::time::sleep(HOLD_EVERY).await;
        }
        tracing::info!("the hold is over");
        tell(&[NotifyState::Status("")]);
        over.cancel();
    });
    go_ahead
}

/// SIGTERM and SIGINT cancel `stop`; the process ends at the latest
/// `stop_time` after that.
fn watch_signals(stop: CancellationToken, stop_time: Duration) -> Result<(), Failure> {
    let failed = |e| Failure::new("serve.signals", format!("cannot handle signals: {e}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tell(&[NotifyState::Stopping]);
        // A thread of its own: it must work when the runtime does not.
        std::thread::spawn(move || {
            std::thread::sleep(stop_time);
            tracing::error!("the work was not finished within the stop time");
            std::process::exit(1);
        });
        stop.cancel();
    });
    Ok(())
}

/// Tells the controller twice per watchdog time that the runtime turns.
async fn sign_of_life() {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut tick = tokio::time::interval(limit / 2);
    loop {
        tick.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

/// Tells the controller, for `concord service status`, what a service is at.
/// The same text twice is told once.
pub fn say(text: &str) {
    static LAST: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if *last != text {
        text.clone_into(&mut last);
        tell(&[NotifyState::Status(text)]);
    }
}

fn tell(news: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(news) {
        tracing::debug!(%error, "the controller does not hear");
    }
}
