//! Notes with addresses in their text: how people of hosts write to people whom
//! their directory does not have (Q166643).

use super::bring::{Arrival, Brought};
use crate::settings::MailForm;
use crate::shared::Shared;
use concord_address::encapsulate;
use concord_base::Fault as _;
use concord_cms_mail::in_body::{InBody, take};
use concord_cms_mail::netdata::{FileName, Netdata};
use concord_cms_mail::note::{self, NoteForm};
use concord_cms_mail::{Arrived, HostAddress, TextRules, read_lines, write_lines};
use concord_smtp::Reply;
use std::sync::Arc;

impl Shared {
    /// Whether notes for a user have addresses in their text.
    pub(super) fn has_addresses(&self, destination: &HostAddress) -> bool {
        self.settings.is_own(destination.node())
            && self.settings.in_body_users.contains(destination.user())
    }

    /// A note for such a user.
    pub(super) async fn in_body(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        destination: &HostAddress,
        arrived: Arrived,
    ) -> Brought {
        let lines = match &arrived {
            Arrived::Note(_) => Some(read_lines(&arrival.file.records, self.settings.page)),
            Arrived::Netdata(Netdata::Transmission(sent)) => self.note_lines(sent),
            _ => None,
        };
        let Some(lines) = lines else {
            let text = format!("{destination} takes notes with addresses in their text");
            return self.refuse_all(arrival, &Reply::new(550, (5, 1, 3), text)).await;
        };
        let taken = match take(&lines, &self.settings.in_body_keyword) {
            Ok(taken) => taken,
            Err(error) => {
                let status = error.enhanced_status();
                let reply = Reply::new(550, (5, status.subject, status.detail), error.to_string());
                return self.refuse_all(arrival, &reply).await;
            }
        };
        let recipients = taken
            .addresses
            .iter()
            .filter_map(|typed| typed.smtp().or_else(|| encapsulate(typed, &self.host)))
            .collect();
        let rewritten = self.without_addresses(arrival, arrived, &lines, &taken);
        let brought = self.converted(arrival, rewritten, recipients).await?;
        self.refused_lines(arrival, destination, &taken).await?;
        Ok(brought)
    }

    /// The note as its recipients are to see it.
    fn without_addresses(
        &self,
        arrival: &Arrival,
        arrived: Arrived,
        lines: &[String],
        taken: &InBody,
    ) -> Arrived {
        let rules = self.note_rules(arrival);
        let mut note = match &arrived {
            Arrived::Note(note) => (**note).clone(),
            _ => note::read(lines, &rules).unwrap_or_default(),
        };
        note.subject.clone_from(&taken.subject);
        note.text.clone_from(&taken.text);
        let Arrived::Netdata(Netdata::Transmission(mut sent)) = arrived else {
            return Arrived::Note(Box::new(note));
        };
        let form = match rules.form {
            NoteForm::Cms => MailForm::Cms,
            NoteForm::Profs => MailForm::Profs,
        };
        let written = note.write(&self.settings.layout(form));
        let text = TextRules { ..self.settings.text() };
        for file in &mut sent.files {
            if file.name == FileName::Note
                && let Ok(written) = write_lines(written.iter().map(String::as_str), &text)
            {
                file.records = written.records;
            }
        }
        Arrived::Netdata(Netdata::Transmission(sent))
    }

    /// Lines that are no addresses: the sender is told of each (Q215947).
    async fn refused_lines(
        self: &Arc<Self>,
        arrival: &Arc<Arrival>,
        destination: &HostAddress,
        taken: &InBody,
    ) -> Brought {
        let Some(typed) = destination.typed().filter(|_| !taken.refused.is_empty()) else {
            return Ok("taken");
        };
        let refused: Vec<_> = taken
            .refused
            .iter()
            .map(|(place, line)| {
                let text = format!("{place}: '{line}' is no address");
                (typed.clone(), Reply::new(501, (5, 1, 3), text))
            })
            .collect();
        self.refuse(arrival, &refused, "/a").await
    }
}
