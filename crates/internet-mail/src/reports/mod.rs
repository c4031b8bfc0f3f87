//! Aggregate reports to other domains: DMARC (RFC 7489 section 7.2) and SMTP TLS
//! (RFC 8460). Figures are counted by UTC day; when a day is over, each domain
//! that wants one gets a message.
//!
//! Everything is one value, in memory and in a file that is written now and
//! then: a crash costs at most the figures of half a minute. An administrator
//! sees and sends what waits over the service's own socket ([`ReportsRequest`]).

mod outbox;
mod send;
#[cfg(test)]
mod tests;
mod tls;
mod wire;

pub use wire::{ReportKind, ReportLine, ReportState, ReportsAnswer, ReportsRequest};

use crate::config::InternetMailConfig;
use crate::keep;
use concord_base::{Clock, Timestamp};
use concord_connector::Submissions;
use concord_mail_authentication::report::Reporter;
use concord_mail_authentication::{Applied, AuthenticationError, Checker, Results};
use concord_transport_security::LedgerError;
use outbox::{Content, Outbox};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The file below the service's directory.
const FILE: &str = "reports.json";

/// How often is looked whether something is to be sent.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Reports that wait, and the figures of days that are not over.
pub(crate) struct Reports {
    outbox: Mutex<Outbox>,
    file: Option<PathBuf>,
    /// Who writes last must write what is newest.
    writing: Mutex<()>,
    config: Arc<InternetMailConfig>,
    clock: Arc<dyn Clock>,
    checker: Checker,
    core: Submissions,
    /// One sends at a time: a report must not go twice.
    sending: tokio::sync::Mutex<()>,
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports").field("file", &self.file).finish_non_exhaustive()
    }
}

impl Reports {
    /// Reads what an earlier process kept. A file that cannot be read is put
    /// aside, and the figures begin anew.
    ///
    /// # Errors
    /// The resolver cannot be set up.
    pub(crate) fn new(
        config: Arc<InternetMailConfig>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AuthenticationError> {
        let file = config.state.as_ref().map(|directory| directory.join(FILE));
        let outbox = file.as_ref().map(read).unwrap_or_default();
        Ok(Self {
            outbox: Mutex::new(outbox),
            file,
            writing: Mutex::default(),
            checker: Checker::new(&config.name_servers, &config.hostname)?,
            core: Submissions::new(config.core_socket.clone(), crate::front::CONNECTOR, 1),
            config,
            clock,
            sending: tokio::sync::Mutex::new(()),
        })
    }

    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a message of a stranger, and what was done about DMARC.
    pub(crate) fn count(&self, results: &Results, applied: Applied) {
        self.outbox().count(results, applied, self.clock.now());
    }

    /// Looks for what is to be sent, until the stop.
    pub(crate) async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = tick.tick() => {}
            }
            if self.config.policy.current().authentication.send_reports {
                let now = self.clock.now();
                self.close_days(now - outbox::spread(&self.config.hostname)).await;
                tokio::select! {
                    // What is cut off here is sent by the next process.
                    () = shutdown.cancelled() => return,
                    _ = self.send_due(now) => {}
                }
            }
        }
    }

    /// What an administrator asks.
    pub(crate) async fn answer(&self, request: ReportsRequest) -> ReportsAnswer {
        match request {
            ReportsRequest::List => {
                let mut lines = self.outbox().lines();
                let now = self.clock.now();
                let sessions = self.ledger(move |ledger| tls::counting(ledger, now)).await;
                let counting = |content: Content| content.line(ReportState::Counting, "");
                lines.extend(sessions.unwrap_or_default().into_iter().map(counting));
                ReportsAnswer { lines, error: None }
            }
            ReportsRequest::Send if !self.config.policy.current().authentication.send_reports => {
                let error = "cannot send reports: they are off; write send-reports = true below \
                             [authentication] in etc/internet-mail.toml";
                ReportsAnswer { lines: Vec::new(), error: Some(error.to_owned()) }
            }
            ReportsRequest::Send => {
                self.close_days(self.clock.now()).await;
                let lines = self.send_due(Timestamp(i64::MAX)).await;
                ReportsAnswer { lines, error: None }
            }
        }
    }

    /// Makes reports of the days that were over at `now`.
    async fn close_days(&self, now: Timestamp) {
        self.outbox().close_days(now);
        let done = self.outbox().tls_done();
        let sessions = self.ledger(move |ledger| tls::complete(ledger, done, now)).await;
        if let Some((last, contents)) = sessions {
            self.outbox().add_tls(last, contents);
        }
    }

    /// Reads the ledger of TLS sessions; nothing if there is none.
    async fn ledger<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Path) -> Result<T, LedgerError> + Send + 'static,
    ) -> Option<T> {
        let ledger = self.config.state.as_ref()?.join(tls::LEDGER);
        let read = tokio::task::spawn_blocking(move || read(&ledger)).await.ok()?;
        read.map_err(|error| tracing::warn!(%error, "cannot read the counts of TLS sessions")).ok()
    }

    /// Who reports.
    fn reporter(&self) -> Reporter {
        let host = &self.config.hostname;
        let address = self.config.policy.current().authentication.report_from.clone();
        let (address, domain) = match address {
            Some(address) => (address.to_string(), address.domain().to_string()),
            None => (format!("postmaster@{host}"), host.clone()),
        };
        Reporter { organisation: host.clone(), domain, address, contact: None }
    }

    /// Writes what has changed. Blocks.
    pub(crate) fn save(&self) {
        let Some(file) = &self.file else { return };
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(octets) = self.outbox().take_changes() else { return };
        if let Err(error) = keep::write(file, &octets) {
            self.outbox().changes_are_lost();
            tracing::warn!(%error, file = %file.display(), "cannot keep the figures of reports");
        }
    }
}

fn read(file: &PathBuf) -> Outbox {
    let octets = match keep::read(file) {
        Ok(Some(octets)) => octets,
        Ok(None) => return Outbox::default(),
        Err(error) => {
            tracing::warn!(%error, file = %file.display(), "cannot read the figures of reports");
            return Outbox::default();
        }
    };
    serde_json::from_slice(&octets).unwrap_or_else(|error| {
        let aside = file.with_extension("damaged");
        let kept = std::fs::rename(file, &aside);
        tracing::warn!(
            %error, file = %aside.display(), kept = kept.is_ok(),
            "the figures of reports are damaged and begin anew"
        );
        Outbox::default()
    })
}
