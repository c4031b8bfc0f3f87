//! What goes over a connection, as lines for people.
//!
//! Passwords of the sign-on are not shown. Of data records only a beginning is: a
//! trace is for the protocol, the mail itself can be had from a capture.

use crate::block::Block;
use crate::capture::Direction;
use crate::error::WireError;
use crate::frame::{FrameReader, Unit};
use crate::header::{DataSetHeader, Header, HeaderJoiner, JobHeader, JobTrailer};
use crate::header::{data_set, job, trailer};
use crate::limits::TTC_LENGTH;
use crate::record::{JobRecord, Record, RecordReader};
use crate::sign_on::{Control, SignOn};
use crate::stream::StreamId;
use crate::text::decode;
use crate::ttc::{NakReason, Ttc, TtcKind};
use std::collections::BTreeMap;

/// Characters of a data record that are shown: a line of a terminal has room for
/// them behind the rest.
const SHOWN: usize = 60;

/// Makes lines of a connection's octets, whatever pieces they come in. Holds what
/// [`FrameReader`] does for each end.
#[derive(Debug, Default)]
pub struct Tracer {
    opener: End,
    listener: End,
}

/// One end of the connection.
#[derive(Debug, Default)]
struct End {
    /// The control record, as far as it came.
    ttc: Vec<u8>,
    /// Its blocks; `None` until the control record is whole.
    frames: Option<FrameReader>,
    headers: BTreeMap<StreamId, HeaderJoiner>,
    /// It said what cannot be read: nothing behind it can be.
    lost: bool,
}

impl Tracer {
    /// For a connection from its first octet.
    pub fn new() -> Self {
        Self::default()
    }

    /// For a connection that is under way. What each end says first must begin
    /// with a TTB ([`crate::Boundaries`] finds it).
    pub fn under_way() -> Self {
        let end = || End { frames: Some(FrameReader::new(0)), ..End::default() };
        Self { opener: end(), listener: end() }
    }

    /// The lines that a piece completes; none if more must come first.
    pub fn lines(&mut self, direction: Direction, octets: &[u8]) -> Vec<String> {
        let end = match direction {
            Direction::FromOpener => &mut self.opener,
            Direction::FromListener => &mut self.listener,
        };
        let mut lines = Vec::new();
        if end.lost {
            return lines;
        }
        if let Err(error) = end.feed(octets, &mut lines) {
            end.lost = true;
            lines.push(format!("cannot be read, and nothing behind it: {error}"));
        }
        lines
    }
}

impl End {
    fn feed(&mut self, octets: &[u8], lines: &mut Vec<String>) -> Result<(), WireError> {
        let mut octets = octets;
        if self.frames.is_none() {
            let missing = TTC_LENGTH.saturating_sub(self.ttc.len()).min(octets.len());
            let (ttc, rest) = octets.split_at_checked(missing).unwrap_or((octets, &[]));
            self.ttc.extend_from_slice(ttc);
            let Some(ttc) = self.ttc.first_chunk::<TTC_LENGTH>() else { return Ok(()) };
            lines.push(control_record(&Ttc::parse(ttc)?));
            self.frames = Some(FrameReader::new(u64::try_from(TTC_LENGTH).unwrap_or_default()));
            octets = rest;
        }
        let Some(frames) = &mut self.frames else { return Ok(()) };
        frames.feed(octets);
        while let Some(unit) = frames.next_unit()? {
            match unit {
                Unit::KeepAlive => lines.push("sign of life".to_owned()),
                Unit::Block { octets, fast_open, .. } => {
                    block(&octets, fast_open, &mut self.headers, lines)?;
                }
            }
        }
        Ok(())
    }
}

fn control_record(ttc: &Ttc) -> String {
    let (sender, receiver) = (ttc.sender, ttc.receiver);
    match ttc.kind {
        TtcKind::Open => format!("OPEN: {sender} wants a link to {receiver}"),
        TtcKind::Ack => format!("ACK: {sender} grants it to {receiver}"),
        TtcKind::Nak => format!("NAK: {}", NakReason::from_octet(ttc.reason)),
    }
}

fn block(
    octets: &bytes::Bytes,
    fast_open: bool,
    headers: &mut BTreeMap<StreamId, HeaderJoiner>,
    lines: &mut Vec<String>,
) -> Result<(), WireError> {
    let block = match Block::parse(octets)? {
        Block::Enquiry => {
            lines.push("enquiry (SOH ENQ)".to_owned());
            return Ok(());
        }
        Block::Acknowledge => {
            lines.push("acknowledgement (DLE ACK0)".to_owned());
            return Ok(());
        }
        Block::LineNak => {
            lines.push("again, please (NAK)".to_owned());
            return Ok(());
        }
        Block::Data(block) => block,
    };
    let held = if block.fcs.holds_all() { ", wait a bit" } else { "" };
    let open = if fast_open { ", fast open" } else { "" };
    let (bcb, fcs, length) = (block.bcb.octet(), block.fcs.0, octets.len());
    lines.push(format!("block BCB={bcb:02X} FCS={fcs:04X}, {length} octets{held}{open}"));
    let mut reader = RecordReader::new(&block.records);
    while let Some(record) = reader.next_record()? {
        lines.push(format!("  {}", self::record(&record, headers)?));
    }
    Ok(())
}

fn record(
    record: &Record,
    headers: &mut BTreeMap<StreamId, HeaderJoiner>,
) -> Result<String, WireError> {
    Ok(match record {
        Record::Request(stream) => format!("{stream}: asks to send a job"),
        Record::Permit(stream) => format!("{stream}: permits it"),
        Record::Refuse(stream) => format!("{stream}: refuses it, or has enough of it"),
        Record::Complete(stream) => format!("{stream}: has taken the job over"),
        Record::Ready(stream) => format!("{stream}: ready"),
        Record::SequenceError(count) => format!("block {count} is missing"),
        Record::Control(control) => self::control(control),
        Record::Message(message) => {
            let what = if message.is_command() { "command" } else { "message" };
            let sender = message.sender().unwrap_or_default();
            format!(
                "{what} from {}({sender}) to {}({}): {}",
                message.from_node,
                message.to_node,
                message.user,
                plain(&message.words())
            )
        }
        Record::Job { stream, kind, octets } => {
            format!("{stream}: {}", part(*stream, *kind, octets, headers)?)
        }
    })
}

fn control(control: &Control) -> String {
    let sign_on = |letter, sign_on: &SignOn| {
        let password = |name: crate::Name| if name.is_empty() { "none" } else { "sent" };
        let features = match sign_on.features {
            Some(features) => format!("{features:08X}"),
            None => "none".to_owned(),
        };
        format!(
            "sign-on {letter}: node {}, blocks up to {} octets, event {:08X}, resistance {}, \
             features {features}, line password {}, node password {}",
            sign_on.node,
            sign_on.buffer_size,
            sign_on.event,
            sign_on.resistance,
            password(sign_on.line_password),
            password(sign_on.node_password),
        )
    };
    match control {
        Control::Initial(initial) => sign_on('I', initial),
        Control::Response(response) => sign_on('J', response),
        Control::Reset(path) => format!("reset K: event {:08X}", path.event),
        Control::Concurrence(path) => format!("concurrence L: event {:08X}", path.event),
        Control::AddConnection(_) => "connection added elsewhere (M)".to_owned(),
        Control::DeleteConnection(_) => "connection deleted elsewhere (N)".to_owned(),
        Control::SignOff => "sign-off (B)".to_owned(),
    }
}

/// What a joined header's sections say.
type Describe = fn(&[u8]) -> Result<String, WireError>;

fn part(
    stream: StreamId,
    kind: JobRecord,
    octets: &[u8],
    headers: &mut BTreeMap<StreamId, HeaderJoiner>,
) -> Result<String, WireError> {
    let (what, describe): (_, Describe) = match kind {
        JobRecord::JobHeader => {
            ("job header", |sections| Ok(job_header(&Header::parse(sections)?)))
        }
        JobRecord::DataSetHeader => {
            ("data set header", |sections| Ok(data_set_header(&Header::parse(sections)?)))
        }
        JobRecord::JobTrailer => {
            ("job trailer", |sections| Ok(job_trailer(&Header::parse(sections)?)))
        }
        JobRecord::DataSetTrailer => return Ok("data set trailer".to_owned()),
        JobRecord::EndOfFile => return Ok("end of the job".to_owned()),
        JobRecord::Abort => return Ok("gives the job up".to_owned()),
        JobRecord::Data(format, piece) => {
            let said = octets.first().copied().unwrap_or_default();
            let text = octets.get(1..).unwrap_or_default();
            let begin = text.get(..SHOWN).unwrap_or(text);
            let more = if text.len() > SHOWN { " ..." } else { "" };
            let text = plain(&decode(begin));
            return Ok(format!("{format:?} record, {piece:?}, {said} octets: \"{text}\"{more}"));
        }
    };
    let joiner = headers.entry(stream).or_default();
    Ok(match joiner.push(octets) {
        Ok(Some(sections)) => format!("{what}: {}", describe(&sections)?),
        Ok(None) => format!("{what}, a piece of it"),
        Err(error) => {
            // The trace may have begun in its middle.
            *joiner = HeaderJoiner::default();
            format!("{what}, a piece that joins none before: {error}")
        }
    })
}

/// A header's fields; those that it does not have are left out.
fn fields(fields: &[(&str, Option<String>)]) -> String {
    let there = fields.iter().filter_map(|(name, value)| {
        let value = value.as_ref().filter(|value| !value.is_empty())?;
        Some(format!("{name} {value}"))
    });
    plain(&there.collect::<Vec<_>>().join(", "))
}

fn shown<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn job_header(header: &JobHeader) -> String {
    fields(&[
        ("job", shown(header.get(job::JOB_NAME))),
        ("number", shown(header.get(job::JOB_ID))),
        ("from", shown(header.get(job::ORIGIN_NODE))),
        ("user", shown(header.get(job::ORIGIN_USER))),
        ("to", shown(header.get(job::PUNCH_NODE))),
        ("user", shown(header.get(job::PUNCH_USER))),
        ("priority", shown(header.get(job::PRIORITY))),
        ("hops", shown(header.get(job::HOPS))),
        ("records", shown(header.get(job::RECORDS))),
    ])
}

fn data_set_header(header: &DataSetHeader) -> String {
    fields(&[
        ("to", shown(header.get(data_set::NODE))),
        ("user", shown(header.get(data_set::USER))),
        ("file", shown(header.get(data_set::FILE_NAME))),
        ("type", shown(header.get(data_set::FILE_TYPE))),
        ("class", shown(header.get(data_set::CLASS))),
        ("form", shown(header.get(data_set::FORM))),
        ("record length", shown(header.get(data_set::RECORD_LENGTH))),
        ("records", shown(header.get(data_set::RECORDS))),
        ("tag", shown(header.get(data_set::TAG))),
    ])
}

fn job_trailer(trailer: &JobTrailer) -> String {
    fields(&[
        ("lines", shown(trailer.get(trailer::LINES))),
        ("cards", shown(trailer.get(trailer::CARDS))),
    ])
}

/// Characters that a terminal would act on become dots.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '.' } else { c }).collect()
}

pub(crate) fn fuzz(data: &[u8]) {
    for mut tracer in [Tracer::new(), Tracer::under_way()] {
        for piece in data.chunks(97) {
            for line in tracer.lines(Direction::FromOpener, piece) {
                assert!(!line.chars().any(char::is_control), "a line is one line");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::read_capture;

    fn traced(name: &str) -> Vec<String> {
        let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut tracer = Tracer::new();
        let pieces = read_capture(&std::fs::read_to_string(path).unwrap()).unwrap();
        pieces.iter().flat_map(|piece| tracer.lines(piece.direction, &piece.octets)).collect()
    }

    #[test]
    fn a_recorded_connection_reads_as_what_went_on() {
        let lines = traced("funet-to-funet.nje");
        assert_eq!(lines[0], "OPEN: NODEA wants a link to NODEB");
        assert_eq!(lines[1], "ACK: NODEB grants it to NODEA");
        for expected in [
            "enquiry (SOH ENQ)",
            "SYSOUT stream 1: asks to send a job",
            "SYSOUT stream 1: has taken the job over",
        ] {
            assert!(lines.iter().any(|line| line.trim() == expected), "{expected}: {lines:#?}");
        }
        assert!(!lines.iter().any(|line| line.contains("cannot be read")), "{lines:#?}");
    }

    #[test]
    fn what_cannot_be_read_is_said_once() {
        let mut tracer = Tracer::under_way();
        let lines = tracer.lines(Direction::FromListener, &[7; 64]);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("cannot be read"), "{lines:?}");
        assert!(tracer.lines(Direction::FromListener, b"\0\0\0\x0c\0\0\0\0\0\0\0\0").is_empty());
        let other = tracer.lines(Direction::FromOpener, b"\0\0\0\x0c\0\0\0\0\0\0\0\0");
        assert_eq!(other, ["sign of life"], "the other end can still be read");
    }

    #[test]
    fn passwords_are_not_shown() {
        let sign_on = SignOn {
            node: crate::Name::new("NODEA").unwrap(),
            member: 1,
            event: 0,
            resistance: 0,
            buffer_size: 1024,
            line_password: crate::Name::new("SECRET").unwrap(),
            node_password: crate::Name::BLANK,
            flags: 0,
            features: None,
        };
        let line = control(&Control::Initial(sign_on));
        assert!(line.contains("line password sent, node password none"), "{line}");
        assert!(!line.contains("SECRET"));
    }
}
