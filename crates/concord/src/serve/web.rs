//! The web service's entry point: its settings and sockets, handed to
//! `concord-web`.

use super::{Served, serve};
use crate::failure::Failure;
use crate::setup;
use concord_acme::{Challenges, Renewer};
use concord_base::{Clock, SystemClock};
use concord_client_setup::{MailService, Protocol, Server, Socket};
use concord_settings::{MtaStsMode, Root, Settings};
use concord_web::{Mode, Policy, Sockets, WebConfig};
use rand::RngCore as _;
use std::net::SocketAddr;
use std::sync::Arc;

/// Runs the service until it is asked to stop.
pub fn main(root: Root) -> Result<(), Failure> {
    serve(root, run)
}

async fn run(mut served: Served) -> Result<(), Failure> {
    let config = config(&served)?;
    let sockets = Sockets {
        http: served.sockets.tcp("http"),
        https: served.sockets.tcp("https"),
        admin: served.sockets.unix("web"),
    };
    let stop = served.stop.clone();
    concord_web::run(config, sockets, stop, || served.ready()).await.map_err(Failure::from)
}

fn config(served: &Served) -> Result<WebConfig, Failure> {
    let (root, settings) = (&served.root, &served.settings);
    let challenges = Challenges::default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // A key file that cannot be used is a mistake like one in the settings: a
    // restart would not mend it.
    let plan = crate::acme::plan(root, settings).map_err(Failure::configuration)?;
    let renewer = plan.map(|plan| {
        let random = Arc::new(|| rand::rng().next_u32());
        Arc::new(Renewer::new(plan, challenges.clone(), Arc::clone(&clock), random))
    });
    Ok(WebConfig {
        hostname: settings.server.hostname.clone(),
        service: mail_service(settings),
        policy: policy(settings),
        proxies: super::proxies(settings),
        tls: concord_tls::config_of_first(setup::certificates(root, settings)?)?,
        challenges,
        renewer,
        clock,
        stop_time: super::time_to_finish(settings),
        go_ahead: served.go_ahead.clone(),
    })
}

/// What mail programs are told: the first listener of each kind.
pub fn mail_service(settings: &Settings) -> MailService {
    let listen = &settings.listen;
    let host = settings.web.client_host.as_ref().unwrap_or(&settings.server.hostname);
    let all: [(Protocol, Socket, &[SocketAddr]); 6] = [
        (Protocol::Imap, Socket::Tls, &listen.imaps),
        (Protocol::Imap, Socket::StartTls, &listen.imap),
        (Protocol::Pop3, Socket::Tls, &listen.pop3s),
        (Protocol::Pop3, Socket::StartTls, &listen.pop3),
        (Protocol::Submission, Socket::Tls, &listen.submissions),
        (Protocol::Submission, Socket::StartTls, &listen.submission),
    ];
    let servers = all.into_iter().filter_map(|(protocol, socket, addresses)| {
        let port = addresses.first()?.port();
        Some(Server { protocol, host: host.clone(), port, socket })
    });
    MailService { name: settings.web.service_name.clone(), servers: servers.collect() }
}

/// The MTA-STS policy that the settings say.
pub fn policy(settings: &Settings) -> Option<Policy> {
    let web = &settings.web;
    let mode = match web.mta_sts? {
        MtaStsMode::None => Mode::None,
        MtaStsMode::Testing => Mode::Testing,
        MtaStsMode::Enforce => Mode::Enforce,
    };
    let hosts = if web.mta_sts_mx.is_empty() {
        vec![settings.server.hostname.clone()]
    } else {
        web.mta_sts_mx.clone()
    };
    Some(Policy { mode, hosts, max_age: web.mta_sts_max_age })
}
