//! A small IMAP client: enough to read a mailbox and to see what changed.

use crate::message::header_value;
use crate::trouble::{Result, trouble};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer silence is a defect in every test.
const SILENCE: Duration = Duration::from_secs(60);
/// No response of a test's mailbox is larger.
const MAX_LITERAL: usize = 256 << 20;

/// One response: its text, where `{n}` stands for the n-th literal's octets.
#[derive(Debug, Clone, Default)]
pub struct ImapLine {
    /// The text around the literals.
    pub text: String,
    /// The literals.
    pub literals: Vec<Vec<u8>>,
}

/// A message of a FETCH.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Its number in the folder.
    pub sequence: u32,
    /// The response around the literal: UID, FLAGS.
    pub text: String,
    /// The literal.
    pub octets: Vec<u8>,
}

/// A session.
#[derive(Debug)]
pub struct Imap {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    next_tag: u32,
}

impl Imap {
    /// Connects without a login.
    ///
    /// # Errors
    /// No connection or no greeting.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let writer = stream.try_clone()?;
        let mut session =
            Self { reader: BufReader::with_capacity(64 << 10, stream), writer, next_tag: 0 };
        let greeting = session.line()?;
        if !greeting.text.starts_with("* OK") {
            return Err(trouble(format!("IMAP greeted with '{}'", greeting.text)));
        }
        Ok(session)
    }

    /// Connects and logs in.
    ///
    /// # Errors
    /// No connection, or the login was refused.
    pub fn login(address: SocketAddr, user: &str, password: &str) -> Result<Self> {
        let mut session = Self::connect(address)?;
        if user.is_ascii() {
            session.must(&format!("LOGIN \"{user}\" \"{password}\""))?;
        } else {
            // LOGIN's strings are ASCII; SASL's are UTF-8 (RFC 4616, RFC 4959).
            let proof = STANDARD.encode(format!("\0{user}\0{password}"));
            session.must(&format!("AUTHENTICATE PLAIN {proof}"))?;
        }
        Ok(session)
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The connection broke.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.writer.write_all(bytes)?)
    }

    /// Reads one response with its literals.
    ///
    /// # Errors
    /// The connection broke or was closed.
    pub fn line(&mut self) -> Result<ImapLine> {
        let mut response = ImapLine::default();
        loop {
            let mut bytes = Vec::new();
            if self.reader.read_until(b'\n', &mut bytes)? == 0 {
                return Err(trouble("IMAP closed the connection"));
            }
            let text = String::from_utf8_lossy(&bytes);
            let text = text.trim_end_matches(['\r', '\n']);
            response.text.push_str(text);
            let Some(size) = literal_size(text) else { return Ok(response) };
            if size > MAX_LITERAL {
                return Err(trouble(format!("a literal of {size} octets is absurd")));
            }
            let mut octets = vec![0; size];
            self.reader.read_exact(&mut octets)?;
            response.literals.push(octets);
        }
    }

    /// Sends a command; gives back the untagged responses and the tagged one last.
    ///
    /// # Errors
    /// The connection broke.
    pub fn command(&mut self, command: &str) -> Result<Vec<ImapLine>> {
        self.next_tag += 1;
        let tag = format!("T{} ", self.next_tag);
        self.write(format!("{tag}{command}\r\n").as_bytes())?;
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let last = line.text.starts_with(&tag);
            lines.push(line);
            if last {
                return Ok(lines);
            }
        }
    }

    /// As [`command`](Self::command), but the answer must be OK.
    ///
    /// # Errors
    /// NO or BAD.
    #[track_caller]
    pub fn must(&mut self, command: &str) -> Result<Vec<ImapLine>> {
        let lines = self.command(command)?;
        let tagged = lines.last().map(|l| l.text.clone()).unwrap_or_default();
        if tagged.split(' ').nth(1) == Some("OK") {
            return Ok(lines);
        }
        Err(trouble(format!("'{command}' was answered '{tagged}'")))
    }

    /// Selects a folder; gives back how many messages it has.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn select(&mut self, folder: &str) -> Result<u32> {
        let lines = self.must(&format!("SELECT \"{folder}\""))?;
        let exists = lines.iter().find_map(|l| l.text.strip_prefix("* ")?.strip_suffix(" EXISTS"));
        exists.and_then(|n| n.parse().ok()).ok_or_else(|| trouble("SELECT did not say EXISTS"))
    }

    /// How many messages a folder has, without selecting it.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn count(&mut self, folder: &str) -> Result<u32> {
        let lines = self.must(&format!("STATUS \"{folder}\" (MESSAGES)"))?;
        let number = lines.iter().find_map(|l| {
            let (_, rest) = l.text.split_once("MESSAGES ")?;
            rest.split([')', ' ']).next()?.parse().ok()
        });
        number.ok_or_else(|| trouble("STATUS did not say MESSAGES"))
    }

    /// Fetches one literal item of every message of the selected folder.
    ///
    /// # Errors
    /// The command failed.
    pub fn fetch_all(&mut self, item: &str) -> Result<Vec<Fetched>> {
        let lines = self.must(&format!("FETCH 1:* (UID FLAGS {item})"))?;
        let fetched = lines.into_iter().filter_map(|mut line| {
            let rest = line.text.strip_prefix("* ")?;
            let (number, rest) = rest.split_once(" FETCH ")?;
            let sequence = number.parse().ok()?;
            let text = rest.to_owned();
            let octets =
                if line.literals.is_empty() { Vec::new() } else { line.literals.remove(0) };
            Some(Fetched { sequence, text, octets })
        });
        Ok(fetched.collect())
    }

    /// Whole messages of a folder, in order.
    ///
    /// # Errors
    /// The command failed.
    pub fn messages(&mut self, folder: &str) -> Result<Vec<Vec<u8>>> {
        if self.select(folder)? == 0 {
            return Ok(Vec::new());
        }
        Ok(self.fetch_all("BODY.PEEK[]")?.into_iter().map(|f| f.octets).collect())
    }

    /// One header field of every message of a folder, in order; empty where it
    /// is missing.
    ///
    /// # Errors
    /// The command failed.
    pub fn headers(&mut self, folder: &str, field: &str) -> Result<Vec<String>> {
        if self.select(folder)? == 0 {
            return Ok(Vec::new());
        }
        let fetched = self.fetch_all(&format!("BODY.PEEK[HEADER.FIELDS ({field})]"))?;
        Ok(fetched.iter().map(|f| header_value(&f.octets, field).unwrap_or_default()).collect())
    }

    /// LOGOUT.
    ///
    /// # Errors
    /// The connection broke.
    pub fn logout(mut self) -> Result<()> {
        self.must("LOGOUT")?;
        Ok(())
    }
}

/// `{n}` at a line's end announces n octets (RFC 3501 section 4.3).
fn literal_size(line: &str) -> Option<usize> {
    let (_, size) = line.strip_suffix('}')?.rsplit_once('{')?;
    size.parse().ok()
}
