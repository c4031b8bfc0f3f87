//! The server side: clients in front, the core behind.

mod admission;
mod auth;
mod etrn;
mod examine;
mod examiner;
mod filters;
mod held;
mod received;
mod reputation;
mod seal;
mod session;
mod strangers;

pub(crate) use session::Front;

use examiner::Examiner;
use reputation::Reputation;

use crate::config::InternetMailConfig;
use crate::error::InternetMailError;
use crate::out::{Dns, Keys};
use crate::reports::Reports;
use crate::watch::Hub;
use concord_base::Clock;
use concord_connector::Submissions;
use concord_mail_policy::Policy;
use concord_smtp::Extensions;
use concord_smtp_tokio::{Mode, ServerProfile};
use std::sync::{Arc, Mutex, PoisonError};
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

impl Kind {
    /// As the listener is called in the settings.
    pub(crate) fn listener(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Submission => "submission",
            Self::SubmissionTls => "submissions",
        }
    }
}

/// By what name the core knows this connector; it says so in EHLO.
pub(crate) const CONNECTOR: &str = "internet-mail";

/// What all sessions share.
pub(crate) struct FrontService {
    pub(crate) config: Arc<InternetMailConfig>,
    pub(crate) core: Arc<Submissions>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) dns: Dns,
    pub(crate) hub: Arc<Hub>,
    pub(crate) examiner: Examiner,
    pub(crate) reputation: Reputation,
    pub(crate) reports: Arc<Reports>,
    /// For seals.
    keys: Keys,
    /// For the newest policy, by its generation.
    profiles: Mutex<(u64, Profiles)>,
}

impl FrontService {
    pub(crate) fn new(
        config: Arc<InternetMailConfig>,
        clock: Arc<dyn Clock>,
        dns: Dns,
        hub: Arc<Hub>,
    ) -> Result<Self, InternetMailError> {
        let (policy, generation) = config.policy.with_generation();
        let core = Submissions::new(config.core_socket.clone(), CONNECTOR, IDLE_CORE_SESSIONS);
        Ok(Self {
            examiner: Examiner::new(&config)?,
            keys: Keys::new(config.dkim_keys.clone()),
            reputation: Reputation::new(&config, &*clock),
            reports: Arc::new(Reports::new(Arc::clone(&config), Arc::clone(&clock))?),
            core: Arc::new(core),
            clock,
            dns,
            tls: config.tls.clone().map(TlsAcceptor::from),
            hub,
            profiles: Mutex::new((generation, Profiles::new(&config, &policy))),
            config,
        })
    }

    /// What a session that begins now offers.
    pub(crate) fn profile(&self, kind: Kind) -> Arc<ServerProfile> {
        let (policy, generation) = self.config.policy.with_generation();
        let mut profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        if profiles.0 != generation {
            *profiles = (generation, Profiles::new(&self.config, &policy));
        }
        match kind {
            Kind::Smtp => Arc::clone(&profiles.1.smtp),
            Kind::Submission | Kind::SubmissionTls => Arc::clone(&profiles.1.submission),
        }
    }
}

/// What sessions offer, by the kind of their listener.
struct Profiles {
    smtp: Arc<ServerProfile>,
    submission: Arc<ServerProfile>,
}

impl Profiles {
    fn new(config: &InternetMailConfig, policy: &Policy) -> Self {
        Self {
            smtp: Arc::new(profile(config, policy, Mode::Smtp)),
            submission: Arc::new(profile(config, policy, Mode::Submission)),
        }
    }
}

fn profile(config: &InternetMailConfig, policy: &Policy, mode: Mode) -> ServerProfile {
    let submission = mode == Mode::Submission;
    let login = submission || policy.inbound.authentication;
    let limit = policy.inbound.size_limit.map_or(u64::MAX, |limit| limit.0);
    let greeting_delay = policy.inbound.greeting_delay.map(|delay| delay.0);
    ServerProfile {
        banner: "ESMTP Concord".to_owned(),
        extensions: Extensions {
            starttls: config.tls.is_some(),
            auth: login,
            requiretls: config.tls.is_some(),
            etrn: !submission && !policy.inbound.disable_etrn,
            ..Extensions::standard()
        },
        mechanisms: if login {
            ["SCRAM-SHA-256", "PLAIN", "LOGIN"].map(str::to_owned).to_vec()
        } else {
            Vec::new()
        },
        auth_needs_tls: config.require_auth_tls,
        size_limit: if submission { config.message_size } else { config.message_size.min(limit) },
        max_recipients: config.max_recipients,
        max_errors: config.max_errors,
        max_line: config.max_line,
        bare_newlines: config.bare_newlines,
        greeting_delay: if submission { None } else { greeting_delay.or(config.greeting_delay) },
        timeouts: config.server_timeouts.clone(),
        ..ServerProfile::new(config.hostname.clone(), mode)
    }
}
