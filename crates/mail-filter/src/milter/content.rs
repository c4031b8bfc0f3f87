//! The content of a message, told to a milter.

use super::connection::{Clock, Connection};
use super::edits;
use super::macros;
use crate::edit::{Header, name, value};
use crate::facts::CurrentMessage;
use crate::fault::FilterFault;
use crate::limits::{MAX_FIELDS, NEW_BODY_ROOM};
use crate::verdict::{Action, Opinion};
use bytes::BytesMut;
use concord_milter::limits::BODY_CHUNK;
use concord_milter::{Answer, Bounds, Client, Edit, MilterError, ReplyCode, Sent, Stage, Steps};
use concord_smtp::Reply;

/// Why the message's end is not reached.
enum Stop {
    Fault(FilterFault),
    /// An answer that leaves nothing to ask.
    Early(Answer),
}

impl From<FilterFault> for Stop {
    fn from(fault: FilterFault) -> Self {
        Self::Fault(fault)
    }
}

struct Telling<'a> {
    connection: &'a mut Connection,
    current: &'a CurrentMessage<'a>,
    clock: Clock,
    edits: Vec<Edit>,
}

impl Telling<'_> {
    fn macros(&mut self, stage: &'static str, of: Stage) -> Result<(), FilterFault> {
        let pairs = macros::of_queue(self.current.queue_id);
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let sent = self.connection.client.macros(of, &pairs, &mut self.connection.out);
        sent.map_err(|cause| FilterFault::Protocol { stage, cause })
    }

    async fn ask(
        &mut self,
        stage: &'static str,
        send: impl FnOnce(&mut Client, &mut BytesMut) -> Result<Sent, MilterError>,
    ) -> Result<Answer, FilterFault> {
        let sent = send(&mut self.connection.client, &mut self.connection.out);
        self.connection.ask(stage, sent, self.clock, &mut self.edits).await
    }

    async fn step(
        &mut self,
        stage: &'static str,
        send: impl FnOnce(&mut Client, &mut BytesMut) -> Result<Sent, MilterError>,
    ) -> Result<(), Stop> {
        match self.ask(stage, send).await? {
            // What the filter has enough of is not sent by the state machine.
            Answer::Continue | Answer::Skip => Ok(()),
            answer => Err(Stop::Early(answer)),
        }
    }

    /// Up to the end of the message, which is not sent.
    async fn message(&mut self, header: &Header) -> Result<(), Stop> {
        let CurrentMessage { message, own, .. } = self.current;
        self.macros("data", Stage::Data)?;
        self.step("data", |client, out| client.data(out)).await?;
        let fields = header.fields.iter().enumerate().filter(|(at, _)| !own.contains(at));
        for (_, range) in fields {
            let field = message.get(range.clone()).unwrap_or_default();
            let Some(name) = name(field) else { continue };
            let value = value(field);
            self.step("header", |client, out| client.header(name.as_bytes(), value, out)).await?;
        }
        self.macros("end of header", Stage::EndOfHeader)?;
        self.step("end of header", |client, out| client.end_of_header(out)).await?;
        let mut body = message.slice(header.body..);
        while !body.is_empty() && self.connection.client.wants_body() {
            let piece = body.split_to(BODY_CHUNK.min(body.len()));
            self.step("body", |client, out| client.body(piece, out)).await?;
        }
        Ok(self.macros("end of message", Stage::EndOfMessage)?)
    }
}

/// From DATA to the end of the message.
pub(super) async fn content(
    connection: &mut Connection,
    current: &CurrentMessage<'_>,
    clock: Clock,
) -> Result<Opinion, FilterFault> {
    let message = current.message;
    let new_body = message.len().saturating_mul(2).saturating_add(NEW_BODY_ROOM);
    connection.client.set_bounds(Bounds { new_body });
    let header = Header::find(message);
    if header.too_many {
        return Err(FilterFault::TooComplex { what: "header fields", most: MAX_FIELDS });
    }
    let mut telling = Telling { connection, current, clock, edits: Vec::new() };
    match telling.message(&header).await {
        Ok(()) => {}
        Err(Stop::Fault(fault)) => return Err(fault),
        Err(Stop::Early(answer)) => return Ok(last_word(&answer)),
    }
    let answer = telling.ask("end of message", |client, out| client.end_of_message(out)).await?;
    if !matches!(answer, Answer::Continue | Answer::Accept) {
        return Ok(last_word(&answer));
    }
    let edits = telling.edits;
    let leading_space = connection.client.agreement().steps.has(Steps::LEADING_SPACE);
    edits::opinion(edits, message, current.own.clone(), leading_space)
}

/// An answer that says all.
fn last_word(answer: &Answer) -> Opinion {
    match answer {
        Answer::Continue | Answer::Accept | Answer::Skip => Opinion::new(Action::Accept, "accept"),
        Answer::Discard => Opinion::new(Action::Discard, "discard"),
        other => refused(refusal(other)),
    }
}

pub(super) fn refused(reply: Reply) -> Opinion {
    let what = format!("refuse: {reply}");
    let temporary = reply.is_temporary();
    Opinion::new(if temporary { Action::Defer(reply) } else { Action::Refuse(reply) }, what)
}

/// The reply to an answer that refuses.
pub(super) fn refusal(answer: &Answer) -> Reply {
    match answer {
        Answer::Reply(ReplyCode { code, status, lines }) => {
            let text = lines.join("\n");
            let generic = (if *code < 500 { 4 } else { 5 }, 7, 1);
            Reply::new(*code, status.unwrap_or(generic), text)
        }
        Answer::TempFail => Reply::new(451, (4, 7, 1), "a content filter says: try again later"),
        Answer::Shutdown => Reply::new(421, (4, 7, 0), "a content filter ended the session"),
        _ => Reply::new(550, (5, 7, 1), "refused by a content filter"),
    }
}
