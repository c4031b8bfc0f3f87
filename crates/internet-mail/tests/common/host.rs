//! A remote host that follows a script: what it says is the test's.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// What a host does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// This reply, without its line end.
    Line(String),
    /// Nothing, for ever.
    Nothing,
    /// It closes.
    Close,
}

pub fn say(line: &str) -> Say {
    Say::Line(line.to_owned())
}

/// The script: told `connected`, each command line, and `.` at the end of a
/// message; the number counts its connections from 0.
pub type Script = Arc<dyn Fn(&str, usize) -> Say + Send + Sync>;

/// A host that runs.
#[derive(Clone, Default)]
pub struct Host {
    lines: Arc<Mutex<Vec<(usize, String)>>>,
    /// Connections now.
    open: Arc<Mutex<(usize, usize)>>,
    clients: Arc<Mutex<Vec<IpAddr>>>,
}

impl Host {
    /// All command lines, and those of messages.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().iter().map(|(_, line)| line.clone()).collect()
    }

    pub fn heard(&self, line: &str) -> usize {
        self.lines().iter().filter(|heard| heard.starts_with(line)).count()
    }

    /// Where its connections came from.
    pub fn clients(&self) -> Vec<IpAddr> {
        self.clients.lock().unwrap().clone()
    }

    /// Connections now.
    pub fn open(&self) -> usize {
        self.open.lock().unwrap().0
    }

    /// The most connections that there were at once.
    pub fn most(&self) -> usize {
        self.open.lock().unwrap().1
    }
}

/// What a well-mannered host says.
pub fn polite(line: &str) -> Say {
    match line.split([' ', ':']).next().unwrap_or_default() {
        "connected" => say("220 host.test ESMTP"),
        "EHLO" => say("250-host.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 DSN"),
        "DATA" => say("354 go on"),
        "QUIT" => say("221 bye"),
        _ => say("250 2.0.0 ok"),
    }
}

/// Starts a host.
pub fn start(
    address: SocketAddr,
    script: impl Fn(&str, usize) -> Say + Send + Sync + 'static,
) -> (SocketAddr, Host) {
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    let (address, host, script) =
        (listener.local_addr().unwrap(), Host::default(), Arc::new(script));
    let running = host.clone();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, client) = listener.accept().await.unwrap();
            running.clients.lock().unwrap().push(client.ip());
            let (host, script) = (running.clone(), Arc::clone(&script) as Script);
            tokio::spawn(async move {
                {
                    let mut open = host.open.lock().unwrap();
                    open.0 += 1;
                    open.1 = open.1.max(open.0);
                }
                let _ = converse(stream, number, &host, &script).await;
                host.open.lock().unwrap().0 -= 1;
            });
        }
    });
    (address, host)
}

async fn converse(
    stream: TcpStream,
    number: usize,
    host: &Host,
    script: &Script,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let (mut line, mut in_message) = ("connected".to_owned(), false);
    loop {
        if !in_message || line == "." {
            in_message = false;
            match script(&line, number) {
                Say::Close => return Ok(()),
                Say::Nothing => std::future::pending().await,
                Say::Line(reply) => {
                    in_message = reply.starts_with("354");
                    writer.write_all(format!("{reply}\r\n").as_bytes()).await?;
                    if line == "QUIT" || reply.starts_with("421") {
                        return Ok(());
                    }
                }
            }
        }
        let Some(next) = lines.next_line().await? else { return Ok(()) };
        line = next;
        host.lines.lock().unwrap().push((number, line.clone()));
    }
}
