//! A milter of which tests decide what it says, and where it dies.

use bytes::{Bytes, BytesMut};
use concord_milter::{Actions, Command, PacketReader, Response, Steps};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

#[derive(Clone)]
pub enum Does {
    /// Says these, one after the other.
    Says(Vec<Response>),
    /// Says these and closes the connection.
    Dies(Vec<Response>),
    /// Says these and then nothing more.
    Hangs(Vec<Response>),
    /// Says that it is at work, for ever.
    Works,
    /// Sends octets that are no packet.
    Babbles,
}

#[derive(Clone, Default)]
pub struct Script {
    /// What it does at a command, by letter; it says `Continue` otherwise.
    pub at: HashMap<u8, Does>,
    pub steps: u32,
    /// After so many sessions it closes the connection between two.
    pub sessions: Option<usize>,
}

impl Script {
    pub fn at(letter: u8, does: Does) -> Self {
        Self { at: HashMap::from([(letter, does)]), ..Self::default() }
    }

    pub fn and(mut self, letter: u8, does: Does) -> Self {
        self.at.insert(letter, does);
        self
    }
}

pub struct Fake {
    pub port: u16,
    heard: Arc<Mutex<Vec<Vec<Command>>>>,
    task: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fake {
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let number = {
                    let mut all = all.lock().unwrap();
                    all.push(Vec::new());
                    all.len() - 1
                };
                tokio::spawn(serve(stream, script.clone(), Arc::clone(&all), number));
            }
        });
        Self { port, heard, task }
    }

    /// The commands of each connection.
    pub fn heard(&self) -> Vec<Vec<Command>> {
        self.heard.lock().unwrap().clone()
    }

    /// Their letters.
    pub fn letters(&self) -> Vec<String> {
        let letters = |commands: &Vec<Command>| {
            commands.iter().map(|c| char::from(c.letter())).collect::<String>()
        };
        self.heard().iter().map(letters).collect()
    }

    pub fn config(&self, on_failure: &str) -> String {
        format!(
            "[[filter]]\nname = \"fake-{}\"\nkind = \"milter\"\naddress = \"127.0.0.1:{}\"\n\
             on-failure = \"{on_failure}\"\ntimeout = \"300 ms\"\ntotal-time = \"900 ms\"\n",
            self.port, self.port
        )
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Script,
    heard: Arc<Mutex<Vec<Vec<Command>>>>,
    number: usize,
) {
    let mut reader = PacketReader::new();
    let mut input = BytesMut::new();
    let mut sessions = 0;
    loop {
        while let Some((letter, data)) = reader.next_packet().unwrap() {
            heard.lock().unwrap()[number].push(Command::parse(letter, data).unwrap());
            let does = script.at.get(&letter).cloned();
            let does = does.unwrap_or_else(|| Does::Says(usual(letter, script.steps)));
            if !act(&mut stream, does).await {
                return;
            }
            sessions += usize::from(letter == b'K');
            if Some(sessions) == script.sessions {
                return;
            }
        }
        input.clear();
        if stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
            return;
        }
        reader.feed(&input);
    }
}

fn usual(letter: u8, steps: u32) -> Vec<Response> {
    match letter {
        b'O' => vec![Response::Negotiate {
            version: 6,
            actions: Actions::ALL,
            steps: Steps::from_bits(steps),
            macros: Vec::new(),
        }],
        b'D' | b'A' | b'Q' | b'K' => Vec::new(),
        _ => vec![Response::Continue],
    }
}

/// False if the connection is over.
async fn act(stream: &mut TcpStream, does: Does) -> bool {
    let (says, then) = match does {
        Does::Says(says) => (says, Some(true)),
        Does::Dies(says) => (says, Some(false)),
        Does::Hangs(says) => (says, None),
        Does::Works => {
            let mut packet = BytesMut::new();
            Response::Progress.write(&mut packet);
            while stream.write_all(&packet).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            return false;
        }
        Does::Babbles => return stream.write_all(&[0xff; 64]).await.is_ok(),
    };
    let mut packets = BytesMut::new();
    says.iter().for_each(|response| response.write(&mut packets));
    let written = stream.write_all(&packets).await.is_ok();
    if then.is_none() {
        // Longer than any time-out of a test.
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    written && then == Some(true)
}

pub fn octets(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}
