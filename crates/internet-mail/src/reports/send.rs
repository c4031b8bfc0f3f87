//! Sending a report, as a message like any other: it is signed and queued on its
//! way out.

use super::Reports;
use super::outbox::Content;
use super::wire::{ReportLine, ReportState};
use bytes::Bytes;
use concord_base::Timestamp;
use concord_connector::SubmitError;
use concord_mail_authentication::AuthenticationError;
use concord_mail_authentication::report::{ReportMessage, TlsReport};
use concord_smtp::{MailCommand, RcptCommand, Reply, Xforward};
use concord_smtp_tokio::{BodyMode, ClientError};
use metrics::counter;

/// Why a report was not sent.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Report(#[from] AuthenticationError),
    #[error("cannot reach the core: {0}")]
    Core(#[from] SubmitError),
    #[error("the core refused it: {0}")]
    Refused(Reply),
}

impl From<ClientError> for SendError {
    fn from(error: ClientError) -> Self {
        Self::Core(error.into())
    }
}

impl Reports {
    /// Sends what is due at `until`. Says what became of each.
    pub(super) async fn send_due(&self, until: Timestamp) -> Vec<ReportLine> {
        let _one = self.sending.lock().await;
        let mut lines = Vec::new();
        // In a statement of its own: nobody counts while the guard lives.
        let due = self.outbox().due(until);
        for content in due {
            lines.push(self.send(&content).await);
        }
        lines
    }

    async fn send(&self, content: &Content) -> ReportLine {
        let sent = match self.compose(content).await {
            Ok(Some(message)) => self.submit(&message).await.map(|()| message.to.join(", ")),
            Ok(None) => {
                self.outbox().settle(content);
                counter!("concord_reports_total", "result" => "unwanted").increment(1);
                return content.line(ReportState::GivenUp, "no address of the domain takes it");
            }
            Err(error) => Err(error),
        };
        match sent {
            Ok(to) => {
                self.outbox().settle(content);
                counter!("concord_reports_total", "result" => "sent").increment(1);
                let line = content.line(ReportState::Sent, to);
                tracing::info!(domain = line.domain, day = line.day, to = line.detail, "report");
                line
            }
            Err(error) => {
                let problem = error.to_string();
                let given_up = self.outbox().failed(content, &problem, self.clock.now());
                let result = if given_up { "given-up" } else { "failed" };
                counter!("concord_reports_total", "result" => result).increment(1);
                let state = if given_up { ReportState::GivenUp } else { ReportState::Waiting };
                let line = content.line(state, problem);
                let (domain, day) = (&line.domain, &line.day);
                tracing::warn!(domain, day, %error, result, "a report was not sent");
                line
            }
        }
    }

    /// The message; `None` if nobody may or wants to get it.
    async fn compose(&self, content: &Content) -> Result<Option<ReportMessage>, SendError> {
        let (reporter, now) = (self.reporter(), self.clock.now());
        match content {
            Content::Dmarc(day) => {
                let record = &day.record;
                let to = self.checker.report_addresses(&record.domain, &record.rua).await?;
                Ok(day.message(&reporter, &to, now)?)
            }
            Content::Tls { day, domain, rows } => {
                let to = self.checker.tls_report_addresses(domain).await?;
                if to.is_empty() {
                    return Ok(None);
                }
                let report = TlsReport::new(&reporter, domain, *day, rows);
                Ok(Some(report.message(&reporter, domain, &to, now)?))
            }
        }
    }

    /// Hands it to the core. The null path: whoever cannot take a report need
    /// not tell us.
    async fn submit(&self, report: &ReportMessage) -> Result<(), SendError> {
        let ours = Xforward { source: Some("LOCAL".to_owned()), ..Xforward::default() };
        let mut rcpts = Vec::new();
        for to in &report.to {
            match to.parse() {
                Ok(address) => rcpts.push(RcptCommand::new(address)),
                Err(error) => tracing::info!(to, %error, "a report's address is none"),
            }
        }
        let mut core = self.core.fresh().await?;
        let envelope = core.envelope(Some(&ours), &MailCommand::new(None), &rcpts).await?;
        if !envelope.mail.is_ok() {
            return Err(SendError::Refused(envelope.mail));
        }
        let mut refused = None;
        let taken = envelope.rcpts.into_iter().fold(false, |taken, reply| {
            let ok = reply.is_ok();
            if !ok {
                refused = Some(reply);
            }
            taken || ok
        });
        if !taken {
            let nobody = || Reply::new(550, (5, 1, 3), "none of its addresses is one");
            return Err(SendError::Refused(refused.unwrap_or_else(nobody)));
        }
        if let Some(refusal) = core.begin_body(BodyMode::Auto).await? {
            return Err(SendError::Refused(refusal));
        }
        core.body(Bytes::copy_from_slice(&report.message)).await?;
        match core.finish_body().await?.into_iter().next() {
            Some(reply) if reply.is_ok() => Ok(()),
            Some(reply) => Err(SendError::Refused(reply)),
            None => Err(SendError::Refused(Reply::new(451, (4, 3, 0), "no answer"))),
        }
    }
}
