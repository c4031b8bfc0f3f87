//! What was sent, what was answered, what arrived.

use super::load::Outside;
use concord_testkit::{Concord, Imap, Result, Sample, header_value, trouble};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The mailboxes that storms send to; the first one also submits, and so gets
/// the reports.
pub const MAILBOXES: [&str; 2] = ["alice@example.test", "bob@example.test"];

/// A delivery whose peer said 250 shortly before a blow is made again: the
/// answer was on its way to the disk (RFC 5321 section 4.5.3.2.6 asks to keep
/// this gap small, nobody can close it). An answer that takes longer is a defect.
const IN_FLIGHT: Duration = Duration::from_secs(2);

/// Where a message is to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In a mailbox.
    Local,
    /// At the smart host.
    Outside,
    /// In a report to the sender, since the smart host refuses it.
    Refused,
}

/// One message.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Where it goes.
    pub way: Way,
    /// About how many octets it has.
    pub size: usize,
    /// How often its last octet was sent.
    pub attempts: u32,
    /// Whether a 250 was read.
    pub acknowledged: bool,
}

/// All messages of a storm.
#[derive(Debug)]
pub struct Ledger {
    run: String,
    entries: Mutex<Vec<Entry>>,
    blows: Mutex<Vec<(Instant, Instant)>>,
}

impl Ledger {
    /// An empty ledger; `run` is in every message id.
    pub fn new(run: String) -> Self {
        Self { run, entries: Mutex::default(), blows: Mutex::default() }
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new message; gives back its number.
    pub fn open(&self, way: Way, size: usize) -> usize {
        let mut entries = self.entries();
        entries.push(Entry { way, size, attempts: 0, acknowledged: false });
        entries.len() - 1
    }

    /// Its `Message-ID` without brackets.
    pub fn id(&self, number: usize) -> String {
        format!("{}.{number}@storm.test", self.run)
    }

    /// A message as it is sent.
    pub fn message(&self, number: usize) -> Sample {
        let entry = self.entries().get(number).copied();
        let (way, size) = entry.map_or((Way::Local, 0), |e| (e.way, e.size));
        let (from, to) = match way {
            Way::Local => {
                let mailbox = MAILBOXES.get(number % MAILBOXES.len()).copied();
                ("storm@storm.test", mailbox.unwrap_or_default().to_owned())
            }
            Way::Outside => (MAILBOXES[0], format!("user{number}@stranger.test")),
            Way::Refused => (MAILBOXES[0], format!("refused{number}@stranger.test")),
        };
        let mut sample = Sample::new(&self.id(number), from, &to).size(size);
        sample.seed = number as u64;
        sample
    }

    /// Whether a message of ours, as it was read, is not the one that was sent
    /// (behind the lines that servers put in front).
    pub fn differs(&self, octets: &[u8]) -> bool {
        let id = header_value(octets, "Message-ID").unwrap_or_default();
        let Some(number) = self.number(&id) else { return false };
        !octets.ends_with(&self.message(number).octets())
    }

    fn number(&self, id: &str) -> Option<usize> {
        let rest = id.trim().strip_prefix(&self.run)?.strip_prefix('.')?;
        rest.strip_suffix("@storm.test")?.parse().ok()
    }

    /// It is about to be sent as a whole.
    pub fn attempt(&self, number: usize) {
        if let Some(entry) = self.entries().get_mut(number) {
            entry.attempts += 1;
        }
    }

    /// The server said that it did not take it: that attempt does not count.
    pub fn refused(&self, number: usize) {
        if let Some(entry) = self.entries().get_mut(number) {
            entry.attempts = entry.attempts.saturating_sub(1);
        }
    }

    /// The server said 250.
    pub fn acknowledge(&self, number: usize) {
        if let Some(entry) = self.entries().get_mut(number) {
            entry.acknowledged = true;
        }
    }

    /// How many were acknowledged so far.
    pub fn acknowledged(&self) -> usize {
        self.entries().iter().filter(|e| e.acknowledged).count()
    }

    /// Something was killed, beginning at `from`, ended just now. Children of a
    /// killed controller live on until they notice or its successor ends them.
    pub fn blow(&self, from: Instant) {
        self.lock_blows().push((from, Instant::now()));
    }

    fn lock_blows(&self) -> MutexGuard<'_, Vec<(Instant, Instant)>> {
        self.blows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a blow met a delivery that was then made again. A blow just before the first delivery counts too: a
    /// connector finishes what it has in hand, and a core that starts again
    /// gives it out once more.
    fn blow_met(&self, first: Instant, again: Instant) -> bool {
        let blows = self.lock_blows();
        blows.iter().any(|(from, to)| {
            let behind = from.saturating_duration_since(first);
            *from <= again && *to + IN_FLIGHT >= first && behind <= IN_FLIGHT
        })
    }
}

/// Where each message was found, how often.
#[derive(Debug, Default)]
pub struct Arrivals {
    mailboxes: HashMap<usize, u32>,
    outside: HashMap<usize, Vec<Instant>>,
    reports: HashMap<usize, u32>,
}

impl Arrivals {
    /// Reads the mailboxes by IMAP and the smart host's list.
    pub fn read(server: &Concord, outside: &Outside, ledger: &Ledger) -> Result<Self> {
        let mut found = Self::default();
        for mailbox in MAILBOXES {
            let mut imap = server.imap(mailbox)?;
            found.read_mailbox(&mut imap, ledger).map_err(|e| e.during(mailbox))?;
        }
        for message in outside.sink.messages() {
            let id = header_value(&message.octets, "Message-ID").unwrap_or_default();
            if let Some(number) = ledger.number(&id) {
                found.outside.entry(number).or_default().push(message.at);
            }
        }
        Ok(found)
    }

    fn read_mailbox(&mut self, imap: &mut Imap, ledger: &Ledger) -> Result<()> {
        if imap.select("INBOX")? == 0 {
            return Ok(());
        }
        let fields = "BODY.PEEK[HEADER.FIELDS (MESSAGE-ID CONTENT-TYPE)]";
        let mut reports = Vec::new();
        for fetched in imap.fetch_all(fields)? {
            let id = header_value(&fetched.octets, "Message-ID").unwrap_or_default();
            let kind = header_value(&fetched.octets, "Content-Type").unwrap_or_default();
            if let Some(number) = ledger.number(&id) {
                *self.mailboxes.entry(number).or_default() += 1;
            } else if kind.starts_with("multipart/report") {
                reports.push(fetched.sequence);
            }
        }
        for sequence in reports {
            let lines = imap.must(&format!("FETCH {sequence} (BODY.PEEK[TEXT])"))?;
            let text = lines.iter().flat_map(|l| l.literals.iter()).next();
            let text = text.ok_or_else(|| trouble("a report has no text"))?;
            let id = original_id(text, &ledger.run);
            if let Some(number) = id.and_then(|id| ledger.number(&id)) {
                *self.reports.entry(number).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Compares and prints; fails if something that was acknowledged is lost, or
    /// was delivered twice without need.
    pub fn judge(&self, ledger: &Ledger) -> Result<()> {
        let mut verdict = Verdict::default();
        for (number, entry) in ledger.entries().iter().enumerate() {
            verdict.sent += usize::from(entry.attempts > 0 || entry.acknowledged);
            verdict.acknowledged += usize::from(entry.acknowledged);
            let copies = self.copies(number);
            if copies == 0 {
                if entry.acknowledged {
                    verdict.lost.push(ledger.id(number));
                }
                continue;
            }
            if !entry.acknowledged {
                verdict.arrived_unacknowledged += 1;
            }
            match entry.way {
                Way::Local => verdict.mailboxes += 1,
                Way::Outside => verdict.outside += 1,
                Way::Refused => verdict.reported += 1,
            }
            verdict.duplicates(number, entry, self, ledger);
        }
        verdict.print();
        verdict.result()
    }

    fn copies(&self, number: usize) -> u32 {
        let outside = self.outside.get(&number).map_or(0, Vec::len);
        self.mailboxes.get(&number).copied().unwrap_or(0)
            + self.reports.get(&number).copied().unwrap_or(0)
            + u32::try_from(outside).unwrap_or(u32::MAX)
    }
}

/// The original's message id inside a report: the returned header has it.
fn original_id(report: &[u8], run: &str) -> Option<String> {
    let text = String::from_utf8_lossy(report);
    let start = text.find(&format!("<{run}."))? + 1;
    let rest = text.get(start..)?;
    rest.split('>').next().map(str::to_owned)
}

#[derive(Debug, Default)]
struct Verdict {
    sent: usize,
    acknowledged: usize,
    lost: Vec<String>,
    mailboxes: usize,
    outside: usize,
    reported: usize,
    arrived_unacknowledged: usize,
    /// Copies beyond the first, by reason.
    resent: u32,
    in_flight: u32,
    unexplained: Vec<String>,
}

impl Verdict {
    /// A second copy is explained if the client sent the message again because
    /// no 250 came, or if a blow met the delivery between the peer's 250 and
    /// its record on disk.
    fn duplicates(&mut self, number: usize, entry: &Entry, found: &Arrivals, ledger: &Ledger) {
        let mut extra = found.copies(number) - 1;
        if extra == 0 {
            return;
        }
        let resent = extra.min(entry.attempts.saturating_sub(1));
        self.resent += resent;
        extra -= resent;
        let times = found.outside.get(&number).map(Vec::as_slice).unwrap_or_default();
        let met = times.windows(2).filter(|pair| match pair {
            [first, again] => ledger.blow_met(*first, *again),
            _ => false,
        });
        let in_flight = extra.min(u32::try_from(met.count()).unwrap_or(u32::MAX));
        self.in_flight += in_flight;
        if extra > in_flight {
            self.unexplained.push(format!("{} ({:?})", ledger.id(number), entry.way));
        }
    }

    fn print(&self) {
        println!("sent                     {}", self.sent);
        println!("acknowledged             {}", self.acknowledged);
        println!("lost                     {}", self.lost.len());
        println!("found in mailboxes       {}", self.mailboxes);
        println!("found at the smart host  {}", self.outside);
        println!("found in reports         {}", self.reported);
        println!("arrived unacknowledged   {}", self.arrived_unacknowledged);
        let twice = self.resent as usize + self.in_flight as usize + self.unexplained.len();
        println!("duplicated               {twice}");
        println!("  sent again, no 250     {}", self.resent);
        println!("  in flight at a kill    {}", self.in_flight);
        println!("  unexplained            {}", self.unexplained.len());
    }

    fn result(&self) -> Result<()> {
        let first = |ids: &[String]| ids.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
        if !self.lost.is_empty() {
            let lost = first(&self.lost);
            return Err(trouble(format!("{} messages are lost: {lost}", self.lost.len())));
        }
        if !self.unexplained.is_empty() {
            return Err(trouble(format!(
                "delivered twice without need: {}",
                first(&self.unexplained)
            )));
        }
        if self.acknowledged == 0 {
            return Err(trouble("nothing was acknowledged, so nothing was shown"));
        }
        Ok(())
    }
}
