//! Files on their way to a partner.

use crate::shared::Running;
use crate::spool::{Stamp, job_of};
use crate::telemetry::OUT_FILES;
use concord_base::Fault as _;
use concord_cms_mail::{HostAddress, SpoolFile};
use concord_connector::Outcome;
use concord_nje_tokio::SendError;
use jiff::Timestamp;

/// What makes a recipient's files those of this message.
#[derive(Debug, Clone)]
pub(super) struct Sending {
    /// The core's queue id.
    pub queue_id: String,
    /// Whom the files are for.
    pub recipient: HostAddress,
    /// The message's own time.
    pub at: Timestamp,
    /// How often the message passed already.
    pub hops: u16,
}

fn count(outcome: &'static str) {
    metrics::counter!(OUT_FILES, "outcome" => outcome).increment(1);
}

/// Sends files one behind the other, so that the note is there before its files.
/// `250` means that the partner has acknowledged every one of them.
pub(super) async fn send(running: &Running, sending: &Sending, files: Vec<SpoolFile>) -> Outcome {
    let Sending { queue_id, recipient, at, hops } = sending;
    let Some(link) = running.link_to(recipient.node()) else { return no_way(recipient) };
    let total = files.len();
    for (number, file) in files.into_iter().enumerate() {
        let stamp = Stamp::of(queue_id, &recipient.to_string(), number, *at);
        if running.shared.confirmed.has(recipient, stamp) {
            count("known");
            continue;
        }
        let Some(job) = job_of(&file, stamp, *hops) else {
            return Outcome::own(
                554,
                (5, 6, 0),
                format!("file {number} has a name that no header takes"),
            );
        };
        match link.send_once(job).await {
            Ok(()) => {
                count("acknowledged");
                running.shared.confirmed.add(recipient, stamp);
            }
            Err(error) => return not_sent(queue_id, recipient, &error),
        }
    }
    Outcome::own(
        250,
        (2, 0, 0),
        format!("{} acknowledged {total} files for {recipient}", recipient.node()),
    )
}

/// What the core hears of a node that no link leads to.
pub(super) fn no_way(recipient: &HostAddress) -> Outcome {
    // RFC 3463 X.1.2: the destination system is not known.
    Outcome::own(550, (5, 1, 2), format!("no link leads to the node {}", recipient.node()))
}

fn not_sent(queue_id: &str, recipient: &HostAddress, error: &SendError) -> Outcome {
    let outcome = match error {
        SendError::Lost { whole: true, .. } => "unknown",
        SendError::Refused | SendError::Cancelled | SendError::Unsendable(_) => "refused",
        _ => "unsent",
    };
    count(outcome);
    tracing::info!(
        audience = "operator", queue_id, %recipient, code = error.code(), outcome, %error,
        "a file was not acknowledged"
    );
    let text = format!("{recipient}: {error}");
    match error {
        SendError::Unsendable(_) => Outcome::own(554, (5, 6, 0), text),
        // RFC 3463 X.4.1: no answer; X.4.2: bad connection; X.3.2: not accepting.
        SendError::NotActive => Outcome::own(451, (4, 4, 1), text),
        SendError::Lost { .. } => Outcome::own(451, (4, 4, 2), text),
        _ => Outcome::own(451, (4, 3, 2), text),
    }
}
