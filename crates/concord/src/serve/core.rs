//! The core's entry point.

use super::{Served, serve};
use crate::failure::Failure;
use crate::serve::tls::server_tls;
use concord_base::SystemClock;
use concord_core::{CoreConfig, CoreSockets, DispatchLimits, LdapConfig};
use concord_engine::EngineOptions;
use concord_mail_authentication::SrsFile;
use concord_settings::{Root, Settings};
use concord_transport::RetryPolicy;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Runs the core until it is asked to stop.
pub fn main(root: Root) -> Result<(), Failure> {
    serve(root, run)
}

async fn run(mut served: Served) -> Result<(), Failure> {
    let mut config = config(&served.root, &served.settings)?;
    config.go_ahead = served.go_ahead.clone();
    let sockets = CoreSockets {
        submit: served.sockets.unix("submit"),
        admin: served.sockets.unix("admin"),
        api: served.sockets.unix("api"),
        imap: served.sockets.tcp("imap"),
        imaps: served.sockets.tcp("imaps"),
        pop3: served.sockets.tcp("pop3"),
        pop3s: served.sockets.tcp("pop3s"),
        ldap: served.sockets.tcp("ldap"),
        ldaps: served.sockets.tcp("ldaps"),
        ldapi: served.sockets.unix("ldapi"),
    };
    let stop = served.stop.clone();
    concord_core::run(config, sockets, stop, || served.ready()).await.map_err(Failure::from)
}

/// The options of the engine below a root; also for work while it does not run.
pub fn engine_options(root: &Root, settings: &Settings) -> EngineOptions {
    EngineOptions {
        segment_octets: settings.storage.segment_size.0,
        large_threshold: settings.storage.large_message_threshold.0,
        intake_budget: settings.limits.intake_memory.0,
        reserve: settings.storage.reserve.0,
        ..EngineOptions::new(root.data(), Arc::new(SystemClock))
    }
}

/// The policy's file; who starts with a file that has mistakes does not start.
pub fn mail_policy(root: &Root) -> Result<concord_mail_policy::Live, Failure> {
    let file = root.mail_policy_file();
    concord_mail_policy::Live::open(&file)
        .map_err(|error| Failure::configuration(format!("cannot use {}:\n{error}", file.display())))
}

/// Days for which bounces to senders find back that were rewritten when their
/// mail was passed on. Hosts give up after five (RFC 5321 section 4.5.4.1), and
/// several may be on the way.
const SRS_DAYS: u16 = 21;

/// Rewrites senders of mail that is passed on, and finds them again.
pub fn srs(root: &Root, settings: &Settings) -> SrsFile {
    SrsFile::new(root.keys().join("srs"), &settings.server.hostname, SRS_DAYS)
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Deliveries at once, and connections for them.
pub(super) fn dispatch_limits(settings: &Settings) -> DispatchLimits {
    DispatchLimits {
        total: count(settings.internet_mail.connections_total),
        per_group: count(settings.internet_mail.connections_per_destination),
    }
}

fn config(root: &Root, settings: &Settings) -> Result<CoreConfig, Failure> {
    let queue = &settings.queue;
    let of_connectors = root.clone();
    Ok(CoreConfig {
        hostname: settings.server.hostname.clone(),
        engine: engine_options(root, settings),
        message_size: settings.limits.message_size.0,
        recipients: count(settings.limits.recipients),
        max_hops: u32::try_from(settings.limits.max_hops).unwrap_or(u32::MAX),
        sessions: count(settings.limits.sessions),
        proxies: super::proxies(settings),
        least_cost_only: queue.least_cost_only,
        removed_retention: queue.removed_retention,
        ldap: LdapConfig {
            anonymous_read: settings.ldap.anonymous_read,
            result_size: count(settings.ldap.result_size),
            search_time: settings.ldap.search_time,
            idle_timeout: settings.ldap.idle_time,
            ..LdapConfig::default()
        },
        retry: RetryPolicy {
            schedule: queue.retry_schedule.clone(),
            expire_after: queue.expire_after,
            delay_warning_after: (!queue.delay_warning_after.is_zero())
                .then_some(queue.delay_warning_after),
        },
        policy: Arc::new(mail_policy(root)?),
        srs: Arc::new(srs(root, settings)),
        tls: Some(TlsAcceptor::from(server_tls(root, settings)?)),
        allow_plaintext_auth: settings.tls.allow_plaintext_auth,
        tokens: crate::api_key::tokens(root)?,
        deliver_socket: Arc::new(move |name| of_connectors.deliver_socket(name)),
        dispatch: dispatch_limits(settings),
        tracking_retention: queue.tracking_retention,
        compact_below: u8::try_from(settings.storage.compact_below).unwrap_or(50),
        rebuild_marker: root.data().join("rebuild-index"),
        go_ahead: CancellationToken::new(),
    })
}
