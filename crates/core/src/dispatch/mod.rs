//! From the queue to connectors, by LMTP over Unix sockets.
//!
//! One dispatcher per enabled connector; [`supervisor`] starts and stops them. Deliveries of one message and one group go in
//! one transaction. A *suspect* (a service died over it before) is tried when
//! nothing else is in flight, so that a third death is evidence against it.

pub(crate) mod aged;
mod attempt;
mod places;
mod sessions;
mod settle;
mod supervisor;

use crate::submission::Submission as Shared;
use attempt::Attempt;
use concord_directory::DirectoryError;
use concord_transport::{Claim, ClaimLimits, Group, TransportError};
use places::{AttemptId, Places};
use sessions::Sessions;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The queue is looked at again at least so often, whatever signals say.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Pause after a connector could not be reached, doubled up to the other.
const PAUSE_MIN: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// What running attempts get at a stop.
const DRAIN: Duration = Duration::from_secs(8);
/// A suspect waits so long for everything else to end; then it is given back,
/// so that one slow host and one suspect do not stop all mail.
const SUSPECT_WAITS: Duration = Duration::from_secs(20);
/// Between suspects, for ordinary mail.
const BETWEEN_SUSPECTS: Duration = Duration::from_secs(10);

/// How an attempt ended, for the dispatcher.
pub(super) struct Ended {
    pub id: AttemptId,
    /// The connector could not be reached at all.
    pub unreachable: bool,
}

#[derive(Debug, thiserror::Error)]
enum ClaimError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

struct Dispatcher {
    connector: String,
    shared: Arc<Shared>,
    sessions: Arc<Sessions>,
    per_group: usize,
    places: Places,
    suspects: VecDeque<Claim>,
    suspect_runs: bool,
    /// Since when a suspect waits for its turn.
    suspect_waits: Option<Instant>,
    /// Until then no suspect is taken up.
    suspects_rest: Option<Instant>,
    pause: Duration,
    tasks: TaskTracker,
}

impl Dispatcher {
    pub fn new(connector: String, socket: PathBuf, shared: Arc<Shared>) -> Self {
        let hostname = shared.config.hostname.clone();
        Self {
            per_group: shared.config.dispatch.per_group,
            places: Places::new(shared.config.dispatch),
            sessions: Arc::new(Sessions::new(socket, hostname)),
            connector,
            shared,
            suspects: VecDeque::new(),
            suspect_runs: false,
            suspect_waits: None,
            suspects_rest: None,
            pause: Duration::ZERO,
            tasks: TaskTracker::new(),
        }
    }

    /// Runs until `shutdown` (of the core, or of the connector); attempts that
    /// run are finished.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut changed = self.shared.queue.queue_changed();
        let (ended_in, mut ended) = mpsc::unbounded_channel();
        loop {
            changed.mark_unchanged();
            if self.pause.is_zero() {
                self.start_due(&ended_in).await;
            }
            let wait = self.wait();
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(end) = ended.recv() => {
                    self.note(end);
                    while let Ok(end) = ended.try_recv() {
                        self.note(end);
                    }
                }
                _ = changed.changed(), if self.pause.is_zero() => {}
                () = tokio::time::sleep(wait) => self.pause = Duration::ZERO,
            }
        }
        self.give_suspects_back("deliveries to the connector stop").await;
        self.tasks.close();
        // An attempt that a slow host holds up longer counts as broken off.
        let _ = tokio::time::timeout(DRAIN, self.tasks.wait()).await;
        self.sessions.close().await;
    }

    fn note(&mut self, end: Ended) {
        self.places.end(end.id);
        if self.places.running() == 0 && std::mem::take(&mut self.suspect_runs) {
            self.suspects_rest = Some(Instant::now() + BETWEEN_SUSPECTS);
        }
        if end.unreachable {
            self.pause = self.sessions.next_pause(PAUSE_MIN, PAUSE_MAX);
        }
    }

    /// How long nothing is due.
    fn wait(&self) -> Duration {
        if !self.pause.is_zero() {
            return self.pause;
        }
        if !self.suspects.is_empty() {
            return SUSPECT_WAITS;
        }
        if self.suspect_runs {
            return LOOK_AGAIN;
        }
        let ageing = self.places.next_ageing().map(|at| at.duration_since(Instant::now()));
        let ageing = ageing.map_or(LOOK_AGAIN, |wait| wait.min(LOOK_AGAIN));
        if self.places.room() == 0 {
            return ageing;
        }
        let waits = |_: &str| false;
        let due = self.shared.queue.next_due(&self.connector, &self.limits(&waits));
        let Some(due) = due else { return ageing };
        let until = due.since(self.shared.clock.now());
        // What is due and was not claimed wakes with an end.
        if until.is_zero() { ageing } else { until.min(ageing) }
    }

    /// What may be claimed now.
    fn limits<'a>(&self, waits: &'a (dyn Fn(&str) -> bool + Sync)) -> ClaimLimits<'a> {
        let resting = self.suspects_rest.is_some_and(|until| Instant::now() < until);
        ClaimLimits {
            claims: self.places.room(),
            per_group: self.per_group,
            unproven: self.places.unproven_room(),
            suspects: !resting,
            waits,
        }
    }

    /// Claims what is due and may go.
    async fn claim(&self) -> Result<Vec<Claim>, ClaimError> {
        let policy = self.shared.config.policy.current();
        let routes = self.shared.routing.routes().await?;
        let waits = |group: &str| {
            let group = Group { connector: self.connector.clone(), group: group.to_owned() };
            self.shared.on_demand.waits(&policy, &routes, &group)
        };
        let now = self.shared.clock.now();
        Ok(self.shared.queue.claim(&self.connector, now, &self.limits(&waits)).await?)
    }

    async fn start_due(&mut self, ended: &mpsc::UnboundedSender<Ended>) {
        loop {
            if self.suspect_runs {
                return;
            }
            if !self.suspects.is_empty() && !self.turn_of_suspect(ended).await {
                return;
            }
            self.places.age(Instant::now());
            if self.places.room() == 0 {
                return;
            }
            let claimed = self.claim().await;
            let claims = match claimed {
                Ok(claims) => claims,
                Err(error) => {
                    tracing::error!(%error, "due deliveries cannot be claimed");
                    self.pause = PAUSE_MAX;
                    return;
                }
            };
            if claims.is_empty() {
                return;
            }
            for claim in claims {
                if claim.suspect {
                    self.suspect_waits.get_or_insert_with(Instant::now);
                    self.suspects.push_back(claim);
                } else {
                    self.start(claim, ended);
                }
            }
        }
    }

    /// A suspect waits: it runs when nothing else does. True if ordinary mail may
    /// go on, because the suspects were given back.
    async fn turn_of_suspect(&mut self, ended: &mpsc::UnboundedSender<Ended>) -> bool {
        if self.places.running() == 0 {
            if let Some(suspect) = self.suspects.pop_front() {
                self.suspect_runs = true;
                self.start(suspect, ended);
            }
            self.give_suspects_back("another suspect is tried first").await;
            return false;
        }
        if self.suspect_waits.is_some_and(|since| since.elapsed() >= SUSPECT_WAITS) {
            self.give_suspects_back("other deliveries take long").await;
            return true;
        }
        false
    }

    async fn give_suspects_back(&mut self, why: &str) {
        self.suspect_waits = None;
        self.suspects_rest = Some(Instant::now() + BETWEEN_SUSPECTS);
        for suspect in std::mem::take(&mut self.suspects) {
            settle::release(&self.shared, &self.connector, &suspect, why).await;
        }
    }

    fn start(&mut self, claim: Claim, ended: &mpsc::UnboundedSender<Ended>) {
        let id = self.places.begin(Instant::now(), claim.destination.proven);
        let attempt = Attempt {
            id,
            shared: Arc::clone(&self.shared),
            sessions: Arc::clone(&self.sessions),
            connector: self.connector.clone(),
            claim,
        };
        let ended = ended.clone();
        self.tasks.spawn(async move {
            let end = attempt.run().await;
            // The dispatcher is gone only when the core stops.
            let _ = ended.send(end);
        });
    }
}

/// Settles deliveries that no connector can take: reports them.
pub(crate) async fn run_unroutable(shared: Arc<Shared>, shutdown: CancellationToken) {
    let mut changed = shared.queue.queue_changed();
    loop {
        changed.mark_unchanged();
        let now = shared.clock.now();
        match shared.queue.claim("core", now, &ClaimLimits::most(usize::MAX)).await {
            Ok(claims) if !claims.is_empty() => {
                for claim in claims {
                    settle::unroutable(&shared, claim).await;
                }
                continue;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "unroutable deliveries cannot be claimed"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            _ = changed.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

pub(crate) use settle::return_to_sender;
pub(crate) use supervisor::Supervisor;
