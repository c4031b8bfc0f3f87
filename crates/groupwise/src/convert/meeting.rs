//! Meetings: iCalendar (RFC 5545) and iTIP (RFC 5546) as far as GroupWise has
//! something to say it with.

use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarMethod, ICalendarParameterName,
    ICalendarParameterValue, ICalendarParticipationStatus as Participation, ICalendarProperty,
    ICalendarValue,
};
use concord_address::SmtpAddress;
use concord_groupwise_api::Moment;
use concord_groupwise_api::model::{Action, StatusEvent};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail_parser::{Message, MessagePart, MimeHeaders};

/// Octets of a line (RFC 5545 section 3.1).
const MAX_LINE: usize = 75;
/// Attendees of one request; lists of more say nothing to anybody.
const MAX_ATTENDEES: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Method {
    Request,
    Cancel,
    Reply(StatusEvent),
}

/// What a calendar object says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meeting {
    pub method: Method,
    pub uid: String,
    pub begin: Option<Moment>,
    pub end: Option<Moment>,
    pub all_day: bool,
    pub recurs: bool,
    /// Whether it was sent before in another form.
    pub updated: bool,
    pub location: String,
}

pub(super) fn is_calendar(part: &MessagePart<'_>) -> bool {
    part.content_type().is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("text")
            && kind.subtype().is_some_and(|sub| sub.eq_ignore_ascii_case("calendar"))
    })
}

/// The meeting that a message is about, if it has a calendar object with a
/// method and an event.
pub(super) fn read(message: &Message<'_>) -> Option<Meeting> {
    let part = message.parts.iter().find(|part| is_calendar(part))?;
    let text = String::from_utf8_lossy(part.contents()).into_owned();
    let calendar = ICalendar::parse(&text).ok()?;
    let outer = calendar.components.first()?;
    let event = calendar.components.iter().find(|c| c.component_type.is_event())?;
    let method = match outer.property(&ICalendarProperty::Method)?.values.first()? {
        ICalendarValue::Method(ICalendarMethod::Request) => Method::Request,
        ICalendarValue::Method(ICalendarMethod::Cancel) => Method::Cancel,
        ICalendarValue::Method(ICalendarMethod::Reply) => Method::Reply(answer(event)?),
        _ => return None,
    };
    let start = event.property(&ICalendarProperty::Dtstart)?.values.first()?;
    let all_day = start.as_partial_date_time().is_some_and(|at| at.hour.is_none());
    let (begin, end) = times(&calendar).unzip();
    let number = event.property(&ICalendarProperty::Sequence);
    let number = number.and_then(|entry| entry.values.first()?.as_integer()).unwrap_or(0);
    Some(Meeting {
        method,
        uid: event.uid().unwrap_or_default().to_owned(),
        begin: begin.flatten(),
        end: end.flatten(),
        all_day,
        recurs: event.is_recurrent(),
        updated: number > 0,
        location: text_of(event, &ICalendarProperty::Location),
    })
}

/// Begin and end of the first event. Local times become instants by the zones
/// that the object names; a time of no zone stays one.
fn times(calendar: &ICalendar) -> Option<(Option<Moment>, Option<Moment>)> {
    let mut calendar = calendar.clone();
    for component in &mut calendar.components {
        // One date is wanted, and rules can be written that never give one.
        component.entries.retain(|entry| {
            !matches!(
                entry.name,
                ICalendarProperty::Rrule | ICalendarProperty::Rdate | ICalendarProperty::Exdate
            )
        });
    }
    let dates = calendar.expand_dates(Tz::default(), 1);
    let event = dates.events.first()?;
    let floating = event.start.timezone().is_floating();
    let moment = |seconds: i64| {
        let at = Moment::in_zone(Timestamp::from_second(seconds).ok()?, &TimeZone::UTC);
        Some(if floating { Moment { offset: None, ..at } } else { at })
    };
    let (begin, end) = event.timestamps();
    Some((moment(begin), moment(end)))
}

fn text_of(event: &ICalendarComponent, property: &ICalendarProperty) -> String {
    let entry = event.property(property);
    let text = entry.and_then(|entry| entry.values.first()?.as_text()).unwrap_or_default();
    text.to_owned()
}

/// What the one attendee of a reply says. GroupWise has no tentative answer;
/// it becomes acceptance with a note.
fn answer(event: &ICalendarComponent) -> Option<StatusEvent> {
    let attendee = event.property(&ICalendarProperty::Attendee)?;
    let said = match attendee.parameter(&ICalendarParameterName::Partstat)? {
        ICalendarParameterValue::Partstat(said) => said,
        _ => return None,
    };
    let (action, detail) = match said {
        Participation::Accepted => (Action::Accepted, ""),
        Participation::Tentative => (Action::Accepted, "Tentative"),
        Participation::Declined => (Action::Declined, ""),
        Participation::Delegated => (Action::Delegated, ""),
        Participation::Completed => (Action::Completed, ""),
        _ => return None,
    };
    Some(StatusEvent { action, time: None, detail: detail.to_owned() })
}

/// A request for a meeting.
pub(super) struct Request<'a> {
    pub uid: &'a str,
    pub organizer: Option<&'a SmtpAddress>,
    pub attendees: &'a [SmtpAddress],
    pub begin: Timestamp,
    pub end: Timestamp,
    pub stamp: Timestamp,
    pub summary: &'a str,
    pub location: &'a str,
}

pub(super) fn request_calendar(request: &Request<'_>) -> String {
    let mut lines = Lines::begin("REQUEST", request.uid, request.stamp);
    lines.add("DTSTART", &utc(request.begin));
    lines.add("DTEND", &utc(request.end));
    if let Some(organizer) = request.organizer {
        lines.add("ORGANIZER", &format!("mailto:{organizer}"));
    }
    let mut seen: Vec<String> = Vec::new();
    for attendee in request.attendees.iter().take(MAX_ATTENDEES) {
        if !seen.contains(&attendee.key()) {
            seen.push(attendee.key());
            lines.add("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE", &format!("mailto:{attendee}"));
        }
    }
    lines.add("SUMMARY", &escaped(request.summary));
    if !request.location.is_empty() {
        lines.add("LOCATION", &escaped(request.location));
    }
    lines.add("SEQUENCE", "0");
    lines.end()
}

/// What an attendee in GroupWise answers to a meeting that was called outside.
#[derive(Debug, Clone)]
pub struct Reply<'a> {
    /// The meeting, [`SentKey::meeting`](super::SentKey::meeting).
    pub uid: &'a str,
    /// Who called it.
    pub organizer: &'a SmtpAddress,
    /// Who answers.
    pub attendee: &'a SmtpAddress,
    /// The answer.
    pub action: Action,
    /// When.
    pub stamp: Timestamp,
}

/// The answer as a calendar object (RFC 5546 section 3.2.3). `None` for an
/// action that is no answer.
pub fn reply_calendar(reply: &Reply<'_>) -> Option<String> {
    let word = match reply.action {
        Action::Accepted => "ACCEPTED",
        Action::Declined => "DECLINED",
        Action::Delegated => "DELEGATED",
        Action::Completed => "COMPLETED",
        _ => return None,
    };
    let mut lines = Lines::begin("REPLY", reply.uid, reply.stamp);
    lines.add("ORGANIZER", &format!("mailto:{}", reply.organizer));
    lines.add(&format!("ATTENDEE;PARTSTAT={word}"), &format!("mailto:{}", reply.attendee));
    Some(lines.end())
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | ',' | ';' => out.extend(['\\', character]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Content lines, folded.
struct Lines(String);

impl Lines {
    fn begin(method: &str, uid: &str, stamp: Timestamp) -> Self {
        let mut lines = Self(String::new());
        lines.add("BEGIN", "VCALENDAR");
        lines.add("VERSION", "2.0");
        lines.add("PRODID", "-//Concord//GroupWise connector//EN");
        lines.add("METHOD", method);
        lines.add("BEGIN", "VEVENT");
        lines.add("UID", &escaped(uid));
        lines.add("DTSTAMP", &utc(stamp));
        lines
    }

    fn add(&mut self, name: &str, value: &str) {
        let mut length = 0;
        for character in name.chars().chain([':']).chain(value.chars()) {
            if length + character.len_utf8() > MAX_LINE {
                self.0.push_str("\r\n ");
                length = 1;
            }
            self.0.push(character);
            length += character.len_utf8();
        }
        self.0.push_str("\r\n");
    }

    fn end(mut self) -> String {
        self.add("END", "VEVENT");
        self.add("END", "VCALENDAR");
        self.0
    }
}
