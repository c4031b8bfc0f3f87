//! The controller with real processes. Each test is named after the promise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use concord_controller::{
    ControlClient, ServiceSpec, SocketAddress, SocketSpec, Supervision, Verb, machine::State,
};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn supervision() -> Supervision {
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

fn service(name: &str, words: &[&str]) -> ServiceSpec {
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
    }
}

fn tcp(name: &str, address: SocketAddr) -> SocketSpec {
    SocketSpec { name: name.to_owned(), address: SocketAddress::Tcp(address) }
}

/// An address and port that nobody else takes: the loopback network is large
/// enough that each call gets an address of its own.
fn free_address() -> SocketAddr {
    static CALLS: AtomicU8 = AtomicU8::new(1);
    let [high, low] = (std::process::id() as u16).to_be_bytes();
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let address = std::net::Ipv4Addr::new(127, high | 128, low, call);
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap()
}

struct Run {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    dir: PathBuf,
}

impl Run {
    fn start(dir: &Path, services: &[ServiceSpec]) -> Self {
        let file = dir.join("services-in.json");
        std::fs::write(&file, serde_json::to_vec(services).unwrap()).unwrap();
        let program = std::env::current_exe().unwrap();
        let example = program.parent().unwrap().parent().unwrap().join("examples/supervise");
        let mut child = Command::new(example)
            .args(["run".as_ref(), dir.as_os_str(), file.as_os_str()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
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
    fn until(&mut self, wanted: &str) -> String {
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

    fn ask<T>(&self, work: impl AsyncFnOnce(ControlClient) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(work(ControlClient::new(&self.dir.join("run/controller.sock"))))
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    fn stop(mut self) -> Vec<String> {
        self.signal(rustix::process::Signal::TERM);
        self.until("end");
        assert!(self.child.wait().unwrap().success());
        std::mem::take(&mut self.seen)
    }

    fn log(&self, service: &str) -> String {
        std::fs::read_to_string(self.dir.join(format!("log/{service}.log"))).unwrap_or_default()
    }

    /// Process ids that the service's script wrote down.
    fn pids(&self, service: &str) -> Vec<i32> {
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

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_alive(pid: i32) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.contains(") Z "),
        Err(_) => false,
    }
}

#[test]
fn services_start_in_order_of_dependency_and_stop_in_reverse() {
    let dir = tempfile::tempdir().unwrap();
    let mut edge = service("edge", &["ready", "slow-stop"]);
    edge.depends_on = vec!["core".to_owned()];
    let mut run = Run::start(dir.path(), &[edge, service("core", &["sleep=0.2", "ready"])]);
    run.until("settled");
    let order: Vec<_> = run.seen.iter().filter(|l| l.contains("starting")).cloned().collect();
    assert_eq!(
        order,
        [
            "core waiting starting",
            "core starting ready",
            "edge waiting starting",
            "edge starting ready"
        ]
    );
    let list = run.ask(async |c| c.list().await).unwrap();
    let names: Vec<_> = list.iter().map(|s| (s.name.as_str(), s.state)).collect();
    assert_eq!(
        names,
        [("controller", State::Ready), ("edge", State::Ready), ("core", State::Ready)]
    );
    assert_eq!(list[1].status.as_deref(), Some("at work"));
    let seen = run.stop();
    let stops = seen.iter().position(|l| l == "stopping").unwrap();
    assert_eq!(
        seen[stops..],
        [
            "stopping",
            "edge ready stopping",
            "edge stopping stopped",
            "core ready stopping",
            "core stopping stopped",
            "end"
        ]
    );
}

#[test]
fn a_crash_loop_ends_in_failed_and_start_tries_again() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut looping = service("core", &["crash"]);
    looping.sockets = vec![tcp("smtp", address)];
    let mut run = Run::start(dir.path(), &[looping]);
    run.until("core starting failed exit code 1");
    assert_eq!(run.pids("core").len(), 5, "the budget");
    assert!(TcpStream::connect(address).is_err(), "a failed service refuses connections");
    let again = run.ask(async |c| c.act("core", Verb::Start).await).unwrap();
    assert_eq!((again.state, again.crashes), (State::Failed, 10));
    let seen = run.stop();
    assert!(!seen.iter().any(|l| l.starts_with("core failed starting")));
}

#[test]
fn a_service_that_refuses_its_configuration_is_not_restarted() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(dir.path(), &[service("core", &["refuse"])]);
    run.until("core starting failed exit code 78");
    assert_eq!(run.pids("core").len(), 1);
    run.stop();
}

#[test]
fn what_waits_for_a_failed_service_does_not_hold_up_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let mut edge = service("edge", &["ready"]);
    edge.depends_on = vec!["core".to_owned()];
    let mut run = Run::start(dir.path(), &[edge, service("core", &["refuse"])]);
    run.until("settled");
    let edge = run.ask(async |c| c.act("edge", Verb::Start).await).unwrap();
    assert_eq!(edge.state, State::Waiting);
    run.stop();
}

#[test]
fn a_missed_watchdog_ends_the_process_and_starts_another() {
    let dir = tempfile::tempdir().unwrap();
    let mut hanging = service("hanging", &["ready"]);
    hanging.supervision.watchdog = Duration::from_millis(300);
    let mut living = service("living", &["alive", "ready"]);
    living.supervision.watchdog = Duration::from_millis(300);
    let mut run = Run::start(dir.path(), &[hanging, living]);
    run.until("hanging ready crashing no sign of life");
    run.until("hanging crashing back-off killed (SIGKILL)");
    run.until("hanging starting ready");
    assert!(!run.seen.iter().any(|l| l.starts_with("living ready")), "{:?}", run.seen);
    run.stop();
}

#[test]
fn a_service_that_is_not_ready_in_time_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let mut slow = service("slow", &["sleep=30"]);
    slow.supervision.start_time = Duration::from_millis(300);
    let mut run = Run::start(dir.path(), &[slow]);
    run.until("slow starting crashing not ready in time");
    run.until("slow crashing back-off");
    run.stop();
}

#[test]
fn a_service_that_does_not_stop_is_killed_after_its_stop_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut stubborn = service("stubborn", &["stubborn", "ready"]);
    stubborn.supervision.stop_time = Duration::from_millis(300);
    let mut run = Run::start(dir.path(), &[stubborn]);
    run.until("stubborn starting ready");
    let stopped = run.ask(async |c| c.act("stubborn", Verb::Stop).await).unwrap();
    assert_eq!(stopped.state, State::Stopped);
    assert_eq!(stopped.last_exit.as_deref(), Some("killed (SIGKILL)"));
    run.stop();
}

#[test]
fn a_second_interrupt_does_not_wait() {
    let dir = tempfile::tempdir().unwrap();
    let mut stubborn = service("stubborn", &["stubborn", "ready"]);
    stubborn.supervision.stop_time = Duration::from_secs(600);
    let mut run = Run::start(dir.path(), &[stubborn]);
    run.until("settled");
    run.signal(rustix::process::Signal::INT);
    run.until("stubborn ready stopping");
    run.signal(rustix::process::Signal::INT);
    run.until("end");
}

#[test]
fn a_closed_terminal_stops_everything_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::start(dir.path(), &[service("core", &["ready"])]);
    run.until("settled");
    run.signal(rustix::process::Signal::HUP);
    run.until("core stopping stopped");
    run.until("end");
}

#[test]
fn a_restart_refuses_no_connection_and_loses_no_waiting_one() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut serving = service("serving", &["children", "sleep=0.2", "serve", "ready"]);
    serving.sockets = vec![tcp("smtp", address)];
    let mut run = Run::start(dir.path(), &[serving]);
    run.until("settled");
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let client = std::thread::spawn({
        let stop = stop.clone();
        move || {
            let mut served = std::collections::BTreeMap::<String, u32>::new();
            while !stop.load(Ordering::Relaxed) {
                let mut stream = TcpStream::connect(address).expect("refused");
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                // A connection that the old process took with it is cut, as
                // any is; one that waited must be served by the new process.
                let mut answer = String::new();
                if stream.write_all(b"hello").is_ok()
                    && stream.read_to_string(&mut answer).is_ok()
                    && let Some((pid, "hello")) = answer.split_once(' ')
                {
                    *served.entry(pid.to_owned()).or_default() += 1;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            served
        }
    });
    for _ in 0..5 {
        std::thread::sleep(Duration::from_millis(100));
        let after = run.ask(async |c| c.act("serving", Verb::Restart).await).unwrap();
        assert_eq!(after.state, State::Ready);
    }
    std::thread::sleep(Duration::from_millis(100));
    stop.store(true, Ordering::Relaxed);
    let served = client.join().unwrap();
    assert_eq!(served.len(), 6, "each process served: {served:?}");
    assert!(run.log("serving").contains("fds 1 smtp True"), "{}", run.log("serving"));
    run.stop();
}

#[test]
fn a_stopped_service_refuses_connections_until_it_starts() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut serving = service("serving", &["serve", "ready"]);
    serving.sockets = vec![tcp("smtp", address)];
    let mut edge = service("edge", &["ready"]);
    edge.depends_on = vec!["serving".to_owned()];
    let mut run = Run::start(dir.path(), &[serving, edge]);
    run.until("settled");
    run.ask(async |c| c.act("serving", Verb::Stop).await).unwrap();
    let edge = run.ask(async |c| c.status("edge").await).unwrap();
    assert_eq!(edge.state, State::Stopped, "what depends on it stopped before");
    assert!(TcpStream::connect(address).is_err());
    run.ask(async |c| c.act("edge", Verb::Start).await).unwrap();
    let serving = run.ask(async |c| c.status("serving").await).unwrap();
    assert_eq!(serving.state, State::Ready, "what it depends on started with it");
    assert!(TcpStream::connect(address).is_ok());
    run.stop();
}

#[test]
fn a_killed_controller_leaves_no_service_and_the_next_finds_clean_ground() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let socket = dir.path().join("run/admin.sock");
    let mut good = service("good", &["serve", "ready"]);
    good.sockets = vec![
        tcp("smtp", address),
        SocketSpec { name: "admin".into(), address: SocketAddress::Unix(socket.clone()) },
    ];
    let services = [good, service("other", &["ready", "slow-stop"])];
    let mut run = Run::start(dir.path(), &services);
    run.until("settled");
    let pids = [run.pids("good"), run.pids("other")].concat();
    assert_eq!(pids.len(), 2);
    run.signal(rustix::process::Signal::KILL);
    run.child.wait().unwrap();
    eventually("every service ends by itself", || !pids.iter().any(|pid| is_alive(*pid)));
    assert!(run.log("other").contains("stopped"), "it had the time to finish");
    assert!(socket.exists(), "a dead controller's socket");

    let mut next = Run::start(dir.path(), &services);
    next.until("settled");
    assert!(!next.seen.iter().any(|l| l.starts_with("cleaned")));
    assert!(TcpStream::connect(address).is_ok());
    next.stop();
    assert!(!socket.exists(), "removed in an orderly end");
}

#[test]
fn what_a_killed_controller_leaves_behind_is_ended_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut stubborn = service("stubborn", &["stubborn", "serve", "ready"]);
    stubborn.sockets = vec![tcp("smtp", address)];
    stubborn.supervision.stop_time = Duration::from_millis(500);
    let mut run = Run::start(dir.path(), std::slice::from_ref(&stubborn));
    run.until("settled");
    let pids = run.pids("stubborn");
    run.signal(rustix::process::Signal::KILL);
    run.child.wait().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(is_alive(pids[0]), "it ignores SIGTERM");
    let mut next = Run::start(dir.path(), &[stubborn]);
    next.until("cleaned stubborn");
    next.until("settled");
    assert!(!is_alive(pids[0]));
    next.signal(rustix::process::Signal::INT);
    next.until("end");
}

#[test]
fn two_controllers_on_one_root_and_taken_ports_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (free_address(), free_address());
    let mut first = service("first", &["ready"]);
    first.sockets = vec![tcp("smtp", a), tcp("imap", b)];
    let mut run = Run::start(dir.path(), std::slice::from_ref(&first));
    run.until("settled");
    let mut second = Run::start(dir.path(), std::slice::from_ref(&first));
    let line = second.until("error");
    let pid = format!("(pid {})", run.child.id());
    assert!(line.contains("a controller already runs") && line.contains(&pid), "{line}");
    let elsewhere = tempfile::tempdir().unwrap();
    let mut third = Run::start(elsewhere.path(), &[first]);
    third.until("error cannot open 2 listeners");
    let line = third.until("  smtp");
    assert!(line.contains("taken by") && line.contains("pid"), "{line}");
    third.until("  imap");
    run.stop();
}

#[test]
fn killed_services_come_back_every_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut steady = service("steady", &["ready"]);
    steady.supervision.crash_budget = 1_000;
    let mut run = Run::start(dir.path(), &[steady]);
    run.until("steady starting ready");
    for _ in 0..10 {
        let pid = run.ask(async |c| c.status("steady").await).unwrap().pid.unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        run.until("steady ready back-off killed (SIGKILL)");
        run.until("steady starting ready");
    }
    let logs = run.ask(async |c| c.logs("steady", 3).await).unwrap();
    assert_eq!(logs.lines.len(), 3);
    assert!(
        run.ask(async |c| c.status("nobody").await).unwrap_err().to_string().contains("steady")
    );
    run.stop();
}
