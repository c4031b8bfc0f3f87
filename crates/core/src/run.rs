//! Putting it together.

use crate::clients::{self, Protocol};
use crate::config::{CoreConfig, CoreSockets};
use crate::dispatch::{self, Supervisor};
use crate::error::CoreError;
use crate::maintenance::{Returner, RoutingNow, StoreMaintenance};
use crate::on_demand::OnDemand;
use crate::routing::Routing;
use crate::submission::{self, Submission};
use crate::tidy::Retention;
use crate::{figures, tidy};
use concord_admin_api::{AdminApi, ConnectorAccess, Server};
use concord_base::{ByteSize, StorageError};
use concord_directory::Writer;
use concord_engine::{Embedded, EngineOptions, OpenReport};
use concord_imap::{ImapConfig, ImapServer};
use concord_ldap::{LdapConfig, LdapServer};
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
    core.serve_api(&mut sockets, &stop)?;
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
    api: Server,
    /// Turns at changing the directory, of every way into it.
    writer: Arc<Writer>,
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
    ldap: Vec<(TcpListener, bool)>,
    ldapi: Vec<UnixListener>,
}

impl Listeners {
    fn new(sockets: CoreSockets) -> Result<Self, CoreError> {
        let socket = |socket| move |cause| CoreError::Socket { socket, cause };
        let submit: std::io::Result<_> = sockets.submit.into_iter().map(unix).collect();
        let ldapi: std::io::Result<_> = sockets.ldapi.into_iter().map(unix).collect();
        Ok(Self {
            submit: submit.map_err(socket("submit"))?,
            imap: both(sockets.imap, sockets.imaps).map_err(socket("imap"))?,
            pop3: both(sockets.pop3, sockets.pop3s).map_err(socket("pop3"))?,
            ldap: both(sockets.ldap, sockets.ldaps).map_err(socket("ldap"))?,
            ldapi: ldapi.map_err(socket("ldapi"))?,
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
            routing: Routing::new(Arc::clone(&engine) as _, config.least_cost_only),
            directory: Arc::clone(&engine) as _,
            store: Arc::clone(&engine) as _,
            queue: Arc::clone(&engine) as _,
            gate: Arc::new(PasswordGate::default()),
            clock: Arc::clone(&config.engine.clock),
            on_demand: OnDemand::default(),
            config: config.clone(),
        });
        let writer: Arc<Writer> = Arc::default();
        let api = admin_api(&config, &engine, &shared, Arc::clone(&writer), prometheus);
        Self { config, engine, shared, api: Server::new(api), writer, tasks: TaskTracker::new() }
    }

    fn serve_api(
        &self,
        sockets: &mut CoreSockets,
        stop: &CancellationToken,
    ) -> Result<(), CoreError> {
        for listener in sockets.admin.drain(..) {
            let listener =
                unix(listener).map_err(|cause| CoreError::Socket { socket: "admin", cause })?;
            let (server, stop) = (self.api.clone(), stop.clone());
            self.tasks.spawn(async move {
                if let Err(error) = server.serve(listener, stop.cancelled_owned()).await {
                    tracing::error!(%error, "the admin API ended");
                }
            });
        }
        for listener in sockets.api.drain(..) {
            let listener =
                unix(listener).map_err(|cause| CoreError::Socket { socket: "api", cause })?;
            let access = ConnectorAccess::new(self.config.tokens.clone());
            let (server, stop) = (self.api.clone(), stop.clone());
            self.tasks.spawn(async move {
                let serving = server.serve_connectors(listener, access, stop.cancelled_owned());
                if let Err(error) = serving.await {
                    tracing::error!(%error, "the connectors' API ended");
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
        let ldap = Arc::new(self.ldap());
        for listener in listeners.ldapi {
            self.tasks.spawn(clients::serve_local(listener, Arc::clone(&ldap), stop.clone()));
        }
        if !listeners.ldap.is_empty() {
            // the local socket alone does not need a picture of the directory in memory
            let warm_up = Arc::clone(&ldap);
            self.tasks.spawn(async move { warm_up.warm_up().await });
        }
        let clients = [
            (listeners.imap, self.imap()),
            (listeners.pop3, self.pop3()),
            (listeners.ldap, Protocol::Ldap(ldap)),
        ];
        for (listeners, protocol) in clients {
            for (listener, implicit_tls) in listeners {
                let (protocol, proxies) = (protocol.clone(), Arc::clone(&self.config.proxies));
                let stop = stop.clone();
                self.tasks.spawn(clients::serve(listener, protocol, implicit_tls, proxies, stop));
            }
        }
        self.start_dispatchers(stop);
        let engine = || Arc::clone(&self.engine);
        let retention = Retention {
            stories: self.config.tracking_retention,
            removed: self.config.removed_retention,
        };
        let below = self.config.compact_below;
        let clock = Arc::clone(&self.shared.clock);
        self.tasks.spawn(tidy::run(engine(), clock, retention, below, stop.clone()));
        self.tasks.spawn(figures::run(engine(), stop.clone()));
        self.tasks.spawn(self.api.clone().run_schedule(stop.clone()));
        let api = self.api.clone();
        self.tasks.spawn(async move {
            match api.stamp_missing().await {
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
        self.tasks.spawn(dispatch::aged::run(Arc::clone(&self.shared), stop.clone()));
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

    fn ldap(&self) -> LdapServer {
        let config = LdapConfig {
            allow_plaintext_login: self.config.allow_plaintext_auth,
            max_connections: self.config.sessions,
            ..self.config.ldap.clone()
        };
        let s = &self.shared;
        LdapServer::new(
            config,
            Arc::clone(&s.directory),
            Arc::clone(&self.writer),
            Arc::clone(&s.gate),
            self.config.tls.clone(),
        )
    }
}

fn admin_api(
    config: &CoreConfig,
    engine: &Arc<Embedded>,
    shared: &Arc<Submission>,
    writer: Arc<Writer>,
    prometheus: PrometheusHandle,
) -> AdminApi {
    let administer: Arc<dyn concord_transport::Administer> = Arc::clone(engine) as _;
    AdminApi {
        directory: Arc::clone(&shared.directory),
        writer,
        store: Arc::clone(&shared.store),
        queue: Arc::clone(&shared.queue),
        administer: Arc::clone(&administer),
        return_mail: Arc::new(Returner { shared: Arc::clone(shared), administer }),
        routing: Arc::new(RoutingNow(Arc::clone(shared))),
        maintenance: Arc::new(StoreMaintenance {
            engine: Arc::clone(engine),
            compact_below: config.compact_below,
            rebuild_marker: config.rebuild_marker.clone(),
            turn: tokio::sync::Mutex::new(()),
        }),
        clock: Arc::clone(&shared.clock),
        hostname: config.hostname.clone(),
        message_size: config.message_size,
        prometheus: Some(prometheus),
        go_ahead: config.go_ahead.clone(),
    }
}
