//! The SMTP client of the load: one write for each step, no allocation for a
//! message beyond its own octets.

use concord_testkit::{Result, trouble};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// A peer that waits longer has a defect.
const SILENCE: Duration = Duration::from_secs(60);

/// A session that has said EHLO.
pub struct Client {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    line: Vec<u8>,
}

impl Client {
    /// Connects and says EHLO.
    pub fn connect(address: SocketAddr) -> Result<Self> {
        if !address.ip().is_loopback() {
            return Err(trouble("the load goes to this machine only"));
        }
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let writer = stream.try_clone()?;
        let reader = BufReader::with_capacity(4096, stream);
        let mut client = Self { reader, writer, line: Vec::with_capacity(256) };
        client.expect(b'2')?;
        client.say("EHLO load.test\r\n", b'2')?;
        Ok(client)
    }

    fn expect(&mut self, class: u8) -> Result<()> {
        loop {
            self.line.clear();
            if self.reader.read_until(b'\n', &mut self.line)? == 0 {
                return Err(trouble("the server closed the connection"));
            }
            if self.line.get(3) == Some(&b'-') {
                continue;
            }
            if self.line.first() == Some(&class) {
                return Ok(());
            }
            return Err(trouble(String::from_utf8_lossy(&self.line).trim()));
        }
    }

    fn say(&mut self, line: &str, class: u8) -> Result<()> {
        self.writer.write_all(line.as_bytes())?;
        self.expect(class)
    }

    /// Sends a message (with dots doubled and the final dot). Gives back the
    /// time from writing it to the answer.
    pub fn send(&mut self, from: &str, to: &str, message: &[u8]) -> Result<Duration> {
        self.say(&format!("MAIL FROM:<{from}>\r\n"), b'2')?;
        self.say(&format!("RCPT TO:<{to}>\r\n"), b'2')?;
        self.say("DATA\r\n", b'3')?;
        let start = Instant::now();
        self.writer.write_all(message)?;
        self.expect(b'2')?;
        Ok(start.elapsed())
    }

    /// Says goodbye.
    pub fn quit(mut self) {
        // The messages are acknowledged; nobody needs this answer.
        let _ = self.say("QUIT\r\n", b'2');
    }
}
