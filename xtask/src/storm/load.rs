//! The load: sessions that send and, when no answer came, send again.

use super::ledger::{Ledger, MAILBOXES, Way};
use concord_testkit::{Answer, PASSWORD, Random, Result, Sink, Smtp, stuffed};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The smart host: a sink that refuses some recipients.
pub struct Outside {
    /// What it took.
    pub sink: Sink,
}

impl Outside {
    /// Starts it.
    pub fn start() -> Result<Self> {
        let sink = Sink::judging(|line| {
            if line.contains("<refused") {
                return Answer::Say("550 5.1.1 nobody here has this name".to_owned());
            }
            Answer::Take
        })?;
        Ok(Self { sink })
    }
}

/// Where to send.
#[derive(Debug, Clone, Copy)]
pub struct Targets {
    /// Mail from strangers.
    pub smtp: SocketAddr,
    /// Mail of users.
    pub submission: SocketAddr,
}

/// Running sessions.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// A message is sent again at most this often before its sender gives up.
const TRIES: u32 = 40;
/// A server that was just killed needs a moment.
const PAUSE: Duration = Duration::from_millis(50);

impl Load {
    /// Starts sessions; every fourth one submits mail for strangers.
    pub fn start(targets: Targets, ledger: &Arc<Ledger>, sessions: usize, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..sessions)
            .map(|n| {
                let (stop, ledger) = (Arc::clone(&stop), Arc::clone(ledger));
                let random = Random::new(seed.wrapping_add(n as u64));
                let submits = n % 4 == 3;
                std::thread::spawn(move || {
                    let mut session = Session { targets, submits, random, smtp: None };
                    while !stop.load(Ordering::Relaxed) {
                        session.one(&ledger, &stop);
                    }
                })
            })
            .collect();
        Self { stop, threads }
    }

    /// Lets every session finish its message.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

struct Session {
    targets: Targets,
    submits: bool,
    random: Random,
    smtp: Option<Smtp>,
}

/// What became of an attempt.
enum Outcome {
    Taken,
    Refused,
    /// No answer, or "try again": the server may have it or not.
    Unknown,
}

impl Session {
    /// Sends one message until it is acknowledged or given up.
    fn one(&mut self, ledger: &Ledger, stop: &AtomicBool) {
        let way = match (self.submits, self.random.one_in(10)) {
            (false, _) => Way::Local,
            (true, true) => Way::Refused,
            (true, false) => Way::Outside,
        };
        // Some senders do not try again: their messages may arrive or not.
        let patient = !self.random.one_in(8);
        let size = usize::try_from(self.random.between(300, 6_000)).unwrap_or(300);
        let number = ledger.open(way, size);
        for _ in 0..TRIES {
            match self.attempt(ledger, number) {
                Ok(Outcome::Taken) => return ledger.acknowledge(number),
                Ok(Outcome::Refused) => {
                    ledger.refused(number);
                    std::thread::sleep(PAUSE);
                }
                Ok(Outcome::Unknown) => {
                    if !patient {
                        return;
                    }
                }
                // Nothing was sent.
                Err(_) => {
                    self.smtp = None;
                    std::thread::sleep(PAUSE);
                }
            }
            if stop.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    fn connected(&mut self) -> Result<Smtp> {
        if let Some(smtp) = self.smtp.take() {
            return Ok(smtp);
        }
        let at = if self.submits { self.targets.submission } else { self.targets.smtp };
        let mut smtp = Smtp::connect(at)?;
        smtp.hello()?;
        if self.submits {
            smtp.login(MAILBOXES[0], PASSWORD)?;
        }
        Ok(smtp)
    }

    fn attempt(&mut self, ledger: &Ledger, number: usize) -> Result<Outcome> {
        let mut smtp = self.connected()?;
        let sample = ledger.message(number);
        let (from, to, message) = (&sample.from, &sample.to, sample.octets());
        for line in [format!("MAIL FROM:<{from}>"), format!("RCPT TO:<{to}>"), "DATA".to_owned()] {
            let reply = smtp.command(&line)?;
            if !(200..400).contains(&reply.code) {
                ledger.attempt(number); // balanced by the caller's refused()
                if reply.code != 0 && smtp.command("RSET").is_ok_and(|r| r.code == 250) {
                    self.smtp = Some(smtp);
                }
                return Ok(Outcome::Refused);
            }
        }
        ledger.attempt(number);
        let sent = smtp.write(&stuffed(&message));
        let Ok(reply) = sent.and_then(|()| smtp.reply()) else { return Ok(Outcome::Unknown) };
        match reply.code {
            0 => Ok(Outcome::Unknown),
            250 => {
                self.smtp = Some(smtp);
                Ok(Outcome::Taken)
            }
            // The front lost the core after it had passed the message on, and
            // cannot know more than we do.
            400..500 => {
                self.smtp = Some(smtp);
                std::thread::sleep(PAUSE);
                Ok(Outcome::Unknown)
            }
            _ => {
                self.smtp = Some(smtp);
                Ok(Outcome::Refused)
            }
        }
    }
}
