//! Putting it together.

use crate::clients::{self, Protocol};
use crate::config::{CoreConfig, CoreSockets};
use crate::dispatch::{self, Supervisor};
use crate::error::CoreError;
use crate::maintenance::{Returner, StoreMaintenance};
use crate::routing::Routing;
use crate::submission::{self, Submission};
use crate::{figures, tidy};
use concord_admin_api::AdminApi;
use concord_base::{ByteSize, StorageError};
use concord_engine::{Embedded, EngineOptions, OpenReport};
use concord_imap::{ImapConfig, ImapServer};
use concord_pop3::{Pop3Config, Pop3Server};
use concord_sasl::PasswordGate;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What sessions get to say goodbye when the store has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// Runs the core until `shutdown`; calls `ready` once the store is open and the
/// admin API answers. Mail moves from [`CoreConfig::go_ahead`] on.
///
/// # Errors
/// [`CoreError`]
pub async fn run(
    config: CoreConfig,
    mut sockets: CoreSockets,
    shutdown: CancellationToken,
    ready: impl FnOnce() + Send,
) -> Result<(), CoreError> {
    let prometheus = PrometheusBuilder::new()
        .install_recorder()
        .map_err(|e| CoreError::Metrics(e.to_string()))?;
    rebuild_if_wanted(&config.engine, &config.rebuild_marker).await.map_err(CoreError::Open)?;
    let (engine, report) = Embedded::open(config.engine.clone()).await.map_err(CoreError::Open)?;
    tell(&report);
    let mut failure = engine.failure();
    let core = Core::new(config, engine, prometheus);
    let stop = shutdown.child_token();
    core.serve_admin(std::mem::take(&mut sockets.admin), &stop)?;
    let listeners = Listeners::new(sockets)?;
    ready();
    let mut waiting = Some(listeners);
    let failed = loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break false,
            _ = failure.wait_for(|failed| *failed) => break true,
            () = core.config.go_ahead.cancelled(), if waiting.is_some() => {
                if let Some(listeners) = waiting.take() {
                    core.start(listeners, &stop);
                }
            }
        }
    };
    drop(waiting);
    stop.cancel();
    core.tasks.close();
    if failed {
        // Nothing that still runs can be written down; the next start is the cure.
        let _ = tokio::time::timeout(AFTER_FAILURE, core.tasks.wait()).await;
        return Err(CoreError::StoreFailed);
    }
    core.tasks.wait().await;
    Ok(())
}

fn tell(report: &OpenReport) {
    for damage in &report.damage {
        if damage.torn_tail {
            tracing::info!(?damage, "an unfinished write was cut off; it was never acknowledged");
        } else {
            tracing::error!(?damage, "the message log is damaged; what follows was salvaged");
        }
    }
    tracing::info!(
        replayed = report.replayed,
        rebuilt = report.rebuilt,
        were_in_flight = report.were_in_flight,
        "the store is open"
    );
}

/// Does what `concord store rebuild` asked of the running core before.
async fn rebuild_if_wanted(engine: &EngineOptions, marker: &Path) -> Result<(), StorageError> {
    if !marker.exists() {
        return Ok(());
    }
    let options = engine.clone();
    tokio::task::spawn_blocking(move || concord_engine::offline::rebuild(&options))
        .await
        .map_err(|e| StorageError::Bug(format!("rebuilding ended: {e}")))??;
    std::fs::remove_file(marker).map_err(|e| StorageError::Io {
        act: "remove",
        path: marker.display().to_string(),
        cause: e.to_string(),
    })
}

struct Core {
    config: CoreConfig,
    engine: Arc<Embedded>,
    shared: Arc<Submission>,
    prometheus: PrometheusHandle,
    tasks: TaskTracker,
}

fn tcp(listener: std::net::TcpListener) -> std::io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn unix(listener: std::os::unix::net::UnixListener) -> std::io::Result<UnixListener> {
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Sockets that are ready to be served, TCP ones with whether they begin with
/// TLS.
struct Listeners {
    submit: Vec<UnixListener>,
    imap: Vec<(TcpListener, bool)>,
    pop3: Vec<(TcpListener, bool)>,
}

impl Listeners {
    fn new(sockets: CoreSockets) -> Result<Self, CoreError> {
        let socket = |socket| move |cause| CoreError::Socket { socket, cause };
        let submit: std::io::Result<_> = sockets.submit.into_iter().map(unix).collect();
        Ok(Self {
            submit: submit.map_err(socket("submit"))?,
            imap: both(sockets.imap, sockets.imaps).map_err(socket("imap"))?,
            pop3: both(sockets.pop3, sockets.pop3s).map_err(socket("pop3"))?,
        })
    }
}

fn both(
    plain: Vec<std::net::TcpListener>,
    under_tls: Vec<std::net::TcpListener>,
) -> std::io::Result<Vec<(TcpListener, bool)>> {
    let plain = plain.into_iter().map(|l| (l, false));
    plain
        .chain(under_tls.into_iter().map(|l| (l, true)))
        .map(|(listener, implicit_tls)| Ok((tcp(listener)?, implicit_tls)))
        .collect()
}

impl Core {
    fn new(config: CoreConfig, engine: Arc<Embedded>, prometheus: PrometheusHandle) -> Self {
        let shared = Arc::new(Submission {
            routing: Routing::new(Arc::clone(&engine) as _),
            directory: Arc::clone(&engine) as _,
            store: Arc::clone(&engine) as _,
            queue: Arc::clone(&engine) as _,
            gate: Arc::new(PasswordGate::default()),
            clock: Arc::clone(&config.engine.clock),
            config: config.clone(),
        });
        Self { config, engine, shared, prometheus, tasks: TaskTracker::new() }
    }

    fn serve_admin(
        &self,
        sockets: Vec<std::os::unix::net::UnixListener>,
        stop: &CancellationToken,
    ) -> Result<(), CoreError> {
        for listener in sockets {
            let listener =
                unix(listener).map_err(|cause| CoreError::Socket { socket: "admin", cause })?;
            let serving = concord_admin_api::serve(
                listener,
                self.admin_api(),
                stop.clone().cancelled_owned(),
            );
            self.tasks.spawn(async move {
                if let Err(error) = serving.await {
                    tracing::error!(%error, "the admin API ended");
                }
            });
        }
        Ok(())
    }

    /// Starts everything by which mail moves.
    fn start(&self, listeners: Listeners, stop: &CancellationToken) {
        for listener in listeners.submit {
            self.tasks.spawn(submission::serve(listener, Arc::clone(&self.shared), stop.clone()));
        }
        let clients = [(listeners.imap, self.imap()), (listeners.pop3, self.pop3())];
        for (listeners, protocol) in clients {
            for (listener, implicit_tls) in listeners {
                let protocol = protocol.clone();
                self.tasks.spawn(clients::serve(listener, protocol, implicit_tls, stop.clone()));
            }
        }
        self.start_dispatchers(stop);
        let engine = || Arc::clone(&self.engine);
        let (retention, below) = (self.config.tracking_retention, self.config.compact_below);
        let clock = Arc::clone(&self.shared.clock);
        self.tasks.spawn(tidy::run(engine(), clock, retention, below, stop.clone()));
        self.tasks.spawn(figures::run(engine(), stop.clone()));
        let stamping = concord_admin_api::stamp_missing(self.admin_api());
        self.tasks.spawn(async move {
            match stamping.await {
                Ok(done) if done.stamped > 0 => {
                    tracing::info!(mailboxes = done.stamped, "missing addresses were given");
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "missing addresses cannot be given"),
            }
        });
    }

    fn start_dispatchers(&self, stop: &CancellationToken) {
        self.tasks.spawn(Supervisor::new(Arc::clone(&self.shared)).run(stop.clone()));
        self.tasks.spawn(dispatch::run_unroutable(Arc::clone(&self.shared), stop.clone()));
    }

    fn imap(&self) -> Protocol {
        let config = ImapConfig {
            host_name: self.config.hostname.clone(),
            allow_plaintext_login: self.config.allow_plaintext_auth,
            message_size_limit: ByteSize(self.config.message_size),
            max_connections: self.config.sessions,
            ..ImapConfig::default()
        };
        let s = &self.shared;
        Protocol::Imap(Arc::new(ImapServer::new(
            config,
            Arc::clone(&s.directory),
            Arc::clone(&s.store),
            Arc::clone(&s.gate),
            self.config.tls.clone(),
            Arc::clone(&s.clock),
        )))
    }

    fn pop3(&self) -> Protocol {
        let config = Pop3Config {
            host_name: self.config.hostname.clone(),
            allow_plaintext_login: self.config.allow_plaintext_auth,
            max_connections: self.config.sessions,
            ..Pop3Config::default()
        };
        let s = &self.shared;
        Protocol::Pop3(Arc::new(Pop3Server::new(
            config,
            Arc::clone(&s.directory),
            Arc::clone(&s.store),
            Arc::clone(&s.gate),
            self.config.tls.clone(),
        )))
    }

    fn admin_api(&self) -> AdminApi {
        let administer: Arc<dyn concord_transport::Administer> = Arc::clone(&self.engine) as _;
        AdminApi {
            directory: Arc::clone(&self.shared.directory),
            store: Arc::clone(&self.shared.store),
            queue: Arc::clone(&self.shared.queue),
            administer: Arc::clone(&administer),
            return_mail: Arc::new(Returner { shared: Arc::clone(&self.shared), administer }),
            maintenance: Arc::new(StoreMaintenance {
                engine: Arc::clone(&self.engine),
                compact_below: self.config.compact_below,
                rebuild_marker: self.config.rebuild_marker.clone(),
                turn: tokio::sync::Mutex::new(()),
            }),
            clock: Arc::clone(&self.shared.clock),
            hostname: self.config.hostname.clone(),
            message_size: self.config.message_size,
            prometheus: Some(self.prometheus.clone()),
            go_ahead: self.config.go_ahead.clone(),
        }
    }
}
