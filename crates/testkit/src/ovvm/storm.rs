//! Mail both ways over NJE, while the link is cut and both connectors are killed
//! at random; then everything is counted.

use super::{VmNode, VmPair};
use crate::process::kill;
use crate::random::Random;
use crate::trouble::{Result, trouble};
use crate::wait::wait_for;
use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Messages of one way that are on their way at once.
const AHEAD: usize = 100;
/// Between two looks at what is there.
const LOOK: Duration = Duration::from_secs(2);

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub struct OvvmStorm {
    /// Messages each way.
    pub messages: usize,
    /// How often a connector is killed, at most.
    pub kills: usize,
    /// How often the link is cut, at most.
    pub cuts: usize,
    /// Milliseconds between two blows, at most; the least is a fifth of it.
    pub pause: u64,
    /// Makes the same choices again.
    pub seed: u64,
    /// For everything to arrive once the last was sent.
    pub limit: Duration,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OvvmFigures {
    /// How often a connector was killed.
    pub kills: usize,
    /// How often the link was cut.
    pub cuts: usize,
    /// Connections of the link that there were.
    pub connections: usize,
    /// Messages and files that came.
    pub arrived: usize,
    /// Those that did not.
    pub lost: usize,
    /// Copies too many.
    pub duplicates: usize,
    /// Files that were sent whole and not acknowledged before the link was lost:
    /// the partner may have had them, and got them again. What the log says; a
    /// connector that was killed says nothing.
    pub ambiguous: usize,
    /// Files that came again and were known.
    pub known_again: usize,
    /// Files or messages that were put aside and let go, because deaths met them.
    pub released: usize,
    /// Milliseconds until everything was there.
    pub milliseconds: u128,
}

/// The kinds of messages, in turn.
const KINDS: usize = 4;

/// Marks that a message of this number leaves in the mailbox: one for the note and
/// one for each file.
fn marks(way: &str, number: usize) -> Vec<String> {
    let note = format!("{way}-{number}.");
    match number % KINDS {
        1 => vec![note, format!("{}{number}.BIN", way.to_uppercase())],
        _ => vec![note],
    }
}

/// The message of a number: plain, with a binary file, long, or with a wish for a
/// delivery report.
fn message(way: &str, number: usize, from: &str, to: &str) -> String {
    let head = format!(
        "From: <{from}>\nTo: <{to}>\nSubject: {way}-{number}.\n\
         Message-ID: <{way}-{number}@storm.test>\nMIME-Version: 1.0\n"
    );
    match number % KINDS {
        1 => format!(
            "{head}Content-Type: multipart/mixed; boundary=b\n\n--b\n\n{way} {number}\n--b\n\
             Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\
             Content-Disposition: attachment; filename={}{number}.BIN\n\nAAECAwQFBgcICQoLDA0ODw==\n\
             --b--\n",
            way.to_uppercase(),
        ),
        2 => format!("{head}\n{}", "A line of a long message that fills its cards.\n".repeat(400)),
        _ => format!("{head}\n{way} {number}\n"),
    }
}

impl OvvmStorm {
    /// Runs it.
    ///
    /// # Errors
    /// Something does not come.
    pub fn run(&self, pair: &VmPair) -> Result<OvvmFigures> {
        let (began, over) = (Instant::now(), AtomicBool::new(false));
        let mut figures = OvvmFigures::default();
        let mut sent = [Ok(()), Ok(())];
        std::thread::scope(|scope| {
            let there = scope.spawn(|| self.send(&pair.a, &pair.b, "out"));
            let back = scope.spawn(|| self.send(&pair.b, &pair.a, "in"));
            let blows = scope.spawn(|| self.strike(pair, &over));
            let broken = || Err(trouble("the sender panicked"));
            sent = [there, back].map(|thread| thread.join().unwrap_or_else(|_| broken()));
            over.store(true, Ordering::Relaxed);
            (figures.kills, figures.cuts) = blows.join().unwrap_or_default();
        });
        for one in sent {
            one?;
        }
        let until = Instant::now() + self.limit;
        let ends = [(&pair.b, "out"), (&pair.a, "in")];
        loop {
            for node in [&pair.a, &pair.b] {
                let said = node.site.run(&["queue", "release", "--all"])?.stdout;
                figures.released += usize::from(said.contains("released 1"));
                node.site.run(&["queue", "retry", "--all"])?;
            }
            (figures.arrived, figures.lost, figures.duplicates) = (0, 0, 0);
            for (node, way) in ends {
                self.count(node, way, &mut figures)?;
            }
            if figures.lost == 0 || Instant::now() > until {
                break;
            }
            std::thread::sleep(LOOK);
        }
        figures.milliseconds = began.elapsed().as_millis();
        figures.connections = pair.breaker.connections();
        for node in [&pair.a, &pair.b] {
            let log = log_of(node)?;
            figures.ambiguous += log.matches("outcome=\"unknown\"").count()
                + log.matches("\"outcome\":\"unknown\"").count();
            figures.known_again += log.matches("came again").count();
        }
        Ok(figures)
    }

    fn send(&self, from: &VmNode, to: &VmNode, way: &str) -> Result<()> {
        let (sender, recipient) = (from.address(), to.address());
        let mut smtp = from.submission()?;
        for number in 0..self.messages {
            let wish = if number % KINDS == 3 { " NOTIFY=SUCCESS,FAILURE" } else { "" };
            smtp.must(&format!("MAIL FROM:<{sender}> ENVID={way}-report-{number}."))?;
            smtp.must(&format!("RCPT TO:<{recipient}>{wish}"))?;
            smtp.must("DATA")?;
            let text = message(way, number, &sender, &recipient).replace('\n', "\r\n");
            smtp.must(&format!("{text}."))?;
            if number % AHEAD == AHEAD - 1 {
                wait_for("the connectors to keep up", self.limit, || {
                    // What waits for its next attempt is due now; asking all the
                    // time would only take the processor from those asked.
                    std::thread::sleep(LOOK);
                    from.site.run(&["queue", "retry", "--all"])?;
                    let there = usize::try_from(to.mailbox()?.count("INBOX")?).unwrap_or(0);
                    Ok((there + AHEAD >= number).then_some(()))
                })?;
            }
        }
        Ok(())
    }

    /// Kills connectors and cuts the link, again and again. How often.
    fn strike(&self, pair: &VmPair, over: &AtomicBool) -> (usize, usize) {
        let mut random = Random::new(self.seed);
        let (mut kills, mut cuts) = (0, 0);
        while (kills < self.kills || cuts < self.cuts) && !over.load(Ordering::Relaxed) {
            let pause = random.between(self.pause / 5, self.pause.max(5));
            std::thread::sleep(Duration::from_millis(pause));
            if cuts < self.cuts && (kills >= self.kills || random.one_in(2)) {
                pair.breaker.cut();
                cuts += 1;
                continue;
            }
            let node = if random.one_in(2) { &pair.a } else { &pair.b };
            // It may be between two lives.
            if let Ok(pid) = node.site.service("vm")
                && kill(pid).is_ok()
            {
                kills += 1;
            }
        }
        (kills, cuts)
    }

    /// What is in a mailbox of what went one way, and the reports of the other.
    fn count(&self, node: &VmNode, way: &str, figures: &mut OvvmFigures) -> Result<()> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for octets in node.mailbox()?.messages("INBOX")? {
            *seen.entry(mark_of(&String::from_utf8_lossy(&octets))).or_default() += 1;
        }
        let other = if way == "out" { "in" } else { "out" };
        for number in 0..self.messages {
            let mut wanted = marks(way, number);
            if number % KINDS == 3 {
                wanted.push(format!("{other}-report-{number}."));
            }
            for mark in wanted {
                match seen.get(&mark).copied().unwrap_or(0) {
                    0 => figures.lost += 1,
                    count => {
                        figures.arrived += 1;
                        figures.duplicates += count - 1;
                    }
                }
            }
        }
        Ok(())
    }
}

/// What a message in a mailbox is: a report by its envelope id, a file by its name,
/// a note by its subject.
fn mark_of(text: &str) -> String {
    let line = |start: &str| {
        text.lines().find_map(|line| line.strip_prefix(start)).map(|rest| rest.trim().to_owned())
    };
    let file = || {
        let (_, rest) = text.split_once("filename=\"")?;
        rest.split_once('"').map(|(name, _)| name.to_owned())
    };
    line("Original-Envelope-Id: ").or_else(file).or_else(|| line("Subject: ")).unwrap_or_default()
}

fn log_of(node: &VmNode) -> Result<String> {
    let mut all = String::new();
    for entry in fs::read_dir(node.site.root().join("log"))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("vm.log") {
            all.push_str(&fs::read_to_string(entry.path())?);
        }
    }
    Ok(all)
}
