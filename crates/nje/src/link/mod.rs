//! The state machine of a link: no I/O, no clock.
//!
//! A [`Link`] is one partner. It lives on from connection to connection; one at a
//! time is its own. The caller connects, listens, moves octets and says what time
//! it is (any clock that only goes forward, as a [`Duration`] since a moment of
//! its choice).

mod drive;
mod event;
mod fuzzing;
mod order;
mod output;
mod receive;
mod send;
mod table;

pub use event::{CloseReason, Event, JobItem, UseError};
pub(crate) use fuzzing::{fuzz, fuzz_block};
pub use table::{
    LINK, LinkAction, LinkInput, LinkRow, LinkState, RECEIVE, ReceiveAction, ReceiveInput,
    ReceiveState, SEND, SendAction, SendInput, SendState,
};

use crate::block::{Fcs, SequenceCheck};
use crate::frame::FrameReader;
use crate::limits::{MIN_BUFFER, TTC_LENGTH};
use crate::message::Message;
use crate::record::{JobRecord, Record};
use crate::settings::LinkSettings;
use crate::stream::{StreamId, StreamKind};
use crate::ttc::{NakReason, Ttc, TtcKind};
use bytes::{Bytes, BytesMut};
use output::{Lane, Output};
pub(crate) use receive::Receiving;
use send::Sending;
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

/// What to do with a connection on which the partner sent OPEN.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Opening {
    /// It is the link's connection now: what [`Link::take_output`] gives goes
    /// there, and what comes from there goes into [`Link::receive`]. A connection
    /// that the caller is still making is to be dropped.
    Accepted,
    /// Send this on it and close it; the link's own goes on.
    Refused {
        /// The NAK.
        nak: Vec<u8>,
        /// Its reason.
        reason: NakReason,
    },
}

/// A link to one partner.
#[derive(Debug)]
pub struct Link {
    settings: LinkSettings,
    state: LinkState,
    /// The control record that we wait for, as far as it came.
    ttc: BytesMut,
    frames: FrameReader,
    check: SequenceCheck,
    output: Output,
    receiving: BTreeMap<StreamId, Receiving>,
    sending: BTreeMap<StreamId, Sending>,
    events: VecDeque<Event>,
    enquiries: u8,
    /// The reason of the last NAK.
    refusal: NakReason,
    /// The largest block that both ends take.
    buffer: u16,
    /// When the link must be active.
    handshake: Option<Duration>,
    /// When a sign of life must have come from the old connection.
    probe: Option<Duration>,
    last_sent: Duration,
    last_received: Duration,
}

impl Link {
    /// A link without a connection.
    pub fn new(settings: LinkSettings) -> Self {
        let output = Output::new(settings.partner);
        Self {
            settings,
            state: LinkState::Down,
            ttc: BytesMut::new(),
            frames: FrameReader::new(0),
            check: SequenceCheck::default(),
            output,
            receiving: BTreeMap::new(),
            sending: BTreeMap::new(),
            events: VecDeque::new(),
            enquiries: 0,
            refusal: NakReason::Temporary,
            buffer: MIN_BUFFER,
            handshake: None,
            probe: None,
            last_sent: Duration::ZERO,
            last_received: Duration::ZERO,
        }
    }

    /// Where its connection is.
    pub const fn state(&self) -> LinkState {
        self.state
    }

    /// What it was told.
    pub const fn settings(&self) -> &LinkSettings {
        &self.settings
    }

    /// The caller connected to the partner.
    pub fn dialled(&mut self, now: Duration) -> Result<(), UseError> {
        if self.state != LinkState::Down {
            return Err(UseError::LinkState("open the link"));
        }
        self.begin(now);
        self.input(LinkInput::Dialled);
        Ok(())
    }

    /// The partner connected and sent OPEN. A caller with several links finds the
    /// link by [`Ttc::sender`], and answers [`refuse`] if there is none.
    pub fn peer_opened(&mut self, open: &Ttc, now: Duration) -> Opening {
        let ours = open.kind == TtcKind::Open
            && open.receiver.same(&self.settings.own_node)
            && open.sender.same(&self.settings.partner_node);
        if !ours {
            return refuse(open, NakReason::NoSuchLink);
        }
        if self.state == LinkState::Down {
            self.begin(now);
            self.input(LinkInput::PeerOpen);
            self.output.ttc(&open.ack());
            return Opening::Accepted;
        }
        match table::step(LINK, self.state, LinkInput::PeerOpen) {
            Some((LinkAction::RefuseActive, _)) => {
                // The old connection may be dead without anybody having noticed.
                self.output.keep_alive();
                self.probe.get_or_insert(now.saturating_add(self.settings.timers.probe));
                refuse(open, NakReason::LinkActive)
            }
            _ => refuse(open, NakReason::Opening),
        }
    }

    /// How long to wait before the link is opened again, where the protocol says
    /// so: both ends opened at once, and the node with the lower name (in EBCDIC)
    /// lets the other go first. The caller picks a time in the range.
    pub fn wait_after(&self, reason: &CloseReason) -> Option<RangeInclusive<Duration>> {
        if *reason != CloseReason::Refused(NakReason::Opening) {
            return None;
        }
        let lower = self.settings.own_node < self.settings.partner_node;
        let (least, most) = if lower { (3, 10) } else { (0, 2) };
        Some(Duration::from_secs(least)..=Duration::from_secs(most))
    }

    /// Takes octets of the link's connection. Call [`Link::poll`] until it gives
    /// nothing before more are fed.
    pub fn receive(&mut self, octets: &[u8], now: Duration) {
        if self.state == LinkState::Down || octets.is_empty() {
            return;
        }
        self.last_received = now;
        self.probe = None;
        if self.state == LinkState::OpenSent {
            let missing = TTC_LENGTH.saturating_sub(self.ttc.len()).min(octets.len());
            let (ttc, rest) = octets.split_at_checked(missing).unwrap_or((octets, &[]));
            self.ttc.extend_from_slice(ttc);
            self.frames.feed(rest);
        } else {
            self.frames.feed(octets);
        }
    }

    /// The next thing that happened.
    pub fn poll(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if !self.advance() {
                return None;
            }
        }
    }

    /// What is to be sent on the link's connection, if anything. Also after
    /// [`Event::Closed`]: the last words.
    pub fn take_output(&mut self, now: Duration) -> Option<Bytes> {
        if self.state == LinkState::Active {
            self.output.flush();
        }
        let octets = self.output.take();
        if octets.is_empty() {
            return None;
        }
        self.last_sent = now;
        Some(octets)
    }

    /// The connection is gone, or could not be written to.
    pub fn lost(&mut self) {
        self.input(LinkInput::Lost);
    }

    /// Time has passed; call it when [`Link::next_time`] is reached.
    pub fn elapse(&mut self, now: Duration) {
        let due = |time: Option<Duration>| time.is_some_and(|time| time <= now);
        if due(self.handshake) || due(self.probe) || due(self.silent_at()) {
            self.input(LinkInput::Timeout);
        } else if self.state == LinkState::Active && due(self.keep_alive_at()) {
            self.output.keep_alive();
            // The next one is due as long after this one, taken or not.
            self.last_sent = now;
        }
    }

    /// When [`Link::elapse`] is due; `None` if nothing waits for time.
    pub fn next_time(&self) -> Option<Duration> {
        let times = [self.handshake, self.probe, self.silent_at(), self.keep_alive_at()];
        times.into_iter().flatten().min()
    }

    /// Sends a message or command.
    pub fn send_message(&mut self, message: &Message) -> Result<(), UseError> {
        self.active("send a message")?;
        if self.output.is_full() {
            return Err(UseError::Full);
        }
        self.output.push(Lane::Console, &Record::Message(message.clone()));
        Ok(())
    }

    /// Asks the partner to take a job. [`Event::Permitted`] follows, or
    /// [`Event::Refused`], or for a while nothing.
    pub fn start(&mut self, kind: StreamKind) -> Result<StreamId, UseError> {
        let mut streams = StreamId::all(kind, self.settings.streams.max(1));
        let free = |stream: &StreamId| self.sending.get(stream).is_none_or(Sending::is_free);
        let stream = streams.find(free).ok_or(UseError::NoFreeStream)?;
        self.start_on(stream)?;
        Ok(stream)
    }

    /// The same on a stream of the caller's choice.
    pub fn start_on(&mut self, stream: StreamId) -> Result<(), UseError> {
        self.active("send a job")?;
        let stepped = self.sending.entry(stream).or_default().step(SendInput::Start);
        stepped.ok_or(UseError::StreamState { what: "send a job", stream })?;
        self.output.push(Lane::Control, &Record::Request(stream));
        Ok(())
    }

    /// Writes a part of a permitted job: its header, then for each data set a
    /// header and its records (jobs to run have none), then its trailer.
    pub fn write(&mut self, stream: StreamId, item: &JobItem) -> Result<(), UseError> {
        self.active("write a job")?;
        if self.output.is_full() {
            return Err(UseError::Full);
        }
        let sending = self.sending.entry(stream).or_default();
        for record in sending.records(stream, item, &self.settings.partner)? {
            self.output.push(Lane::Stream(stream), &record);
        }
        Ok(())
    }

    /// Ends a job. It is the partner's only at [`Event::Confirmed`]; until then
    /// the caller keeps it.
    pub fn end(&mut self, stream: StreamId) -> Result<(), UseError> {
        self.active("end a job")?;
        let sending = self.sending.entry(stream).or_default();
        sending.may_end(stream)?;
        let stepped = sending.step(SendInput::End);
        stepped.ok_or(UseError::StreamState { what: "end a job", stream })?;
        let (kind, octets) = (JobRecord::EndOfFile, Bytes::new());
        self.output.push(Lane::Stream(stream), &Record::Job { stream, kind, octets });
        Ok(())
    }

    /// Permits a job that the partner asked for.
    pub fn permit(&mut self, stream: StreamId) -> Result<(), UseError> {
        self.answer(stream, ReceiveInput::Permit, "permit a job", &Record::Permit(stream))
    }

    /// Refuses a job that the partner asked for, or cancels one that it sends;
    /// the latter only if it survives that. FUNET does not offer a refused job
    /// again until somebody frees it, so a caller without room rather lets it
    /// wait.
    pub fn refuse(&mut self, stream: StreamId) -> Result<(), UseError> {
        let begun = self.receiving.get(&stream).is_some_and(Receiving::is_open);
        if begun && !self.settings.partner.survives_cancel {
            return Err(UseError::PartnerWouldDie);
        }
        self.answer(stream, ReceiveInput::Refuse, "refuse a job", &Record::Refuse(stream))
    }

    /// Tells the partner that a job is taken over, so that it deletes it. The
    /// caller must have made it durable.
    pub fn acknowledge(&mut self, stream: StreamId) -> Result<(), UseError> {
        let record = Record::Complete(stream);
        self.answer(stream, ReceiveInput::Acknowledge, "acknowledge a job", &record)
    }

    /// Says what the partner may send: [`Fcs::WAIT_A_BIT`] holds everything,
    /// [`Fcs::ALL`] lets it run.
    pub fn allow(&mut self, fcs: Fcs) -> Result<(), UseError> {
        self.active("hold the partner")?;
        self.output.announce(fcs);
        Ok(())
    }

    /// Whether writes are taken; if not, go on when output was taken.
    pub const fn is_full(&self) -> bool {
        self.output.is_full()
    }

    /// Whether everything that was written is in what [`Link::take_output`]
    /// gave.
    pub fn is_idle(&self) -> bool {
        self.output.is_idle()
    }

    /// Ends the link: B is sent if the partner can read it.
    pub fn sign_off(&mut self) {
        self.input(LinkInput::Order);
    }

    const fn active(&self, what: &'static str) -> Result<(), UseError> {
        match self.state {
            LinkState::Active => Ok(()),
            _ => Err(UseError::LinkState(what)),
        }
    }

    fn answer(
        &mut self,
        stream: StreamId,
        input: ReceiveInput,
        what: &'static str,
        record: &Record,
    ) -> Result<(), UseError> {
        self.active(what)?;
        let stepped = self.receiving.get_mut(&stream).and_then(|r| r.step(input));
        stepped.ok_or(UseError::StreamState { what, stream })?;
        self.output.push(Lane::Control, record);
        Ok(())
    }

    fn silent_at(&self) -> Option<Duration> {
        let silence = self.settings.timers.silence?;
        let active = self.state == LinkState::Active;
        active.then(|| self.last_received.saturating_add(silence))
    }

    fn keep_alive_at(&self) -> Option<Duration> {
        let active = self.state == LinkState::Active;
        active.then(|| self.last_sent.saturating_add(self.settings.timers.keep_alive))
    }
}

/// The answer to an OPEN that is for no link.
pub fn refuse(open: &Ttc, reason: NakReason) -> Opening {
    Opening::Refused { nak: open.nak(reason).octets(), reason }
}
