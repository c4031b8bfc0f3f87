//! Everything the system knows, behind one lock.

use super::directory::{GwName, GwObject, Objects};
use super::mail::{GwMail, GwProblem, GwStatus};
use super::settings::{GroupWiseSettings, Knobs};
use std::collections::{BTreeMap, VecDeque};

/// A file that is to go out, with what belongs to it.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    /// The header's name.
    pub name: String,
    /// What kind of file it is, for the knobs.
    pub kind: OutKind,
    /// The header; `{FILE n}` in it stands for the name of content `n` in
    /// `ATT_OUT`.
    pub header: String,
    /// Wanted names and octets of body and attachments.
    pub content: Vec<(String, Vec<u8>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutKind {
    Mail,
    Status,
    Answer,
    Busy,
    Update,
}

/// An item that somebody here sent to the other side.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub statuses: Vec<GwStatus>,
}

#[derive(Debug)]
pub(super) struct State {
    pub settings: GroupWiseSettings,
    pub knobs: Knobs,
    pub objects: Objects,
    pub mailboxes: BTreeMap<String, Vec<GwMail>>,
    pub sent: BTreeMap<String, Sent>,
    pub outbox: VecDeque<Outgoing>,
    pub problems: Vec<GwProblem>,
    pub log: Vec<String>,
    /// Busy times of users, as they go into answers.
    pub busy: BTreeMap<String, Vec<(String, String)>>,
    /// Answers to what users here asked, by id.
    pub busy_answers: BTreeMap<String, Vec<(String, String)>>,
    /// Ids of searches and probes that came.
    pub searches: Vec<String>,
    /// Searches that the original gateway would have died of (Q201531).
    pub abends: usize,
    pub counter: u64,
    /// How many headers were taken from `API_IN` and written to `API_OUT`.
    pub taken: usize,
    pub written: usize,
    /// Whether a file is being written.
    pub writing: bool,
}

impl State {
    pub(super) fn new(settings: GroupWiseSettings) -> Self {
        let mut objects =
            Objects { foreign_domains: settings.foreign_domains.clone(), ..Objects::default() };
        for post_office in &settings.post_offices {
            objects
                .post_offices
                .insert(format!("{}.{post_office}", settings.domain).to_lowercase());
        }
        let knobs = settings.knobs.clone();
        Self {
            settings,
            knobs,
            objects,
            mailboxes: BTreeMap::new(),
            sent: BTreeMap::new(),
            outbox: VecDeque::new(),
            problems: Vec::new(),
            log: Vec::new(),
            busy: BTreeMap::new(),
            busy_answers: BTreeMap::new(),
            searches: Vec::new(),
            abends: 0,
            counter: 0,
            taken: 0,
            written: 0,
            writing: false,
        }
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.log.push(text.into());
    }

    pub(super) fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// An id as GroupWise makes them: `3FCD7DD9.2A0A.000B.000`.
    pub(super) fn message_id(&mut self) -> String {
        let number = self.number();
        format!("{:08X}.{:04X}.000B.000", 0x3fcd_0000 + number, number & 0xffff)
    }

    pub(super) fn header_name(&mut self) -> String {
        format!("{:08x}.api", self.number())
    }

    /// Now, as the gateway's clock shows it.
    pub(super) fn now(&self) -> String {
        let ahead = self.settings.hours_ahead;
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(ahead));
        let now = jiff::Timestamp::now().to_zoned(zone);
        let sign = if ahead < 0 { '-' } else { '+' };
        let offset = match self.settings.write_offset {
            true => format!(" {sign}{}", ahead.unsigned_abs()),
            false => String::new(),
        };
        let (date, time) = (now.date(), now.time());
        format!(
            "{:02}/{:02}/{} {:02}:{:02}:{:02}{offset}",
            date.day(),
            date.month(),
            date.year(),
            time.hour(),
            time.minute(),
            time.second()
        )
    }

    /// Whether this is a mailbox here.
    pub(super) fn is_user(&self, name: &GwName) -> bool {
        !self.objects.is_foreign(&name.domain) && self.objects.find(name).is_some()
    }

    /// Lets a change of the directory out, if the gateway does so on its own.
    pub(super) fn publish(&mut self, object: &GwObject, operation: &str) {
        if !self.knobs.synchronisation {
            return;
        }
        let header = format!(
            "WPC-API= 1.2;\r\nHeader-Char= T50;\r\nMsg-Type= ADMIN;\r\n{}-END-\r\n",
            object.block(operation)
        );
        let name = self.header_name();
        self.outbox.push_back(Outgoing {
            name,
            kind: OutKind::Update,
            header,
            content: Vec::new(),
        });
    }
}
