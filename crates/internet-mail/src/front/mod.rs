//! The server side: clients in front, the core behind.

mod auth;
mod received;
mod session;

pub(crate) use session::Front;

use crate::config::InternetMailConfig;
use crate::out::Dns;
use concord_base::Clock;
use concord_connector::Submissions;
use concord_smtp::Extensions;
use concord_smtp_tokio::{Mode, ServerProfile};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Sessions to the core that are kept for the next transaction. As many as run
/// at once on a busy machine; each is a Unix socket and 2 KiB.
const IDLE_CORE_SESSIONS: usize = 64;

/// Which listener a client came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Smtp,
    Submission,
    SubmissionTls,
}

/// By what name the core knows this connector; it says so in EHLO.
const CONNECTOR: &str = "internet-mail";

/// What all sessions share.
pub(crate) struct FrontService {
    pub(crate) config: Arc<InternetMailConfig>,
    pub(crate) core: Submissions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) dns: Dns,
    smtp: Arc<ServerProfile>,
    submission: Arc<ServerProfile>,
}

impl FrontService {
    pub(crate) fn new(config: Arc<InternetMailConfig>, clock: Arc<dyn Clock>, dns: Dns) -> Self {
        let core = Submissions::new(config.core_socket.clone(), CONNECTOR, IDLE_CORE_SESSIONS);
        Self {
            core,
            clock,
            dns,
            tls: config.tls.clone().map(TlsAcceptor::from),
            smtp: Arc::new(profile(&config, Mode::Smtp)),
            submission: Arc::new(profile(&config, Mode::Submission)),
            config,
        }
    }

    pub(crate) const fn profile(&self, kind: Kind) -> &Arc<ServerProfile> {
        match kind {
            Kind::Smtp => &self.smtp,
            Kind::Submission | Kind::SubmissionTls => &self.submission,
        }
    }
}

fn profile(config: &InternetMailConfig, mode: Mode) -> ServerProfile {
    let submission = mode == Mode::Submission;
    ServerProfile {
        banner: "ESMTP Concord".to_owned(),
        extensions: Extensions {
            starttls: config.tls.is_some(),
            auth: submission,
            ..Extensions::standard()
        },
        mechanisms: if submission {
            ["SCRAM-SHA-256", "PLAIN", "LOGIN"].map(str::to_owned).to_vec()
        } else {
            Vec::new()
        },
        auth_needs_tls: config.require_auth_tls,
        size_limit: config.message_size,
        max_recipients: config.max_recipients,
        max_errors: config.max_errors,
        max_line: config.max_line,
        bare_newlines: config.bare_newlines,
        greeting_delay: if submission { None } else { config.greeting_delay },
        timeouts: config.server_timeouts.clone(),
        ..ServerProfile::new(config.hostname.clone(), mode)
    }
}
