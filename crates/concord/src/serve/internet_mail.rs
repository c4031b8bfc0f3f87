//! The Internet connector's entry point: its settings and sockets, handed to
//! `concord-internet-mail`.

use super::{Served, serve};
use crate::failure::Failure;
use crate::serve::tls::server_tls;
use concord_base::SystemClock;
use concord_internet_mail as mail;
use concord_settings::{DnssecMode, Root, Settings, SmartHostTls};
use concord_tls::Roots;
use std::sync::Arc;

/// Runs the connector until it is asked to stop.
pub fn main(root: Root) -> Result<(), Failure> {
    serve(root, run)
}

async fn run(mut served: Served) -> Result<(), Failure> {
    let mut config = config(&served.root, &served.settings)?;
    config.go_ahead = served.go_ahead.clone();
    let sockets = mail::Sockets {
        smtp: served.sockets.tcp("smtp"),
        submission: served.sockets.tcp("submission"),
        submissions: served.sockets.tcp("submissions"),
        lmtp: served.sockets.unix("deliver").pop(),
        watch: served.sockets.unix("watch").pop(),
    };
    let mut work =
        std::pin::pin!(mail::run(config, sockets, served.stop.clone(), Arc::new(SystemClock)));
    // Whatever keeps it from starting shows before it waits for the first time.
    tokio::select! {
        biased;
        outcome = &mut work => return outcome.map_err(Failure::from),
        () = std::future::ready(()) => served.ready(),
    }
    work.await.map_err(Failure::from)
}

fn config(root: &Root, settings: &Settings) -> Result<mail::InternetMailConfig, Failure> {
    let (limits, outbound) = (&settings.limits, &settings.internet_mail);
    let hostname = settings.server.hostname.clone();
    let mut config = mail::InternetMailConfig::new(hostname, root.submit_socket());
    config.dkim_keys = Some(root.dkim_keys());
    config.srs = Some(Arc::new(super::core::srs(root, settings)));
    config.root = root.path().to_owned();
    config.policy = Arc::new(super::core::mail_policy(root)?);
    config.tls = Some(server_tls(root, settings)?);
    config.require_auth_tls = !settings.tls.allow_plaintext_auth;
    config.smart_host = smart_host(settings)?;
    config.message_size = limits.message_size.0;
    config.max_recipients = number(limits.recipients);
    // The setting counts the line end, as the standard does.
    config.max_line = number(limits.line_length.0.saturating_sub(2));
    config.max_hops = u32::try_from(limits.max_hops).unwrap_or(u32::MAX);
    config.max_sessions = number(limits.sessions);
    config.max_sessions_per_client = number(limits.sessions_per_client);
    config.proxies = super::proxies(settings);
    config.reverse_dns = outbound.reverse_dns;
    config.connections_per_destination = number(outbound.connections_per_destination);
    // As many as the core can have under way.
    let places = super::core::dispatch_limits(settings);
    config.connections_total = places.most();
    root.path().clone_into(&mut config.root);
    config.name_servers = outbound.nameservers.clone();
    config.dnssec = match outbound.dnssec {
        DnssecMode::Auto => mail::Dnssec::Auto,
        DnssecMode::Required => mail::Dnssec::Required,
        DnssecMode::Off => mail::Dnssec::Off,
    };
    config.trust_anchors.clone_from(&outbound.dnssec_trust_anchors);
    if let Some(file) = &outbound.trusted_certificates {
        config.roots = Roots::File(file.clone());
    }
    config.state = Some(root.internet_mail());
    config.stop_time = super::time_to_finish(settings);
    Ok(config)
}

fn smart_host(settings: &Settings) -> Result<Option<mail::SmartHost>, Failure> {
    let outbound = &settings.internet_mail;
    let Some(host) = &outbound.smart_host else {
        return Ok(None);
    };
    let login = match (&outbound.smart_host_user, &outbound.smart_host_password_file) {
        (Some(user), Some(file)) => {
            let text = std::fs::read_to_string(file).map_err(|e| {
                let file = file.display();
                Failure::configuration(format!(
                    "cannot read {file}: {e}; correct internet-mail.smart-host-password-file"
                ))
            })?;
            let password = text.lines().next().unwrap_or_default().to_owned();
            Some(mail::SmartHostLogin { user: user.clone(), password })
        }
        _ => None,
    };
    let tls = match outbound.smart_host_tls {
        SmartHostTls::Opportunistic => mail::PeerTls::Opportunistic,
        SmartHostTls::Required => mail::PeerTls::Required,
        SmartHostTls::Implicit => mail::PeerTls::Implicit,
        SmartHostTls::Off => mail::PeerTls::Off,
    };
    Ok(Some(mail::SmartHost { host: host.host.clone(), port: host.port, tls, login }))
}

fn number(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
