//! The conversation with one filter, from the server's side.

use crate::agreement::{Agreement, Offer, Stage, Steps};
use crate::command::{Command, Peer};
use crate::error::MilterError;
use crate::limits::{BODY_CHUNK, MAX_EDIT_OCTETS, MAX_EDITS, MAX_SENT_DATA};
use crate::packet::PacketReader;
use crate::reply::ReplyCode;
use crate::response::{Edit, Response};
use bytes::{Bytes, BytesMut};

/// What becomes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Sent {
    /// The filter does not want it; nothing was written.
    Nothing,
    /// It was written, and no answer comes.
    NoAnswer,
    /// It was written; poll until [`Event::Answer`] (or [`Event::Agreed`]).
    Answer,
}

/// A filter's answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Continue,
    /// The filter wants no more of this session (connect, HELO) or message.
    Accept,
    /// Refuse: the recipient (RCPT), the session, or the message.
    Reject,
    /// Refuse for now, likewise.
    TempFail,
    /// Refuse in these words, likewise.
    Reply(ReplyCode),
    /// Take the message from the client and drop it.
    Discard,
    /// The filter has enough of the body; its end is still sent.
    Skip,
    /// End the client's session with 421.
    Shutdown,
    /// The filter cannot go on; the connection is of no use any more.
    ConnectionFailed,
}

/// What came from the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The negotiation is over; see [`Client::agreement`].
    Agreed,
    /// It is still at work; the wait for an answer begins anew.
    Progress,
    /// A change to make if the message is taken. Comes before the answer.
    Edit(Edit),
    /// The answer.
    Answer(Answer),
}

/// Bounds that the caller sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Octets of a new body in one message.
    pub new_body: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Nothing was said.
    New,
    /// Agreed; no client.
    Open,
    /// A client, no message.
    Session,
    /// MAIL was said.
    Mail,
    /// DATA was said.
    Data,
    /// Header fields were sent.
    Header,
    /// The header is over.
    Body,
    /// The filter wants no more of the message; abort it.
    MessageOver,
    /// The filter wants no more of the session; quit it.
    SessionOver,
    /// Quit, or broken.
    Closed,
}

/// The state machine. One value is one connection.
///
/// Each command writes into `out` and says whether an answer comes. Nothing may
/// be sent while one is due. An error means that the connection must be closed.
#[derive(Debug)]
pub struct Client {
    offer: Offer,
    bounds: Bounds,
    agreement: Agreement,
    phase: Phase,
    /// The command that waits for its answer, by letter; 0 if none does.
    waiting: u8,
    packets: PacketReader,
    edits: usize,
    edit_octets: usize,
    new_body: usize,
    skip_body: bool,
    /// The last that was said is the end of a message, answered by `Continue`.
    at_message_end: bool,
}

impl Client {
    /// A connection on which nothing was said.
    pub fn new(offer: Offer, bounds: Bounds) -> Self {
        Self {
            offer,
            bounds,
            agreement: Agreement::default(),
            phase: Phase::New,
            waiting: 0,
            packets: PacketReader::new(),
            edits: 0,
            edit_octets: 0,
            new_body: 0,
            skip_body: false,
            at_message_end: false,
        }
    }

    /// What was agreed; empty before [`Event::Agreed`].
    pub const fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// Sets the bounds for the messages that follow.
    pub const fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Opens the conversation.
    pub fn negotiate(&mut self, out: &mut BytesMut) -> Result<Sent, MilterError> {
        self.expect(&[Phase::New], "negotiate")?;
        self.offer.command().write(out);
        self.waiting = b'O';
        Ok(Sent::Answer)
    }

    /// Macros for the command that follows, which is `stage`'s. Names stand
    /// without braces; those that the filter did not ask for are left out.
    /// Nothing answers.
    pub fn macros(
        &mut self,
        stage: Stage,
        pairs: &[(&str, &str)],
        out: &mut BytesMut,
    ) -> Result<(), MilterError> {
        if self.phase < Phase::Open || self.phase > Phase::Body || self.waiting != 0 {
            return Err(MilterError::OutOfOrder("macros"));
        }
        if self.agreement.steps.has(left_out(stage)) {
            return Ok(());
        }
        let mut octets = 1_usize;
        let mut kept = Vec::new();
        for (name, value) in pairs {
            octets = octets.saturating_add(name.len()).saturating_add(value.len() + 4);
            if octets > MAX_SENT_DATA {
                break;
            }
            if self.agreement.wants(stage, name) {
                kept.push((
                    Bytes::copy_from_slice(name.as_bytes()),
                    Bytes::copy_from_slice(value.as_bytes()),
                ));
            }
        }
        Command::Macros(stage.letter(), kept).write(out);
        Ok(())
    }

    /// A client connected: its name (an address in brackets if it has none) and
    /// place.
    pub fn connect(
        &mut self,
        name: &str,
        peer: Peer,
        out: &mut BytesMut,
    ) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Open], "connect")?;
        self.phase = Phase::Session;
        let command = Command::Connect(bounded(name.as_bytes()), peer);
        Ok(self.send(&command, Steps::NO_CONNECT, Steps::NO_REPLY_CONNECT, out))
    }

    /// HELO or EHLO.
    pub fn helo(&mut self, name: &str, out: &mut BytesMut) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Session], "helo")?;
        let command = Command::Helo(bounded(name.as_bytes()));
        Ok(self.send(&command, Steps::NO_HELO, Steps::NO_REPLY_HELO, out))
    }

    /// MAIL: the path with its brackets, and ESMTP parameters.
    pub fn mail(
        &mut self,
        path: &str,
        parameters: &[String],
        out: &mut BytesMut,
    ) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Session], "mail")?;
        self.phase = Phase::Mail;
        (self.edits, self.edit_octets, self.new_body, self.skip_body) = (0, 0, 0, false);
        let command = Command::Mail(path_and(path, parameters));
        Ok(self.send(&command, Steps::NO_MAIL, Steps::NO_REPLY_MAIL, out))
    }

    /// RCPT: the path with its brackets, and ESMTP parameters.
    pub fn rcpt(
        &mut self,
        path: &str,
        parameters: &[String],
        out: &mut BytesMut,
    ) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Mail], "rcpt")?;
        let command = Command::Rcpt(path_and(path, parameters));
        Ok(self.send(&command, Steps::NO_RCPT, Steps::NO_REPLY_RCPT, out))
    }

    /// DATA.
    pub fn data(&mut self, out: &mut BytesMut) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Mail], "data")?;
        self.phase = Phase::Data;
        Ok(self.send(&Command::Data, Steps::NO_DATA, Steps::NO_REPLY_DATA, out))
    }

    /// A header field: its name, and all that stands behind the colon without
    /// the last line's end. Ends of lines within go out as LF; one leading
    /// space goes out only if the filter wants it; what does not fit into a
    /// packet is cut off.
    pub fn header(
        &mut self,
        name: &[u8],
        value: &[u8],
        out: &mut BytesMut,
    ) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Mail, Phase::Data, Phase::Header], "header")?;
        self.phase = Phase::Header;
        if self.agreement.steps.has(Steps::NO_HEADERS) {
            return Ok(Sent::Nothing);
        }
        let value = match value.strip_prefix(b" ") {
            Some(rest) if !self.agreement.steps.has(Steps::LEADING_SPACE) => rest,
            _ => value,
        };
        let name = bounded(name);
        let room = MAX_SENT_DATA.saturating_sub(name.len().saturating_add(2));
        let value: Bytes = value.iter().filter(|c| **c != b'\r').take(room).copied().collect();
        let command = Command::Header(name, value);
        Ok(self.send(&command, Steps::NO_HEADERS, Steps::NO_REPLY_HEADERS, out))
    }

    /// The end of the header.
    pub fn end_of_header(&mut self, out: &mut BytesMut) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Mail, Phase::Data, Phase::Header], "end of header")?;
        self.phase = Phase::Body;
        let (step, reply) = (Steps::NO_END_OF_HEADER, Steps::NO_REPLY_END_OF_HEADER);
        Ok(self.send(&Command::EndOfHeader, step, reply, out))
    }

    /// Whether the filter wants (more of) the body.
    pub const fn wants_body(&self) -> bool {
        !self.skip_body && !self.agreement.steps.has(Steps::NO_BODY)
    }

    /// A piece of the body, of at most [`BODY_CHUNK`] octets; a longer one is
    /// out of order.
    pub fn body(&mut self, piece: Bytes, out: &mut BytesMut) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Body], "body")?;
        if piece.len() > BODY_CHUNK {
            return Err(MilterError::OutOfOrder("body"));
        }
        if self.skip_body {
            return Ok(Sent::Nothing);
        }
        Ok(self.send(&Command::Body(piece), Steps::NO_BODY, Steps::NO_REPLY_BODY, out))
    }

    /// The end of the message.
    pub fn end_of_message(&mut self, out: &mut BytesMut) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Body], "end of message")?;
        Ok(self.send(&Command::EndOfMessage(Bytes::new()), Steps::NONE, Steps::NONE, out))
    }

    /// A command that the server does not know; for filters that count them.
    pub fn unknown(&mut self, line: &str, out: &mut BytesMut) -> Result<Sent, MilterError> {
        self.expect(&[Phase::Session, Phase::Mail], "unknown")?;
        let command = Command::Unknown(bounded(line.as_bytes()));
        Ok(self.send(&command, Steps::NO_UNKNOWN, Steps::NO_REPLY_UNKNOWN, out))
    }

    /// Ends a message without its end: RSET, a refusal by somebody else, or an
    /// answer that left nothing to ask. Without a message nothing is written.
    pub fn abort(&mut self, out: &mut BytesMut) -> Result<(), MilterError> {
        if self.waiting != 0 || self.phase < Phase::Session || self.phase == Phase::Closed {
            return Err(MilterError::OutOfOrder("abort"));
        }
        if (Phase::Mail..=Phase::MessageOver).contains(&self.phase) {
            Command::Abort.write(out);
            self.at_message_end = false;
            self.phase = Phase::Session;
        }
        Ok(())
    }

    /// Ends the conversation. Allowed at any time.
    pub fn quit(&mut self, out: &mut BytesMut) {
        if self.phase != Phase::Closed {
            Command::Quit.write(out);
        }
        self.phase = Phase::Closed;
        self.waiting = 0;
    }

    /// Ends the session and keeps the connection for another; next comes
    /// [`Client::connect`].
    ///
    /// Only right behind the end of a message that was answered by `Continue`:
    /// in any other state libmilter ignores this command, and the next
    /// session's with it, without an answer (`next_states` in its `engine.c`,
    /// 8.17.1; any other answer sets the state of HELO).
    ///
    /// # Errors
    /// [`MilterError::OutOfOrder`]; [`Client::quit`] is what is left.
    pub fn quit_new_connection(&mut self, out: &mut BytesMut) -> Result<(), MilterError> {
        if !self.at_message_end || self.waiting != 0 || !self.packets.is_empty() {
            return Err(MilterError::OutOfOrder("quit for a new connection"));
        }
        self.at_message_end = false;
        Command::QuitNewConnection.write(out);
        self.phase = Phase::Open;
        Ok(())
    }

    /// Takes octets of the filter. Poll until it gives `None` before more are
    /// fed, so that no more is held than one packet and one piece.
    pub fn feed(&mut self, octets: &[u8]) {
        self.packets.feed(octets);
    }

    /// What came; `None` if more octets are needed. Without a command that
    /// waits for an answer any octet of the filter is an error.
    pub fn poll(&mut self) -> Result<Option<Event>, MilterError> {
        let event = self.read();
        if event.is_err() {
            self.phase = Phase::Closed;
        }
        event
    }

    fn read(&mut self) -> Result<Option<Event>, MilterError> {
        let Some((letter, data)) = self.packets.next_packet()? else { return Ok(None) };
        let response = Response::parse(letter, data)?;
        let unexpected =
            MilterError::Unexpected { response: response.name(), asked: name(self.waiting) };
        if self.waiting == 0 {
            return Err(unexpected);
        }
        if self.waiting == b'O' {
            let Response::Negotiate { version, actions, steps, macros } = response else {
                return Err(unexpected);
            };
            self.agreement = Agreement::new(self.offer, version, actions, steps, &macros)?;
            self.waiting = 0;
            self.phase = Phase::Open;
            return Ok(Some(Event::Agreed));
        }
        let answer = match response {
            Response::Negotiate { .. } => return Err(unexpected),
            Response::Progress => return Ok(Some(Event::Progress)),
            Response::Edit(edit) => return self.edit(edit, unexpected).map(Some),
            Response::Skip if self.waiting != b'B' => return Err(unexpected),
            Response::Skip => Answer::Skip,
            Response::Continue => Answer::Continue,
            Response::Accept => Answer::Accept,
            Response::Reject => Answer::Reject,
            Response::TempFail => Answer::TempFail,
            Response::Discard => Answer::Discard,
            Response::Reply(reply) => Answer::Reply(reply),
            Response::Shutdown => Answer::Shutdown,
            Response::ConnectionFailed => Answer::ConnectionFailed,
        };
        self.answered(&answer);
        Ok(Some(Event::Answer(answer)))
    }

    fn edit(&mut self, edit: Edit, unexpected: MilterError) -> Result<Event, MilterError> {
        if self.waiting != b'E' {
            return Err(unexpected);
        }
        if !self.agreement.actions.has(edit.action()) {
            return Err(MilterError::NotAgreed(edit.name()));
        }
        if let Edit::ReplaceBody(piece) = &edit {
            self.new_body = self.new_body.saturating_add(piece.len());
            if self.new_body > self.bounds.new_body {
                return Err(MilterError::BodyTooLarge(self.bounds.new_body));
            }
        } else {
            self.edits = self.edits.saturating_add(1);
            self.edit_octets = self.edit_octets.saturating_add(edit.octets());
            if self.edits > MAX_EDITS || self.edit_octets > MAX_EDIT_OCTETS {
                return Err(MilterError::TooManyEdits);
            }
        }
        Ok(Event::Edit(edit))
    }

    /// What an answer means for what may follow.
    fn answered(&mut self, answer: &Answer) {
        let asked = std::mem::take(&mut self.waiting);
        self.at_message_end = asked == b'E' && *answer == Answer::Continue;
        self.phase = match (asked, answer) {
            (_, Answer::ConnectionFailed) => Phase::Closed,
            (_, Answer::Shutdown) => Phase::SessionOver,
            (b'E', _) => Phase::Session,
            (b'B', Answer::Skip) => {
                self.skip_body = true;
                self.phase
            }
            (_, Answer::Continue | Answer::Skip) => self.phase,
            (b'C' | b'H', _) => Phase::SessionOver,
            // Only this recipient, or only this command.
            (b'R' | b'U', Answer::Reject | Answer::TempFail | Answer::Reply(_)) => self.phase,
            (b'U', _) => self.phase,
            _ => Phase::MessageOver,
        };
    }

    fn expect(&self, phases: &[Phase], command: &'static str) -> Result<(), MilterError> {
        let fits = self.waiting == 0 && phases.contains(&self.phase);
        fits.then_some(()).ok_or(MilterError::OutOfOrder(command))
    }

    fn send(&mut self, command: &Command, step: Steps, reply: Steps, out: &mut BytesMut) -> Sent {
        let has = |steps: Steps| steps != Steps::NONE && self.agreement.steps.has(steps);
        if has(step) {
            return Sent::Nothing;
        }
        command.write(out);
        self.at_message_end = false;
        if has(reply) {
            return Sent::NoAnswer;
        }
        self.waiting = command.letter();
        Sent::Answer
    }
}

const fn left_out(stage: Stage) -> Steps {
    match stage {
        Stage::Connect => Steps::NO_CONNECT,
        Stage::Helo => Steps::NO_HELO,
        Stage::Mail => Steps::NO_MAIL,
        Stage::Rcpt => Steps::NO_RCPT,
        Stage::Data => Steps::NO_DATA,
        Stage::EndOfHeader => Steps::NO_END_OF_HEADER,
        // No filter can do without: a bit that no agreement has.
        Stage::EndOfMessage => Steps::from_bits(1 << 31),
    }
}

const fn name(letter: u8) -> &'static str {
    match letter {
        b'O' => "negotiate",
        b'C' => "connect",
        b'H' => "helo",
        b'M' => "mail",
        b'R' => "rcpt",
        b'T' => "data",
        b'L' => "header",
        b'N' => "end of header",
        b'B' => "body",
        b'E' => "end of message",
        b'U' => "unknown",
        _ => "nothing",
    }
}

/// A quarter of a packet, so that several strings fit.
fn bounded(text: &[u8]) -> Bytes {
    Bytes::copy_from_slice(text.get(..MAX_SENT_DATA / 4).unwrap_or(text))
}

fn path_and(path: &str, parameters: &[String]) -> Vec<Bytes> {
    let mut room = MAX_SENT_DATA;
    std::iter::once(path)
        .chain(parameters.iter().map(String::as_str))
        .map(|part| bounded(part.as_bytes()))
        .take_while(|part| {
            room = room.saturating_sub(part.len().saturating_add(1));
            room > 0
        })
        .collect()
}

pub(crate) fn fuzz(data: &[u8]) {
    let mut client = Client::new(Offer::default(), Bounds { new_body: 4096 });
    let mut out = BytesMut::new();
    let mut rest = data.chunks(7);
    let mut sent = client.negotiate(&mut out);
    for step in 0_u8.. {
        if sent.is_err() {
            break;
        }
        while client.waiting != 0 {
            match client.poll() {
                Ok(Some(_)) => {}
                Ok(None) => match rest.next() {
                    Some(piece) => client.feed(piece),
                    None => return,
                },
                Err(_) => return,
            }
        }
        out.clear();
        sent = match step {
            0 => client.connect("h", Peer::Unknown, &mut out),
            1 => client.helo("h", &mut out),
            2 => client.mail("<>", &[], &mut out),
            3 => client.rcpt("<a@b>", &[], &mut out),
            4 => client.data(&mut out),
            5 => client.header(b"a", b" b", &mut out),
            6 => client.end_of_header(&mut out),
            7 => client.body(Bytes::from_static(b"c\r\n"), &mut out),
            8 => client.end_of_message(&mut out),
            _ => return,
        };
    }
}
