//! A client that costs little: it writes requests and counts answers.

use concord_testkit::{Result, trouble};
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longer than any answer under load.
const PATIENCE: Duration = Duration::from_secs(120);

/// An element of the Basic Encoding Rules.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            out.push(0x84);
            let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend_from_slice(content);
    out
}

fn text(text: &str) -> Vec<u8> {
    element(4, text.as_bytes())
}

fn id(number: u32) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let skip = octets.iter().take_while(|octet| **octet == 0).count().min(3);
    let mut content = octets.get(skip..).unwrap_or_default().to_vec();
    if content.first().is_some_and(|octet| *octet >= 0x80) {
        content.insert(0, 0);
    }
    element(2, &content)
}

/// A filter of one condition.
#[derive(Debug, Clone)]
pub enum Filter {
    Equal(&'static str, String),
    Initial(&'static str, String),
    Any(&'static str, String),
    Everything,
}

impl Filter {
    fn encode(&self) -> Vec<u8> {
        let parts = |attribute: &str, tag, part: &str| {
            let part = element(0x30, &element(tag, part.as_bytes()));
            element(0xA4, &[text(attribute), part].concat())
        };
        match self {
            Self::Equal(attribute, value) => {
                element(0xA3, &[text(attribute), text(value)].concat())
            }
            Self::Initial(attribute, part) => parts(attribute, 0x80, part),
            Self::Any(attribute, part) => parts(attribute, 0x81, part),
            Self::Everything => element(0x87, b"objectClass"),
        }
    }
}

/// A search; `scope` is 0 for the base and 2 for everything below it.
pub fn search(base: &str, scope: u8, filter: &Filter) -> Vec<u8> {
    let mut body = text(base);
    body.extend([0x0A, 1, scope, 0x0A, 1, 0, 2, 1, 0, 2, 1, 0, 1, 1, 0]);
    body.extend(filter.encode());
    body.extend(element(0x30, &[text("cn"), text("mail")].concat()));
    element(0x63, &body)
}

fn attribute(name: &str, values: &[&str]) -> Vec<u8> {
    let values: Vec<u8> = values.iter().flat_map(|value| text(value)).collect();
    element(0x30, &[text(name), element(0x31, &values)].concat())
}

/// Adds an entry.
pub fn add(dn: &str, attributes: &[(&str, &[&str])]) -> Vec<u8> {
    let list: Vec<u8> =
        attributes.iter().flat_map(|(name, values)| attribute(name, values)).collect();
    element(0x68, &[text(dn), element(0x30, &list)].concat())
}

/// Replaces the values of one attribute by one.
pub fn replace(dn: &str, name: &str, value: &str) -> Vec<u8> {
    let change = [vec![0x0A, 1, 2], attribute(name, &[value])].concat();
    element(0x66, &[text(dn), element(0x30, &element(0x30, &change))].concat())
}

/// A simple bind.
pub fn bind(name: &str, password: &str) -> Vec<u8> {
    let body = [vec![2, 1, 3], text(name), element(0x80, password.as_bytes())];
    element(0x60, &body.concat())
}

/// What an operation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub code: u8,
    pub entries: usize,
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection.
pub struct Client {
    stream: BufReader<Box<dyn Stream>>,
    next: u32,
}

impl Client {
    /// Connects and binds.
    pub fn connect(to: SocketAddr, name: &str, password: &str) -> Result<Self> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self::over(Box::new(stream));
        client.must(&bind(name, password))?;
        Ok(client)
    }

    /// Connects by a socket of this machine, as its administrator.
    pub fn local(socket: &Path) -> Result<Self> {
        let mut client = Self::over(Box::new(UnixStream::connect(socket)?));
        let external = element(0xA3, &text("EXTERNAL"));
        client.must(&element(0x60, &[vec![2, 1, 3], text(""), external].concat()))?;
        Ok(client)
    }

    fn over(stream: Box<dyn Stream>) -> Self {
        Self { stream: BufReader::with_capacity(16 << 10, stream), next: 0 }
    }

    /// An operation that must succeed.
    pub fn must(&mut self, operation: &[u8]) -> Result<Answer> {
        let answer = self.ask(operation)?;
        if answer.code == 0 { Ok(answer) } else { Err(trouble(format!("{answer:?}"))) }
    }

    /// Sends an operation and reads until its last answer.
    pub fn ask(&mut self, operation: &[u8]) -> Result<Answer> {
        self.next += 1;
        let message = element(0x30, &[id(self.next), operation.to_vec()].concat());
        self.stream.get_mut().write_all(&message)?;
        let mut entries = 0;
        loop {
            let message = self.element()?;
            let broken = || trouble("an answer cannot be read");
            let (_, rest) = split(&message).ok_or_else(broken)?;
            let (content, _) = split(rest).ok_or_else(broken)?;
            match rest.first() {
                Some(0x64) => entries += 1,
                Some(0x73) => {}
                // the result code is the first element of every other answer
                _ => {
                    let (code, _) = split(content).ok_or_else(broken)?;
                    let code = code.first().copied().ok_or_else(broken)?;
                    return Ok(Answer { code, entries });
                }
            }
        }
    }

    /// The content of the next element.
    fn element(&mut self) -> Result<Vec<u8>> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        let [_, first] = head;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let mut octets = vec![0; usize::from(first & 0x7F)];
            self.stream.read_exact(&mut octets)?;
            length = octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet));
        }
        let mut content = vec![0; length];
        self.stream.read_exact(&mut content)?;
        Ok(content)
    }
}

/// The content of the first element, and what is behind it.
fn split(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = usize::from(*input.get(1)?);
    let (head, length) = if first < 0x80 {
        (2, first)
    } else {
        let count = first & 0x7F;
        let octets = input.get(2..2 + count)?;
        (2 + count, octets.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)))
    };
    Some((input.get(head..head + length)?, input.get(head + length..)?))
}
