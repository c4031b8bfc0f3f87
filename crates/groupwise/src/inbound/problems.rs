//! Files of ours that the gateway refused (`GWPROB`).

use super::status::digest_of;
use crate::convert::SentKey;
use crate::gateway::{GatewayError, Listed};
use crate::link::Link;
use crate::sync::Answers;
use crate::telemetry::PROBLEMS;
use concord_base::EnhancedStatus;
use concord_connector::Submitted;
use concord_groupwise_api::model::Message;
use concord_groupwise_api::{Diagnostic, Reading, layout, read};
use concord_message::{Original, Report, ReportKind, ReportRecipient, Stamp, render};
use serde::{Deserialize, Serialize};

/// The name of the state: files that were seen to.
const KEY: &str = "problems";
/// Problem files remembered. An administrator clears the directory sooner; what
/// falls out is told of again.
const MAX_KEPT: usize = 1_000;
/// Problem files looked at in one pass.
const MAX_READ: usize = 100;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Seen {
    #[serde(default)]
    files: Vec<String>,
}

fn mark(file: &Listed) -> String {
    let since = file.modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}", file.name, since.as_millis())
}

impl Link {
    /// Sees to problem files that are new: senders are told, and somebody who
    /// can mend it.
    pub(super) async fn look_at_problems(&self, answers: &Answers) -> Result<(), GatewayError> {
        let listed = self.gateway.blocking(|gateway| gateway.list(layout::GWPROB)).await;
        let files = match listed {
            Ok(files) => files,
            // Not every gateway has made one yet.
            Err(GatewayError::Missing { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        if files.is_empty() {
            return Ok(());
        }
        let Ok(seen) = self.api.state::<Seen>(KEY).await else { return Ok(()) };
        let mut seen = seen.unwrap_or_default();
        let known = seen.files.len();
        let new: Vec<&Listed> =
            files.iter().filter(|file| !seen.files.contains(&mark(file))).take(MAX_READ).collect();
        for file in new {
            if self.see_to(file, answers).await {
                seen.files.push(mark(file));
            }
        }
        if seen.files.len() == known {
            return Ok(());
        }
        seen.files.retain(|name| files.iter().any(|file| mark(file) == *name));
        let surplus = seen.files.len().saturating_sub(MAX_KEPT);
        seen.files.drain(..surplus);
        if let Err(error) = self.api.set_state(KEY, &seen).await {
            tracing::warn!(%error, "cannot remember problem files; they are told of again");
        }
        Ok(())
    }

    /// The complaint about a file, if it lies in `GWPROB`.
    pub(crate) async fn complaint(&self, name: &str) -> Result<Option<String>, GatewayError> {
        let characters = self.settings.characters;
        let name = name.to_owned();
        self.gateway
            .blocking(move |gateway| {
                let files = match gateway.list(layout::GWPROB) {
                    Err(GatewayError::Missing { .. }) => return Ok(None),
                    files => files?,
                };
                let Some(file) = files.iter().find(|f| f.name.eq_ignore_ascii_case(&name)) else {
                    return Ok(None);
                };
                let Some(octets) = gateway.header(layout::GWPROB, file)? else { return Ok(None) };
                Ok(match read(&octets, characters) {
                    Reading::Complete(header) => Some(words(&header.diagnostics)),
                    Reading::NotReady(_) | Reading::Bad(_) => Some(words(&[])),
                })
            })
            .await
    }

    /// Whether a problem file was seen to.
    async fn see_to(&self, file: &Listed, answers: &Answers) -> bool {
        let asked = file.clone();
        let octets =
            self.gateway.blocking(move |gateway| gateway.header(layout::GWPROB, &asked)).await;
        let Ok(Some(octets)) = octets else { return false };
        let header = match read(&octets, self.settings.characters) {
            Reading::Complete(header) => header,
            Reading::NotReady(_) => return false,
            Reading::Bad(_) => return true,
        };
        let complaint = words(&header.diagnostics);
        let (id, is_ours) = match &header.message {
            Message::Item(item) => (item.id.clone(), SentKey::parse(&item.id).is_some()),
            Message::Status(status) => (status.id.clone(), status.id.starts_with("concord")),
            Message::Directory(directory) => {
                answers.directory_refused(&file.name, directory.clone(), &complaint);
                (directory.id.clone(), true)
            }
            Message::Search(search) => (search.id.clone(), search.is_probe()),
            Message::BusyAnswer(answer) => (answer.id.clone(), false),
        };
        if !is_ours {
            return true;
        }
        metrics::counter!(PROBLEMS).increment(1);
        if let Some(key) = SentKey::parse(&id)
            && !self.return_to_sender(&key, &header.message, &complaint).await
        {
            return false;
        }
        let text = format!(
            "the gateway refused the file {} ({complaint}); it lies in GWPROB{}",
            file.name,
            hint(&header.diagnostics)
        );
        self.notice("groupwise.problem-file", &text).await;
        true
    }

    /// A report for the sender of a message that the gateway refused. False if
    /// it must be tried again.
    async fn return_to_sender(&self, key: &SentKey, message: &Message, complaint: &str) -> bool {
        let subject = match message {
            Message::Item(item) => item.subject.clone(),
            _ => String::new(),
        };
        let story = match self.api.message(&key.queue_id).await {
            Ok(story) => story,
            Err(concord_connector::ApiError::Refused { status: 400..500, .. }) => None,
            Err(_) => return false,
        };
        let Some(story) = story else { return true };
        let Ok(to) = story.sender.parse::<concord_address::SmtpAddress>() else { return true };
        let Ok(from) = format!("postmaster@{}", self.host).parse() else { return true };
        let id = format!("gw-problem.{}@{}", digest_of(&key.to_string()), self.host);
        let report = Report {
            kind: ReportKind::Failed,
            reporting_mta: self.host.to_string(),
            arrival: None,
            queue_id: Some(story.queue_id),
            envelope_id: story.envelope_id,
            sender: Some(to.clone()),
            message_id: story.message_id,
            subject: if story.subject.is_empty() { subject } else { story.subject },
            recipients: vec![ReportRecipient {
                final_recipient: super::item::reported(&key.recipient),
                original: None,
                action: ReportKind::Failed,
                // RFC 3463: X.6.0 other or undefined media error.
                status: EnhancedStatus::new(5, 6, 0),
                remote_mta: None,
                diagnostic: Some(format!("the GroupWise gateway refused it: {complaint}")),
                last_attempt: Some(self.clock.now()),
                will_retry_until: None,
            }],
            original: Original::None,
            smtputf8: !to.is_ascii(),
        };
        let stamp = Stamp {
            message_id: &id,
            date: self.clock.now(),
            from: &from,
            boundary: "=_gw_problem",
        };
        match self.submit(self.letter_of_nobody(render(&report, &stamp), &to, &id)).await {
            Submitted::Taken { .. } | Submitted::Refused(_) => true,
            Submitted::Later(_) | Submitted::Broken(_) => false,
        }
    }
}

fn words(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<&str> = diagnostics.iter().map(|one| one.text.as_str()).take(5).collect();
    if lines.is_empty() { "it does not say why".to_owned() } else { lines.join("; ") }
}

/// What is known to mend it.
fn hint(diagnostics: &[Diagnostic]) -> &'static str {
    let says = |text: &str| diagnostics.iter().any(|one| one.text.contains(text));
    let address = |one: &Diagnostic| {
        one.unknown_keyword.as_deref().is_some_and(|keyword| {
            ["WPD", "WPPO", "WPU", "CDBA"].iter().any(|known| keyword.eq_ignore_ascii_case(known))
        })
    };
    if diagnostics.iter().any(address) {
        "; set the gateway's addressing format to Component and restart it (Q222538)"
    } else if says("Unknown destination") || says("No active recipients") {
        "; the address is of no domain and post office of GroupWise's: synchronise the directory"
    } else if says("correlation database") {
        "; the gateway has forgotten the message that this report is about"
    } else {
        ""
    }
}
