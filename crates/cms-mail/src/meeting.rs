//! Meetings that OfficeVision sends as notes with fixed labels (Q214763).

use crate::Place;
use crate::limits::RIGHT_MARGIN;
use crate::note::{DateOrder, read_date, read_time};
use concord_base::{Fault, Retry};
use jiff::civil::{Date, Time};

/// The labels of one language, with their colons. The host sends those of its own
/// language, whatever ours is (Q216550); only the English ones are public, others
/// are settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingLabels {
    /// Who calls the meeting.
    pub requester: String,
    /// The day.
    pub date: String,
    /// When it begins.
    pub start: String,
    /// When it ends.
    pub end: String,
    /// Where it is; may be missing in a note.
    pub location: String,
    /// What it is about.
    pub subject: String,
    /// What it is for: text, up to the closing row of stars.
    pub purpose: String,
}

impl MeetingLabels {
    /// The English labels.
    pub fn english() -> Self {
        let label = str::to_owned;
        Self {
            requester: label("Requester:"),
            date: label("Date to be scheduled:"),
            start: label("Starting time:"),
            end: label("Ending time:"),
            location: label("Location:"),
            subject: label("Subject:"),
            purpose: label("Purpose:"),
        }
    }
}

/// How dates and times are written (`CalendarDateFormat`,
/// `CalendarDateSeparator`, `CalendarTimeFormat`, Q216550).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeetingStyle {
    /// The order of the date.
    pub order: DateOrder,
    /// What stands between its numbers.
    pub separator: char,
    /// Whether times have 24 hours and no AM and PM.
    pub hours_24: bool,
}

impl Default for MeetingStyle {
    fn default() -> Self {
        Self { order: DateOrder::MonthFirst, separator: '/', hours_24: false }
    }
}

/// A meeting that a note asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeetingNote {
    /// Who calls it, as the note has it.
    pub requester: String,
    /// The day.
    pub date: Date,
    /// When it begins, by the host's clock.
    pub start: Time,
    /// When it ends.
    pub end: Option<Time>,
    /// Where it is; empty if the note does not say (Q214763: an earlier meeting's
    /// was shown).
    pub location: String,
    /// What it is about.
    pub subject: String,
    /// What it is for, in lines.
    pub purpose: Vec<String>,
}

/// A note has the labels of a meeting, and something in them is wrong. It is
/// taken as a note then, and its sender told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeetingError {
    /// No date where one is to be.
    #[error("the meeting's date at {0} is none in the order that is set")]
    Date(Place),
    /// No time where one is to be.
    #[error("the meeting's time at {0} is none")]
    Time(Place),
}

impl Fault for MeetingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Date(_) => "cms-meeting.date",
            Self::Time(_) => "cms-meeting.time",
        }
    }

    fn retry(&self) -> Retry {
        Retry::Permanent
    }
}

/// Reads a meeting from the lines of a note, its heading included, in any of the
/// languages. `None` if it is none. One that was forwarded is read, too (Q182276).
///
/// # Errors
/// The labels are there and a value is not what it has to be.
pub fn read_meeting(
    lines: &[String],
    languages: &[MeetingLabels],
    order: DateOrder,
) -> Option<Result<MeetingNote, MeetingError>> {
    languages.iter().find_map(|labels| in_language(lines, labels, order))
}

fn in_language(
    lines: &[String],
    labels: &MeetingLabels,
    order: DateOrder,
) -> Option<Result<MeetingNote, MeetingError>> {
    // The labels follow the requester, so that a heading's subject is not taken
    // for the meeting's.
    let (begin, requester) = find(lines, 0, &labels.requester)?;
    let (date_at, date) = find(lines, begin, &labels.date)?;
    let (start_at, start) = find(lines, begin, &labels.start)?;
    let value = |label: &str| find(lines, begin, label).map(|(_, value)| value);
    let Some(date) = read_date(date, order) else {
        return Some(Err(MeetingError::Date(Place::start(date_at))));
    };
    let Some(start) = read_time(start) else {
        return Some(Err(MeetingError::Time(Place::start(start_at))));
    };
    let end = match find(lines, begin, &labels.end) {
        Some((_, "")) | None => None,
        Some((at, text)) => match read_time(text) {
            Some(time) => Some(time),
            None => return Some(Err(MeetingError::Time(Place::start(at)))),
        },
    };
    Some(Ok(MeetingNote {
        requester: requester.to_owned(),
        date,
        start,
        end,
        location: value(&labels.location).unwrap_or_default().to_owned(),
        subject: value(&labels.subject).unwrap_or_default().to_owned(),
        purpose: purpose(lines, begin, &labels.purpose),
    }))
}

/// The first line from `begin` on that has a label, and its value.
fn find<'a>(lines: &'a [String], begin: usize, label: &str) -> Option<(usize, &'a str)> {
    lines.iter().enumerate().skip(begin).find_map(|(at, line)| {
        let line = line.trim_start_matches([' ', '>']);
        let head = line.get(..label.len())?;
        let fits = !label.is_empty() && head.to_lowercase() == label.to_lowercase();
        fits.then(|| (at, line.get(label.len()..).unwrap_or_default().trim()))
    })
}

fn purpose(lines: &[String], begin: usize, label: &str) -> Vec<String> {
    let Some((at, first)) = find(lines, begin, label) else { return Vec::new() };
    let rest = lines.iter().skip(at.saturating_add(1)).map(|line| line.trim());
    let rest = rest.take_while(|line| !is_stars(line));
    let mut purpose: Vec<String> = std::iter::once(first).chain(rest).map(str::to_owned).collect();
    let end = purpose.iter().rposition(|line| !line.is_empty());
    purpose.truncate(end.map_or(0, |at| at.saturating_add(1)));
    let start = purpose.iter().position(|line| !line.is_empty()).unwrap_or(0);
    purpose.split_off(start)
}

/// The closing row: `* * *` and so on.
fn is_stars(line: &str) -> bool {
    line.matches('*').count() >= 3 && line.chars().all(|c| c == '*' || c == ' ')
}

impl MeetingNote {
    /// The lines of a note that asks for the meeting.
    pub fn write(&self, labels: &MeetingLabels, style: &MeetingStyle) -> Vec<String> {
        let line = |label: &str, value: &str| {
            let value: String =
                value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            format!("{label} {}", value.trim()).trim_end().to_owned()
        };
        let mut lines = vec![
            line(&labels.requester, &self.requester),
            line(&labels.date, &style.date(self.date)),
            line(&labels.start, &style.time(self.start)),
        ];
        if let Some(end) = self.end {
            lines.push(line(&labels.end, &style.time(end)));
        }
        if !self.location.is_empty() {
            lines.push(line(&labels.location, &self.location));
        }
        lines.push(line(&labels.subject, &self.subject));
        let (first, rest) = match self.purpose.split_first() {
            Some((first, rest)) => (first.as_str(), rest),
            None => ("", [].as_slice()),
        };
        lines.push(line(&labels.purpose, first));
        lines.extend(rest.iter().cloned());
        lines.push("* ".repeat(RIGHT_MARGIN / 2).trim_end().to_owned());
        lines
    }
}

impl MeetingStyle {
    fn date(&self, date: Date) -> String {
        let (year, month, day) = (date.year().rem_euclid(100), date.month(), date.day());
        let dash = self.separator;
        match self.order {
            DateOrder::MonthFirst => format!("{month:02}{dash}{day:02}{dash}{year:02}"),
            DateOrder::DayFirst => format!("{day:02}{dash}{month:02}{dash}{year:02}"),
            DateOrder::YearFirst => format!("{year:02}{dash}{month:02}{dash}{day:02}"),
        }
    }

    fn time(&self, time: Time) -> String {
        let (hour, minute) = (time.hour(), time.minute());
        if self.hours_24 {
            return format!("{hour:02}:{minute:02}");
        }
        let half = if hour < 12 { "AM" } else { "PM" };
        let hour = match hour % 12 {
            0 => 12,
            hour => hour,
        };
        format!("{hour:02}:{minute:02} {half}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    const REQUEST: &str = "\
To: ADMIN --PROFS30
Subject: note about a meeting

Requester: JOHNDOE --VMSP6
Date to be scheduled: 05/13/98
Starting time: 14:30
Ending time: 15:00
Location: Room 12
Subject: Budget
Purpose: To decide
on the budget

* * * * * * * * * *
after it";

    fn read(text: &str, languages: &[MeetingLabels]) -> Option<Result<MeetingNote, MeetingError>> {
        read_meeting(&lines(text), languages, DateOrder::MonthFirst)
    }

    #[test]
    fn a_note_with_the_labels_of_a_meeting_is_one() {
        let meeting = read(REQUEST, &[MeetingLabels::english()]).unwrap().unwrap();
        assert_eq!(meeting.date.to_string(), "1998-05-13");
        assert_eq!((meeting.start.hour(), meeting.end.unwrap().minute()), (14, 0));
        assert_eq!(meeting.subject, "Budget");
        assert_eq!(meeting.purpose, ["To decide", "on the budget"]);
        assert_eq!(read("Subject: x\n\nno meeting", &[MeetingLabels::english()]), None);
    }

    /// Q214763: the location of an earlier meeting was shown.
    #[test]
    fn a_meeting_without_a_location_has_none_whatever_came_before() {
        let english = [MeetingLabels::english()];
        assert_eq!(read(REQUEST, &english).unwrap().unwrap().location, "Room 12");
        let without = REQUEST.replace("Location: Room 12\n", "");
        assert_eq!(read(&without, &english).unwrap().unwrap().location, "");
    }

    /// Q216550: a French system did not know the host's English labels. The words
    /// below are ones that an administrator set, not IBM's.
    #[test]
    fn meetings_are_known_in_every_language_that_is_set() {
        let set = |words: [&str; 7]| {
            let [requester, date, start, end, location, subject, purpose] =
                words.map(str::to_owned);
            MeetingLabels { requester, date, start, end, location, subject, purpose }
        };
        let german = set(["Einlader:", "Datum:", "Beginn:", "Ende:", "Ort:", "Thema:", "Zweck:"]);
        let french =
            set(["Demandeur :", "Jour :", "Début :", "Fin :", "Lieu :", "Objet :", "But :"]);
        let languages = [MeetingLabels::english(), german.clone(), french.clone()];
        for labels in &languages {
            let meeting = MeetingNote {
                requester: "JOHNDOE --VMSP6".into(),
                date: Date::constant(1998, 5, 13),
                start: Time::constant(14, 30, 0, 0),
                end: None,
                location: String::new(),
                subject: "Budget".into(),
                purpose: vec!["one".into(), "two".into()],
            };
            let text = meeting.write(labels, &MeetingStyle::default());
            let found = read_meeting(&text, &languages, DateOrder::MonthFirst);
            assert_eq!(found, Some(Ok(meeting)), "{labels:?}");
        }
    }

    /// Q182276: it arrived as mail with a wrong envelope.
    #[test]
    fn a_meeting_note_that_was_forwarded_is_still_one() {
        let forwarded: String = REQUEST.lines().map(|line| format!("> {line}\n")).collect();
        let text = format!("Subject: Fwd\n\nsee below\n{forwarded}");
        assert_eq!(read(&text, &[MeetingLabels::english()]).unwrap().unwrap().subject, "Budget");
    }

    #[test]
    fn a_meeting_with_a_date_that_is_none_is_told_with_its_line() {
        let odd = REQUEST.replace("05/13/98", "13/13/98");
        assert_eq!(
            read(&odd, &[MeetingLabels::english()]),
            Some(Err(MeetingError::Date(Place::start(4))))
        );
        let odd = REQUEST.replace("14:30", "noon");
        assert_eq!(
            read(&odd, &[MeetingLabels::english()]),
            Some(Err(MeetingError::Time(Place::start(5))))
        );
    }

    #[test]
    fn dates_and_times_are_written_as_the_link_wants_them() {
        let (date, time) = (Date::constant(1998, 5, 13), Time::constant(14, 30, 0, 0));
        for (order, separator, hours_24, expected) in [
            (DateOrder::MonthFirst, '/', false, "05/13/98 02:30 PM"),
            (DateOrder::DayFirst, '.', true, "13.05.98 14:30"),
            (DateOrder::YearFirst, '-', true, "98-05-13 14:30"),
        ] {
            let style = MeetingStyle { order, separator, hours_24 };
            assert_eq!(format!("{} {}", style.date(date), style.time(time)), expected);
        }
    }
}
