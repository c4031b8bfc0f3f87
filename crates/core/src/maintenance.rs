//! Long work on the store, and returning mail, for the admin API.

use crate::dispatch;
use crate::filing;
use crate::on_demand::{self, Asked};
use crate::relay_check::relay_check;
use crate::submission::{Submission, meaning};
use concord_address::TypedAddress;
use concord_admin_api::RelayQuestion;
use concord_admin_api::wire::RelayView;
use concord_admin_api::{
    BackupRequest, Maintenance, MaintenanceTask, Outcome, Progress, ReturnMail,
};
use concord_base::{MessageId, StorageError};
use concord_directory::{DirectoryError, Object, Resolution, Routes, Situation};
use concord_engine::{BackupStep, Embedded, VerifyFinding};
use concord_rules::{Facts, Verdict};
use concord_transport::{Administer, TransportError};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::sync::mpsc::Sender;

pub(crate) struct StoreMaintenance {
    pub engine: Arc<Embedded>,
    pub compact_below: u8,
    pub rebuild_marker: PathBuf,
    /// One task at a time.
    pub turn: Mutex<()>,
}

fn finding(found: &VerifyFinding) -> Progress {
    let what = if found.messages.is_empty() {
        format!("{} ({} octets); no message is affected", found.cause, found.octets)
    } else {
        format!(
            "{} ({} octets); affected: {}",
            found.cause,
            found.octets,
            found.messages.join(", ")
        )
    };
    Progress::Finding {
        code: "store.damaged".to_owned(),
        place: format!("{} at {}", found.path, found.offset),
        what,
    }
}

impl StoreMaintenance {
    async fn verify(&self, progress: &Sender<Progress>) -> Result<Outcome, StorageError> {
        let report = self.engine.verify().await?;
        for found in &report.findings {
            // Nobody listens any more: the result is in the log all the same.
            let _ = progress.send(finding(found)).await;
        }
        let summary = if report.is_clean() {
            format!(
                "{} records and {} large bodies are as they were written; {} messages",
                report.records, report.large_bodies, report.messages
            )
        } else {
            format!(
                "damage in {} places; everything else is as it was written",
                report.findings.len()
            )
        };
        let findings = report.findings.len() as u64;
        Ok(Outcome { summary, checked: report.records, findings, freed: 0 })
    }

    async fn compact(&self) -> Result<Outcome, StorageError> {
        let report = self.engine.compact(self.compact_below).await?;
        Ok(Outcome {
            summary: format!(
                "removed {} segments, carried {} messages on",
                report.removed, report.carried
            ),
            checked: report.carried,
            findings: 0,
            freed: report.removed_octets.saturating_sub(report.carried_octets),
        })
    }

    async fn backup(
        &self,
        wanted: BackupRequest,
        progress: &Sender<Progress>,
    ) -> Result<Outcome, StorageError> {
        let lines = progress.clone();
        let told = move |BackupStep { what, done, total }| {
            // A step that is not read in time is left out; the next one has more.
            let _ = lines.try_send(Progress::Step { what: what.to_owned(), done, total });
        };
        let report = self.engine.backup(&wanted.to, wanted.previous.as_deref(), told).await?;
        let summary = format!(
            "up to record {}: {} segments and {} large messages; {} octets copied, {} linked",
            report.sequence,
            report.segments,
            report.large_bodies,
            report.copied_octets,
            report.linked_octets
        );
        let checked = report.segments.saturating_add(report.large_bodies);
        Ok(Outcome { summary, checked, findings: 0, freed: 0 })
    }

    fn note_rebuild(&self) -> Result<Outcome, StorageError> {
        std::fs::write(&self.rebuild_marker, b"").map_err(|e| StorageError::Io {
            act: "make",
            path: self.rebuild_marker.display().to_string(),
            cause: e.to_string(),
        })?;
        let summary =
            "the index is made anew when the core next starts; run 'concord service restart core'";
        Ok(Outcome { summary: summary.to_owned(), ..Outcome::default() })
    }
}

#[async_trait::async_trait]
impl Maintenance for StoreMaintenance {
    async fn run(
        &self,
        task: MaintenanceTask,
        progress: Sender<Progress>,
    ) -> Result<Outcome, StorageError> {
        let Ok(_turn) = self.turn.try_lock() else {
            return Err(StorageError::InUse("the store's maintenance"));
        };
        match task {
            MaintenanceTask::Verify => self.verify(&progress).await,
            MaintenanceTask::Compact => self.compact().await,
            MaintenanceTask::RebuildIndex => self.note_rebuild(),
            MaintenanceTask::Backup(wanted) => self.backup(wanted, &progress).await,
        }
    }
}

pub(crate) struct Returner {
    pub shared: Arc<Submission>,
    pub administer: Arc<dyn Administer>,
}

#[async_trait::async_trait]
impl ReturnMail for Returner {
    async fn return_to_sender(&self, message: MessageId) -> Result<(), TransportError> {
        dispatch::return_to_sender(&self.shared, &*self.administer, message).await
    }
}

/// What routing depends on, for those who ask.
pub(crate) struct RoutingNow(pub Arc<Submission>);

#[async_trait::async_trait]
impl concord_admin_api::RoutingState for RoutingNow {
    async fn situation(
        &self,
        sender: Option<&Object>,
    ) -> Result<(Arc<Routes>, Situation), DirectoryError> {
        let table = self.0.routing.table().await?;
        Ok((Arc::clone(&table.routes), self.0.routing.situation(&table, sender)))
    }

    async fn meaning(&self, address: &TypedAddress) -> Result<Resolution, DirectoryError> {
        meaning(&self.0, &*self.0.routing.routes().await?, address).await
    }

    async fn relay_check(&self, question: &RelayQuestion) -> Result<RelayView, DirectoryError> {
        relay_check(&self.0, question).await
    }

    async fn start_domain(&self, domain: &str, below: bool) -> Result<Option<u64>, DirectoryError> {
        Ok(match on_demand::start(&self.0, domain, below).await? {
            Asked::Started(deliveries) => Some(deliveries),
            Asked::NotHeld => None,
        })
    }

    async fn judge(&self, mailbox: &Object, message: &Facts) -> Result<Verdict, DirectoryError> {
        filing::judged(&self.0, mailbox, message).await
    }
}
