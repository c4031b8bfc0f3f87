//! An SMTP server that keeps what it is given: the smart host of tests.

use crate::trouble::Result;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A chunk larger than this is no test's.
const MAX_CHUNK: usize = 64 << 20;

/// What the sink says to a command instead of 250.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Accept.
    Take,
    /// This reply line (with code).
    Say(String),
    /// Close the connection without an answer.
    Hang,
}

/// A message the sink took.
#[derive(Debug, Clone)]
pub struct Received {
    /// The reverse-path.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// The octets without the dots of DATA.
    pub octets: Vec<u8>,
    /// When `250` was written.
    pub at: Instant,
}

type Judge = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

/// The server; it ends when dropped.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    messages: Arc<Mutex<Vec<Received>>>,
    over: Arc<AtomicBool>,
}

impl Sink {
    /// Takes everything.
    ///
    /// # Errors
    /// No port.
    pub fn start() -> Result<Self> {
        Self::judging(|_| Answer::Take)
    }

    /// Asks `judge` for its answer to every `RCPT TO:<...>` line, and after the
    /// data to `DATA <message-id>`.
    ///
    /// # Errors
    /// No port.
    pub fn judging(judge: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let sink = Self { address, messages: Arc::default(), over: Arc::default() };
        let (messages, over) = (Arc::clone(&sink.messages), Arc::clone(&sink.over));
        let judge: Judge = Arc::new(judge);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (messages, judge) = (Arc::clone(&messages), Arc::clone(&judge));
                // A client that goes away ends its session; nothing to report.
                std::thread::spawn(move || Session::serve(stream, &messages, &judge));
            }
        });
        Ok(sink)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many messages it took.
    pub fn count(&self) -> usize {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What it took so far.
    pub fn messages(&self) -> Vec<Received> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

struct Session<'a> {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    judge: &'a Judge,
    from: String,
    to: Vec<String>,
    octets: Vec<u8>,
}

impl Session<'_> {
    fn serve(stream: TcpStream, messages: &Mutex<Vec<Received>>, judge: &Judge) -> Result<()> {
        stream.set_nodelay(true)?;
        let writer = stream.try_clone()?;
        let mut session = Session {
            reader: BufReader::new(stream),
            writer,
            judge,
            from: String::new(),
            to: Vec::new(),
            octets: Vec::new(),
        };
        session.say("220 sink.test ESMTP")?;
        let mut line = String::new();
        loop {
            line.clear();
            if session.reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if !session.command(line.trim_end(), messages)? {
                return Ok(());
            }
        }
    }

    fn say(&mut self, line: &str) -> Result<()> {
        Ok(self.writer.write_all(format!("{line}\r\n").as_bytes())?)
    }

    /// Whether the session goes on.
    fn command(&mut self, line: &str, messages: &Mutex<Vec<Received>>) -> Result<bool> {
        let upper = line.to_ascii_uppercase();
        let verb = upper.split([' ', ':']).next().unwrap_or_default();
        match verb {
            "EHLO" | "LHLO" => self.say(
                "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                 250-CHUNKING\r\n250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 104857600",
            )?,
            "HELO" => self.say("250 sink.test")?,
            "MAIL" => {
                self.reset();
                self.from = path(line);
                self.say("250 2.1.0 sender ok")?;
            }
            "RCPT" => match (self.judge)(line) {
                Answer::Take => {
                    self.to.push(path(line));
                    self.say("250 2.1.5 recipient ok")?;
                }
                Answer::Say(reply) => self.say(&reply)?,
                Answer::Hang => return Ok(false),
            },
            "DATA" if self.to.is_empty() => self.say("503 5.5.1 no recipients")?,
            "DATA" => {
                self.say("354 go on")?;
                self.data()?;
                return self.take(messages);
            }
            "BDAT" => return self.chunk(&upper, messages),
            "RSET" => {
                self.reset();
                self.say("250 2.0.0 forgotten")?;
            }
            "QUIT" => {
                self.say("221 2.0.0 bye")?;
                return Ok(false);
            }
            "NOOP" => self.say("250 2.0.0 ok")?,
            _ => self.say("502 5.5.1 unknown")?,
        }
        Ok(true)
    }

    fn reset(&mut self) {
        self.from.clear();
        self.to.clear();
        self.octets.clear();
    }

    fn data(&mut self) -> Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.reader.read_until(b'\n', &mut line)? == 0 {
                return Err(crate::trouble("closed within DATA"));
            }
            if line == b".\r\n" {
                return Ok(());
            }
            self.octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
        }
    }

    fn chunk(&mut self, line: &str, messages: &Mutex<Vec<Received>>) -> Result<bool> {
        let mut words = line.split(' ').skip(1);
        let size = words.next().and_then(|n| n.parse::<usize>().ok()).unwrap_or(0);
        let start = self.octets.len();
        self.octets.resize(start + size.min(MAX_CHUNK), 0);
        self.reader.read_exact(self.octets.get_mut(start..).unwrap_or_default())?;
        if words.next() == Some("LAST") {
            return self.take(messages);
        }
        self.say("250 2.0.0 chunk ok")?;
        Ok(true)
    }

    fn take(&mut self, messages: &Mutex<Vec<Received>>) -> Result<bool> {
        let id = crate::header_value(&self.octets, "Message-ID").unwrap_or_default();
        match (self.judge)(&format!("DATA {id}")) {
            Answer::Take => {
                let message = Received {
                    from: std::mem::take(&mut self.from),
                    to: std::mem::take(&mut self.to),
                    octets: std::mem::take(&mut self.octets),
                    at: Instant::now(),
                };
                // Kept before it is said, so that what was acknowledged is there.
                messages.lock().unwrap_or_else(PoisonError::into_inner).push(message);
                self.say("250 2.0.0 taken")?;
            }
            Answer::Say(reply) => self.say(&reply)?,
            Answer::Hang => return Ok(false),
        }
        self.reset();
        Ok(true)
    }
}

/// What stands between the angle brackets.
fn path(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(path, _)| path.to_owned()).unwrap_or_default()
}
