//! What the core asks the connector to do.

use crate::link::Link;
use crate::probes;
use crate::sync::{Answers, Directories};
use concord_connector::run_synchronisation;
use concord_connector::wire::{Synchronise, Work, WorkDone};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// For telling the core that a run is given up.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Asks for work and does it until `stop` is cancelled. Synchronisations that run
/// then are given up, and the core is told, so that nobody waits for them: a
/// later run finishes what they began.
pub(crate) async fn run(link: Arc<Link>, answers: Arc<Answers>, stop: CancellationToken) {
    let (mut runs, mut in_hand) = (JoinSet::new(), BTreeSet::new());
    tokio::select! {
        () = stop.cancelled() => {}
        () = work(&link, &answers, &mut runs, &mut in_hand) => {}
    }
    runs.shutdown().await;
    for id in in_hand {
        let error =
            "the connector stopped, or took new settings, in the middle of it; run it again";
        let done = WorkDone { error: Some(error.to_owned()), ..WorkDone::default() };
        // A core that stops as well ends the run by itself.
        let _ = tokio::time::timeout(LAST_WORD, link.api.work_done(id, &done)).await;
    }
}

/// Asks for work and does it, for ever.
async fn work(
    link: &Arc<Link>,
    answers: &Arc<Answers>,
    runs: &mut JoinSet<u64>,
    in_hand: &mut BTreeSet<u64>,
) {
    loop {
        while let Some(ended) = runs.try_join_next() {
            // One that panicked is told of as given up at the end.
            if let Ok(id) = ended {
                in_hand.remove(&id);
            }
        }
        let Some(item) = link.api.next_work().await else { continue };
        let done = match item.work {
            Work::Test => {
                WorkDone { probes: probes::all(link, answers).await, ..WorkDone::default() }
            }
            Work::Order(order) => WorkDone {
                error: Some(format!("this connector takes no orders, so not {}", order.order)),
                code: Some("groupwise.no-such-order".to_owned()),
                ..WorkDone::default()
            },
            Work::Synchronise(asked) => {
                // The gateway may take an hour; tests are not to wait for it.
                in_hand.insert(item.id);
                runs.spawn(synchronise(Arc::clone(link), Arc::clone(answers), item.id, asked));
                continue;
            }
        };
        if let Err(error) = link.api.work_done(item.id, &done).await {
            tracing::warn!(%error, "the core did not hear what became of its work");
        }
    }
}

/// Gives back the work's number.
async fn synchronise(link: Arc<Link>, answers: Arc<Answers>, work: u64, asked: Synchronise) -> u64 {
    let directories = Directories { link: Arc::clone(&link), answers };
    if let Err(error) = run_synchronisation(&link.api, work, &asked, &directories).await {
        tracing::warn!(audience = "operator", %error, "a synchronisation of directories ended early");
    }
    work
}
