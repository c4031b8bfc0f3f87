//! A small SMTP client: says what it is told, and keeps the answers.

use crate::source::connect_from;
use crate::trouble::{Result, trouble};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Longer silence is a defect in every test.
const SILENCE: Duration = Duration::from_secs(60);

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The code; 0 if the connection was closed instead.
    pub code: u16,
    /// Its lines without code.
    pub lines: Vec<String>,
}

impl Reply {
    /// Whether it is 2xx.
    pub fn is_positive(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// All lines in one.
    pub fn text(&self) -> String {
        self.lines.join(" / ")
    }
}

/// A session.
#[derive(Debug)]
pub struct Smtp {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    /// What the server said first.
    pub greeting: Reply,
}

impl Smtp {
    /// Connects and reads the greeting.
    ///
    /// # Errors
    /// No connection.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        Self::over(TcpStream::connect_timeout(&address, Duration::from_secs(10))?)
    }

    /// Connects from another address of this machine, and reads the greeting.
    ///
    /// # Errors
    /// No connection.
    pub fn connect_from(source: Ipv4Addr, address: SocketAddr) -> Result<Self> {
        Self::over(connect_from(source, address)?)
    }

    fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        stream.set_write_timeout(Some(SILENCE))?;
        let writer = stream.try_clone()?;
        let greeting = Reply { code: 0, lines: Vec::new() };
        let mut session = Self { reader: BufReader::new(stream), writer, greeting };
        session.greeting = session.reply()?;
        Ok(session)
    }

    /// Reads one answer. A closed connection is the code 0.
    ///
    /// # Errors
    /// The connection broke, or this is not SMTP.
    pub fn reply(&mut self) -> Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Ok(Reply { code: 0, lines });
            }
            let line = line.trim_end();
            let code = line.get(..3).and_then(|c| c.parse().ok());
            let code = code.ok_or_else(|| trouble(format!("'{line}' is no SMTP reply")))?;
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, lines });
            }
        }
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// The connection broke.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.writer.write_all(bytes)?)
    }

    /// Closes the sending half.
    ///
    /// # Errors
    /// The connection broke.
    pub fn half_close(&mut self) -> Result<()> {
        Ok(self.writer.shutdown(Shutdown::Write)?)
    }

    /// Sends a command line and reads the answer.
    ///
    /// # Errors
    /// The connection broke.
    pub fn command(&mut self, line: &str) -> Result<Reply> {
        self.write(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// As [`command`](Self::command), but the answer must be 2xx or 3xx.
    ///
    /// # Errors
    /// Another answer.
    #[track_caller]
    pub fn must(&mut self, line: &str) -> Result<Reply> {
        let reply = self.command(line)?;
        if (200..400).contains(&reply.code) {
            return Ok(reply);
        }
        Err(trouble(format!("'{line}' was answered {} {}", reply.code, reply.text())))
    }

    /// EHLO; gives back the extensions.
    ///
    /// # Errors
    /// It was refused.
    pub fn hello(&mut self) -> Result<Vec<String>> {
        Ok(self.must("EHLO client.test")?.lines.into_iter().skip(1).collect())
    }

    /// AUTH PLAIN.
    ///
    /// # Errors
    /// It was refused.
    pub fn login(&mut self, user: &str, password: &str) -> Result<()> {
        let proof = STANDARD.encode(format!("\0{user}\0{password}"));
        self.must(&format!("AUTH PLAIN {proof}"))?;
        Ok(())
    }

    /// Sends a message by DATA. `options` stand behind MAIL FROM. Gives back
    /// the last answer: the one to DATA, or the first refusal.
    ///
    /// # Errors
    /// The connection broke: whether the message was taken is not known.
    pub fn send_with(
        &mut self,
        from: &str,
        options: &str,
        to: &[&str],
        message: &[u8],
    ) -> Result<Reply> {
        let mut lines = vec![format!("MAIL FROM:<{from}> {options}").trim_end().to_owned()];
        lines.extend(to.iter().map(|to| format!("RCPT TO:<{to}>")));
        lines.push("DATA".to_owned());
        for line in lines {
            let reply = self.command(&line)?;
            if !(200..400).contains(&reply.code) {
                if reply.code != 0 {
                    self.command("RSET")?;
                }
                return Ok(reply);
            }
        }
        self.write(&stuffed(message))?;
        self.reply()
    }

    /// As [`send_with`](Self::send_with) without options.
    ///
    /// # Errors
    /// As there.
    pub fn send(&mut self, from: &str, to: &[&str], message: &[u8]) -> Result<Reply> {
        self.send_with(from, "", to, message)
    }

    /// Sends a message by BDAT in chunks of `chunk` octets (RFC 3030).
    ///
    /// # Errors
    /// As [`send_with`](Self::send_with).
    pub fn send_chunked(
        &mut self,
        from: &str,
        options: &str,
        to: &[&str],
        message: &[u8],
        chunk: usize,
    ) -> Result<Reply> {
        self.must(format!("MAIL FROM:<{from}> {options}").trim_end())?;
        for to in to {
            self.must(&format!("RCPT TO:<{to}>"))?;
        }
        let mut chunks = message.chunks(chunk.max(1)).peekable();
        let mut last = Reply { code: 0, lines: Vec::new() };
        while let Some(octets) = chunks.next() {
            let end = if chunks.peek().is_none() { " LAST" } else { "" };
            self.write(format!("BDAT {}{end}\r\n", octets.len()).as_bytes())?;
            self.write(octets)?;
            last = self.reply()?;
            if !last.is_positive() {
                break;
            }
        }
        Ok(last)
    }

    /// QUIT.
    ///
    /// # Errors
    /// The connection broke.
    pub fn quit(mut self) -> Result<()> {
        self.command("QUIT")?;
        Ok(())
    }
}

/// The message as DATA carries it (RFC 5321 section 4.5.2): lines that begin
/// with a dot get another, a line with a dot ends it.
pub fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 16);
    for line in message.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
    }
    if !out.ends_with(b"\r\n") && !out.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::stuffed;

    #[test]
    fn dots_are_doubled_and_the_end_is_marked() {
        assert_eq!(stuffed(b"a\r\n.b\r\n..\r\n"), b"a\r\n..b\r\n...\r\n.\r\n");
        assert_eq!(stuffed(b"no end"), b"no end\r\n.\r\n");
    }
}
