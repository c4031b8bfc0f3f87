//! Traces: what goes over a link, kept until an operator has fetched it.

use super::error::OrderError;
use super::links::find;
use super::wire::{TracePart, TraceQuery, WhichLink};
use crate::shared::Running;
use concord_nje::{CaptureLine, CapturePiece, Direction, Name};
use concord_nje_tokio::{Seen, Watcher};
use std::collections::{BTreeMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Octets of lines that are kept for somebody who is slow to fetch them: some
/// seconds of a busy link. What is more is lost from the front, and told.
const MAX_KEPT: usize = 4 << 20;
/// Octets of lines in one answer: with what JSON adds it stays below the octets of
/// a request to the core (1 MiB). One line, of a read of 16 KiB, always fits.
const MAX_PART: usize = 512 << 10;
/// How long an answer waits for something to tell.
const WAIT: Duration = Duration::from_secs(10);
/// A trace that nobody asks for has been forgotten.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// Traces at once; the oldest goes.
const MAX_TRACES: usize = 8;

/// All traces.
#[derive(Debug, Default)]
pub(super) struct Traces(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    number: u64,
    traces: BTreeMap<u64, Arc<Trace>>,
}

#[derive(Debug)]
struct Trace {
    own: Name,
    partner: Name,
    kept: Mutex<Kept>,
    news: Notify,
}

#[derive(Debug)]
struct Kept {
    lines: VecDeque<String>,
    octets: usize,
    /// The position of the first line that is kept.
    first: u64,
    /// When the connection that is traced began, or the trace did.
    start: Instant,
    asked: Instant,
    ended: bool,
}

impl Traces {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn begin(
        &self,
        running: &Running,
        which: &WhichLink,
    ) -> Result<TracePart, OrderError> {
        let (setting, link) = find(running, &which.link)?;
        let trace = Arc::new(Trace::new(running.node.name(), setting.partner));
        link.watch(Arc::clone(&trace) as Arc<dyn Watcher>).await?;
        let mut open = self.open();
        open.number = open.number.saturating_add(1);
        let number = open.number;
        open.traces.insert(number, trace);
        open.traces.retain(|_, trace| !trace.is_over());
        if open.traces.len() > MAX_TRACES
            && let Some((_, oldest)) = open.traces.pop_first()
        {
            oldest.kept().ended = true;
        }
        Ok(TracePart { trace: number, ..TracePart::default() })
    }

    pub(super) async fn part(&self, query: &TraceQuery) -> Result<TracePart, OrderError> {
        let trace = self.open().traces.get(&query.trace).map(Arc::clone);
        let trace = trace.filter(|trace| !trace.is_over());
        let trace = trace.ok_or(OrderError::NoSuchTrace(query.trace))?;
        let until = Instant::now().checked_add(WAIT).unwrap_or_else(Instant::now);
        loop {
            let news = trace.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            let (next, lost, lines) = trace.kept().fetch(query.from);
            let time_is_over = Instant::now() >= until;
            if !lines.is_empty() || lost > 0 || time_is_over {
                return Ok(TracePart { trace: query.trace, next, lost, lines });
            }
            // Either way it is looked at once more.
            let _ = tokio::time::timeout_at(until, news).await;
        }
    }

    /// Whether it was still there.
    pub(super) fn end(&self, query: &TraceQuery) -> bool {
        let trace = self.open().traces.remove(&query.trace);
        trace.is_some_and(|trace| !std::mem::replace(&mut trace.kept().ended, true))
    }
}

impl Trace {
    fn new(own: Name, partner: Name) -> Self {
        let now = Instant::now();
        let (lines, octets, first) = (VecDeque::new(), 0, 0);
        let kept = Kept { lines, octets, first, start: now, asked: now, ended: false };
        Self { own, partner, kept: Mutex::new(kept), news: Notify::new() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_over(&self) -> bool {
        self.kept().is_over()
    }

    fn begin(&self, opened_by: Direction, under_way: bool) -> CaptureLine {
        let (opener, listener) = match opened_by {
            Direction::FromOpener => (self.own, self.partner),
            Direction::FromListener => (self.partner, self.own),
        };
        CaptureLine::Begin { opener, listener, under_way }
    }
}

impl Watcher for Trace {
    fn seen(&self, seen: Seen<'_>) -> ControlFlow<()> {
        let mut kept = self.kept();
        if kept.is_over() {
            return ControlFlow::Break(());
        }
        let line = match seen {
            Seen::Opened(opened_by) => {
                kept.start = Instant::now();
                self.begin(opened_by, false)
            }
            Seen::UnderWay(opened_by) => self.begin(opened_by, true),
            Seen::Closed(_) => CaptureLine::End,
            Seen::Octets(direction, octets) => {
                let millis = u64::try_from(kept.start.elapsed().as_millis()).unwrap_or(u64::MAX);
                CaptureLine::Piece(CapturePiece { millis, direction, octets: octets.to_vec() })
            }
        };
        kept.add(line.text());
        drop(kept);
        self.news.notify_waiters();
        ControlFlow::Continue(())
    }
}

impl Kept {
    fn is_over(&self) -> bool {
        self.ended || self.asked.elapsed() > FORGOTTEN
    }

    fn add(&mut self, line: String) {
        self.octets = self.octets.saturating_add(line.len());
        self.lines.push_back(line);
        while self.octets > MAX_KEPT {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some(line) = self.lines.pop_front() {
            self.octets = self.octets.saturating_sub(line.len());
            self.first = self.first.saturating_add(1);
        }
    }

    /// Lines from a position: the next one, how many are lost, and the lines.
    fn fetch(&mut self, from: u64) -> (u64, u64, Vec<String>) {
        self.asked = Instant::now();
        while self.first < from && !self.lines.is_empty() {
            self.forget_first();
        }
        let lost = self.first.saturating_sub(from);
        let (mut lines, mut octets) = (Vec::new(), 0_usize);
        for line in &self.lines {
            octets = octets.saturating_add(line.len());
            if octets > MAX_PART && !lines.is_empty() {
                break;
            }
            lines.push(line.clone());
        }
        let count = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        (self.first.saturating_add(count), lost, lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace() -> Arc<Trace> {
        Arc::new(Trace::new(Name::new("US").unwrap(), Name::new("VM1").unwrap()))
    }

    #[tokio::test]
    async fn lines_are_fetched_once_and_asked_for_again_if_the_answer_was_lost() {
        let trace = trace();
        let _ = trace.seen(Seen::UnderWay(Direction::FromListener));
        let _ = trace.seen(Seen::Octets(Direction::FromOpener, b"\x01"));
        for _ in 0..2 {
            let (next, lost, lines) = trace.kept().fetch(0);
            assert_eq!((next, lost), (2, 0));
            assert_eq!(lines[0], "= under-way VM1 US\n");
            assert!(lines[1].ends_with(" > 01\n"), "{lines:?}");
        }
        assert_eq!(trace.kept().fetch(2), (2, 0, vec![]));
        assert!(trace.kept().lines.is_empty());
    }

    #[tokio::test]
    async fn what_is_not_fetched_in_time_is_lost_and_told() {
        let trace = trace();
        let piece = [0; 16 * 1024];
        for _ in 0..300 {
            assert!(trace.seen(Seen::Octets(Direction::FromOpener, &piece)).is_continue());
        }
        assert!(trace.kept().octets <= MAX_KEPT);
        let (next, lost, lines) = trace.kept().fetch(0);
        assert!(lost > 100 && next == lost + lines.len() as u64, "{lost} {next}");
        assert!(lines.iter().map(String::len).sum::<usize>() <= MAX_PART);
    }

    #[tokio::test(start_paused = true)]
    async fn a_trace_that_nobody_asks_for_ends() {
        let trace = trace();
        tokio::time::advance(FORGOTTEN + Duration::from_secs(1)).await;
        assert!(trace.seen(Seen::Octets(Direction::FromOpener, b"x")).is_break());
    }
}
