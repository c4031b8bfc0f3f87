//! What comes from the partner, and what it does.

use super::output::{Lane, Output};
use super::receive::ReceiveError;
use super::table::{
    LINK, LinkAction, LinkInput, LinkState, ReceiveAction, ReceiveInput, SendAction, SendInput,
    step,
};
use super::{CloseReason, Event, Link};
use crate::block::{Block, Sequence, SequenceCheck};
use crate::error::WireError;
use crate::frame::{FrameReader, Unit};
use crate::limits::{MAX_ENQUIRIES, TTC_LENGTH};
use crate::record::{JobRecord, Record, RecordReader};
use crate::settings::Concurrence;
use crate::sign_on::{Control, PathRecord, SignOn};
use crate::stream::StreamId;
use crate::ttc::{NakReason, Ttc, TtcKind};
use bytes::Bytes;
use std::time::Duration;

/// Octets of DLE STX BCB FCS before a block's records.
const BLOCK_HEAD: usize = 5;

impl Link {
    /// Forgets the connection before.
    pub(super) fn begin(&mut self, now: Duration) {
        self.ttc.clear();
        self.frames = FrameReader::new(u64::try_from(TTC_LENGTH).unwrap_or_default());
        self.check = SequenceCheck::default();
        self.output = Output::new(self.settings.partner);
        self.enquiries = 0;
        self.handshake = Some(now.saturating_add(self.settings.timers.handshake));
        self.probe = None;
        self.last_received = now;
        self.last_sent = now;
    }

    /// Reads one unit of what was fed; false if there is none.
    pub(super) fn advance(&mut self) -> bool {
        match self.state {
            LinkState::Down => false,
            LinkState::OpenSent => {
                let Some(octets) = self.ttc.first_chunk::<TTC_LENGTH>() else { return false };
                match Ttc::parse(octets) {
                    Ok(ttc) => self.answered(&ttc),
                    Err(error) => self.malformed(0, error),
                }
                true
            }
            _ => {
                let at = self.frames.at();
                match self.frames.next_unit() {
                    Ok(None) => return false,
                    Ok(Some(Unit::KeepAlive)) => self.input(LinkInput::KeepAlive),
                    Ok(Some(Unit::Block { at, fast_open, octets })) => {
                        self.block(at, fast_open, &octets);
                    }
                    Err(error) => self.malformed(at, error),
                }
                true
            }
        }
    }

    fn answered(&mut self, ttc: &Ttc) {
        match ttc.kind {
            TtcKind::Ack => self.input(LinkInput::Ack),
            TtcKind::Nak => {
                self.refusal = NakReason::from_octet(ttc.reason);
                self.input(LinkInput::Nak);
            }
            TtcKind::Open => {
                let (state, input) = (self.state, LinkInput::PeerOpen);
                self.close(CloseReason::Unexpected { state, input });
            }
        }
    }

    fn block(&mut self, at: u64, fast_open: bool, octets: &Bytes) {
        let block = match Block::parse(octets) {
            Ok(Block::Enquiry) => return self.input(LinkInput::Enquiry),
            Ok(Block::Acknowledge) => return self.input(LinkInput::Ack0),
            Ok(Block::LineNak) => return self.input(LinkInput::LineNak),
            Ok(Block::Data(block)) => block,
            Err(error) => return self.malformed(at, error),
        };
        match self.check.judge(block.bcb) {
            Sequence::Next => {}
            Sequence::Duplicate => return,
            Sequence::Gap { expected, found } => {
                if self.state == LinkState::Active {
                    self.output.push(Lane::Control, &Record::SequenceError(expected));
                    self.output.flush();
                }
                return self.close(CloseReason::SequenceGap { expected, found });
            }
        }
        if let Some(held) = self.output.peer_allows(block.fcs) {
            self.events.push_back(Event::Held(held));
        }
        let head = octets.len().saturating_sub(block.records.len()).max(BLOCK_HEAD);
        let mut reader = RecordReader::new(&block.records);
        let mut none = true;
        while self.state != LinkState::Down {
            let record_at = reader.at();
            match reader.next_record() {
                Ok(Some(record)) => {
                    self.record(at, head.saturating_add(record_at), fast_open, record)
                }
                Ok(None) => break,
                Err(error) => return self.malformed(at, error.behind(head)),
            }
            none = false;
        }
        if none {
            self.input(LinkInput::NullBlock);
        }
    }

    fn record(&mut self, at: u64, record_at: usize, fast_open: bool, record: Record) {
        let input = match &record {
            Record::Control(Control::Initial(_)) => LinkInput::Initial,
            Record::Control(Control::Response(_)) => LinkInput::Response,
            Record::Control(Control::SignOff) => LinkInput::SignOff,
            Record::Control(_) => LinkInput::Path,
            _ => LinkInput::Data,
        };
        let Some(action) = self.stepped(input) else { return };
        match (action, record) {
            (LinkAction::Answer, Record::Control(Control::Initial(sign_on))) => {
                self.answer_sign_on(&sign_on);
            }
            (LinkAction::Confirm, Record::Control(Control::Response(sign_on))) => {
                self.confirm_sign_on(&sign_on);
            }
            (LinkAction::Handle | LinkAction::ActivateAndHandle, record) => {
                if action == LinkAction::ActivateAndHandle {
                    self.activate();
                }
                if let Err(error) = self.handle(record, fast_open) {
                    match error {
                        ReceiveError::Wire(error) => {
                            self.malformed(at, error.cause.at(record_at));
                        }
                        ReceiveError::Close(reason) => self.close(reason),
                    }
                }
            }
            (action, _) => self.act(action),
        }
    }

    /// An input without anything more to it.
    pub(super) fn input(&mut self, input: LinkInput) {
        if let Some(action) = self.stepped(input) {
            self.act(action);
        }
    }

    /// Looks the input up; what is not in the table closes the link.
    fn stepped(&mut self, input: LinkInput) -> Option<LinkAction> {
        let state = self.state;
        let Some((action, next)) = step(LINK, state, input) else {
            self.close(CloseReason::Unexpected { state, input });
            return None;
        };
        let reason = match action {
            LinkAction::CloseRefused => Some(CloseReason::Refused(self.refusal)),
            LinkAction::CloseSilent => Some(CloseReason::Silent(state)),
            LinkAction::CloseLost if input == LinkInput::Order => Some(CloseReason::Ordered),
            LinkAction::CloseLost => Some(CloseReason::Lost),
            LinkAction::CloseSignedOff => {
                // What it still reads need not be sent again: acknowledgements.
                self.output.flush();
                Some(CloseReason::SignedOff)
            }
            LinkAction::SignOff => {
                self.output.flush();
                self.output.control(&Control::SignOff);
                Some(CloseReason::Ordered)
            }
            _ => None,
        };
        if let Some(reason) = reason {
            self.close(reason);
            return None;
        }
        self.state = next;
        Some(action)
    }

    fn act(&mut self, action: LinkAction) {
        match action {
            LinkAction::SendOpen => {
                let mut open = Ttc::open(self.settings.own_node, self.settings.partner_node);
                open.sender_address = self.settings.own_address;
                open.receiver_address = self.settings.partner_address;
                self.output.ttc(&open);
            }
            LinkAction::SendEnquiry => {
                self.enquiries = self.enquiries.saturating_add(1);
                if self.enquiries > MAX_ENQUIRIES {
                    return self.close(CloseReason::EnquiryRefused);
                }
                self.output.line(&Block::Enquiry);
            }
            LinkAction::SendAck0 => {
                self.enquiries = self.enquiries.saturating_add(1);
                if self.enquiries > MAX_ENQUIRIES {
                    return self.close(CloseReason::EnquiryRefused);
                }
                self.output.line(&Block::Acknowledge);
            }
            LinkAction::SendInitial => {
                let sign_on = self.sign_on(0, self.settings.buffer_size);
                self.output.control(&Control::Initial(sign_on));
            }
            LinkAction::Activate => self.activate(),
            _ => {}
        }
    }

    fn sign_on(&self, event: u32, buffer_size: u16) -> SignOn {
        let settings = &self.settings;
        SignOn {
            node: settings.own_node,
            member: 1,
            event,
            resistance: settings.partner.resistance,
            buffer_size: settings.agreed_buffer(buffer_size),
            line_password: settings.line_password,
            node_password: settings.node_password,
            flags: 0,
            features: settings.partner.features,
        }
    }

    fn check_sign_on(&self, sign_on: &SignOn) -> Result<(), CloseReason> {
        let settings = &self.settings;
        let expected = settings.partner_node;
        if !sign_on.node.same(&expected) {
            return Err(CloseReason::WrongNode { said: sign_on.node, expected });
        }
        let right = |expected: Option<crate::Name>, said| expected.is_none_or(|e| e.same(&said));
        if !right(settings.expected_line_password, sign_on.line_password) {
            return Err(CloseReason::WrongPassword("line"));
        }
        if !right(settings.expected_node_password, sign_on.node_password) {
            return Err(CloseReason::WrongPassword("node"));
        }
        Ok(())
    }

    /// The partner's sign-on is right, or else it is told so and the link closes.
    fn accepts(&mut self, sign_on: &SignOn) -> bool {
        let checked = self.check_sign_on(sign_on);
        if let Err(reason) = checked {
            self.output.control(&Control::SignOff);
            self.close(reason);
            return false;
        }
        let agreed = self.settings.agreed_buffer(sign_on.buffer_size);
        self.output.set_limit(usize::from(agreed));
        self.buffer = agreed;
        true
    }

    fn answer_sign_on(&mut self, initial: &SignOn) {
        if self.accepts(initial) {
            let response = self.sign_on(u32::MAX, initial.buffer_size);
            self.output.control(&Control::Response(response));
        }
    }

    fn confirm_sign_on(&mut self, response: &SignOn) {
        if !self.accepts(response) {
            return;
        }
        self.output.line(&Block::Acknowledge);
        let concurs = match self.settings.partner.concurrence {
            Concurrence::Auto => response.has_path_manager(),
            Concurrence::Always => true,
            Concurrence::Never => false,
        };
        if concurs {
            let resistance = self.settings.partner.resistance.saturating_add(response.resistance);
            let path = PathRecord { event: response.event, resistance: Some(resistance) };
            let record =
                if response.event == 0 { Control::Reset(path) } else { Control::Concurrence(path) };
            self.output.control(&record);
        }
        self.activate();
    }

    fn activate(&mut self) {
        self.handshake = None;
        self.events.push_back(Event::Active { buffer_size: self.buffer });
    }

    fn handle(&mut self, record: Record, fast_open: bool) -> Result<(), ReceiveError> {
        match record {
            Record::Message(message) => self.events.push_back(Event::Message(message)),
            Record::Ready(_) | Record::Control(_) => {}
            Record::SequenceError(count) => self.close(CloseReason::PartnerMisses(count)),
            Record::Request(stream) => {
                let input =
                    if fast_open { ReceiveInput::FastRequest } else { ReceiveInput::Request };
                let receiving = self.receiving.entry(stream).or_default();
                let what = "a request while a job is under way";
                let action = receiving.step(input).ok_or_else(|| breach(stream, what))?;
                if action == ReceiveAction::Tell {
                    self.events.push_back(Event::Asked { stream, open: fast_open });
                }
            }
            Record::Permit(stream) => self.sent(stream, SendInput::Permit)?,
            Record::Refuse(stream) => self.sent(stream, SendInput::Refuse)?,
            Record::Complete(stream) => self.sent(stream, SendInput::Complete)?,
            Record::Job { stream, kind, octets } => {
                let receiving = self.receiving.entry(stream).or_default();
                let limit = &self.settings.job_limit;
                self.events.extend(receiving.record(stream, kind, &octets, limit)?);
            }
        }
        Ok(())
    }

    /// The partner answers a job of ours.
    fn sent(&mut self, stream: StreamId, input: SendInput) -> Result<(), ReceiveError> {
        let what = "an answer to no job";
        let sending = self.sending.entry(stream).or_default();
        let was_open = sending.is_open();
        let action = sending.step(input).ok_or_else(|| breach(stream, what))?;
        match action {
            SendAction::TellPermitted => self.events.push_back(Event::Permitted(stream)),
            SendAction::TellRefused => self.events.push_back(Event::Refused(stream)),
            SendAction::TellConfirmed => self.events.push_back(Event::Confirmed(stream)),
            SendAction::TellCancelled => {
                self.output.forget(stream);
                if was_open {
                    let (kind, octets) = (JobRecord::Abort, Bytes::new());
                    self.output.push(Lane::Stream(stream), &Record::Job { stream, kind, octets });
                }
                self.events.push_back(Event::Cancelled(stream));
            }
            _ => {}
        }
        Ok(())
    }

    fn malformed(&mut self, begin: u64, error: WireError) {
        let octet = begin.saturating_add(u64::try_from(error.at).unwrap_or(u64::MAX));
        self.close(CloseReason::Malformed { octet, cause: error.cause });
    }

    pub(super) fn close(&mut self, reason: CloseReason) {
        self.state = LinkState::Down;
        self.handshake = None;
        self.probe = None;
        let sending = std::mem::take(&mut self.sending);
        let unconfirmed = sending.into_iter().filter(|(_, sending)| !sending.is_free());
        let unconfirmed = unconfirmed.map(|(stream, _)| stream).collect();
        self.receiving.clear();
        self.events.push_back(Event::Closed { reason, unconfirmed });
    }
}

const fn breach(stream: StreamId, what: &'static str) -> ReceiveError {
    ReceiveError::Close(CloseReason::StreamOrder { stream, what })
}
