//! From GroupWise to the core.
//!
//! A file in `API_OUT` is GroupWise's promise that a message is there; it stays
//! until the core has the message. Nothing is claimed by renaming, so that a
//! connector that is killed finds everything again. Order: what people wait for
//! first, then the oldest (Q254346).

mod item;
mod ledger;
mod orphans;
mod problems;
mod status;
mod submit;
mod take;
mod waiting;

use crate::gateway::{GatewayError, Listed};
use crate::link::Link;
use crate::sync::Answers;
use crate::telemetry::{DUPLICATES, IN_FILES};
use concord_base::Fault as _;
use concord_groupwise_api::{Header, Reading, layout, read};
use ledger::{Ledger, MAX_ATTEMPTS};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use take::{kind, rank, remove, take};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use waiting::Waiting;

/// Headers read in one pass; the rest wait for the next one, which follows at
/// once.
const MAX_READ: usize = 256;
/// Files in hand at once: enough for the core to put several into one sync.
const BATCH: usize = 16;
/// Between looks at `GWPROB`, and for orphans in `ATT_OUT`.
const SIDE_LOOKS: Duration = Duration::from_secs(10);

/// What came of work on one file.
#[derive(Debug)]
pub(crate) enum Worked {
    /// It can go, and what belongs to it.
    Done {
        /// Files in `ATT_OUT`.
        paths: Vec<PathBuf>,
        /// For the figures.
        outcome: &'static str,
    },
    /// It stays for later.
    Later(String),
    /// The core's session broke within it.
    Broken(String),
}

/// A header that was read.
#[derive(Debug)]
struct Ready {
    file: Listed,
    header: Box<Header>,
}

/// Takes files from `API_OUT`.
pub(crate) struct FromGroupWise {
    link: Arc<Link>,
    answers: Arc<Answers>,
    ledger: Option<Ledger>,
    waiting: HashMap<String, Waiting>,
    side_look: Instant,
    was_away: bool,
}

impl FromGroupWise {
    pub(crate) fn new(link: Arc<Link>, answers: Arc<Answers>) -> Self {
        Self {
            link,
            answers,
            ledger: None,
            waiting: HashMap::new(),
            side_look: Instant::now(),
            was_away: false,
        }
    }

    /// Looks again and again, until `stop` is cancelled; what is in hand then is
    /// finished.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let again = self.pass(&stop).await;
            if again && !stop.is_cancelled() {
                continue;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep(self.link.settings.poll) => {}
            }
        }
        if let Some(ledger) = &mut self.ledger
            && let Err(error) = ledger.flush().await
        {
            tracing::debug!(%error, "the last word on files in hand could not be kept");
        }
    }

    /// One look. Whether there is more to do at once.
    async fn pass(&mut self, stop: &CancellationToken) -> bool {
        match self.look(stop).await {
            Ok(more) => {
                if std::mem::take(&mut self.was_away) {
                    tracing::info!(audience = "operator", "the gateway's directory is back");
                }
                more
            }
            Err(error) => {
                self.away(&error).await;
                false
            }
        }
    }

    async fn away(&mut self, error: &GatewayError) {
        (self.link.say)(&format!("waiting: {error}"));
        if !std::mem::replace(&mut self.was_away, true) {
            let text = format!("{error}; mail for GroupWise waits in the queue until it is back");
            self.link.notice(error.code(), &text).await;
        }
    }

    async fn look(&mut self, stop: &CancellationToken) -> Result<bool, GatewayError> {
        let files = self
            .link
            .gateway
            .blocking(|gateway| {
                gateway.check()?;
                gateway.list(layout::API_OUT)
            })
            .await?;
        self.waiting.retain(|name, _| files.iter().any(|file| file.name == *name));
        if !self.open_ledger(&files).await {
            return Ok(false);
        }
        let mut ready = Vec::new();
        let now = Instant::now();
        let due: Vec<Listed> = files
            .into_iter()
            .filter(|file| self.waiting.get(&file.name).is_none_or(|w| w.until <= now))
            .collect();
        let more = due.len() > MAX_READ;
        for file in due.into_iter().take(MAX_READ) {
            if let Some(one) = self.read(file).await? {
                ready.push(one);
            }
        }
        ready.sort_by_key(|one| rank(&one.header.message));
        let worked = !ready.is_empty();
        self.work(ready, stop).await?;
        self.unfinished();
        self.side_looks().await?;
        Ok(more || worked)
    }

    /// Reads what the core has of the last life, once.
    async fn open_ledger(&mut self, files: &[Listed]) -> bool {
        if self.ledger.is_none() {
            match Ledger::read(self.link.api.clone()).await {
                Ok(ledger) => self.ledger = Some(ledger),
                Err(error) => {
                    tracing::warn!(%error, "cannot read which files were in hand");
                    return false;
                }
            }
            let ledger = self.ledger.as_mut();
            for name in ledger.map(|ledger| ledger.compare(files)).unwrap_or_default() {
                metrics::counter!(DUPLICATES).increment(1);
                tracing::warn!(
                    audience = "operator",
                    file = name,
                    "this file was in hand when the connector died; the core may have it, and \
                     gets it again"
                );
            }
        } else if let Some(ledger) = &mut self.ledger {
            ledger.compare(files);
        }
        true
    }

    async fn read(&mut self, file: Listed) -> Result<Option<Ready>, GatewayError> {
        let characters = self.link.settings.characters;
        let asked = file.clone();
        let octets = self
            .link
            .gateway
            .blocking(move |gateway| gateway.header(layout::API_OUT, &asked))
            .await;
        let octets = match octets {
            Ok(Some(octets)) => octets,
            Ok(None) => return Ok(None),
            // The gateway has it open and lets nobody else read (Q242232).
            Err(error @ GatewayError::Io { .. }) => {
                self.later(&file, &error.to_string());
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        match read(&octets, characters) {
            Reading::Complete(header) => {
                for notice in &header.notices {
                    tracing::info!(file = file.name, "{notice}");
                }
                Ok(Some(Ready { file, header }))
            }
            Reading::NotReady(why) => {
                self.not_ready(&file, why).await;
                Ok(None)
            }
            Reading::Bad(defect) => {
                self.put_aside(&file, &[], "bad", &defect.to_string()).await;
                Ok(None)
            }
        }
    }

    /// Work on what is ready: suspects alone, behind the others.
    async fn work(
        &mut self,
        ready: Vec<Ready>,
        stop: &CancellationToken,
    ) -> Result<(), GatewayError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let (mut fresh, mut suspects) = (Vec::new(), Vec::new());
        for one in ready {
            let entry = ledger.entry(&one.file);
            match entry.attempts {
                _ if entry.done => fresh.push((one, true)),
                0 => fresh.push((one, false)),
                attempts => suspects.push((one, attempts)),
            }
        }
        let mut fresh = fresh.into_iter().peekable();
        while fresh.peek().is_some() && !stop.is_cancelled() {
            let batch = fresh.by_ref().take(BATCH).collect();
            if !self.batch(batch).await {
                return Ok(());
            }
        }
        for (one, attempts) in suspects {
            if stop.is_cancelled() {
                break;
            }
            if attempts >= MAX_ATTEMPTS {
                let reason = format!(
                    "the connector, or the core, died {attempts} times while it was in hand"
                );
                let content = self.link.content_paths(&one.header.message).await;
                self.put_aside(&one.file, &content, kind(&one.header.message), &reason).await;
            } else if !self.batch(vec![(one, false)]).await {
                break;
            }
        }
        if let Some(ledger) = &mut self.ledger
            && let Err(error) = ledger.flush().await
        {
            tracing::warn!(%error, "cannot write down that no file is in hand");
        }
        Ok(())
    }

    /// Work on files at the same time. False if it could not begin.
    async fn batch(&mut self, batch: Vec<(Ready, bool)>) -> bool {
        let Some(ledger) = &mut self.ledger else { return false };
        let begun: Vec<&Listed> =
            batch.iter().filter(|(_, done)| !done).map(|(one, _)| &one.file).collect();
        if !begun.is_empty()
            && let Err(error) = ledger.begin(&begun).await
        {
            tracing::warn!(%error, "cannot write down which files are in hand; they wait");
            (self.link.say)("waiting: the core cannot be reached");
            return false;
        }
        let mut tasks = JoinSet::new();
        for (one, done) in batch {
            let (link, answers) = (Arc::clone(&self.link), Arc::clone(&self.answers));
            tasks.spawn(async move {
                let kind = kind(&one.header.message);
                let worked = match done {
                    true => Worked::Done {
                        paths: link.content_paths(&one.header.message).await,
                        outcome: "taken",
                    },
                    false => take(&link, &answers, &one.file, one.header.message).await,
                };
                // At once: a file that is done and still there comes twice if
                // the connector dies now.
                let removed = remove(&link, &one.file, &worked).await;
                (one.file, kind, worked, removed)
            });
        }
        while let Some(joined) = tasks.join_next().await {
            match joined {
                Ok((file, kind, worked, removed)) => self.end(&file, kind, worked, removed),
                Err(error) => tracing::error!(%error, "work on a file ended oddly; it stays"),
            }
        }
        true
    }

    fn end(
        &mut self,
        file: &Listed,
        kind: &'static str,
        worked: Worked,
        removed: Result<(), GatewayError>,
    ) {
        match worked {
            Worked::Done { outcome, .. } => {
                metrics::counter!(IN_FILES, "kind" => kind, "outcome" => outcome).increment(1);
                match (removed, &mut self.ledger) {
                    (Ok(()), Some(ledger)) => ledger.ended(file),
                    (Err(error), Some(ledger)) => {
                        ledger.stays(file);
                        self.later(file, &format!("it is done, but stays: {error}"));
                    }
                    (_, None) => {}
                }
            }
            Worked::Later(why) => {
                metrics::counter!(IN_FILES, "kind" => kind, "outcome" => "later").increment(1);
                if let Some(ledger) = &mut self.ledger {
                    ledger.ended(file);
                }
                self.later(file, &why);
            }
            Worked::Broken(why) => {
                metrics::counter!(IN_FILES, "kind" => kind, "outcome" => "later").increment(1);
                metrics::counter!(DUPLICATES).increment(1);
                tracing::warn!(
                    audience = "operator",
                    file = file.name,
                    why,
                    "the core may have this message, and gets it again"
                );
                self.later(file, &why);
            }
        }
    }

    async fn side_looks(&mut self) -> Result<(), GatewayError> {
        let now = Instant::now();
        if now < self.side_look {
            return Ok(());
        }
        self.side_look = now + SIDE_LOOKS;
        self.link.look_at_problems(&self.answers).await?;
        self.link.look_for_orphans().await
    }
}
