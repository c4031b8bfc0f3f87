//! The pickup directory: messages that programs leave as files.
//!
//! It runs in this service and not in the core: what reads files that anybody
//! wrote is then not what keeps the mail, and a message comes the same way as
//! every other one, by a transaction with the core. It keeps nothing but the
//! files themselves.
//!
//! A file is *taken* when it has not changed for a while ([`watch`]): it is
//! renamed into `taken/`. Who can do that can remove it, so nothing is sent that
//! would be sent again at the next start (Q221432). It is removed when the core
//! has the message on disk, put into `bad/` with a file of the reason if it is
//! refused for good, and tried again else. A service that dies between the
//! core's answer and the removal sends the file a second time: no other copy.

mod letter;
mod place;
mod send;
mod watch;

use crate::config::InternetMailConfig;
use concord_base::Clock;
use concord_connector::Submissions;
use concord_mail_policy::Mode;
use place::{PickupError, Place};
use send::{Sent, send};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use watch::Watch;

/// Between looks at the directory. A file that is the same at two looks is
/// taken for finished.
const LOOK: Duration = Duration::from_secs(2);
/// What was taken and could not be sent is tried again so often.
const AGAIN: Duration = Duration::from_secs(30);

/// Looks after the directory that the policy names until the stop.
pub(crate) async fn run(
    config: Arc<InternetMailConfig>,
    core: Arc<Submissions>,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) {
    let mut watch = Watch::default();
    let mut told: Option<String> = None;
    let mut taken_at = Instant::now();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let policy = config.policy.current();
        let directory = policy.pickup.directory.as_ref().map(|d| config.root.join(d));
        let Some(directory) = directory.filter(|_| policy.mode != Mode::ReadOnly) else {
            watch = Watch::default();
            continue;
        };
        let round = Round { config: &config, core: &core, clock: &*clock, shutdown: &shutdown };
        let taken_too = taken_at <= Instant::now();
        if taken_too {
            taken_at = Instant::now() + AGAIN;
        }
        match round.look(directory, taken_too, &mut watch).await {
            Ok(()) => told = None,
            Err(error) => {
                let text = error.to_string();
                // Once, not every two seconds.
                if told.as_ref() != Some(&text) {
                    tracing::error!(%error, "the pickup directory cannot be served");
                }
                told = Some(text);
            }
        }
    }
}

struct Round<'a> {
    config: &'a InternetMailConfig,
    core: &'a Submissions,
    clock: &'a dyn Clock,
    shutdown: &'a CancellationToken,
}

impl Round<'_> {
    /// One look; with `taken_too` also at what an earlier one could not send.
    async fn look(
        &self,
        directory: PathBuf,
        taken_too: bool,
        watch: &mut Watch,
    ) -> Result<(), PickupError> {
        let place = Place::open(directory).await?;
        if taken_too {
            for (name, octets) in place.taken().await? {
                if !self.send(&place, &name, octets).await? {
                    return Ok(());
                }
            }
        }
        let listed = place.listed().await?;
        let mut refused = None;
        for (name, octets) in watch.finished(listed, Instant::now()) {
            if self.shutdown.is_cancelled() {
                break;
            }
            match place.take(&name).await {
                Ok(taken) => {
                    if !self.send(&place, &taken, octets).await? {
                        return Ok(());
                    }
                }
                // The others can go all the same.
                Err(error) => refused = Some(error),
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// Sends a taken file; false if no other one need be tried.
    async fn send(&self, place: &Place, name: &str, octets: u64) -> Result<bool, PickupError> {
        let sent = if octets > self.config.message_size {
            Sent::Refused(format!(
                "the file has {octets} octets, and a message has at most {}",
                self.config.message_size
            ))
        } else {
            send(place, name, self.config, self.core, self.clock.now()).await?
        };
        match sent {
            Sent::Done(reply) => {
                tracing::info!(file = name, %reply, "picked up");
                place.remove(name).await?;
            }
            Sent::Refused(reason) => {
                tracing::warn!(file = name, reason, "a file of the pickup directory is put aside");
                metrics::counter!("concord_pickup_refused_total").increment(1);
                place.refuse(name, &reason).await?;
            }
            Sent::Later(reason) => {
                tracing::info!(file = name, reason, "a file of the pickup directory waits");
            }
            Sent::Unreachable(reason) => {
                tracing::warn!(reason, "files of the pickup directory wait for the core");
                return Ok(false);
            }
        }
        Ok(true)
    }
}
