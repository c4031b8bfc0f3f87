//! A link with a connection.

use super::jobs::Finished;
use super::status::LinkPhase;
use super::task::LinkTask;
use super::{Manner, Order, SendError};
use crate::application::LinkNews;
use crate::node::Connection;
use crate::time_command;
use bytes::Bytes;
use concord_nje::{CloseReason, Direction, Event, Fcs, JobItem, LinkState, Message, StreamId};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::Instant;

/// Octets read at once.
const READ: usize = 16 * 1024;
/// How often the application is asked again about a job that waits.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long the last words of a link may take to be written.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// A time so far off that it never comes.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

impl LinkTask {
    /// Drives the link until it closes.
    pub(super) async fn drive(
        &mut self,
        connection: Connection,
        opened_by: Direction,
    ) -> CloseReason {
        let (reader, writer) = tokio::io::split(connection);
        let mut ends =
            Ends { reader, writer, opened_by, input: vec![0; READ], output: Bytes::new() };
        self.jobs.connection = self.jobs.connection.wrapping_add(1);
        let mut signed_off = false;
        loop {
            let closed = self.events();
            self.jobs.feed(&mut self.link);
            self.count();
            if ends.output.is_empty() {
                ends.output = self.link.take_output(self.now()).unwrap_or_default();
            }
            if let Some(reason) = closed {
                self.last_words(ends).await;
                return reason;
            }
            let next = self.link.next_time().unwrap_or_else(|| self.now().saturating_add(NEVER));
            let next = self.instant(next);
            let finished = &mut self.jobs.finished;
            tokio::select! {
                read = ends.reader.read(&mut ends.input) => self.read(&ends, read),
                written = ends.writer.write(&ends.output), if !ends.output.is_empty() => {
                    self.written(&mut ends, written);
                }
                Some(done) = finished.recv() => self.durable(done),
                Some(order) = self.orders.recv() => {
                    self.order(order);
                    if self.stopped && !signed_off {
                        signed_off = true;
                        self.link.sign_off();
                    }
                }
                Some(inbound) = self.inbound.recv() => {
                    // The link has a connection, so it is refused.
                    drop(self.opened(inbound));
                }
                () = tokio::time::sleep_until(next) => self.link.elapse(self.now()),
                () = tokio::time::sleep_until(self.jobs.ask_at), if !self.jobs.asked.is_empty() => {
                    self.ask_again();
                }
                () = self.stop.cancelled(), if !signed_off => {
                    signed_off = true;
                    self.link.sign_off();
                }
            }
        }
    }

    fn read(&mut self, ends: &Ends, read: io::Result<usize>) {
        match read {
            Ok(count) if count > 0 => {
                let octets = ends.input.get(..count).unwrap_or_default();
                self.write_down(ends.other(), octets);
                self.board.write().octets_received += count as u64;
                self.link.receive(octets, self.now());
            }
            _ => self.link.lost(),
        }
    }

    fn written(&mut self, ends: &mut Ends, written: io::Result<usize>) {
        match written {
            Ok(count) if count > 0 => {
                let octets = ends.output.split_to(count.min(ends.output.len()));
                self.write_down(ends.opened_by, &octets);
                self.board.write().octets_sent += count as u64;
            }
            _ => {
                ends.output.clear();
                self.link.lost();
            }
        }
    }

    /// Tells how many jobs wait, go and come.
    pub(super) fn count(&self) {
        let mut status = self.board.write();
        (status.jobs_waiting, status.jobs_going, status.jobs_coming) = self.jobs.counts();
    }

    pub(super) fn write_down(&mut self, direction: Direction, octets: &[u8]) {
        self.watches.octets(direction, octets);
        let written = self.capture.as_mut().map(|capture| capture.add(direction, octets));
        if let Some(Err(error)) = written {
            self.capture_stopped(&error);
        }
    }

    async fn last_words(&mut self, mut ends: Ends) {
        let octets = ends.output.to_vec();
        let words = async {
            ends.writer.write_all(&octets).await?;
            ends.writer.shutdown().await
        };
        // The partner may be gone: that is often why the link closed.
        if matches!(tokio::time::timeout(LAST_WORDS, words).await, Ok(Ok(()))) && !octets.is_empty()
        {
            self.write_down(ends.opened_by, &octets);
        }
    }

    /// Does what the link tells; gives the reason when it closed.
    fn events(&mut self) -> Option<CloseReason> {
        while let Some(event) = self.link.poll() {
            match event {
                Event::Active { buffer_size } => {
                    self.failures = 0;
                    self.hurry = false;
                    self.board.write().buffer_size = Some(buffer_size);
                    self.board.phase(LinkPhase::Active, self.clock.now());
                    self.application.link(self.partner, &LinkNews::Active);
                }
                Event::Closed { reason, .. } => {
                    self.jobs.connection_closed(&reason);
                    return Some(reason);
                }
                Event::Message(message) => {
                    self.board.write().messages_received += 1;
                    self.message(message);
                }
                Event::Asked { stream, open } => self.asked(stream, open),
                Event::Job { stream, item } => self.item(stream, item),
                Event::Whole(stream) => self.jobs.finish(stream),
                Event::Aborted(stream) => {
                    self.jobs.incoming.remove(&stream);
                }
                Event::Permitted(stream) => self.jobs.permitted(stream),
                Event::Refused(stream) => self.jobs.done(stream, Err(SendError::Refused)),
                Event::Cancelled(stream) => self.jobs.done(stream, Err(SendError::Cancelled)),
                Event::Confirmed(stream) => {
                    self.board.write().jobs_sent += 1;
                    self.jobs.done(stream, Ok(()));
                }
                Event::Held(held) => {
                    self.board.write().held = held;
                    tracing::debug!(partner = %self.partner, held, "the partner holds the link");
                }
            }
        }
        None
    }

    fn message(&mut self, message: Message) {
        if !message.is_command() {
            self.application.message(self.partner, message);
            return;
        }
        let answer = if message.words().trim_end() == time_command::QUESTION {
            time_command::answer(self.clock.now())
        } else {
            let answer = self.application.command(self.partner, &message);
            answer.unwrap_or_else(|| "COMMAND NOT SUPPORTED".to_owned())
        };
        // A partner that asks more than it reads gets no more answers.
        let _ = self.link.send_message(&message.answer(&answer));
    }

    fn asked(&mut self, stream: StreamId, open: bool) {
        match self.application.job(self.partner, stream) {
            Some(job) => {
                self.jobs.incoming.insert(stream, job);
                if !open {
                    // It was asked for just now.
                    let _ = self.link.permit(stream);
                }
            }
            None if open => {
                // Its data is here already: it comes again another time.
                tracing::info!(partner = %self.partner, %stream, "no room for a job that did not ask");
                self.link.sign_off();
            }
            None => {
                if self.jobs.asked.is_empty() {
                    self.jobs.ask_at =
                        Instant::now().checked_add(ASK_AGAIN).unwrap_or(self.jobs.ask_at);
                }
                self.jobs.asked.push(stream);
            }
        }
    }

    fn ask_again(&mut self) {
        for stream in std::mem::take(&mut self.jobs.asked) {
            self.asked(stream, false);
        }
    }

    fn item(&mut self, stream: StreamId, item: JobItem) {
        let taken = self.jobs.incoming.get_mut(&stream).map(|job| job.take(item));
        if let Some(Err(stopped)) = taken {
            tracing::warn!(partner = %self.partner, %stream, %stopped, "the link is closed");
            self.jobs.incoming.remove(&stream);
            self.link.sign_off();
        }
    }

    /// A job that came is durable, or cannot be made so.
    fn durable(&mut self, done: Finished) {
        if done.connection != self.jobs.connection {
            // The link broke meanwhile; the partner sends the job again, and the
            // application knows it by its key.
            return;
        }
        match done.result {
            Ok(()) => {
                // The job was whole on this connection.
                if self.link.acknowledge(done.stream).is_ok() {
                    self.board.write().jobs_received += 1;
                }
            }
            Err(stopped) => {
                tracing::warn!(partner = %self.partner, %stopped, "the link is closed");
                self.link.sign_off();
            }
        }
    }

    /// Takes an order, with a connection or without.
    pub(super) fn order(&mut self, order: Order) {
        match order {
            Order::Job(_, Manner::Once, answer) if self.link.state() != LinkState::Active => {
                // A caller that went away does not hear of it.
                let _ = answer.send(Err(SendError::NotActive));
            }
            Order::Job(job, manner, answer) => self.jobs.wait(job, manner, answer),
            Order::Message(message, answer) => {
                let sent = self.link.send_message(&message).map_err(|error| self.why(error));
                // A caller that went away does not hear of it.
                let _ = answer.send(sent);
            }
            Order::Hold(hold, answer) => {
                let fcs = if hold { Fcs::WAIT_A_BIT } else { Fcs::ALL };
                let held = self.link.allow(fcs).map_err(|error| self.why(error));
                let _ = answer.send(held);
            }
            Order::Run(run, answer) => {
                self.hurry = run;
                self.stopped = !run;
                let _ = answer.send(Ok(()));
            }
            Order::Watch(watcher, answer) => {
                self.watches.add(watcher);
                let _ = answer.send(Ok(()));
            }
        }
    }

    fn why(&self, error: concord_nje::UseError) -> SendError {
        match self.link.state() {
            LinkState::Active => SendError::Unsendable(error),
            _ => SendError::NotActive,
        }
    }
}

/// A connection's two ends, and what is on its way.
struct Ends {
    reader: ReadHalf<Connection>,
    writer: WriteHalf<Connection>,
    /// Who we are in captures.
    opened_by: Direction,
    input: Vec<u8>,
    output: Bytes,
}

impl Ends {
    const fn other(&self) -> Direction {
        match self.opened_by {
            Direction::FromOpener => Direction::FromListener,
            Direction::FromListener => Direction::FromOpener,
        }
    }
}
