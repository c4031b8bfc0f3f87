//! `bench imap`: a mailbox of many messages, on both servers in turn.

use crate::figures::per;
use crate::meter::Meter;
use crate::pair::{Server, Which, start, user};
use crate::report::Report;
use clap::Args;
use concord_testkit::{PASSWORD, Result, trouble};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Options of the comparison.
#[derive(Args)]
pub struct Options {
    /// Messages in the folder.
    #[arg(long, default_value_t = 10_000)]
    messages: usize,
    /// Octets of a message.
    #[arg(long, default_value_t = 2_048)]
    size: usize,
    /// Microseconds that every sync costs more, for both.
    #[arg(long, default_value_t = 0)]
    slow_sync_us: u64,
    /// Measures only this one.
    #[arg(long, value_enum)]
    only: Option<Which>,
    /// Writes the table to this file too.
    #[arg(long)]
    write: Option<PathBuf>,
}

/// Commands that are sent one by one.
const SINGLE: usize = 1_000;

/// A measured operation.
struct Row {
    name: &'static str,
    messages: usize,
    milliseconds: f64,
    cpu: f64,
}

/// Runs all operations on both servers.
pub fn run(options: &Options) -> Result<()> {
    let mut report = Report::default();
    let servers = start(options.only, options.slow_sync_us)?;
    let mut tables = Vec::new();
    for server in &servers {
        tables.push((server.name(), Bench::new(server.as_ref(), options)?.all()?));
    }
    report.line(&format!(
        "One connection, {} messages of {} octets. Every sync costs {} us more than the disk's own.",
        options.messages, options.size, options.slow_sync_us
    ));
    report.head(&["operation", "messages", "server", "ms", "messages/s", "CPU s", "ratio"]);
    let Some((_, first)) = tables.first() else { return Ok(()) };
    for (n, base) in first.iter().enumerate() {
        for (name, rows) in &tables {
            let Some(row) = rows.get(n) else { continue };
            report.row(&[
                row.name.to_owned(),
                row.messages.to_string(),
                (*name).to_owned(),
                format!("{:.1}", row.milliseconds),
                format!("{:.0}", per(row.messages as f64 * 1e3, row.milliseconds)),
                format!("{:.2}", row.cpu),
                format!("{:.2}x", per(row.milliseconds, base.milliseconds)),
            ]);
        }
    }
    report.write(options.write.as_deref())
}

struct Bench<'a> {
    server: &'a dyn Server,
    options: &'a Options,
    client: Client,
    rows: Vec<Row>,
}

impl<'a> Bench<'a> {
    fn new(server: &'a dyn Server, options: &'a Options) -> Result<Self> {
        let mut client = Client::connect(server)?;
        client.command("CREATE BENCH")?;
        Ok(Self { server, options, client, rows: Vec::new() })
    }

    fn timed(
        &mut self,
        name: &'static str,
        messages: usize,
        act: impl FnOnce(&mut Client) -> Result<()>,
    ) -> Result<()> {
        let roots = self.server.roots()?;
        let meter = Meter::start(&roots, self.server.counter(), &self.server.directory())?;
        let start = Instant::now();
        act(&mut self.client).map_err(|e| e.during(name))?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        let cpu = meter.stop()?.cpu;
        println!("{}: {name}: {milliseconds:.1} ms", self.server.name());
        self.rows.push(Row { name, messages, milliseconds, cpu });
        Ok(())
    }

    fn one(&mut self, name: &'static str, messages: usize, command: &str) -> Result<()> {
        self.timed(name, messages, |c| c.command(command).map(|_| ()))
    }

    fn all(mut self) -> Result<Vec<Row>> {
        let (count, size) = (self.options.messages, self.options.size);
        self.timed("APPEND, one connection", count, |c| {
            (0..count).try_for_each(|n| c.append("BENCH", &message(n, size)))
        })?;
        self.reads(count)?;
        self.one("STORE 1:* +FLAGS", count, "STORE 1:* +FLAGS.SILENT (\\Seen)")?;
        self.timed("STORE, one message a command", SINGLE, |c| {
            (1..=SINGLE).try_for_each(|n| {
                c.command(&format!("STORE {n} +FLAGS.SILENT (\\Flagged)")).map(|_| ())
            })
        })?;
        self.client.command("CREATE BENCH2")?;
        self.one("COPY 1:1000", SINGLE, "COPY 1:1000 BENCH2")?;
        self.client.command("DELETE BENCH2")?;
        Ok(self.rows)
    }

    fn reads(&mut self, count: usize) -> Result<()> {
        self.one("SELECT, first", count, "SELECT BENCH")?;
        self.one("SELECT, again", count, "SELECT BENCH")?;
        self.one("FETCH flags", count, "FETCH 1:* (UID FLAGS)")?;
        let envelope = "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)";
        self.one("FETCH envelopes, first", count, envelope)?;
        self.one("FETCH envelopes, again", count, envelope)?;
        self.one("FETCH bodies", count, "FETCH 1:* (BODY.PEEK[])")?;
        self.timed("FETCH one body a command", SINGLE, |c| {
            (1..=SINGLE).try_for_each(|n| {
                c.command(&format!("FETCH {} (BODY.PEEK[])", n * 7 % count + 1)).map(|_| ())
            })
        })?;
        self.one("SEARCH SUBJECT, first", count, "SEARCH SUBJECT \"blue\"")?;
        self.one("SEARCH SUBJECT, again", count, "SEARCH SUBJECT \"blue\"")?;
        self.one("SEARCH UNSEEN", count, "SEARCH UNSEEN")?;
        self.one("SEARCH TEXT, first", count, "SEARCH TEXT \"needle004711\"")?;
        self.one("SEARCH TEXT, again", count, "SEARCH TEXT \"needle004711\"")
    }
}

/// Reads answers without understanding them, so that the client costs little.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
    tags: u32,
}

impl Client {
    fn connect(server: &dyn Server) -> Result<Self> {
        let stream = TcpStream::connect(server.imap())?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let mut client = Self { stream, buffer: vec![0; 256 << 10], tags: 0 };
        client.read_until(|tail| tail.ends_with(b"\r\n"))?;
        client.command(&format!("LOGIN \"{}\" \"{PASSWORD}\"", user(0)))?;
        Ok(client)
    }

    /// Reads until the end of what was read satisfies `over`; gives it back.
    fn read_until(&mut self, over: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        // Longer than any last line.
        const TAIL: usize = 4_096;
        let mut tail: Vec<u8> = Vec::new();
        loop {
            let read = self.stream.read(&mut self.buffer)?;
            if read == 0 {
                return Err(trouble("the server closed the connection"));
            }
            tail.extend_from_slice(self.buffer.get(..read).unwrap_or_default());
            if over(&tail) {
                return Ok(tail);
            }
            let from = tail.len().saturating_sub(TAIL);
            tail.drain(..from);
        }
    }

    fn finish(&mut self, tag: &str) -> Result<()> {
        let tail = self.read_until(|tail| last_line(tail).starts_with(tag.as_bytes()))?;
        let line = String::from_utf8_lossy(last_line(&tail)).into_owned();
        if line.get(tag.len()..).is_some_and(|rest| rest.starts_with("OK")) {
            return Ok(());
        }
        Err(trouble(line.trim()))
    }

    fn command(&mut self, command: &str) -> Result<()> {
        self.tags += 1;
        let tag = format!("B{} ", self.tags);
        self.stream.write_all(format!("{tag}{command}\r\n").as_bytes())?;
        self.finish(&tag)
    }

    fn append(&mut self, folder: &str, message: &[u8]) -> Result<()> {
        self.tags += 1;
        let tag = format!("B{} ", self.tags);
        let line = format!("{tag}APPEND {folder} {{{}}}\r\n", message.len());
        self.stream.write_all(line.as_bytes())?;
        let answer = self.read_until(|tail| tail.ends_with(b"\r\n"))?;
        if !answer.starts_with(b"+") {
            return Err(trouble(String::from_utf8_lossy(&answer).trim()));
        }
        let mut octets = Vec::with_capacity(message.len() + 2);
        octets.extend_from_slice(message);
        octets.extend_from_slice(b"\r\n");
        self.stream.write_all(&octets)?;
        self.finish(&tag)
    }
}

/// The last whole line, or nothing while a line is incomplete.
fn last_line(octets: &[u8]) -> &[u8] {
    let Some(rest) = octets.strip_suffix(b"\r\n") else { return &[] };
    let start = rest.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    octets.get(start..).unwrap_or_default()
}

/// A message with words to search for.
fn message(n: usize, size: usize) -> Vec<u8> {
    const COLOURS: [&str; 4] = ["blue", "green", "red", "black"];
    const WORDS: [&str; 10] = [
        "figure", "meeting", "quarter", "invoice", "route", "server", "public", "folder",
        "gateway", "window",
    ];
    let colour = COLOURS.get(n % COLOURS.len()).copied().unwrap_or_default();
    let mut text = format!(
        "From: Person {p} <p{p}@load.test>\r\nTo: u0@example.test\r\n\
         Subject: Item {n} of the {colour} list\r\nMessage-ID: <b{n}@load.test>\r\n\
         Date: Sat, 21 Nov 2026 07:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n",
        p = n % 97
    );
    let mut word = 0;
    while text.len() < size {
        text.push_str(WORDS.get((n * 7 + word * 13) % WORDS.len()).copied().unwrap_or_default());
        word += 1;
        text.push_str(if word.is_multiple_of(9) { "\r\n" } else { " " });
    }
    text.push_str(&format!("\r\nneedle{n:06}\r\n"));
    text.into_bytes()
}
