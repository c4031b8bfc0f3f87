//! The controller with real processes: what every suite needs.

#![allow(dead_code, missing_docs)] // each test binary uses its own part

use concord_controller::{ControlClient, ServiceSpec, SocketAddress, SocketSpec, Supervision};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn supervision() -> Supervision {
    Supervision {
        start_time: Duration::from_secs(20),
        stop_time: Duration::from_secs(10),
        watchdog: Duration::ZERO,
        crash_budget: 5,
        crash_window: Duration::from_secs(60),
        back_off_min: Duration::from_millis(20),
        back_off_max: Duration::from_millis(100),
    }
}

pub fn service(name: &str, words: &[&str]) -> ServiceSpec {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service.py");
    let mut args = vec![script.display().to_string()];
    args.extend(words.iter().map(|w| (*w).to_owned()));
    ServiceSpec {
        name: name.to_owned(),
        program: "/usr/bin/python3".into(),
        args,
        depends_on: Vec::new(),
        sockets: Vec::new(),
        supervision: supervision(),
        environment: Default::default(),
        enabled: true,
        optional: false,
    }
}

pub fn tcp(name: &str, address: SocketAddr) -> SocketSpec {
    SocketSpec { name: name.to_owned(), address: SocketAddress::Tcp(address) }
}

/// An address and port that nobody else takes: the loopback network is large
/// enough that each call gets an address of its own.
pub fn free_address() -> SocketAddr {
    static CALLS: AtomicU8 = AtomicU8::new(1);
    let [high, low] = (std::process::id() as u16).to_be_bytes();
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let address = std::net::Ipv4Addr::new(127, high | 128, low, call);
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap()
}

/// The example around the controller.
pub fn supervise() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.parent().unwrap().parent().unwrap().join("examples/supervise")
}

/// Its arguments.
pub fn arguments(dir: &Path) -> Vec<String> {
    let file = dir.join("services-in.json");
    ["run", dir.to_str().unwrap(), file.to_str().unwrap()].map(str::to_owned).to_vec()
}

/// Writes down the services for the start, or for a reload.
pub fn describe(dir: &Path, services: &[ServiceSpec]) {
    let text = serde_json::to_vec(services).unwrap();
    std::fs::write(dir.join("services-in.json"), text).unwrap();
}

/// Says a word to a service that serves, and hears its process id.
pub fn served_by(address: SocketAddr) -> i32 {
    let mut stream = TcpStream::connect(address).expect("refused");
    ask(&mut stream)
}

pub fn ask(stream: &mut TcpStream) -> i32 {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"hello").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once(' ').unwrap().0.parse().unwrap()
}

pub struct Run {
    pub child: Child,
    lines: Receiver<String>,
    pub seen: Vec<String>,
    pub dir: PathBuf,
}

impl Run {
    pub fn start(dir: &Path, services: &[ServiceSpec]) -> Self {
        describe(dir, services);
        let mut child =
            Command::new(supervise()).args(arguments(dir)).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = sender.send(line.trim_end().to_owned());
            }
        });
        Self { child, lines, seen: Vec::new(), dir: dir.to_owned() }
    }

    /// Reads up to the first line that begins so.
    pub fn until(&mut self, wanted: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.starts_with(wanted) {
                        return line;
                    }
                }
                Err(_) => panic!("no line '{wanted}'; seen: {:#?}", self.seen),
            }
        }
    }

    pub fn ask<T>(&self, work: impl AsyncFnOnce(ControlClient) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work(ControlClient::new(&self.dir.join("run/controller.sock"))))
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub fn stop(mut self) -> Vec<String> {
        self.signal(rustix::process::Signal::TERM);
        self.until("end");
        assert!(self.child.wait().unwrap().success());
        std::mem::take(&mut self.seen)
    }

    pub fn log(&self, service: &str) -> String {
        std::fs::read_to_string(self.dir.join(format!("log/{service}.log"))).unwrap_or_default()
    }

    /// Process ids that the service's script wrote down.
    pub fn pids(&self, service: &str) -> Vec<i32> {
        let log = self.log(service);
        let lines = log.lines().filter_map(|l| l.strip_prefix("started "));
        lines.map(|pid| pid.parse().unwrap()).collect()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn is_alive(pid: i32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.contains(") Z "),
        Err(_) => false,
    }
}
