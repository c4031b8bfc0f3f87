//! What the core asks the connector to do.

use crate::orders;
use crate::shared::Running;
use crate::sync;
use concord_connector::wire::{Probe, Work, WorkDone};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Asks for work and does it until `stop` is cancelled.
pub(crate) async fn run(running: Arc<Running>, stop: CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work(&running) => {}
    }
}

/// Asks for work and does it, for ever.
async fn work(running: &Arc<Running>) {
    let api = &running.shared.api;
    // Cut off with this loop: whoever gave them is told so by the core.
    let mut given = JoinSet::new();
    loop {
        while given.try_join_next().is_some() {}
        let Some(item) = api.next_work().await else { continue };
        let done = match item.work {
            Work::Test => WorkDone { probes: probes(running), ..WorkDone::default() },
            Work::Order(order) => {
                // One that waits is not to keep others waiting.
                let running = Arc::clone(running);
                given.spawn(async move {
                    let done = orders::carry_out(&running, order).await;
                    tell(&running, item.id, &done).await;
                });
                continue;
            }
            Work::Synchronise(asked) => {
                // A host may take ten minutes; tests are not to wait for it.
                let running = Arc::clone(running);
                given.spawn(async move { sync::run(&running, item.id, &asked).await });
                continue;
            }
        };
        tell(running, item.id, &done).await;
    }
}

async fn tell(running: &Running, id: u64, done: &WorkDone) {
    if let Err(error) = running.shared.api.work_done(id, done).await {
        tracing::warn!(%error, "the core did not hear what became of its work");
    }
}

/// How each link is.
fn probes(running: &Running) -> Vec<Probe> {
    let own = running.node.name();
    let links = running.shared.links.all();
    if links.is_empty() {
        let mend = format!(
            "concord connector set {} --setting links='NODE dial=HOST:PORT'",
            running.shared.name
        );
        return vec![Probe::failed("links", "there are no links", mend)];
    }
    let probe = |(partner, state): (concord_nje::Name, crate::links::LinkState)| {
        let name = format!("link {partner}");
        match state.active {
            true => Probe::passed(&name, format!("{own} and {partner} are linked")),
            false => Probe::failed(
                &name,
                format!("the link to {partner} is not active: {}", state.why),
                format!(
                    "look whether {partner} runs, has a link to {own}, and knows the same names \
                     and passwords"
                ),
            ),
        }
    };
    links.into_iter().map(probe).collect()
}
