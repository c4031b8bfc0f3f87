//! The jobs of a link, both ways.

use super::{Answer, Manner, SendError};
use crate::application::{IncomingJob, OutgoingJob, Stopped};
use concord_nje::{CloseReason, JobItem, Link, LinkState, StreamId, UseError};
use std::collections::{BTreeMap, VecDeque};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// How often a job is begun anew if the link closes each time while it is under
/// way and for no reason of its own: one that the partner cannot read would close
/// the link for ever, and nothing else would pass. A connection that is merely
/// lost does not count.
const MAX_TRIES: u32 = 20;
/// Jobs that are being made durable at once: fourteen streams can be whole.
const MAX_FINISHING: usize = 14;

/// A job that came and is durable, or cannot be made so.
pub(super) struct Finished {
    pub(super) connection: u64,
    pub(super) stream: StreamId,
    pub(super) result: Result<(), Stopped>,
}

/// A job that goes.
struct Outgoing {
    job: OutgoingJob,
    manner: Manner,
    answer: Answer,
    /// What is still to be written; `None` until the partner permits.
    rest: Option<Box<dyn Iterator<Item = JobItem> + Send>>,
    /// A part that the link had no room for.
    unwritten: Option<JobItem>,
    ended: bool,
    tries: u32,
}

pub(super) struct Jobs {
    /// Which connection this is; what belongs to an older one is void.
    pub(super) connection: u64,
    pub(super) incoming: BTreeMap<StreamId, Box<dyn IncomingJob>>,
    /// Streams on which the partner waits for permission.
    pub(super) asked: Vec<StreamId>,
    /// When the application is asked again about them.
    pub(super) ask_at: Instant,
    pub(super) finished: mpsc::Receiver<Finished>,
    finishing: mpsc::Sender<Finished>,
    waiting: VecDeque<Outgoing>,
    going: BTreeMap<StreamId, Outgoing>,
}

impl Default for Jobs {
    fn default() -> Self {
        let (finishing, finished) = mpsc::channel(MAX_FINISHING);
        Self {
            connection: 0,
            incoming: BTreeMap::new(),
            asked: Vec::new(),
            ask_at: Instant::now(),
            finished,
            finishing,
            waiting: VecDeque::new(),
            going: BTreeMap::new(),
        }
    }
}

impl Jobs {
    /// Jobs that wait, go and come.
    pub(super) fn counts(&self) -> (usize, usize, usize) {
        let coming = self.incoming.len().saturating_add(self.asked.len());
        (self.waiting.len(), self.going.len(), coming)
    }

    /// Takes a job that is to go.
    pub(super) fn wait(&mut self, job: OutgoingJob, manner: Manner, answer: Answer) {
        let outgoing =
            Outgoing { job, manner, answer, rest: None, unwritten: None, ended: false, tries: 0 };
        self.waiting.push_back(outgoing);
    }

    /// Starts jobs on free streams and writes what the link takes.
    pub(super) fn feed(&mut self, link: &mut Link) {
        if link.state() != LinkState::Active {
            return;
        }
        let mut later = VecDeque::new();
        while let Some(outgoing) = self.waiting.pop_front() {
            match link.start(outgoing.job.kind) {
                Ok(stream) => {
                    self.going.insert(stream, outgoing);
                }
                // The other kind may have a free stream.
                Err(_) => later.push_back(outgoing),
            }
        }
        self.waiting = later;
        // One part of each job after the other, so that none waits for another.
        let mut more = true;
        while more && !link.is_full() {
            more = false;
            let mut unsendable = None;
            for (stream, outgoing) in &mut self.going {
                match outgoing.write(*stream, link) {
                    Ok(wrote) => more |= wrote,
                    Err(error) => unsendable = Some((*stream, error)),
                }
            }
            if let Some((stream, error)) = unsendable {
                // Half of it may be out, and can only be taken back so.
                self.done(stream, Err(SendError::Unsendable(error)));
                link.sign_off();
                return;
            }
        }
    }

    /// The partner permits a job.
    pub(super) fn permitted(&mut self, stream: StreamId) {
        if let Some(outgoing) = self.going.get_mut(&stream) {
            outgoing.rest = Some((outgoing.job.parts)());
        }
    }

    /// A job is done with.
    pub(super) fn done(&mut self, stream: StreamId, result: Result<(), SendError>) {
        if let Some(outgoing) = self.going.remove(&stream) {
            // A caller that went away does not hear of it.
            let _ = outgoing.answer.send(result);
        }
    }

    /// A job that came is whole: it is made durable beside the link.
    pub(super) fn finish(&mut self, stream: StreamId) {
        let Some(job) = self.incoming.remove(&stream) else { return };
        let (connection, finishing) = (self.connection, self.finishing.clone());
        tokio::spawn(async move {
            let result = job.finish().await;
            // The link's task may be over.
            let _ = finishing.send(Finished { connection, stream, result }).await;
        });
    }

    /// The connection is over: what came in parts is void; jobs wait for the next
    /// one, or fail, each as its caller wanted.
    pub(super) fn connection_closed(&mut self, reason: &CloseReason) {
        self.incoming.clear();
        self.asked.clear();
        let (lost, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.going)
            .into_values()
            .chain(std::mem::take(&mut self.waiting))
            .partition(|outgoing| outgoing.manner == Manner::Once);
        for outgoing in lost {
            let error = SendError::Lost { whole: outgoing.ended, reason: reason.clone() };
            let _ = outgoing.answer.send(Err(error));
        }
        self.again(kept, reason);
    }

    /// What was under way is sent again first.
    fn again(&mut self, jobs: Vec<Outgoing>, reason: &CloseReason) {
        for mut outgoing in jobs.into_iter().rev() {
            let harmless = matches!(reason, CloseReason::Lost | CloseReason::Ordered);
            let begun = outgoing.rest.is_some();
            if begun && !harmless {
                outgoing.tries = outgoing.tries.saturating_add(1);
            }
            if outgoing.tries >= MAX_TRIES {
                let (tries, reason) = (outgoing.tries, reason.clone());
                let _ = outgoing.answer.send(Err(SendError::GivenUp { tries, reason }));
                continue;
            }
            (outgoing.rest, outgoing.unwritten, outgoing.ended) = (None, None, false);
            self.waiting.push_front(outgoing);
        }
    }

    /// The link is over.
    pub(super) fn fail_all(&mut self, error: &SendError) {
        let going = std::mem::take(&mut self.going).into_values();
        for outgoing in going.chain(std::mem::take(&mut self.waiting)) {
            let _ = outgoing.answer.send(Err(error.clone()));
        }
    }
}

impl Outgoing {
    /// Writes a part; false if there is none to write now.
    fn write(&mut self, stream: StreamId, link: &mut Link) -> Result<bool, UseError> {
        let Some(rest) = &mut self.rest else { return Ok(false) };
        if self.ended {
            return Ok(false);
        }
        let Some(item) = self.unwritten.take().or_else(|| rest.next()) else {
            link.end(stream)?;
            self.ended = true;
            return Ok(true);
        };
        match link.write(stream, &item) {
            Ok(()) => Ok(true),
            Err(UseError::Full) => {
                self.unwritten = Some(item);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}
